"""Operations that put the same numbers into another shape or order, or next to each other.

They are linear, and most adjoints are the way back: the inverse permutation, the old shape, the part that was
concatenated. Where a number is copied, its adjoint is the sum over the copies.
"""

import math

import numpy as np

from scratchnet.ops.dtypes import kept, promoted
from scratchnet.ops.operation import is_symbolic, operation, shape_of, unbroadcast
from scratchnet.ops.trial import Unfit


@operation(x=lambda dz, x_shape: dz.reshape(x_shape), dtypes=kept, options=("newshape",))
def reshape(x, newshape):
    """The same numbers in the order of rows in another shape; -1 is what is left over."""
    newshape = tuple(newshape) if isinstance(newshape, (tuple, list)) else (newshape,)
    if any(size is not None and size < -1 for size in newshape):  # which NumPy takes for -1
        raise Unfit("a size is less than -1")
    return x.reshape(newshape)


@operation(x=lambda dz, x_shape: dz.reshape(x_shape), dtypes=kept)
def ravel(x):
    """One axis."""
    return x.reshape(-1)


@operation(x=lambda dz, x_shape: dz.reshape(x_shape), dtypes=kept, options=("axis",))
def expand_dims(x, axis):
    """With an axis of size 1 (or several) at the place `axis` of the result."""
    return np.expand_dims(x, tuple(axis) if isinstance(axis, list) else axis)


@operation(x=lambda dz, x_shape: dz.reshape(x_shape), dtypes=kept)
def squeeze(x, axis=None):
    """Without these axes, which must be of size 1; without all such ones if `axis` is None."""
    axes = () if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    for a in axes:
        if x.shape[a] != 1:
            raise Unfit(f"axis {a} has not the size 1")
    return np.squeeze(x, None if axis is None else tuple(axes))


def _transpose_dx(dz, axes):
    return dz.transpose(None if axes is None else np.argsort(np.mod(axes, dz.ndim)))


@operation(x=_transpose_dx, dtypes=kept)
def transpose(x, axes=None):
    """Axis k of the result is axis ``axes[k]`` of x; reversed without `axes`."""
    return x.transpose(None if axes is None else tuple(axes))


@operation(x=lambda dz, axis1, axis2: dz.swapaxes(axis1, axis2), dtypes=kept, options=("axis1", "axis2"))
def swapaxes(x, axis1, axis2):
    """Two axes exchanged."""
    return x.swapaxes(axis1, axis2)


@operation(
    x=lambda dz, source, destination: np.moveaxis(dz, destination, source),
    dtypes=kept,
    options=("source", "destination"),
)
def moveaxis(x, source, destination):
    """One axis (or several) moved to another place, the others in their order."""
    return np.moveaxis(x, source, destination)


@operation(x=lambda dz, x_shape: unbroadcast(dz, x_shape), dtypes=kept, options=("shape",))
def broadcast_to(x, shape):
    """Repeated along axes of size 1 and new axes in front."""
    return np.broadcast_to(x, tuple(shape))


# ---- in another order ----


@operation(x=lambda dz, axis: np.flip(dz, axis), dtypes=kept)
def flip(x, axis=None):
    """Backwards along an axis (or several, or all)."""
    return np.flip(x, tuple(axis) if isinstance(axis, list) else axis)


@operation(x=lambda dz, shift, axis: np.roll(dz, np.negative(shift), axis), dtypes=kept, options=("shift",))
def roll(x, shift, axis=None):
    """Moved on by `shift`; what falls out comes in again at the other end."""
    return np.roll(x, shift, axis)


@operation(array=lambda dz, k, axes: np.rot90(dz, -k, axes), dtypes=kept)
def rot90(array, k=1, axes=(0, 1)):
    """k quarter turns from the first of the axes to the second."""
    return np.rot90(array, k, tuple(axes))


def fliplr(x):
    """`flip` of axis 1."""
    return flip(x, 1)


def flipud(x):
    """`flip` of axis 0."""
    return flip(x, 0)


# ---- between the channels of an image and its pixels ----


