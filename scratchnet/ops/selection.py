"""Operations that choose: by a condition, by places, by a slice; and what is made of places.

The adjoint of what is chosen goes back to where it came from, and to nothing else. It is *added into* the adjoint of
the whole (`added_into`): an LSTM reads a slice of its input at every step, and an array of zeros for each of them
costs more than the step.
"""

import builtins
import itertools
import operator

import numpy as np

from scratchnet import kernels
from scratchnet.ops.data_dependent import nonzero
from scratchnet.ops.dtypes import kept, named, result_type
from scratchnet.ops.operation import added_into, operation, shape_of
from scratchnet.ops.reductions import max
from scratchnet.ops.trial import Unfit

_span = builtins.slice  # `slice` is the operation of this name

# ---- by a condition ----


def _condition_and_values(operands):
    condition, *values = operands
    dtype = result_type(values)
    return [np.asarray(condition, bool), *(np.asarray(a, dtype) for a in values)]


@operation(
    condition=None,
    x1=lambda dz, condition: np.where(condition, dz, 0),
    x2=lambda dz, condition: np.where(condition, 0, dz),
    name="where",
    dtypes=_condition_and_values,
)
def _where(condition, x1, x2):
    return np.where(condition, x1, x2)


def where(condition, x1=None, x2=None):
    """x1 where the condition is true, x2 where it is not; of the condition alone, the places where it is true.

    Both are computed: ``where(v > 0, log(v), 0)`` has the derivative nan at 0, as in Keras.
    """
    if (x1 is None) != (x2 is None):
        raise ValueError("where: x1 and x2 are given both or not at all")
    return nonzero(condition) if x1 is None else _where(condition, x1, x2)


def select(condlist, choicelist, default=0):
    """The choice that belongs to the first true condition, else `default`."""
    chosen = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist)):
        chosen = where(condition, choice, chosen)
    return chosen


# ---- by a slice ----


def is_basic(key):
    """Whether NumPy answers with a view, in which no element stands twice."""
    parts = key if isinstance(key, tuple) else (key,)
    return builtins.all(p is None or p is Ellipsis or isinstance(p, (int, np.integer, _span)) for p in parts)


def _get_item_adds(dx, dz, key):
    if is_basic(key):
        dx[key] += dz
    else:
        np.add.at(dx, key, dz)


@operation(x=added_into(_get_item_adds), dtypes=kept, options=("key",))
def get_item(x, key):
    """``x[key]``, with all that NumPy's keys can be."""
    if isinstance(key, list):
        key = np.asarray(key)
    return x[key]


def slice(inputs, start_indices, shape):
    """The block of this shape that begins at `start_indices`; -1 in the shape is all that is left of its axis.

    A block that would reach over the end is the last one that fits; places below 0 are counted from the end. Of an axis
    whose size is unknown while a graph is made, as that of the batch, a block that reaches over the end is cut there.
    """
    ndim = len(shape_of(inputs))
    if not len(start_indices) == len(shape) == ndim:
        raise ValueError(
            f"slice: an input of {ndim} axes needs as many start_indices and sizes, got {len(start_indices)} and "
            f"{len(shape)}"
        )
    try:
        return get_item(inputs, _block(start_indices, shape, shape_of(inputs)))
    except Unfit as problem:
        raise ValueError(f"slice: {problem}; -1 is all that is left of an axis") from None


def _block(start_indices, shape, of_shape):
    """The key of a block in an array `of_shape`, of which an axis may be unknown."""
    spans = []
    for start, size, n in zip(start_indices, shape, of_shape):
        if n is not None and not builtins.any(hasattr(number, "of_rows") for number in (start, size)):
            start, size = map(operator.index, (start, size))
            if size > n:
                raise Unfit(f"a block of {size} does not fit into an axis of {n}")
            start = start + n if start < 0 else start
            start = start if size == -1 else builtins.max(builtins.min(start, n - size), 0)
        spans.append(_span(start, None if size == -1 else start + size))
    return tuple(spans)


def _without_block(dz, start_indices, updates_shape):
    dx = dz.copy()
    dx[_block(start_indices, updates_shape, dz.shape)] = 0
    return dx


@operation(
    inputs=_without_block,
    updates=lambda dz, start_indices, updates_shape: dz[_block(start_indices, updates_shape, dz.shape)],
    options=("start_indices",),
)
def slice_update(inputs, start_indices, updates):
    """A copy of `inputs` with the block that begins at `start_indices`, as that of `slice`, replaced by `updates`."""
    z = inputs.copy()
    z[_block(start_indices, updates.shape, z.shape)] = updates
    return z


