"""Loops and branches that are settled only when there are values: `ops.map` over a batch, `scan`, `cond`, `while_loop`.

What is done in a step is traced once, for symbolic tensors in the places of its arguments, and makes a graph of its
own. Tensors around it that it reads, parameters among them, are further inputs of that graph. The node walks through it
as often as it takes, keeps the caches, and goes back through them in reverse:

    carry_t, y_t = f(carry_(t-1), x_t)        dcarry_(t-1), dx_t = f'(dcarry_t, dy_t)

Samples may meet in these, so that a batch is computed in one part.
"""

import copy

import numpy as np

from scratchnet import config
from scratchnet.graph.adjoints import Adjoints
from scratchnet.graph.nodes import Node, next_number
from scratchnet.graph.symbolic import KerasTensor
from scratchnet.graph.walk import Graph, sorted_nodes
from scratchnet.names import unique_name
from scratchnet.ops import control
from scratchnet.ops.operation import current_trace, is_symbolic
from scratchnet.structure import flatten, flatten_shapes, map_structure, packed_like


class Step:
    """`function` of symbolic tensors like those in the structures `arguments`, as a graph.

    Attributes:
        result: what it returned, with tensors and arrays as leaves.
        ends: these leaves, as a list.
        captured: the tensors around it that it reads.
    """

    def __init__(self, name, function, arguments):
        self.name, start, given = name, next_number(), flatten(list(arguments))
        self.result = function(*arguments)
        self.ends = [leaf.as_tensor() if is_symbolic(leaf) else np.asarray(leaf) for leaf in flatten(self.result)]
        self._is_tensor = [isinstance(end, KerasTensor) for end in self.ends]
        tensors = [end for end in self.ends if isinstance(end, KerasTensor)]
        self.captured, seen, left = [], set(given), list(tensors)
        while left:
            tensor = left.pop()
            if tensor not in seen:
                seen.add(tensor)
                if tensor.node is None or tensor.node.number < start:
                    self.captured.append(tensor)
                else:
                    left.extend(flatten(tensor.node.inputs))
        nodes = sorted_nodes([*given, *self.captured], tensors, ValueError)
        for node in nodes:
            layer = node.layer
            if getattr(node, "stream", None) is not None or layer is not None and _is_more(layer):
                raise TypeError(
                    f"{name}: the {node} in it draws random numbers, or has weights or losses of its own, for which "
                    "each step would be one call; apply it to all at once"
                )
        self.graph = Graph([*given, *self.captured], tensors, sorted(nodes, key=lambda node: node.number))

    def forward(self, xs, training):
        """``(values of the ends, cache)``."""
        ys, cache = self.graph.forward(xs, training)
        ys = iter(ys)
        return [next(ys) if is_tensor else end for is_tensor, end in zip(self._is_tensor, self.ends)], cache

    def backward(self, dends, cache, wanted):
        """The adjoints of the inputs, a list, or None where nothing comes back."""
        dys = [d for d, is_tensor in zip(dends, self._is_tensor) if is_tensor]
        if all(d is None for d in dys):
            return None
        return self.graph.backward(dys, cache, wanted)[0]

    def shapes(self, shapes):
        """The shapes of the ends for those of the arguments and of what is captured."""
        known = dict(zip(self.graph.inputs, shapes))
        for node in self.graph.nodes:
            found = node.output_shapes(map_structure(known.__getitem__, node.inputs))
            known.update(zip(flatten(node.outputs), flatten_shapes(found)))
        return [known[end] if isinstance(end, KerasTensor) else end.shape for end in self.ends]

    def refuse_others(self, ends, what):
        """Raise ValueError where its ends are not like `ends`."""
        own, others = ([(_shape(e), np.dtype(e.dtype).name) for e in side] for side in (self.ends, ends))
        if own != others:
            raise ValueError(f"{self.name}: {what} must have the same shapes and dtypes, got {own} and {others}")


def _is_more(layer):
    return bool(layer.named_arrays()) or bool(layer.random_streams()) or layer.adds_loss


