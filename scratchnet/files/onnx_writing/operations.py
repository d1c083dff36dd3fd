"""Operations of `scratchnet.ops` in a graph, as nodes of ONNX."""

import numpy as np

from scratchnet.files.onnx_writing.activations import WRITERS as ACTIVATIONS
from scratchnet.files.onnx_writing.activations import softmax
from scratchnet.files.onnx_writing.windows import padded
from scratchnet.files.onnx_writing.writer import END, Value
from scratchnet.graph.operation_node import OperationNode
from scratchnet.structure import flatten


def write(w, node, values):
    """The list of Values that an operation makes."""
    if not isinstance(node, OperationNode):
        raise ValueError(f"a {type(node).__name__} has no counterpart")
    name = node.operation.name
    operands = [values.get(operand, operand) if _hashable(operand) else operand for operand in node.operands]
    operands = [operand if isinstance(operand, Value) else np.asarray(operand) for operand in operands]
    shape = flatten(node.outputs)[0].shape
    if name in _WRITERS:
        return [_WRITERS[name](w, shape, *operands, **node.options)]
    if name in ACTIVATIONS:
        return [ACTIVATIONS[name](w, *operands, **node.options)]
    raise ValueError("it has no counterpart")


def _hashable(value):
    return not isinstance(value, (np.ndarray, list, dict))


def _each(kind):
    return lambda w, shape, x: w.each(x, kind)


def _combine(kind, dtype=None):
    def write(w, shape, *operands):
        operands = [operand if isinstance(operand, Value) else _as_float(operand) for operand in operands]
        floats = [o for o in operands if isinstance(o, Value) and o.dtype == "float32"]
        if floats or any(np.asarray(o).dtype.kind == "f" for o in operands if not isinstance(o, Value)):
            operands = [w.cast(o, "float32") if isinstance(o, Value) else o for o in operands]
        return w.combine(kind, *operands, dtype=dtype)

    return write


def _as_float(array):
    return array.astype("float32") if array.dtype.kind in "fiu" else array


def _mod(w, shape, a, b):
    """The rest of a / b, with the sign of b; ONNX's has that of a."""
    a, b = (w.cast(v, "float32") if isinstance(v, Value) else _as_float(v) for v in (a, b))
    r = w.combine("Mod", a, b, fmod=1)
    is_other = w.combine("Less", w.combine("Mul", r, b), np.float32(0), dtype="bool")
    return w.where(is_other, w.combine("Add", r, b), r)


def _floor_divide(w, shape, a, b):
    r = _mod(w, shape, a, b)
    a, b = (w.cast(v, "float32") if isinstance(v, Value) else _as_float(v) for v in (a, b))
    return w.each(w.combine("Div", w.combine("Sub", a, r), b), "Round")


def _axes(axis, x):
    if axis is None:
        return list(range(x.rank))
    return [a % x.rank for a in (axis if isinstance(axis, (list, tuple)) else [axis])]


def _reduce(kind):
    def write(w, shape, x, axis=None, keepdims=False, **_):
        return w.reduce(x, kind, _axes(axis, x), keepdims)

    return write


def _reshape(w, shape, x, newshape=None, **_):
    return w.reshape(x, shape)


def _transpose(w, shape, x, axes=None):
    axes = list(range(x.rank))[::-1] if axes is None else [axis % x.rank for axis in axes]
    return w.transposed(x, axes)


def _moved(w, shape, x, source=None, destination=None, axis1=None, axis2=None):
    if axis1 is None:
        return w.transposed(x, _moveaxis(x.rank, source, destination))
    axes = list(range(x.rank))
    axes[axis1], axes[axis2] = axes[axis2], axes[axis1]
    return w.transposed(x, axes)


def _moveaxis(rank, source, destination):
    sources = [s % rank for s in np.atleast_1d(source).tolist()]
    targets = [d % rank for d in np.atleast_1d(destination).tolist()]
    order = [axis for axis in range(rank) if axis not in sources]
    for target, axis in sorted(zip(targets, sources)):
        order.insert(target, axis)
    return order


def _get_item(w, shape, x, key=None):
    key = key if isinstance(key, tuple) else (key,)
    if any(k is Ellipsis for k in key):
        at = next(i for i, k in enumerate(key) if k is Ellipsis)
        given = sum(k is not None and k is not Ellipsis for k in key)
        key = (*key[:at], *[slice(None)] * (x.rank - given), *key[at + 1 :])
    axis, gone, new = 0, [], []
    for k in key:
        if k is None:
            new.append(axis - len(gone) + len(new))
            continue
        if isinstance(k, slice):
            if k != slice(None):
                step = 1 if k.step is None else k.step
                start = k.start if k.start is not None else 0 if step > 0 else END
                x = w.cut(x, axis, start, k.stop, step)
        elif isinstance(k, (int, np.integer)):
            x = w.cut(x, axis, int(k), None if k == -1 else int(k) + 1)
            gone.append(axis)
        else:
            raise ValueError("an index that is an array cannot be written")
        axis += 1
    x = w.squeeze(x, gone)
    for axis in new:
        x = w.unsqueeze(x, axis)
    return x


