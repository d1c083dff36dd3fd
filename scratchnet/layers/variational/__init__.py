"""Layers of the variational autoencoder."""

from scratchnet.layers.variational.gaussian_kl import GaussianKL
from scratchnet.layers.variational.sampling import Sampling

__all__ = [
    "GaussianKL",
    "Sampling",
]
