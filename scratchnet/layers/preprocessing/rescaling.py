"""Numbers on another scale: y = scale x + offset, dx = scale dy. Pixels from 0 to 255 become numbers from 0 to 1."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet.layers.base import Layer
from scratchnet.registry import register


@register("layers")
class Rescaling(Layer):
    """Any shape.

    Args:
        scale, offset: numbers, or one for each feature (the last axis). ``Rescaling(1 / 127.5, offset=-1)`` brings
            pixels into [-1, 1].

    Raises ValueError where there is not a number for each feature.
    """

    supports_masking = True

    def __init__(self, scale: float | Sequence[float], offset: Any = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "*")
        for name in ("scale", "offset"):
            shape = np.shape(getattr(self, name))
            if shape not in ((), (1,)) and shape != input_shape[-1:]:
                raise self.error(f"{name} must be a number, or one for each feature, got {shape} for {input_shape}")
        return input_shape

    def forward(self, x, training=False):
        self.compute_output_shape(x.shape)
        return x * np.asarray(self.scale, x.dtype) + np.asarray(self.offset, x.dtype), None

    def backward(self, dy, cache, needs_dx=True):
        return dy * np.asarray(self.scale, dy.dtype), {}