def depth_to_space(x, block_size, data_format="channels_last"):
    """(N, H, W, b b C) -> (N, H b, W b, C): each pixel's channels become a block of pixels (Shi et al. 2016).

    With channels first (N, C b b, H, W) -> (N, C, H b, W b): there the blocks stand behind the channels.
    """
    H, W, C, b = *_image_sizes("depth_to_space", x, data_format, block_size), block_size
    if C % (b * b):
        raise ValueError(f"depth_to_space: {C} channels are no multiple of {b} x {b}")
    if data_format == "channels_first":
        x = reshape(x, (-1, C // (b * b), b, b, H, W))
        return reshape(transpose(x, (0, 1, 4, 2, 5, 3)), (-1, C // (b * b), H * b, W * b))
    x = reshape(x, (-1, H, W, b, b, C // (b * b)))
    return reshape(transpose(x, (0, 1, 3, 2, 4, 5)), (-1, H * b, W * b, C // (b * b)))


def space_to_depth(x, block_size, data_format="channels_last"):
    """(N, H b, W b, C) -> (N, H, W, b b C): the way back of `depth_to_space`."""
    H, W, C, b = *_image_sizes("space_to_depth", x, data_format, block_size), block_size
    if H % b or W % b:
        raise ValueError(f"space_to_depth: {H} x {W} pixels are no blocks of {b} x {b}")
    if data_format == "channels_first":
        x = reshape(x, (-1, C, H // b, b, W // b, b))
        return reshape(transpose(x, (0, 1, 3, 5, 2, 4)), (-1, C * b * b, H // b, W // b))
    x = reshape(x, (-1, H // b, b, W // b, b, C))
    return reshape(transpose(x, (0, 1, 3, 2, 4, 5)), (-1, H // b, W // b, b * b * C))


def _image_sizes(name, x, data_format, block_size):
    """(H, W, C)."""
    if not isinstance(block_size, int) or block_size < 2:
        raise ValueError(f"{name}: block_size must be an integer of at least 2, got {block_size!r}")
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(f'{name}: data_format must be "channels_last" or "channels_first", got {data_format!r}')
    if len(shape_of(x)) != 4 or None in shape_of(x)[1:]:
        raise ValueError(f"{name}: x is (N, H, W, C) of known size, got the shape {shape_of(x)}")
    first, second, third = shape_of(x)[1:]
    return (first, second, third) if data_format == "channels_last" else (second, third, first)


# ---- next to each other ----


def _concatenate_dxs(dz, xs_shapes, axis):
    return np.split(dz, np.cumsum([shape[axis] for shape in xs_shapes])[:-1], axis)


@operation(xs=_concatenate_dxs, dtypes=promoted, sequence=True)
def concatenate(xs, axis=0):
    """One after the other along an axis that they have."""
    return np.concatenate(xs, axis)


@operation(x=lambda dz, axis: list(np.moveaxis(dz, axis, 0)), dtypes=promoted, sequence=True)
def stack(x, axis=0):
    """One after the other along a new axis."""
    return np.stack(x, axis)


def vstack(xs):
    """Rows below each other."""
    return concatenate([reshape(x, (1, -1)) if len(shape_of(x)) < 2 else x for x in xs], 0)


def hstack(xs):
    """Columns beside each other; vectors one after the other."""
    xs = [reshape(x, (1,)) if len(shape_of(x)) < 1 else x for x in xs]
    return concatenate(xs, 0 if len(shape_of(xs[0])) == 1 else 1)


def dstack(xs):
    """Behind each other, along the third axis; vectors are rows there."""
    return concatenate([_three_axes(x) for x in xs], 2)


def _three_axes(x):
    n = len(shape_of(x))
    return x if n > 2 else expand_dims(x, -1) if n == 2 else reshape(x, (1, -1, 1))


def append(x1, x2, axis=None):
    """x2 after x1 along `axis`, or both flat."""
    return concatenate([ravel(x1), ravel(x2)], 0) if axis is None else concatenate([x1, x2], axis)


# ---- copied ----


def _tile_dx(dz, x_shape, repeats):
    repeats = tuple(repeats) if isinstance(repeats, (tuple, list)) else (repeats,)
    ndim = max(len(repeats), len(x_shape))
    counts = (1,) * (ndim - len(repeats)) + repeats
    sizes = (1,) * (ndim - len(x_shape)) + tuple(x_shape)
    pairs = dz.reshape([size for pair in zip(counts, sizes) for size in pair])  # (count, size, count, size, ...)
    return pairs.sum(axis=tuple(range(0, 2 * ndim, 2))).reshape(x_shape)


@operation(x=_tile_dx, dtypes=kept, options=("repeats",))
def tile(x, repeats):
    """All of x, so often along each axis."""
    return np.tile(x, tuple(repeats) if isinstance(repeats, (tuple, list)) else repeats)


def _repeat_dx(dz, x_shape, repeats, axis):
    n = int(np.prod(x_shape)) if axis is None else x_shape[axis]
    source = np.repeat(np.arange(n), repeats)  # which element each copy is of
    copies = dz if axis is None else np.moveaxis(dz, axis, 0)
    dx = np.zeros((n, *copies.shape[1:]), dz.dtype)
    np.add.at(dx, source, copies)
    return dx.reshape(x_shape) if axis is None else np.moveaxis(dx, 0, axis)


@operation(x=_repeat_dx, dtypes=kept, options=("repeats",))
def repeat(x, repeats, axis=None):
    """Each element so often in a row; of a flat x without `axis`. `repeats`: a number, or one for each."""
    return np.repeat(x, repeats, axis)


def meshgrid(*x, indexing="xy"):
    """The coordinates of a grid, from those of its axes: a list of arrays with an axis for each.

    indexing: with "xy" the first two axes change places, so that the first grid runs along the columns.
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f'meshgrid: indexing={indexing!r}, expected "xy" or "ij"')
    sizes = [math.prod(shape_of(a)) for a in x]
    grids = []
    for k, a in enumerate(x):
        grid = broadcast_to(reshape(a, [n if j == k else 1 for j, n in enumerate(sizes)]), sizes)
        grids.append(swapaxes(grid, 0, 1) if indexing == "xy" and len(x) > 1 else grid)
    return grids


# ---- at the edges ----


def _pad_width(pad_width, ndim):
    """A (before, after) for each axis."""
    return np.broadcast_to(np.asarray(pad_width, int), (ndim, 2)).tolist()


def _pad_dx(dz, x_shape, pad_width, mode):
    for axis, (n, width) in enumerate(zip(x_shape, _pad_width(pad_width, len(x_shape)))):
        if mode == "constant":
            dz = dz[(slice(None),) * axis + (slice(width[0], width[0] + n),)]
        elif width != [0, 0]:
            copies = np.moveaxis(dz, axis, 0)
            dx = np.zeros((n, *copies.shape[1:]), dz.dtype)
            np.add.at(dx, np.pad(np.arange(n), width, mode), copies)
            dz = np.moveaxis(dx, 0, axis)
    return dz


@operation(x=_pad_dx, dtypes=kept, options=("pad_width",))
def pad(x, pad_width, mode="constant", constant_values=None):
    """More at the edges: `pad_width` is ``((before, after), ...)`` for each axis, one pair, or one number.

    mode: "constant" (0, or `constant_values`), "edge", "reflect", "symmetric" or "wrap".
    """
    if mode not in ("constant", "edge", "reflect", "symmetric", "wrap"):
        raise Unfit(f"mode={mode!r}, expected constant, edge, reflect, symmetric or wrap")
    if mode != "constant" and constant_values is not None:
        raise Unfit(f'constant_values={constant_values!r} belong to mode="constant", not to {mode!r}')
    values = {} if constant_values is None else {"constant_values": constant_values}
    return np.pad(x, _pad_width(pad_width, x.ndim), mode, **values)


# ---- what can be asked of a shape ----


@operation(name="shape", x=None, dtypes=kept)
def _shape(x):
    return np.array(x.shape, np.int32)


def shape(x):
    """The shape of an array; of a symbolic tensor what it answers to the operation "shape"."""
    return _shape(x) if is_symbolic(x) else shape_of(x)


def dtype(x):
    """The name of the dtype."""
    return np.dtype(x.dtype).name if hasattr(x, "dtype") else kept([x])[0].dtype.name


def ndim(x):
    """The number of axes."""
    return len(shape_of(x))


def size(x):
    """The number of elements."""
    n = 1
    for axis in shape(x):
        n = axis * n
    return n
