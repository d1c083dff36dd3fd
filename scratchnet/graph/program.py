"""A graph of operations, written out as the program that it is.

    def forward(t0, t1, t2):                def backward(kept, y0):
        t3 = asarray(f0(t0, t1))  # matmul      (t0, t1, t5, ) = kept
        t4 = asarray(f1(t3, t2))  # add         d5 = y0
        t5 = asarray(f2(t4))  # tanh            d4 = g2_0(d5, t5)
        return [t5], [], (t0, t1, t5, )         ...

An LSTM written with operations has 18 of them at each time step, and a walk takes a few microseconds for each, as long
as NumPy takes for a small array. Here each is one line of Python. What is computed, and in which order adjoints are
added, is what the walk does; results are equal bit for bit.

t is a tensor and d its adjoint; f and g compute node k and the adjoints of its operands; c is a constant operand, s the
shapes of the operands, and k and h what else is kept and its function; y and l are the adjoints that come in.

Only a graph is written of which all nodes are functions of arrays, which come in dtypes in which they are computed
with: no layers, no random numbers, no sums over a batch, no numbers of rows. All others are walked through, and so is
this one when somebody watches.
"""

import functools
from collections.abc import Sequence

import numpy as np

from scratchnet.ops.operation import unbroadcast
from scratchnet.structure import flatten

_ENOUGH_WALKS = 3  # many graphs are walked through once or twice, to build a layer or to prove it


def walks_of(graph):
    """After how many walks a graph is written: 0 for one that never is."""
    return _ENOUGH_WALKS if graph.dtype is not None and all(node.is_function for node in graph.nodes) else 0


def program_of(graph, xs, steps):
    """The `Program` of a graph for arrays such as `xs`, or None.

    Args:
        steps: ``(node, x, y, cache)`` of a walk with these arrays.
    """
    for node, x, _, _ in steps:
        if node.settled is None or [dtype for _, dtype in node.settled.dtypes] != [array.dtype for array in x]:
            return None
    return Program(graph, xs)


