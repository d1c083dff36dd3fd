"""Operations on constants, which are computed while the graph is read: mostly sizes, and what is made of them."""

import math

import numpy as np

from scratchnet.files.onnx_reading.values import counted

_LARGEST = 1 << 27  # numbers in a result; weights are not computed


def fold(node, inputs):
    """The outputs of a node all of whose inputs are arrays (or None where one is left out), or None if it is not known.

    Raises ValueError for a result that no honest graph has.
    """
    function = _FOLDED.get(node.kind)
    if function is None:
        return None
    result = function(node.attributes, *inputs)
    return result if isinstance(result, list) else [np.asarray(result)]


def _check(size):
    if size > _LARGEST:
        raise ValueError(f"it would compute a constant of {size} numbers")


def axes_of(attributes, given, rank):
    """The axes of Squeeze, ReduceSum and the like: once an attribute, now an input. None if there are none."""
    axes = attributes.get("axes") if given is None else np.asarray(given).ravel().tolist()
    return None if axes is None else [counted(axis, rank) for axis in axes]


def _gather(attributes, data, indices):
    indices = np.asarray(indices)
    _check(data.size * max(indices.size, 1))
    return np.take(data, indices, axis=attributes.get("axis", 0))


def _constant_of_shape(attributes, shape):
    value = attributes.get("value", np.zeros(1, "f4"))
    shape = tuple(int(size) for size in shape)
    _check(math.prod(shape))
    return np.broadcast_to(value.reshape(-1)[0], shape)


def _range(_, start, stop, step):
    _check(abs((stop - start) / step))
    return np.arange(start, stop, step)


def _expand(_, array, shape):
    shape = np.broadcast_shapes(array.shape, tuple(int(size) for size in shape))
    _check(math.prod(shape))
    return np.broadcast_to(array, shape)


def _tile(_, array, repeats):
    _check(array.size * math.prod(int(n) for n in repeats))
    return np.tile(array, repeats)


def _concat(attributes, *arrays):
    _check(sum(array.size for array in arrays))
    return np.concatenate(arrays, axis=attributes["axis"])


def slices(rank, attributes, starts=None, ends=None, axes=None, steps=None):
    """The tuple of slices of a Slice, whose arguments were attributes once."""
    starts = attributes.get("starts") if starts is None else starts
    ends = attributes.get("ends") if ends is None else ends
    axes = attributes.get("axes") if axes is None else axes
    starts, ends = np.asarray(starts).tolist(), np.asarray(ends).tolist()
    axes = list(range(len(starts))) if axes is None else np.asarray(axes).tolist()
    steps = [1] * len(starts) if steps is None else np.asarray(steps).tolist()
    found = [slice(None)] * rank
    for axis, start, end, step in zip(axes, starts, ends, steps):
        far = 2**31 - 1
        end = None if end >= far or end <= -far else end
        found[counted(axis, rank)] = slice(
            None if start >= far and step < 0 else start, end, None if step == 1 else step
        )
    return tuple(found)


def _slice(attributes, array, *arguments):
    return array[slices(array.ndim, attributes, *arguments)]


def _reshape(attributes, array, shape):
    return array.reshape(target_shape(array.shape, shape, attributes.get("allowzero", 0)))


def target_shape(sizes, shape, allowzero=0):
    """The sizes that a Reshape asks for: 0 is the size that was there, -1 what is left."""
    shape = [int(n) for n in np.asarray(shape).ravel()]
    shape = [sizes[k] if n == 0 and not allowzero else n for k, n in enumerate(shape)]
    if -1 in shape:
        rest = math.prod(n for n in shape if n != -1)
        if shape.count(-1) > 1 or rest == 0 or math.prod(sizes) % rest:
            raise ValueError(f"sizes {sizes} cannot become {shape}")
        shape[shape.index(-1)] = math.prod(sizes) // rest
    if math.prod(shape) != math.prod(sizes):
        raise ValueError(f"sizes {sizes} cannot become {shape}")
    return tuple(shape)


def _squeeze(attributes, array, given=None):
    axes = axes_of(attributes, given, array.ndim)
    return np.squeeze(array, tuple(axes) if axes is not None else None)


def _unsqueeze(attributes, array, given=None):
    count = len(attributes["axes"] if given is None else given)
    return np.expand_dims(array, tuple(axes_of(attributes, given, array.ndim + count)))


def _cast(attributes, array):
    dtypes = {1: "f4", 2: "u1", 3: "i1", 5: "i2", 6: "i4", 7: "i8", 9: "?", 10: "f2", 11: "f8"}
    if attributes["to"] not in dtypes:
        raise ValueError("a cast to a type that is not read")
    return array.astype(dtypes[attributes["to"]])


def _divide(_, a, b):
    if np.result_type(a, b).kind in "iu":  # C's division, towards zero
        return (np.sign(a) * np.sign(b) * (np.abs(a) // np.abs(b))).astype(np.result_type(a, b))
    return a / b


def _reduce(function):
    def reduced(attributes, array, given=None):
        axes = axes_of(attributes, given, array.ndim)
        keepdims = bool(attributes.get("keepdims", 1))
        return function(array, axis=None if axes is None else tuple(axes), keepdims=keepdims)

    return reduced


def _split(attributes, array, sizes=None):
    axis = attributes.get("axis", 0)
    sizes = attributes.get("split") if sizes is None else sizes
    if sizes is None:
        return np.array_split(array, attributes["num_outputs"], axis)
    return np.split(array, np.cumsum(sizes)[:-1], axis)


def _plain(function):
    return lambda attributes, *arrays: function(*arrays)


def _same_type(function):
    return lambda attributes, *arrays: function(*arrays).astype(arrays[0].dtype)


_FOLDED = {
    "Identity": lambda attributes, array: array,
    "Gather": _gather,
    "ConstantOfShape": _constant_of_shape,
    "Range": _range,
    "Expand": _expand,
    "Tile": _tile,
    "Concat": _concat,
    "Slice": _slice,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": lambda attributes, array: array.transpose(attributes.get("perm")),
    "Cast": _cast,
    "Shape": lambda attributes, array: np.array(array.shape, np.int64),
    "Size": lambda attributes, array: np.int64(array.size),
    "Split": _split,
    "Div": _divide,
    "ReduceProd": _reduce(np.prod),
    "ReduceSum": _reduce(np.sum),
    "ReduceMax": _reduce(np.max),
    "ReduceMin": _reduce(np.min),
    "ReduceMean": _reduce(np.mean),
    "Where": _plain(np.where),
    "Mod": lambda attributes, a, b: np.fmod(a, b) if attributes.get("fmod") else np.mod(a, b),
    **{name: _plain(getattr(np, name.lower())) for name in ("Equal", "Greater", "Less")},
    "And": _plain(np.logical_and),
    "Or": _plain(np.logical_or),
    "Not": _plain(np.logical_not),
    "GreaterOrEqual": _plain(np.greater_equal),
    "LessOrEqual": _plain(np.less_equal),
    **{
        name: _same_type(function)
        for name, function in {
            "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Pow": np.power, "Sqrt": np.sqrt, "Abs": np.abs,
            "Neg": np.negative, "Floor": np.floor, "Ceil": np.ceil, "Round": np.round, "Exp": np.exp, "Log": np.log,
            "Reciprocal": np.reciprocal, "Tanh": np.tanh, "Max": np.maximum, "Min": np.minimum, "Sin": np.sin,
            "Cos": np.cos,
        }.items()
    },
}  # fmt: skip
