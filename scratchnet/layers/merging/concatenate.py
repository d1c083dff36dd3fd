"""Joins its inputs along one axis; the adjoint cuts dy apart at the same places."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scratchnet.layers.base import Layer
from scratchnet.layers.merging.merge import Integers, check_masks, expanded
from scratchnet.registry import register
from scratchnet.structure import flatten


class ConcatenateCache(NamedTuple):
    axis: int
    cuts: list  # where dy is cut


@register("layers")
class Concatenate(Integers, Layer):
    """[(N, ..., A, ...), (N, ..., B, ...), ...] -> (N, ..., A + B + ..., ...).

    Args:
        axis: along which; 0 makes one batch of several.

    Raises ValueError unless there are one or more inputs that agree in all other axes.
    """

    supports_masking = True

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs):
        super().__init__(**kwargs)
        if isinstance(axis, bool) or not isinstance(axis, int):
            raise self.error(f"axis must be an integer, got {axis!r}")
        self.axis = axis

    def looks_across(self, input_shape):
        return self._axis(len(input_shape[0])) == 0  # in parts, samples would come in another order

    def compute_output_shape(self, input_shape):
        if not isinstance(input_shape, list) or not input_shape:
            raise self.error(f"expected a list of inputs, got {input_shape}")
        common, *others = input_shape
        axis = self._axis(len(common))
        for shape in others:
            fits = len(shape) == len(common) and all(
                k == axis or a == b or None in (a, b) for k, (a, b) in enumerate(zip(common, shape))
            )
            if not fits:
                raise self.error(f"inputs must agree in all axes but {self.axis}, got {common} and {shape}")
            common = tuple(b if a is None else a for a, b in zip(common, shape))
        sizes = [shape[axis] for shape in input_shape]
        return (*common[:axis], None if None in sizes else sum(sizes), *common[axis + 1 :])

    def forward(self, xs, training=False):
        self.compute_output_shape([x.shape for x in xs])
        axis = self._axis(xs[0].ndim)
        cuts = np.cumsum([x.shape[axis] for x in xs])[:-1].tolist()
        return np.concatenate(self.as_one_kind(xs), axis=axis), ConcatenateCache(axis, cuts)

    def backward(self, dy, cache, needs_dx=True):
        return np.split(dy, cache.cuts, axis=cache.axis), {}

    def output_masked(self, masked):
        return any(flatten(masked))

    def compute_mask(self, inputs, mask=None):
        """Along time the masks stand behind one another; along another axis a step counts if it does in any input."""
        if mask is None:
            return None
        check_masks(self, inputs, mask)
        if all(m is None for m in mask):
            return None
        full = [np.ones(x.shape, bool) if m is None else expanded(m, x) for m, x in zip(mask, inputs)]
        return np.concatenate(full, axis=self._axis(inputs[0].ndim)).any(axis=-1)

    def _axis(self, ndim):
        axis = self.axis + ndim if self.axis < 0 else self.axis
        if not 0 <= axis < ndim:
            raise self.error(f"axis {self.axis} is not an axis of inputs with {ndim} axes")
        return axis


def concatenate(inputs, axis=-1, **kwargs):
    """``Concatenate(axis, **kwargs)(inputs)``."""
    return Concatenate(axis=axis, **kwargs)(inputs)