class Program:
    """Forward and backward of `graph` as functions, for arrays of the dtypes of `xs`.

    Attributes:
        texts: of these functions, to be read.
    """

    def __init__(self, graph, xs):
        self.graph = graph
        self.texts = []
        tensors = [*graph.inputs, *graph.leaves, *(node.outputs for node in graph.nodes)]
        self._number = {tensor: k for k, tensor in enumerate(tensors)}
        self._dtypes = [x.dtype for x in xs] + [leaf.array().dtype for leaf in graph.leaves]
        self._names = {"asarray": np.asarray, "array": np.array, "empty": np.empty, "zeros": np.zeros}
        self._names.update(unbroadcast=unbroadcast, float32=np.dtype("float32"), float64=np.dtype("float64"))
        self._kept = {}  # the variables that backward is handed, as keys
        self._arguments = []  # of the derivatives of each node: variables by the names of the table
        self._forward = self._write_forward()
        self._backwards = {}

    def takes(self, xs):
        """Whether the program is for these arrays: of the dtypes, and of the sizes that the graph was made for."""
        arrays = [*xs, *(leaf.array() for leaf in self.graph.leaves)]
        if any(type(a) is not np.ndarray or a.dtype is not dtype for a, dtype in zip(arrays, self._dtypes)):
            return False
        sizes = ((x.shape, tensor.shape) for x, tensor in zip(xs, self.graph.inputs))
        return all(len(have) == len(want) and all(n in (m, None) for m, n in zip(have, want)) for have, want in sizes)

    # ---- forward ----

    def forward(self, xs):
        """``(ys, losses, kept)``: arrays of the outputs and of what is added to the loss, and what backward needs."""
        return self._forward(*xs, *(leaf.array() for leaf in self.graph.leaves))

    def _write_forward(self):
        graph, text = self.graph, _Text()
        text.add(f"def forward({', '.join(map(self._variable, (*graph.inputs, *graph.leaves)))}):")
        for k, (node, unread) in enumerate(zip(graph.nodes, graph.last_reads)):
            text.node = node
            operands, z = self._operands(k, node), self._variable(node.outputs)
            self._names[f"f{k}"] = node.operation.of_operands(node.options)
            text.add(f"    {z} = asarray(f{k}({', '.join(operands)}))  # {node.operation.name}")
            self._keep(k, node, operands, z, text)
            unread = sorted(set(map(self._variable, unread)) - self._kept.keys())
            if unread:
                text.add(f"    del {', '.join(unread)}")
        ys, losses = (", ".join(map(self._variable, ends)) for ends in (graph.outputs, graph.losses))
        text.add(f"    return [{ys}], [{losses}], {self._tuple_of_kept}")
        return self._compiled("forward", text)

    def _variable(self, tensor):
        return f"t{self._number[tensor]}"

    def _operands(self, k, node):
        """What node k computes from, in the program."""
        constants = {f"c{k}_{j}": a for j, a in enumerate(node.settled.operands) if j not in node.places}
        self._names.update(constants)
        names = [f"c{k}_{j}" for j in range(len(node.operands))]
        return [name if name in constants else self._variable(a) for name, a in zip(names, node.operands)]

    def _keep(self, k, node, operands, z, text):
        """Note what the derivatives of node k are computed from; what is no array has a line of its own."""
        keep = node.settled.to_keep
        arguments = {name: z if j < 0 else operands[j] for name, j in keep.arrays}
        for number, (name, source) in enumerate(keep.others):
            arguments[name] = f"k{k}_{number}"
            if name in node.options:
                self._names[arguments[name]] = node.options[name]
            else:
                self._names[f"h{k}_{number}"] = source
                text.add(f"    k{k}_{number} = h{k}_{number}([{', '.join(operands)}], None)")
        if keep.shapes:
            arguments["shapes"] = f"s{k}"
            text.add(f"    s{k} = [{', '.join(f'{operand}.shape' for operand in operands)}]")
        self._arguments.append(arguments)
        self._kept.update((name, None) for name in arguments.values() if name not in self._names)

    @property
    def _tuple_of_kept(self):
        return f"({''.join(f'{name}, ' for name in self._kept)})"

    # ---- backward ----

    def backward(self, dys, losses, kept, needs_dx):
        """``(dxs, grads)``: of the inputs, None where there is none, and pairs of a parameter and its gradient.

        Args:
            dys, losses: the adjoints of the outputs, where they may be None, and of what is added to the loss.
            needs_dx: as that of the graph.
        """
        given = tuple(dy is not None for dy in dys)
        key = given, tuple(flatten(needs_dx)), tuple(leaf.trainable for leaf in self.graph.leaves)
        if key not in self._backwards:
            self._backwards[key] = self._write_backward(given, self.graph.way_back(needs_dx))
        function, weights = self._backwards[key]
        dxs, gradients = function(kept, *dys, *losses)
        return dxs, zip(weights, gradients)

    def _write_backward(self, given, way):
        graph, text = self.graph, _Text()
        dys, losses = [f"y{k}" for k in range(len(given))], [f"l{k}" for k in range(len(graph.losses))]
        text.add(f"def backward({', '.join(['kept', *dys, *losses])}):")
        if self._kept:
            text.add(f"    {self._tuple_of_kept} = kept")
        sums = _Sums(text, self._number, self._names)
        for tensor, d, is_given in zip(graph.outputs, dys, given):
            if is_given:
                sums.add(tensor, d)
        for tensor, d in zip(graph.losses, losses):
            sums.add(tensor, d)
        for k, node, wanted in way:
            if node.outputs in sums.own:
                text.node = node
                self._write_adjoints(k, node, wanted, sums, text)
        for tensor in graph.tiles:
            sums.finish(tensor)
        leaves = [leaf for leaf in graph.leaves if leaf.trainable and leaf in sums.own]
        gradients = [sums.variable(leaf) if sums.own[leaf] else f"array({sums.variable(leaf)})" for leaf in leaves]
        dxs = [sums.variable(tensor) if tensor in sums.own else "None" for tensor in graph.inputs]
        text.add(f"    return [{', '.join(dxs)}], [{', '.join(gradients)}]")
        return self._compiled("backward", text), [leaf.weight for leaf in leaves]

    def _write_adjoints(self, k, node, wanted, sums, text):
        """Those of the operands of node k that are `wanted`."""
        operation, arguments, always = node.operation, self._arguments[k], node.settled.to_keep.always
        needs = [False] * len(node.operands)
        for j, want in zip(node.places, wanted):
            needs[j] = want and always.needs[j]
        sums.finish(node.outputs)
        dz = sums.variable(node.outputs)
        if operation.sequence:
            text.add(f"    gs = {self._derivative(k, 0, node, dz, needs)}")
        for j in (j for j, need in enumerate(needs) if need):
            tensor, dtype = node.operands[j], always.dtypes[j].name
            if operation.adds_into(j) and tensor in self.graph.tiles:
                sums.put(tensor, self.graph.tiles[tensor], node, dz, f"s{k}[{j}], {dtype}")
            elif operation.adds_into(j):
                sums.make_own(tensor, f"s{k}[{j}], {dtype}")
                text.add(f"    {self._derivative(k, j, node, f'{sums.variable(tensor)}, {dz}', needs)}")
            else:
                text.add(f"    g = {f'gs[{j}]' if operation.sequence else self._derivative(k, j, node, dz, needs)}")
                if "shapes" in arguments:
                    text.add(f"    if g.shape != s{k}[{j}]: g = unbroadcast(g, s{k}[{j}])")
                text.add(f"    if g.dtype is not {dtype}: g = g.astype({dtype}, copy=False)")
                sums.add(tensor, "g")
        text.add(f"    del {dz}")
        del sums.own[node.outputs]

    def _derivative(self, k, j, node, dz, needs):
        """The call of operand j's derivative."""
        function, names = node.operation.derivative_of(j)
        self._names[f"g{k}_{j}"] = function
        arguments = [repr(needs) if name == "needs" else self._arguments[k][name] for name in names]
        return f"g{k}_{j}({', '.join([dz, *arguments])})"

    # ---- both ----

    def _compiled(self, name, text):
        """The function of this name; an error in it says in which node."""
        lines = "\n".join(text.lines)  # and not from `texts`: another thread may be writing a backward of its own
        self.texts.append(lines)
        variables = dict(self._names)
        exec(compile(lines, f"<{name} of a graph>", "exec"), variables)
        function, nodes = variables[name], text.nodes

        def with_notes(*arguments):
            try:
                return function(*arguments)
            except Exception as problem:
                nodes[problem.__traceback__.tb_next.tb_lineno - 1].note(problem)
                raise

        return with_notes


