"""An ONNX graph while it is written: nodes, constants, and tensors whose axes may stand in ONNX's order.

Convolutions want channels in front, recurrent layers the time. So a tensor is known by its name together with the order
of its axes: ``order[j]`` is our axis of ONNX's axis j. A layer asks for the order that it wants, and says in which one
its result is; a Transpose is written only where the two differ, and only once for the same tensor.
"""

import contextlib
from collections import Counter

import numpy as np

from scratchnet.optional import require

OPSET = 17
ML_OPSET = 3  # of the domain ai.onnx.ml
END = 2**62  # of an axis, however long it is
IR_VERSION = 8


class Value:
    """A tensor of the graph: its name, our shape (None where a size is free), the order of its axes, its dtype."""

    def __init__(self, name, shape, order=None, dtype="float32"):
        self.name, self.shape, self.dtype = name, tuple(shape), dtype
        self.order = tuple(range(len(self.shape))) if order is None else tuple(order)

    @property
    def rank(self):
        return len(self.shape)

    def place(self, axis):
        """ONNX's axis that is our `axis`, which may be negative."""
        return self.order.index(axis % self.rank)

    def like(self, name, dtype=None):
        """Another tensor of the same shape and order."""
        return Value(name, self.shape, self.order, dtype or self.dtype)


def tensor_type(onnx, dtype):
    """ONNX's number for a dtype of ours."""
    return onnx.helper.np_dtype_to_tensor_dtype(np.dtype(object if dtype == "string" else dtype))


def channels_first(rank):
    """The order (N, C, ...) of a tensor (N, ..., C)."""
    return (0, rank - 1, *range(1, rank - 1))