def split(x, indices_or_sections, axis=0):
    """A list of parts along an axis: so many equal ones, or those between these places."""
    n = shape_of(x)[axis]
    if isinstance(indices_or_sections, (int, np.integer)):
        if n is None:
            raise ValueError(f"split: the size of axis {axis} of shape {shape_of(x)} is not known; give places")
        if indices_or_sections < 1 or n % indices_or_sections:
            raise ValueError(f"split: axis {axis} of size {n} makes no {indices_or_sections} equal parts")
        places = [k * (n // indices_or_sections) for k in range(indices_or_sections + 1)]
    else:
        places = [0, *(int(place) for place in indices_or_sections), n]
    return [get_item(x, _along(axis, shape_of(x), _span(a, b))) for a, b in itertools.pairwise(places)]


def array_split(x, indices_or_sections, axis=0):
    """`split`, but the parts need not be equal: the first ones are longer by one."""
    if isinstance(indices_or_sections, (int, np.integer)):
        if shape_of(x)[axis] is None:
            raise ValueError(f"array_split: the size of axis {axis} of shape {shape_of(x)} is not known; give places")
        size, longer = divmod(shape_of(x)[axis], indices_or_sections)
        sizes = [size + 1] * longer + [size] * (indices_or_sections - longer)
        indices_or_sections = np.cumsum(sizes)[:-1]
    return split(x, indices_or_sections, axis)


def vsplit(x, indices_or_sections):
    """`split` of axis 0."""
    return split(x, indices_or_sections, 0)


def hsplit(x, indices_or_sections):
    """`split` of axis 1, of a vector of axis 0."""
    return split(x, indices_or_sections, 0 if len(shape_of(x)) == 1 else 1)


def dsplit(x, indices_or_sections):
    """`split` of axis 2."""
    return split(x, indices_or_sections, 2)


def unstack(x, num=None, axis=0):
    """A list of all x[0], x[1], ... along an axis."""
    ndim = len(shape_of(x))
    if not -ndim <= axis < ndim:
        raise ValueError(f"unstack: axis {axis} is not among the {ndim} axes of its input")
    n = shape_of(x)[axis]
    if n is None:
        raise ValueError(f"unstack: the size of axis {axis} of shape {shape_of(x)} is not known; the batch stays whole")
    if num not in (None, n):
        raise ValueError(f"unstack: num={num}, but axis {axis} has the size {n}")
    return [get_item(x, _along(axis, shape_of(x), k)) for k in range(n)]


def _along(axis, shape, part):
    """The key that takes `part` of one axis and all of the others."""
    return (_span(None),) * (axis % len(shape)) + (part,)


# ---- by places ----


def _take_adds(dx, dz, indices, axis):
    if axis is None:
        np.add.at(dx, np.unravel_index(indices % dx.size, dx.shape), dz)
        return
    axis %= dx.ndim
    if dx.ndim == 2 and axis == 0:  # rows of a table, as in an embedding
        dx += kernels.add_rows(dz.reshape(-1, dx.shape[1]), (indices % len(dx)).astype(np.int64).reshape(-1), len(dx))
        return
    np.add.at(np.moveaxis(dx, axis, 0), indices, np.moveaxis(dz, range(axis, axis + indices.ndim), range(indices.ndim)))


@operation(x=added_into(_take_adds), indices=None, dtypes=kept)
def take(x, indices, axis=None):
    """The parts of x at these places along an axis (of a flat x without): rows of a table, for instance."""
    return np.take(x, indices, axis)


def _take_along_axis_adds(dx, dz, indices, axis):
    if axis is None:
        np.add.at(dx, np.unravel_index(indices.reshape(-1) % dx.size, dx.shape), dz)
        return
    # Where x or the indices have one entry along another axis, it stands for all of them.
    key = [place % n for place, n in zip(np.ogrid[tuple(_span(n) for n in dz.shape)], dx.shape)]
    key[axis] = indices
    np.add.at(dx, tuple(key), dz)


@operation(x=added_into(_take_along_axis_adds), indices=None, dtypes=kept)
def take_along_axis(x, indices, axis=None):
    """For each place of the other axes its own places along `axis`: what `argsort` gives."""
    return np.take_along_axis(x, indices, axis)


# ---- codes, and sums by place ----


@operation(x=None, dtypes=kept, options=("num_classes",))
def one_hot(x, num_classes, axis=-1, dtype=None, sparse=False):
    """1 at the place that each integer names, along a new axis; nothing where it is outside of the classes."""
    if sparse:
        raise Unfit("sparse=True is not supported")
    z = (x[..., None] == np.arange(num_classes)).astype(named(dtype))
    return np.moveaxis(z, -1, axis)


def multi_hot(inputs, num_classes=None, axis=-1, dtype=None, sparse=False, **kwargs):
    """1 at all the places that a row of integers names."""
    num_classes = kwargs.pop("num_tokens", num_classes)
    codes = one_hot(inputs, num_classes, axis, dtype, sparse)
    return max(codes, 1 if len(shape_of(inputs)) > 1 else 0)


@operation(
    values=lambda dz, indices: dz[tuple(np.moveaxis(indices, -1, 0))],
    indices=None,
    dtypes=kept,
    options=("shape",),
)
def scatter(indices, values, shape):
    """Zeros of this shape with `values` added at the places that the last axis of `indices` names."""
    z = np.zeros(shape, values.dtype)
    np.add.at(z, tuple(np.moveaxis(indices, -1, 0)), values)
    return z


def _scatter_update_dinputs(dz, inputs, updates, indices, z, reduction):
    places = tuple(np.moveaxis(indices, -1, 0))
    if reduction == "add":
        return dz
    dx = dz.copy()
    if reduction is None:
        dx[places] = 0
    elif reduction == "mul":
        np.multiply.at(dx, places, updates.astype(dx.dtype))
    else:  # "max", "min": where the old number has stayed
        dx[z != inputs] = 0
    return dx


def _scatter_update_dupdates(dz, inputs, updates, indices, z, reduction):
    places = tuple(np.moveaxis(indices, -1, 0))
    if reduction in (None, "add"):
        return dz[places]
    if reduction != "mul":
        return dz[places] * (z[places] == updates)
    # z = x u v ..., where u, v, ... go to the same place: dz x times the product of the others
    sizes = inputs.shape[: len(places)]
    numbers = np.ravel_multi_index([place % n for place, n in zip(places, sizes)], sizes).reshape(-1)
    _, first, segments = np.unique(numbers, return_index=True, return_inverse=True)
    rest = inputs.shape[len(places) :]
    dz_x = (dz * inputs)[places].reshape(-1, *rest)[first]
    updates_of_places = np.broadcast_to(updates, z[places].shape).reshape(-1, *rest)
    return _segment_prod_ddata(dz_x, updates_of_places, segments.reshape(-1), dz_x).reshape(z[places].shape)


_REDUCTIONS = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}


@operation(
    inputs=_scatter_update_dinputs,
    updates=_scatter_update_dupdates,
    indices=None,
    dtypes=kept,
)
def scatter_update(inputs, indices, updates, reduction=None):
    """A copy of `inputs` with `updates` at the places that the last axis of `indices` names.

    reduction: None replaces what is there; "add", "mul", "max" and "min" combine with it.
    """
    z, places = inputs.copy(), tuple(np.moveaxis(indices, -1, 0))
    if reduction is None:
        z[places] = updates
    elif reduction in _REDUCTIONS:
        _REDUCTIONS[reduction].at(z, places, updates.astype(z.dtype, copy=False))
    else:
        raise Unfit(f'reduction={reduction!r}, expected None, "add", "mul", "max" or "min"')
    return z


# ---- reductions of the rows with the same number; those with a negative number count for nothing ----


def _segments(ufunc, data, segment_ids, num_segments, start):
    n = int(segment_ids.max(initial=-1)) + 1 if num_segments is None else num_segments
    z = np.full((n, *data.shape[1:]), start, data.dtype)
    counts = segment_ids >= 0
    ufunc.at(z, segment_ids[counts], data[counts])
    return z


def _of_rows(z, segment_ids):
    """For each row what its segment has in z; 0 for a row that counts for nothing."""
    rows = z[segment_ids]
    rows[segment_ids < 0] = 0
    return rows


def _segment_extreme_dx(dz, data, segment_ids, z):
    """As `max`: equal ones share."""
    chosen = data == z[segment_ids]
    count = _segments(np.add, chosen.astype(dz.dtype), segment_ids, len(z), 0)
    return chosen * _of_rows(dz / np.maximum(count, 1), segment_ids)


@operation(data=lambda dz, segment_ids: _of_rows(dz, segment_ids), segment_ids=None, dtypes=kept)
def segment_sum(data, segment_ids, num_segments=None, sorted=False):
    """The sum of all rows with the same number, at the row of that number."""
    return _segments(np.add, data, segment_ids, num_segments, 0)


@operation(data=_segment_extreme_dx, segment_ids=None, dtypes=kept)
def segment_max(data, segment_ids, num_segments=None, sorted=False):
    """The largest of all rows with the same number; -inf (of integers the smallest) where there is none."""
    return _segments(np.maximum, data, segment_ids, num_segments, _smallest(data.dtype))


@operation(data=_segment_extreme_dx, segment_ids=None, dtypes=kept)
def segment_min(data, segment_ids, num_segments=None, sorted=False):
    """The smallest of all rows with the same number; inf (of integers the largest) where there is none."""
    return _segments(np.minimum, data, segment_ids, num_segments, _largest(data.dtype))


def _segment_prod_ddata(dz, data, segment_ids, z):
    """dz times the product of all the others of the segment, without a division: data may hold zeros."""
    dx = np.zeros_like(data)
    for k in range(len(z)):
        rows = np.flatnonzero(segment_ids == k)
        for row in rows:
            dx[row] = dz[k] * data[rows[rows != row]].prod(axis=0)
    return dx


@operation(data=_segment_prod_ddata, segment_ids=None, dtypes=kept)
def segment_prod(data, segment_ids, num_segments=None, sorted=False):
    """The product of all rows with the same number; 1 where there is none."""
    return _segments(np.multiply, data, segment_ids, num_segments, 1)


def _smallest(dtype):
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _largest(dtype):
    return np.inf if dtype.kind == "f" else np.iinfo(dtype).max