class CachesOfProgram(Sequence):
    """What a program keeps, in the place of a list of the caches of the nodes.

    Who asks for one of these has them walked for, with the weights as they are then. A pickle holds them all.
    """

    def __init__(self, program, xs, kept):
        self._program, self._xs, self._kept = program, xs, kept

    def backward(self, dys, losses, needs_dx):
        """``(dxs, grads)``: see `Program.backward`."""
        return self._program.backward(dys, losses, self._kept, needs_dx)

    @functools.cached_property
    def _caches(self):
        return self._program.graph.caches_of(self._xs)

    def __getitem__(self, k):
        return self._caches[k]

    def __len__(self):
        return len(self._program.graph.nodes)

    def __reduce__(self):
        return list, (list(self),)


class _Text:
    """Lines of a function, and of which node each is."""

    def __init__(self):
        self.lines, self.nodes, self.node = [], [], None

    def add(self, line):
        self.lines.append(line)
        self.nodes.append(self.node)


class _Sums:
    """The lines that add up adjoints, as `Adjoints` does while it walks.

    Attributes:
        own: for each tensor that has an adjoint, whether its array was made here, so that it may be added into.
    """

    def __init__(self, text, number, names):
        self.own = {}
        self._text, self._number, self._names = text, number, names
        self._missing = {}  # of tensors that are read tile by tile, the nodes of tiles that nobody has written yet

    def variable(self, tensor):
        return f"d{self._number[tensor]}"

    def add(self, tensor, d):
        own, name = self.own.get(tensor), self.variable(tensor)
        self._text.add(
            f"    {name} = {d}" if own is None else f"    {name} += {d}" if own else f"    {name} = {name} + {d}"
        )
        self.own[tensor] = own is not None

    def make_own(self, tensor, like):
        """An array to add into, zeros if there is none yet."""
        own, name = self.own.get(tensor), self.variable(tensor)
        if not own:
            self._text.add(f"    {name} = zeros({like})" if own is None else f"    {name} = array({name})")
        self.own[tensor] = True

    def put(self, tensor, nodes, node, d, like):
        """A tile of one of `nodes`, which read nothing else."""
        if tensor not in self.own:
            self._text.add(f"    {self.variable(tensor)} = empty({like})")
            self.own[tensor], self._missing[tensor] = True, list(nodes)
        self._missing[tensor].remove(node)
        self._assign(tensor, node, d)

    def finish(self, tensor):
        """Zeros where a tile has no adjoint."""
        for node in self._missing.pop(tensor, ()):
            self._assign(tensor, node, "0")

    def _assign(self, tensor, node, d):
        key = f"key{self._number[node.outputs]}"
        self._names[key] = node.tile
        self._text.add(f"    {self.variable(tensor)}[{key}] = {d}")
