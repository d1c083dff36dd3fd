"""Layers that keep numbers at the same scale."""

from scratchnet.layers.normalization.batch_normalization import BatchNormalization
from scratchnet.layers.normalization.group_normalization import GroupNormalization
from scratchnet.layers.normalization.layer_normalization import LayerNormalization
from scratchnet.layers.normalization.rms_normalization import RMSNormalization
from scratchnet.layers.normalization.spectral_normalization import SpectralNormalization
from scratchnet.layers.normalization.unit_normalization import UnitNormalization

__all__ = [
    "BatchNormalization",
    "GroupNormalization",
    "LayerNormalization",
    "RMSNormalization",
    "SpectralNormalization",
    "UnitNormalization",
]