def _shape(end):
    return tuple(end.shape)


class _Controlled(Node):
    """Base: `arrays` are its arguments, symbolic tensors or constants, and behind them `captured`."""

    def __init__(self, name, arrays, captured):
        self._constants = [None if isinstance(a, KerasTensor) else a for a in arrays]
        super().__init__([*(a for a in arrays if isinstance(a, KerasTensor)), *captured])
        self.name = name if current_trace.get() is not None else unique_name(name)

    def gives(self, ends):
        """The tensors of the outputs, for their ``(shape, dtype)``."""
        self.outputs = [KerasTensor(shape, np.dtype(dtype).name, self.name, self) for shape, dtype in ends]
        return self.outputs

    def arguments(self, x):
        """``(arguments, captured)`` for arrays of the inputs."""
        x = iter(x)
        return [next(x) if a is None else a for a in self._constants], list(x)

    def wanted(self, reaches):
        return [tensor in reaches and tensor.dtype.startswith("float") for tensor in self.inputs]

    def wanted_of_all(self, wanted):
        """`wanted` with an entry for each argument, and then for what is captured."""
        wanted = iter(wanted)
        return [next(wanted) if a is None else False for a in self._constants] + list(wanted)

    def add_to(self, adjoints, found, wanted):
        """Hand on the adjoints `found` of all arguments and of what is captured."""
        count = len(self._constants)
        found = [d for d, a in zip(found, self._constants) if a is None] + found[count:]
        for tensor, d, want in zip(self.inputs, found, wanted):
            if want:
                adjoints.add(tensor, d)
        return {}

    def shapes_of_arguments(self, shapes):
        """``(those of the arguments, those of what is captured)``."""
        shapes = iter(shapes)
        return [next(shapes) if a is None else a.shape for a in self._constants], list(shapes)

    def rows_of_outputs(self, rows):
        return None

    def again(self, tensors):
        """The outputs of a node that does the same with other tensors, a dict from those that are read here."""
        twin = copy.copy(self)
        Node.__init__(twin, [tensors[tensor] for tensor in self.inputs])
        return twin.gives([(tensor.shape, tensor.dtype) for tensor in self.outputs])

    def __str__(self):
        return f"operation {self.name!r}, {self.place}"


def _total(sums, k, d):
    """Add `d` to the sum number k of `Adjoints`; integers have none."""
    if d is not None and d.dtype.kind == "f":
        sums.add(k, d)


