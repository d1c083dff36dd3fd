"""Unit normalization: every vector keeps its direction and gets the length 1.

    n = sqrt(sum(x^2))        y = x / n        dx = (dy - y sum(dy y)) / n

Stretching x changes no y: what of dy lies along y is taken out. A vector of zeros has no direction; as in Keras its
length counts as 1e-12.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scratchnet import kernels
from scratchnet.checks import check_axes
from scratchnet.layers.base import Layer
from scratchnet.layers.normalization.scale_and_shift import as_rows, from_rows
from scratchnet.registry import register

_SHORTEST = 1e-12


class UnitNormalizationCache(NamedTuple):
    y: np.ndarray  # (M, D): a row for each vector
    n: np.ndarray  # (M,): their lengths


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
        self._axes(len(input_shape))
        return input_shape

    def looks_across(self, input_shape):
        return 0 in self._axes(len(input_shape))

    def forward(self, x, training=False):
        self.unpack(x, "*")
        axes = self._axes(x.ndim)
        rows = as_rows(x, axes)  # (M, D)
        if kernels.unit_rows_forward is not None:
            y, n = kernels.unit_rows_forward(rows, _SHORTEST)
        else:
            n = np.maximum(np.sqrt(np.square(rows).sum(axis=1)), rows.dtype.type(_SHORTEST))
            y = rows / n[:, np.newaxis]
        return from_rows(y, x.shape, axes), UnitNormalizationCache(y, n)

    def backward(self, dy, cache, needs_dx=True):
        y, n = cache
        axes = self._axes(dy.ndim)
        rows = as_rows(dy, axes)
        if kernels.unit_rows_backward is not None:
            dx = kernels.unit_rows_backward(rows, y, n)
        else:
            dx = (rows - y * (rows * y).sum(axis=1, keepdims=True)) / n[:, np.newaxis]
        return from_rows(dx, dy.shape, axes), {}

    def _axes(self, ndim):
        """The axes, counted from the front and in their order."""
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        if any(not -ndim <= axis < ndim for axis in axes):
            raise self.error(f"axis {self.axis} is not an axis of inputs with {ndim} axes")
        return tuple(sorted({axis % ndim for axis in axes}))