def _squeeze(w, shape, x, axis=None):
    axes = [k for k, n in enumerate(x.shape) if n == 1] if axis is None else _axes(axis, x)
    return w.squeeze(x, axes)


def _expand_dims(w, shape, x, axis=-1):
    axes = [axis] if isinstance(axis, int) else list(axis)
    for one in sorted(a % (x.rank + len(axes)) for a in axes):
        x = w.unsqueeze(x, one)
    return x


def _concatenate(w, shape, *xs, axis=-1):
    rank, like = next((x.rank, x) for x in xs if isinstance(x, Value))
    values = []
    for x in xs:
        if not isinstance(x, Value):
            x = Value(w.constant(x, like.dtype), x.shape, dtype=like.dtype)
        values.append(x)
    return w.concatenate(values, axis)


def _stack(w, shape, *xs, axis=0):
    axis %= xs[0].rank + 1
    return w.concatenate([w.unsqueeze(x, axis) for x in xs], axis)


def _matmul(w, shape, a, b):
    values = [x if isinstance(x, Value) else Value(w.constant(x), x.shape) for x in (a, b)]
    return w.matmul(*values, shape)


def _einsum(w, shape, *operands, subscripts=None, **_):
    values = [x if isinstance(x, Value) else Value(w.constant(x), x.shape) for x in operands]
    return w.einsum(subscripts, values, shape)


def _pad(w, shape, x, pad_width=None, mode="constant", constant_values=None):
    widths = pad_width if isinstance(pad_width, (list, tuple)) else [(pad_width, pad_width)] * x.rank
    widths = [tuple(width) if isinstance(width, (list, tuple)) else (width, width) for width in widths]
    modes = {"constant": "constant", "reflect": "reflect", "edge": "edge"}
    if mode not in modes or len(widths) != x.rank:
        raise ValueError(f"padding by {mode!r} cannot be written")
    return padded(w, x, widths, shape, modes[mode], constant_values or 0.0)


def _clip(w, shape, x, x_min=None, x_max=None):
    x = x if x_min is None else w.combine("Max", x, np.float32(x_min))
    return x if x_max is None else w.combine("Min", x, np.float32(x_max))


def _cast(w, shape, x, dtype="float32"):
    kind = np.dtype(dtype).kind
    return w.cast(x, "float32" if kind == "f" else "int64" if kind in "iu" else "bool")


def _take(w, shape, x, indices, axis=None):
    if axis is None or not isinstance(x, Value) and not isinstance(indices, Value):
        raise ValueError("numbers taken out of all axes cannot be written")
    axis %= x.rank if isinstance(x, Value) else np.ndim(x)
    table = w.plain(x) if isinstance(x, Value) else w.constant(x)
    places = w.plain(w.cast(indices, "int64")) if isinstance(indices, Value) else w.constant(indices, "int64")
    return Value(w.node("Gather", [table, places], axis=axis), shape)


def _where(w, shape, condition, a, b):
    return w.where(condition, *(x if isinstance(x, Value) else _as_float(x) for x in (a, b)))


def _arg(kind):
    def write(w, shape, x, axis=None, keepdims=False):
        if axis is None:
            raise ValueError("the place among all numbers cannot be written")
        name = w.node(kind, [x.name], axis=x.place(axis), keepdims=1)
        result = Value(name, tuple(1 if k == axis % x.rank else n for k, n in enumerate(x.shape)), x.order, "int64")
        return result if keepdims else w.squeeze(result, [axis])

    return write


def _cumsum(w, shape, x, axis=None, dtype=None):
    summed = x.like(w.node("CumSum", [x.name, w.constant(x.place(axis), "int64")]))
    return summed if dtype is None else _cast(w, shape, summed, dtype)


def _any(wanted):
    """Whether any number, or all numbers, are true: the largest, or smallest, of zeros and ones."""

    def write(w, shape, x, axis=None, keepdims=False):
        x = w.cast(w.cast(x, "bool"), "float32")
        return w.cast(w.reduce(x, wanted, _axes(axis, x), keepdims), "bool")

    return write


def _one_hot(w, shape, x, num_classes=None, axis=-1, **_):
    if axis not in (-1, x.rank):
        raise ValueError("only a last axis of ones and zeros can be written")
    hot = w.combine("Equal", w.unsqueeze(w.cast(x, "int64"), -1), np.arange(num_classes), dtype="bool")
    return w.cast(hot, "float32")


def _take_along_axis(w, shape, x, indices, axis=None):
    if axis is None or not (isinstance(x, Value) and isinstance(indices, Value)):
        raise ValueError("it is written for tensors, along an axis")
    names = [w.plain(x), w.plain(w.cast(indices, "int64"))]
    return Value(w.node("GatherElements", names, axis=axis % x.rank), indices.shape, dtype=x.dtype)


def _flip(w, shape, x, axis=None):
    for one in _axes(axis, x):
        x = w.backwards(x, one)
    return x


def _tile(w, shape, x, repeats=None):
    return Value(w.node("Tile", [w.plain(x), w.ints(*np.atleast_1d(repeats).tolist())]), shape, dtype=x.dtype)


