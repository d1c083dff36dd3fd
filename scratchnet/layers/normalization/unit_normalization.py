"""Unit normalization: every vector keeps its direction and gets the length 1.

    n = sqrt(sum(x^2))        y = x / n        dx = (dy - y sum(dy y)) / n

Stretching x changes no y: what of dy lies along y is taken out. A vector of zeros has no direction; as in Keras its
length counts as 1e-12.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scratchnet.checks import check_axes
from scratchnet.layers.base import Layer
from scratchnet.registry import register

_SHORTEST = 1e-12


class UnitNormalizationCache(NamedTuple):
    y: np.ndarray
    n: np.ndarray  # lengths, with the normalized axes of size 1


@register("layers")
class UnitNormalization(Layer):
    """Divides each sample by its Euclidean length along `axis`, a number or a list of them.

    Shapes: any; the output has that of the input. Raises ValueError for an axis that the input does not have.
    """

    supports_masking = True

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs):
        super().__init__(**kwargs)
        self.axis = check_axes(self, axis)

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "*")
        for axis in self._axes():
            if not -len(input_shape) <= axis < len(input_shape):
                raise self.error(f"axis {self.axis} is not an axis of inputs with {len(input_shape)} axes")
        return input_shape

    def forward(self, x, training=False):
        n = np.maximum(np.sqrt(np.square(x).sum(axis=self._axes(), keepdims=True)), x.dtype.type(_SHORTEST))
        y = x / n
        return y, UnitNormalizationCache(y, n)

    def backward(self, dy, cache, needs_dx=True):
        y, n = cache
        return (dy - y * (dy * y).sum(axis=self._axes(), keepdims=True)) / n, {}

    def _axes(self):
        return tuple(self.axis) if isinstance(self.axis, list) else (self.axis,)
