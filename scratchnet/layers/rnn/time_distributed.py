"""One layer, applied to every time step alike.

    y_t = layer(x_t)    for t = 1 ... T

The steps share the layer's weights and know nothing of each other: they are simply more samples. So time is folded into
the batch, (N, T, ...) -> (N T, ...), the layer computes forward or backward as ever, and the result is unfolded.
"""

from typing import Any, NamedTuple

from scratchnet.layers.base import Layer
from scratchnet.random import rows_per_sample


class TimeDistributedCache(NamedTuple):
    steps: tuple  # (N, T)
    inner: Any  # the layer's own cache, of the folded batch


class TimeDistributed(Layer):
    """Applies `layer` to every step of a sequence.

    Args:
        layer: any layer (or model) with one input and one output; its parameters are this layer's.

    Shapes: (N, T, ...) -> (N, T, ...), where the layer takes (N, ...) to (N, ...).

    Raises:
        TypeError: if `layer` is not a layer.
        ValueError: for an input of fewer than three axes, or one whose steps the layer refuses.
    """

    def __init__(self, layer, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            raise self.error(f"expected a layer (an instance, such as Dense(10)), got {layer!r}", TypeError)
        self.layer = layer

    # ---- the layer's parameters are this layer's ----

    @property
    def params(self):
        return self.layer.params

    @property
    def trainable_params(self):
        return self.layer.trainable_params if self.trainable else {}

    @property
    def weights(self):
        return self.layer.weights

    def random_streams(self):
        return self.layer.random_streams()

    # ---- shapes ----

    def build(self, input_shape):
        self.layer.ensure_built(self._folded(input_shape))
        self.built = True

    def compute_output_shape(self, input_shape):
        shape = self.layer.compute_output_shape(self._folded(input_shape))
        if not isinstance(shape, tuple):
            raise self.error(f"expected a layer with one output, got {len(shape)} from {self.layer.name}")
        return (*input_shape[:2], *shape[1:])

    def _folded(self, shape):
        """(N, T, ...) -> (N T, ...)"""
        if not isinstance(shape, tuple):
            raise self.error(f"expected one input of shape (N, T, ...), got {len(shape)} inputs")
        if len(shape) < 3:
            raise self.error(f"expected an input of shape (N, T, ...) with at least three axes, got {shape}")
        N, T, *rest = shape
        return (None if None in (N, T) else N * T, *rest)

    # ---- computing ----

    def forward(self, x, training=False):
        N, T = x.shape[:2]
        with rows_per_sample(T):  # a random layer draws for N T rows
            y, inner = self.layer.forward(x.reshape(self._folded(x.shape)), training=training)
        return y.reshape(N, T, *y.shape[1:]), TimeDistributedCache((N, T), inner)

    def backward(self, dy, cache, needs_dx=True):
        N, T = cache.steps
        dy = dy.reshape(N * T, *dy.shape[2:])
        if not needs_dx:
            return None, self.layer.backward(dy, cache.inner, needs_dx=False)[1]
        dx, grads = self.layer.backward(dy, cache.inner)
        return dx.reshape(N, T, *dx.shape[1:]), grads

    # ---- configuration ----

    def get_config(self):
        from scratchnet.layers import serialize

        return {**super().get_config(), "layer": serialize(self.layer)}

    @classmethod
    def from_config(cls, settings, custom_objects=None):
        from scratchnet.layers import deserialize

        return cls(**{**settings, "layer": deserialize(settings["layer"], custom_objects)})