class ScanNode(_Controlled):
    """The steps of a scan over the rows of `xs`, from the first values `carry` on; without them it is a map."""

    def __init__(self, step, carry, xs, reverse):
        super().__init__(step.name, [*carry, *xs], step.captured)
        self.step, self.carries, self.reverse = step, len(carry), reverse
        rows = next((x.shape[0] for x in xs if x.shape[0] is not None), None)
        ends = [(_shape(e), e.dtype) for e in step.ends]
        self.gives([*ends[: len(carry)], *(((rows, *shape), dtype) for shape, dtype in ends[len(carry) :])])
        self._is_by_rows = not carry and not any(x.shape[1:2] == (None,) for x in xs)

    def rows_of_outputs(self, rows):
        count = len([a for a in self._constants if a is None])
        by_rows = self._is_by_rows and all(n == 1 for n in rows[:count]) and not any(rows[count:])
        return [1] * len(self.outputs) if by_rows else None

    def output_shapes(self, shapes):
        given, captured = self.shapes_of_arguments(shapes)
        carry, xs = given[: self.carries], given[self.carries :]
        ends = self.step.shapes([*carry, *(shape[1:] for shape in xs), *captured])
        return [*carry, *((xs[0][0], *shape) for shape in ends[self.carries :])]

    def _order(self, n):
        return range(n)[::-1] if self.reverse else range(n)

    def forward(self, x, training, mask=None):
        given, captured = self.arguments(x)
        carry, xs, caches, found = given[: self.carries], given[self.carries :], [], []
        for k in self._order(len(xs[0])):
            rows = [np.asarray(a[k]) for a in xs]
            ends, cache = self.step.forward([*map(np.asarray, carry), *rows, *captured], training)
            carry, ys = ends[: self.carries], ends[self.carries :]
            caches.append(cache)
            found.append(ys)
        found = found[::-1] if self.reverse else found
        if found:
            return [*carry, *map(np.stack, zip(*found))], (caches, given, captured)
        shapes = self.output_shapes([a.shape for a in x])
        empty = [np.zeros(shape, t.dtype) for shape, t in zip(shapes, self.outputs)][self.carries :]
        return [*carry, *empty], (caches, given, captured)

    def backward(self, dy, cache, adjoints, wanted):
        caches, given, captured = cache
        dcarry, dys, count = list(dy[: self.carries]), dy[self.carries :], len(given)
        dcarry = [None if a.dtype.kind != "f" else d for d, a in zip(dcarry, map(np.asarray, given))]
        needs = self.wanted_of_all(wanted)
        needs_inside = [np.asarray(a).dtype.kind == "f" for a in given[: self.carries]] + needs[self.carries :]
        dxs = [np.zeros_like(a) for a in given[self.carries :]]
        sums = Adjoints()
        for k, inner in reversed(list(zip(self._order(len(caches)), caches))):
            found = self.step.backward([*dcarry, *(None if d is None else d[k] for d in dys)], inner, needs_inside)
            if found is None:
                dcarry = [None] * self.carries
                continue
            dcarry = [d if is_float else None for d, is_float in zip(found, needs_inside[: self.carries])]
            for dx, d in zip(dxs, found[self.carries : count]):
                dx[k] = d
            for number, d in enumerate(found[count:]):
                _total(sums, number, d)
        return self.add_to(adjoints, [*dcarry, *dxs, *(sums.get(n) for n in range(len(captured)))], wanted)


class BranchNode(_Controlled):
    """One of several branches, by the number in the first argument; the others are theirs."""

    def __init__(self, name, index, steps, operands, number_of):
        super().__init__(name, [index, *operands], [tensor for step in steps for tensor in step.captured])
        self.steps, self._number_of = steps, number_of
        for step in steps[1:]:
            step.refuse_others(steps[0].ends, "all branches")
        self.gives([(_shape(e), e.dtype) for e in steps[0].ends])

    def _captured(self, number):
        """The place of what a branch has captured among that of all."""
        first = sum(len(step.captured) for step in self.steps[:number])
        return slice(first, first + len(self.steps[number].captured))

    def output_shapes(self, shapes):
        (_, *operands), captured = self.shapes_of_arguments(shapes)
        return self.steps[0].shapes([*operands, *captured[self._captured(0)]])

    def forward(self, x, training, mask=None):
        (index, *operands), captured = self.arguments(x)
        number = self._number_of(np.asarray(index).item(), len(self.steps))
        operands = list(map(np.asarray, operands))
        ends, cache = self.steps[number].forward([*operands, *captured[self._captured(number)]], training)
        return ends, (number, cache)

    def backward(self, dy, cache, adjoints, wanted):
        number, inner = cache
        count, needs = len(self._constants), self.wanted_of_all(wanted)
        found, own = [None] * len(needs), self._captured(number)
        places = [*range(1, count), *range(count + own.start, count + own.stop)]
        for k, d in zip(places, self.steps[number].backward(dy, inner, [needs[k] for k in places]) or ()):
            found[k] = d
        return self.add_to(adjoints, found, wanted)