class Writer:
    """Collects the nodes and constants of a graph."""

    def __init__(self):
        self.onnx = require("onnx")
        self.nodes, self.constants = [], {}
        self._names, self._counts = set(), Counter()
        self._known, self._ordered = {}, {}

    def unique(self, stem):
        """A name that nothing in the file has yet: `stem`, or `stem` with a number."""
        name = stem
        while name in self._names:
            name = f"{stem}_{self._counts[stem]}"
            self._counts[stem] += 1
        self._names.add(name)
        return name

    def constant(self, value, dtype="float32", stem="constant"):
        """The name of an array in the file; equal small ones stand there once."""
        array = np.ascontiguousarray(value, dtype)
        array = array.reshape(np.shape(value))  # of numbers without axes too
        key = (array.tobytes(), array.shape, array.dtype.str)
        if array.size > 64 or key not in self._known:
            self._known[key] = name = self.unique(stem)
            self.constants[name] = array
        return self._known[key]

    def ints(self, *values):
        """The name of a list of int64."""
        return self.constant(list(values), "int64")

    def node(self, kind, inputs, outputs=1, **attributes):
        """Write a node; returns the name of its output, or the list of them."""
        names = [self.unique(kind.lower()) for _ in range(outputs)]
        self.nodes.append(
            self.onnx.helper.make_node(kind, list(inputs), names, name=self.unique(f"{kind}"), **attributes)
        )
        return names[0] if outputs == 1 else names

    @contextlib.contextmanager
    def subgraph(self):
        """Within the block, what is written belongs to a graph of its own, a `Subgraph`, which sees all around it."""
        around, ordered = self.nodes, dict(self._ordered)
        self.nodes = []
        try:
            yield Subgraph(self, self.nodes)
        finally:
            self.nodes, self._ordered = around, ordered

    def renamed(self, value):
        """The same tensor under a name of its own, its axes in our order."""
        return Value(self.node("Identity", [self.plain(value)]), value.shape, dtype=value.dtype)

    # ---- orders of axes ----

    def in_order(self, value, order):
        """The name of the tensor with its axes in this order."""
        order = tuple(order)
        if order == value.order:
            return value.name
        if (value.name, order) not in self._ordered:
            perm = [value.order.index(axis) for axis in order]
            self._ordered[value.name, order] = self.node("Transpose", [value.name], perm=perm)
        return self._ordered[value.name, order]

    def plain(self, value):
        """The name of the tensor with its axes in our order."""
        return self.in_order(value, range(value.rank))

    # ---- number by number ----

    def each(self, value, kind, *others, dtype=None, **attributes):
        """A node that computes number by number; `others` are names of constants."""
        return value.like(self.node(kind, [value.name, *others], **attributes), dtype)

    def combine(self, kind, *operands, dtype=None, **attributes):
        """A node that computes number by number of several operands, Values and arrays, which are broadcast."""
        values = [operand for operand in operands if isinstance(operand, Value)]
        first = max(values, key=lambda value: value.rank)
        same = all(value.order == first.order for value in values)
        order = first.order if same else tuple(range(first.rank))
        names = []
        for operand in operands:
            if isinstance(operand, Value):
                names.append(self.in_order(operand, order) if operand.rank == first.rank else self.plain(operand))
                continue
            array = np.asarray(operand)
            if array.ndim and order != tuple(range(first.rank)):
                array = array.reshape((1,) * (first.rank - array.ndim) + array.shape).transpose(order)
            names.append(self.constant(array, first.dtype if array.dtype.kind != "b" else "bool"))
        shape = np.broadcast_shapes(
            *(tuple(n or 1 for n in (v.shape if isinstance(v, Value) else np.shape(v))) for v in operands)
        )
        free = {axis - v.rank for v in values for axis, n in enumerate(v.shape) if n is None}
        shape = tuple(None if axis - len(shape) in free else n for axis, n in enumerate(shape))
        return Value(self.node(kind, names, **attributes), shape, order, dtype or first.dtype)

    def cast(self, value, dtype):
        """The tensor as numbers of another kind."""
        if value.dtype == dtype:
            return value
        return value.like(self.node("Cast", [value.name], to=tensor_type(self.onnx, dtype)), dtype)

    def where(self, condition, a, b):
        """Of two (Values or arrays) the one or the other."""
        dtype = next(v.dtype for v in (a, b) if isinstance(v, Value))
        a, b = (v if isinstance(v, Value) else Value(self.constant(v, dtype), np.shape(v), dtype=dtype) for v in (a, b))
        return self.combine("Where", condition, a, b, dtype=dtype)

    # ---- shapes ----

    def reshape(self, value, shape):
        """The tensor with another shape, of which one size may be free; if more are, `sizes_of` the first axes stay."""
        free = [k for k, n in enumerate(shape) if n is None]
        if len(free) <= 1:
            target = self.ints(*(-1 if n is None else n for n in shape))
        else:
            target = self.sizes(value, shape)
        return Value(self.node("Reshape", [self.plain(value), target]), shape, dtype=value.dtype)

    def sizes(self, value, shape):
        """The name of a shape whose free sizes are those of the same axes of `value`; the last one is what is left."""
        whole, parts = self.node("Shape", [self.plain(value)]), []
        for axis, n in enumerate(shape):
            if n is not None:
                parts.append(self.ints(n))
            elif axis < value.rank and value.shape[axis] is None:
                parts.append(self.node("Slice", [whole, self.ints(axis), self.ints(axis + 1), self.ints(0)]))
            else:
                parts.append(self.ints(-1))
        return self.node("Concat", parts, axis=0)

    def cut(self, value, axis, start=0, stop=None, step=1):
        """A part of the tensor along one axis."""
        axis %= value.rank
        size = value.shape[axis]
        stop_at = (END if step > 0 else -END) if stop is None else stop
        arguments = [self.ints(start), self.ints(stop_at), self.ints(value.place(axis)), self.ints(step)]
        new = None if size is None else len(range(size)[slice(start if start != END else None, stop, step)])
        shape = (*value.shape[:axis], new, *value.shape[axis + 1 :])
        return Value(self.node("Slice", [value.name, *arguments]), shape, value.order, value.dtype)

    def backwards(self, value, axis):
        """The tensor with one of its axes turned round."""
        arguments = [self.ints(-1), self.ints(-END), self.ints(value.place(axis)), self.ints(-1)]
        return value.like(self.node("Slice", [value.name, *arguments]))

    def transposed(self, value, axes):
        """The tensor with its axes in another order, ``axes[k]`` the k-th: no node is needed for that."""
        return Value(
            value.name, [value.shape[axis] for axis in axes], [axes.index(a) for a in value.order], value.dtype
        )

    def squeeze(self, value, axes):
        """The tensor without these axes, in our order."""
        axes = [axis % value.rank for axis in axes]
        if not axes:
            return value
        shape = [n for axis, n in enumerate(value.shape) if axis not in axes]
        return Value(self.node("Squeeze", [self.plain(value), self.ints(*axes)]), shape, dtype=value.dtype)

    def unsqueeze(self, value, axis):
        """The tensor with an axis of size 1 more, in our order."""
        axis %= value.rank + 1
        shape = (*value.shape[:axis], 1, *value.shape[axis:])
        return Value(self.node("Unsqueeze", [self.plain(value), self.ints(axis)]), shape, dtype=value.dtype)

    def concatenate(self, values, axis):
        """Several tensors one behind the other."""
        first = values[0]
        axis %= first.rank
        names = [self.in_order(value, first.order) for value in values]
        sizes = [value.shape[axis] for value in values]
        shape = list(first.shape)
        shape[axis] = None if None in sizes else sum(sizes)
        return Value(self.node("Concat", names, axis=first.place(axis)), shape, first.order, first.dtype)

    def reduce(self, value, kind, axes, keepdims=True):
        """Sum, mean, maximum, ... over some axes."""
        axes = [axis % value.rank for axis in axes]
        places = sorted(value.place(axis) for axis in axes)
        if kind == "ReduceSum":  # in this opset the only one that takes its axes as an input
            name = self.node(kind, [value.name, self.ints(*places)], keepdims=1)
        else:
            name = self.node(kind, [value.name], axes=places, keepdims=1)
        shape = tuple(1 if axis in axes else n for axis, n in enumerate(value.shape))
        result = Value(name, shape, value.order, value.dtype)
        return result if keepdims else self.squeeze(result, axes)

    def matmul(self, a, b, shape):
        """The matrix product of the last two axes."""
        return Value(self.node("MatMul", [self.plain(a), self.plain(b)]), shape)

    def einsum(self, equation, values, shape):
        """A sum of products, in NumPy's notation."""
        return Value(self.node("Einsum", [self.plain(value) for value in values], equation=equation), shape)


class Subgraph:
    """A graph within the graph, such as one step of a loop."""

    def __init__(self, writer, nodes):
        self._onnx, self._nodes, self._name = writer.onnx, nodes, writer.unique("body")

    def graph(self, inputs, outputs):
        """ONNX's graph from Values to Values."""
        helper = self._onnx.helper
        inputs, outputs = (
            [helper.make_tensor_value_info(v.name, tensor_type(self._onnx, v.dtype), v.shape) for v in values]
            for values in (inputs, outputs)
        )
        return helper.make_graph(self._nodes, self._name, inputs, outputs)
