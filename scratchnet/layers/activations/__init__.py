"""Activations as layers of their own."""

from scratchnet.layers.activations.activation import ELU, Activation, LeakyReLU, ReLU, Softmax

__all__ = [
    "Activation",
    "ELU",
    "LeakyReLU",
    "ReLU",
    "Softmax",
]
