"""Layers that disturb training, so that a model does not learn by heart."""

from scratchnet.layers.regularization.dropout import Dropout
from scratchnet.layers.regularization.gaussian_noise import GaussianNoise

__all__ = [
    "Dropout",
    "GaussianNoise",
]
