"""The products of two inputs, sample by sample, summed along one axis of each: how alike they are.

    y[n, i, j] = sum over k of  x_1[n, i, k] x_2[n, k, j]

With `normalize` both are first divided by their lengths along that axis: y is the cosine of the angle between them.
y is linear in each input, so each adjoint is the same sum with the other one:

    dx_1[n, i, k] = sum over j of  dy[n, i, j] x_2[n, k, j]
    dx_2[n, k, j] = sum over i of  x_1[n, i, k] dy[n, i, j]
    x_hat = x / s with s = |x|:    dx = (dx_hat - x_hat sum(dx_hat x_hat)) / s
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scratchnet import config
from scratchnet.layers.base import Layer
from scratchnet.registry import register


class DotCache(NamedTuple):
    a: np.ndarray  # (N, I, K): x_1 as it is multiplied
    b: np.ndarray  # (N, K, J)
    shapes: list  # of the inputs
    lengths: list  # of the vectors of each input, or None


@register("layers")
class Dot(Layer):
    """[x_1, x_2] -> their products, summed along `axes`.

    Args:
        axes: the axis of both inputs, or one for each; not that of the samples.
        normalize: whether to divide by the lengths of the vectors along these axes.

    Shapes: (N, ..., K), (N, ..., K) -> (N, the other axes of x_1, the other axes of x_2); (N, 1) where there are none.

    Raises ValueError unless there are two inputs that have the same size along the axes.
    """

    supports_masking = True

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs):
        super().__init__(**kwargs)
        pair = axes if isinstance(axes, (list, tuple)) else (axes, axes)
        if len(pair) != 2 or any(isinstance(a, bool) or not isinstance(a, int) or a == 0 for a in pair):
            raise self.error(f"axes must be one or two integers other than 0, the axis of samples, got {axes!r}")
        self.axes = axes
        self.normalize = bool(normalize)

    def compute_output_shape(self, input_shape):
        if not isinstance(input_shape, list) or len(input_shape) != 2:
            raise self.error(f"expected a list of two inputs, got {input_shape}")
        first, second = input_shape
        i, j = self._axes(len(first), len(second))
        if None not in (first[i], second[j]) and first[i] != second[j]:
            raise self.error(f"axes {self.axes} of inputs of shapes {first} and {second} have different sizes")
        shape = (*first[:i], *first[i + 1 :], *second[1:j], *second[j + 1 :])
        return shape if len(shape) > 1 else (*shape, 1)

    def forward(self, xs, training=False):
        shapes = [x.shape for x in xs]
        y_shape = self.compute_output_shape(shapes)
        i, j = self._axes(xs[0].ndim, xs[1].ndim)
        a, b = np.moveaxis(xs[0], i, -1), np.moveaxis(xs[1], j, 1)
        a = a.reshape(len(a), -1, a.shape[-1])  # (N, I, K)
        b = b.reshape(len(b), b.shape[1], -1)  # (N, K, J)
        lengths = None
        if self.normalize:
            lengths = [_length(a, axis=-1), _length(b, axis=1)]
            a, b = a / lengths[0], b / lengths[1]
        return np.matmul(a, b).reshape(y_shape), DotCache(a, b, shapes, lengths)

    def backward(self, dy, cache, needs_dx=True):
        a, b, shapes, lengths = cache
        dy = dy.reshape(len(a), a.shape[1], b.shape[2])  # (N, I, J)
        da, db = np.matmul(dy, b.swapaxes(1, 2)), np.matmul(a.swapaxes(1, 2), dy)  # y = a b
        if self.normalize:  # a = x_1 / s
            da = (da - a * (da * a).sum(axis=-1, keepdims=True)) / lengths[0]
            db = (db - b * (db * b).sum(axis=1, keepdims=True)) / lengths[1]
        i, j = self._axes(len(shapes[0]), len(shapes[1]))
        first, second = shapes
        da = np.moveaxis(da.reshape(*first[:i], *first[i + 1 :], first[i]), -1, i)
        db = np.moveaxis(db.reshape(second[0], second[j], *second[1:j], *second[j + 1 :]), 1, j)
        return [da, db], {}

    def output_masked(self, masked):
        return False

    def compute_mask(self, inputs, mask=None):
        """None: the products have other axes than the masks."""

    def _axes(self, *ranks):
        pair = self.axes if isinstance(self.axes, (list, tuple)) else (self.axes, self.axes)
        positive = [axis + ndim if axis < 0 else axis for axis, ndim in zip(pair, ranks)]
        if any(not 0 < axis < ndim for axis, ndim in zip(positive, ranks)):
            raise self.error(f"axes {self.axes} are not axes of inputs with {ranks[0]} and {ranks[1]} axes")
        return positive


def _length(x, axis):
    return np.maximum(np.sqrt(np.square(x).sum(axis=axis, keepdims=True)), x.dtype.type(config.epsilon()))


def dot(inputs, axes=-1, **kwargs):
    """``Dot(axes, **kwargs)(inputs)``."""
    return Dot(axes=axes, **kwargs)(inputs)
