"""Activations as layers of their own."""

from scratchnet.layers.activations.activation import ELU, Activation, LeakyReLU, ReLU, Softmax
from scratchnet.layers.activations.prelu import PReLU

__all__ = [
    "Activation",
    "ELU",
    "LeakyReLU",
    "PReLU",
    "ReLU",
    "Softmax",
]
