"""A layer that does nothing: y = x, dx = dy; it holds a place, or gives a tensor a name."""

from scratchnet.layers.base import Layer
from scratchnet.registry import register


@register("layers", "TFDIdentity")  # the second is Keras's, within a FeatureSpace
class Identity(Layer):
    """Any shape, unchanged."""

    keeps_integers = True
    supports_masking = True

    def compute_output_shape(self, input_shape):
        return input_shape

    def forward(self, x, training=False):
        return x, None

    def backward(self, dy, cache, needs_dx=True):
        return dy, {}
