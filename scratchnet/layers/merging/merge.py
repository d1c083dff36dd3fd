"""What layers that merge several inputs element by element share: shapes that broadcast, and masks.

Inputs with fewer axes get axes of size 1 behind that of the samples; an axis of size 1 stands for as many copies as the
others have. The adjoint of copies is their sum.
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet.layers.base import Layer
from scratchnet.ops.operation import unbroadcast
from scratchnet.structure import flatten


class MergeCache(NamedTuple):
    shapes: list  # of the inputs
    terms: Any  # what the layer's own adjoint needs


class ExtremeTerms(NamedTuple):
    seen: list  # the inputs, with the worst number where one does not count
    counted: list  # for each an array of bools, or None: all of it
    y: Any  # the best of what was seen


class Integers:
    """The part of layers that leave integers what they are, as long as all of their inputs are integers."""

    keeps_integers = True

    def as_one_kind(self, xs):
        """The arrays as they are if all hold integers, else all in the dtype of the layer."""
        if all(x.dtype.kind != "f" for x in xs):
            return xs
        return [x if x.dtype.kind == "f" else x.astype(self.dtype) for x in xs]

    def output_dtype(self, inputs):
        dtypes = [tensor.dtype for tensor in flatten(inputs)]
        floats = not self.keeps_integers or any(dtype.startswith("float") for dtype in dtypes)
        return self.dtype if floats else np.result_type(*dtypes).name


class Merge(Integers, Layer):
    """Base of `Add`, `Subtract`, `Multiply`, `Average`, `Maximum` and `Minimum`.

    A subclass defines `merge` and `merge_backward` for inputs that have the same number of axes.
    """

    supports_masking = True

    def merge(self, xs):
        """Return ``(y, terms)``."""
        raise NotImplementedError(f"{type(self).__name__} defines no merge")

    def merge_backward(self, dy, terms):
        """The adjoint of each input, of y's shape: as many as there were, in a list."""
        raise NotImplementedError(f"{type(self).__name__} defines no merge_backward")

    def compute_output_shape(self, input_shape):
        if not isinstance(input_shape, list) or not input_shape:
            raise self.error(f"expected a list of inputs, got {input_shape}")
        aligned = [_aligned(shape, max(map(len, input_shape))) for shape in input_shape]
        sizes = []
        for axis, lengths in enumerate(zip(*aligned)):
            known = {n for n in lengths if n is not None and n != 1}
            if len(known) > 1 or (axis == 0 and known and 1 in lengths):
                raise self.error(f"the shapes of the inputs do not match: {', '.join(map(str, input_shape))}")
            sizes.append(known.pop() if known else None if None in lengths else 1)
        return tuple(sizes)

    def forward(self, xs, training=False):
        shapes = [x.shape for x in xs]
        self.compute_output_shape(shapes)
        ndim = max(map(len, shapes))
        y, terms = self.merge([x.reshape(_aligned(x.shape, ndim)) for x in self.as_one_kind(xs)])
        return y, MergeCache(shapes, terms)

    def backward(self, dy, cache, needs_dx=True):
        dxs = self.merge_backward(dy, cache.terms)
        aligned = [_aligned(shape, dy.ndim) for shape in cache.shapes]
        return [unbroadcast(d, a).reshape(shape) for d, a, shape in zip(dxs, aligned, cache.shapes)], {}

    def output_masked(self, masked):
        return all(flatten(masked))

    def compute_mask(self, inputs, mask=None):
        """What counts in any of the inputs; no mask where one of them has none."""
        if mask is None:
            return None
        check_masks(self, inputs, mask)
        if any(m is None for m in mask):
            return None
        return np.logical_or.reduce([np.asarray(m, bool) for m in mask])


class MaskedMerge(Merge):
    """Base of `Multiply`, `Maximum` and `Minimum`, to whose results nothing comes from where a mask does not count.

    A subclass defines ``merge(xs, counted)``; `counted` has for each input an array of bools, or None: all of it.
    """

    def forward(self, xs, training=False, mask=None):
        shapes = [x.shape for x in xs]
        self.compute_output_shape(shapes)
        ndim = max(map(len, shapes))
        masks = [None] * len(xs) if mask is None else mask
        counted = [None if m is None else expanded(m, x).reshape(_aligned(x.shape, ndim)) for m, x in zip(masks, xs)]
        y, terms = self.merge([x.reshape(_aligned(x.shape, ndim)) for x in self.as_one_kind(xs)], counted)
        return y, MergeCache(shapes, terms)


class Extreme(MaskedMerge):
    """Base of `Maximum` and `Minimum`: y is the x_k that was chosen; where nothing counts, the first."""

    worst = 0.0  # never chosen while there is another

    def better(self, a, b):
        """The one of each pair that is chosen."""
        raise NotImplementedError(f"{type(self).__name__} defines no better")

    def merge(self, xs, counted):
        seen = [x if c is None else np.where(c, x, x.dtype.type(self.worst)) for x, c in zip(xs, counted)]
        y = seen[0]
        for x in seen[1:]:
            y = self.better(y, x)
        terms = ExtremeTerms(seen, counted, y)
        if all(c is not None for c in counted):
            y = np.where(np.logical_or.reduce(counted), y, xs[0])
        return y, terms

    def merge_backward(self, dy, terms):
        y = terms.y
        may, *others = [x == y if c is None else (x == y) & c for x, c in zip(terms.seen, terms.counted)]
        left, dxs = np.logical_not(np.broadcast_to(may, y.shape)), []  # left: where no input so far is chosen
        for other in others:
            dxs.append(np.where(other & left, dy, dy.dtype.type(0)))
            left &= ~other
        first = np.where(may | left, dy, dy.dtype.type(0))  # which also gets what is like none of them, as NaN
        return [first, *dxs]


def expanded(mask, x):
    """`mask` repeated along the axes that only x has."""
    mask = np.asarray(mask, bool)
    return np.broadcast_to(mask.reshape(mask.shape + (1,) * (x.ndim - mask.ndim)), x.shape)


def check_masks(layer, inputs, mask):
    """Raise ValueError unless there is an entry of `mask`, which may be None, for each of the `inputs`."""
    for what, given in (("inputs", inputs), ("mask", mask)):
        if not isinstance(given, (list, tuple)):
            raise layer.error(f"compute_mask: `{what}` should be a list, got {type(given).__name__}")
    if len(inputs) != len(mask):
        raise layer.error(
            f"compute_mask: `inputs` and `mask` should have the same length, got {len(inputs)} and {len(mask)}"
        )


def _aligned(shape, ndim):
    """`shape` with axes of size 1 behind that of the samples, so that it has `ndim` axes."""
    return (*shape[:1], *[1] * (ndim - len(shape)), *shape[1:])