class WhileNode(_Controlled):
    """`body` again and again, as long as `goes_on` says so."""

    def __init__(self, goes_on, body, values, most):
        super().__init__(body.name, values, [*goes_on.captured, *body.captured])
        self.goes_on, self.body, self.most = goes_on, body, most
        body.refuse_others(values, "body's results and the variables")
        self.gives([(_shape(e), e.dtype) for e in body.ends])

    def output_shapes(self, shapes):
        return self.shapes_of_arguments(shapes)[0]

    def forward(self, x, training, mask=None):
        values, captured = self.arguments(x)
        values, count, caches = list(map(np.asarray, values)), len(self.goes_on.captured), []
        while self.most is None or len(caches) < self.most:
            (goes_on,), _ = self.goes_on.forward([*values, *captured[:count]], training)
            if not goes_on:
                break
            values, cache = self.body.forward([*values, *captured[count:]], training)
            caches.append(cache)
        return values, caches

    def backward(self, dy, cache, adjoints, wanted):
        count, read = len(self._constants), len(self.goes_on.captured)
        needs, sums = self.wanted_of_all(wanted), Adjoints()
        is_float = [tensor.dtype.startswith("float") for tensor in self.outputs]
        dvalues = [d if f else None for d, f in zip(dy, is_float)]
        for inner in reversed(cache):
            found = self.body.backward(dvalues, inner, [*is_float, *needs[count + read :]])
            if found is None:
                dvalues = [None] * count
                continue
            dvalues = [d if f else None for d, f in zip(found, is_float)]
            for number, d in enumerate(found[count:]):
                _total(sums, number, d)
        behind = [sums.get(n) for n in range(len(needs) - count - read)]
        return self.add_to(adjoints, [*dvalues, *[None] * read, *behind], wanted)


# ---- what `ops.control` asks for ----


def _as_arguments(*structures):
    """The structures with tensors and arrays as leaves; numbers get the dtype that the tensors' floats have."""
    leaves = [leaf.as_tensor() if is_symbolic(leaf) else leaf for leaf in flatten(list(structures))]
    floats = (leaf.dtype for leaf in leaves if isinstance(leaf, KerasTensor) and leaf.dtype.startswith("float"))
    dtypes = {bool: "bool", int: "int32", float: next(floats, config.floatx())}
    leaves = [a if isinstance(a, KerasTensor) else np.asarray(a, dtypes.get(type(a))) for a in leaves]
    return packed_like(list(structures), leaves)


def _like(structure, shape_of=_shape):
    """Symbolic tensors in the places of arrays and tensors."""
    tensors = [KerasTensor(shape_of(a), np.dtype(a.dtype).name, "step") for a in flatten(structure)]
    return packed_like(structure, tensors)


def scan(name, f, init, xs, reverse):
    """``(carry, ys)``; without `init` ys alone, of ``f(x)``."""
    if init is None:
        (xs,) = _as_arguments(xs)
    else:
        init, xs = _as_arguments(init, xs)
    rows, carry = _like(xs, lambda a: _shape(a)[1:]), [] if init is None else flatten(init)
    step = Step(name, f, [rows] if init is None else [_like(init), rows])
    if init is not None:
        if len(step.result) != 2:
            raise ValueError(f"{name}: f must return (carry, y)")
        first, y = step.result
        if [_shape(a) for a in carry] != [_shape(e) for e in step.ends[: len(flatten(first))]]:
            raise ValueError(f"{name}: the carry must keep its shapes, {[_shape(a) for a in carry]}")
    node = ScanNode(step, carry, flatten(xs), reverse)
    if init is None:
        return packed_like(step.result, node.outputs)
    ys = node.outputs[len(carry) :]
    return packed_like(first, node.outputs[: len(carry)]), None if y is None else packed_like(y, ys)


def branch(name, index, branches, operands, number_of):
    """What one of the branches returns."""
    operands = _as_arguments(*operands) if operands else []
    arguments = [_like(operand) for operand in operands]
    steps = [Step(name, one, arguments) for one in branches]
    node = BranchNode(name, index.as_tensor(), steps, flatten(operands), number_of)
    return packed_like(steps[0].result, node.outputs)


def while_loop(cond, body, values, most):
    """The last values, as a tuple."""
    values = _as_arguments(*values)
    arguments = [_like(value) for value in values]
    steps = [Step("while_loop", f, arguments) for f in (cond, body)]
    node = WhileNode(*steps, flatten(values), most)
    return tuple(packed_like(values, node.outputs))


control.recorded.update(scan=scan, branch=branch, while_loop=while_loop)
