"""A layer made of layers: a model, or a wrapper such as TimeDistributed."""

from scratchnet.layers.base import Layer
from scratchnet.layers.sublayers import HoldsLayers


class Composite(HoldsLayers, Layer):
    """Base of layers that hold others and have their own forward and backward."""
