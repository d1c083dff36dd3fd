"""Capsules: groups of neurons whose vector says what is there, and its length how surely."""

from scratchnet.layers.capsules.capsule_layer import CapsuleLayer
from scratchnet.layers.capsules.length import CapsuleMask, Length
from scratchnet.layers.capsules.primary_capsules import PrimaryCapsules
from scratchnet.layers.capsules.squash import Squash

__all__ = [
    "CapsuleLayer",
    "CapsuleMask",
    "Length",
    "PrimaryCapsules",
    "Squash",
]