def _repeat(w, shape, x, repeats=1, axis=None):
    if axis is None or not isinstance(repeats, int):
        raise ValueError("only one number of repetitions along an axis can be written")
    axis %= x.rank
    y = w.unsqueeze(x, axis + 1)
    factors = [1] * y.rank
    factors[axis + 1] = repeats
    y = Value(w.node("Tile", [y.name, w.ints(*factors)]), y.shape, dtype=x.dtype)
    return w.reshape(y, shape)


def _variance(w, shape, x, axis=None, keepdims=False):
    axes = _axes(axis, x)
    centred = w.combine("Sub", x, w.reduce(x, "ReduceMean", axes))
    return w.reduce(w.combine("Mul", centred, centred), "ReduceMean", axes, keepdims)


def _round(w, shape, x, decimals=0):
    if decimals:
        power = np.float32(10.0**decimals)
        return w.combine("Div", w.each(w.combine("Mul", x, power), "Round"), power)
    return w.each(x, "Round")


def _filled(value):
    def write(w, shape, x, dtype=None):
        return w.combine("Add", w.combine("Mul", x, np.float32(0)), np.float32(value))

    return write


_WRITERS = {
    **{
        name: _each(kind)
        for name, kind in {
            "absolute": "Abs", "negative": "Neg", "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "erf": "Erf",
            "floor": "Floor", "ceil": "Ceil", "sign": "Sign", "reciprocal": "Reciprocal",
            "sin": "Sin", "cos": "Cos", "tan": "Tan", "arcsin": "Asin", "arccos": "Acos", "arctan": "Atan",
            "sinh": "Sinh", "cosh": "Cosh", "arcsinh": "Asinh", "arccosh": "Acosh", "arctanh": "Atanh",
            "tanh": "Tanh",
        }.items()
    },
    **{
        name: _combine(kind)
        for name, kind in {
            "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "power": "Pow", "maximum": "Max",
            "minimum": "Min", "logical_and": "And", "logical_or": "Or", "logical_xor": "Xor",
        }.items()
    },
    **{
        name: _combine(kind, "bool")
        for name, kind in {
            "equal": "Equal", "greater": "Greater", "less": "Less", "greater_equal": "GreaterOrEqual",
            "less_equal": "LessOrEqual",
        }.items()
    },
    "not_equal": lambda w, shape, a, b: w.each(_combine("Equal", "bool")(w, shape, a, b), "Not"),
    "logical_not": _each("Not"),
    "isnan": lambda w, shape, x: w.each(x, "IsNaN", dtype="bool"),
    "isinf": lambda w, shape, x: w.each(x, "IsInf", dtype="bool"),
    "round": _round,
    "square": lambda w, shape, x: w.combine("Mul", x, x),
    "rsqrt": lambda w, shape, x: w.each(w.each(x, "Sqrt"), "Reciprocal"),
    "expm1": lambda w, shape, x: w.combine("Sub", w.each(x, "Exp"), np.float32(1)),
    "log1p": lambda w, shape, x: w.each(w.combine("Add", x, np.float32(1)), "Log"),
    "log2": lambda w, shape, x: w.combine("Mul", w.each(x, "Log"), np.float32(1 / np.log(2))),
    "log10": lambda w, shape, x: w.combine("Mul", w.each(x, "Log"), np.float32(1 / np.log(10))),
    "sum": _reduce("ReduceSum"),
    "mean": _reduce("ReduceMean"),
    "max": _reduce("ReduceMax"),
    "min": _reduce("ReduceMin"),
    "prod": _reduce("ReduceProd"),
    "var": _variance,
    "std": lambda w, shape, x, axis=None, keepdims=False: w.each(_variance(w, shape, x, axis, keepdims), "Sqrt"),
    "reshape": _reshape,
    "ravel": _reshape,
    "transpose": _transpose,
    "moveaxis": _moved,
    "swapaxes": _moved,
    "get_item": _get_item,
    "squeeze": _squeeze,
    "expand_dims": _expand_dims,
    "concatenate": _concatenate,
    "stack": _stack,
    "matmul": _matmul,
    "einsum": _einsum,
    "pad": _pad,
    "clip": _clip,
    "cast": _cast,
    "take": _take,
    "where": _where,
    "argmax": _arg("ArgMax"),
    "argmin": _arg("ArgMin"),
    "flip": _flip,
    "cumsum": _cumsum,
    "any": _any("ReduceMax"),
    "all": _any("ReduceMin"),
    "one_hot": _one_hot,
    "take_along_axis": _take_along_axis,
    "mod": _mod,
    "floor_divide": _floor_divide,
    "tile": _tile,
    "repeat": _repeat,
    "zeros_like": _filled(0),
    "ones_like": _filled(1),
    "copy": lambda w, shape, x: x,
    "stop_gradient": lambda w, shape, x: x,
    "softmax": lambda w, shape, x, axis=-1: softmax(w, x, axis),
    "log_softmax": lambda w, shape, x, axis=-1: softmax(w, x, axis, "LogSoftmax"),
}  # fmt: skip
