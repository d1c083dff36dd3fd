"""Layers that disturb training, so that a model does not learn by heart."""

from scratchnet.layers.regularization.activity_regularization import ActivityRegularization
from scratchnet.layers.regularization.alpha_dropout import AlphaDropout
from scratchnet.layers.regularization.dropout import Dropout, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from scratchnet.layers.regularization.gaussian_dropout import GaussianDropout
from scratchnet.layers.regularization.gaussian_noise import GaussianNoise

__all__ = [
    "ActivityRegularization",
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
]
