"""The walk through a graph, forward and back.

Forward runs the nodes in an order in which every input exists before it is needed; backward runs them in the reverse of
that order. A tensor that several nodes read receives an adjoint from each of them: they add up. A parameter that is
used in several places receives a gradient from each place: they add up as well. That is all of reverse-mode
differentiation (Linnainmaa 1970; Griewank and Walther, "Evaluating derivatives", chapter 3).

Both walks are generators that stop at each node, so that whoever wants to look (for the first value that is not finite)
walks along with a loop of his own. `watched_by` tells of all nodes that are passed, those of graphs within graphs, too:
so a step is recorded while the model computes it, and not by a second loop that might differ.
"""

import contextlib
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from scratchnet.graph.adjoints import Adjoints, Noted
from scratchnet.graph.batch import rows_of_outputs
from scratchnet.graph.program import CachesOfProgram, program_of, walks_of
from scratchnet.graph.tiles import find_tiles
from scratchnet.kernels.subnormals import flushing
from scratchnet.ops.dtypes import computing_in
from scratchnet.parallel.batch import counted_here, in_several_parts
from scratchnet.structure import flatten, map_structure

_watcher = ContextVar("watcher", default=None)


@contextlib.contextmanager
def watched_by(watcher):
    """A ``with`` block in which `watcher` is told of every node that is passed, by calls of

    watcher.enter(node)                    before it computes forward: what comes until `forward` is within it
    watcher.forward(node, x, y, cache)     behind it
    watcher.enter_back(node)               and the same backward
    watcher.backward(node, dy, dxs, grads)     dxs: list of pairs (tensor, what was added to its adjoint)
    """
    token = _watcher.set(watcher)
    try:
        yield watcher
    finally:
        _watcher.reset(token)


class GraphCache(NamedTuple):
    graph: Any  # the graph that was walked through
    inputs: list  # the arrays that went in
    nodes: list  # the cache of each node, in the order of the graph
    masks: list  # of the outputs; None where there is none
    losses: list  # the values of what is added to the loss here


class Graph:
    """What lies between `inputs` and `outputs`, lists of KerasTensors.

    Args:
        nodes: in an order in which each stands behind those whose outputs it reads, as `sorted_nodes` gives them.
        leaves: inputs that have values of their own: `scratchnet.graph.trace.Leaf`, parameters and constants.
        losses: tensors that are added to the loss; they have no axes.
    """

    def __init__(self, inputs, outputs, nodes, leaves=(), losses=()):
        self.nodes = list(nodes)  # the first attribute: pickle and deepcopy meet the nodes in their order
        self.inputs = list(inputs)
        self.outputs = list(outputs)
        self.leaves = list(leaves)
        self.losses = list(losses)
        self._layers = [(k, node) for k, node in enumerate(self.nodes) if node.layer is not None]
        self.dtype = self._find_dtype()
        self._let_layers_cast()
        self._written = [flatten(node.outputs) for node in self.nodes]
        self.last_reads = self._find_last_reads()
        self.readers = self._find_readers()
        self._repeated = self._find_repeated()
        self.tiles = find_tiles(self.readers)
        self._rows = {}  # what `rows_of_outputs` has found
        self._program = None
        self._walks_left = walks_of(self)  # until the program is written
        self._last_way_back = None  # what `way_back` has found last
        self.counted = {}  # what there is to compute for a sample: of `training.work`
        self.joined = {}  # what is computed together, and the graph with that: of `training.joined`
        self.rows_in_use = {}  # bytes of a row: what goes in, and all, if each is computed by itself: of `evaluator`
        self.without = {}  # the graphs without some of the inputs, see `scratchnet.graph.absent`

    def _find_dtype(self):
        """The float dtype of operations here, or None where there are none."""
        if len(self._layers) == len(self.nodes):
            return None
        tensors = [tensor for _, node in self._layers for tensor in flatten(node.outputs)]
        if any(tensor.dtype == "float64" for tensor in tensors):
            return "float64"
        floats = (t.dtype for t in (*tensors, *self.inputs, *self.outputs) if t.dtype.startswith("float"))
        return next(floats, None)

    def _let_layers_cast(self):
        """Where layers here compute in several dtypes, let each bring what it reads into its own.

        Layers in float32 that have no weights do not count: those of a model in float64 go along with it.
        """
        found = {t.dtype for _, node in self._layers for t in flatten(node.outputs) if t.dtype == "float64"}
        found.update(w.dtype.name for _, node in self._layers for w in node.layer.named_arrays().values())
        if {"float32", "float64"} <= found:
            for _, node in self._layers:
                node.casts = True

    def _find_last_reads(self):
        """For each node, the tensors that nobody reads after it."""
        kept, last_reads = {*self.outputs, *self.losses}, []
        for node in reversed(self.nodes):
            unread = {t for t in (*flatten(node.inputs), *flatten(node.outputs)) if t not in kept}
            kept |= unread
            last_reads.append(unread)
        return last_reads[::-1]

    def _find_readers(self):
        """Dict from the tensors that are read here and nowhere else to the nodes that read them, once for each time."""
        readers = {}
        for node in self.nodes:
            for tensor in flatten(node.inputs):
                readers.setdefault(tensor, []).append(node)
        for tensor in (*self.outputs, *self.losses):
            readers.pop(tensor, None)
        return readers

    def _find_repeated(self):
        """The nodes whose layer has the same input at every time step, and can be told so.

        That is behind a `RepeatVector` whose output nobody else reads. The layer gets the first step alone, and how
        many there are; its dx is of one step, too, which RepeatVector's backward takes as well as T of them.
        """
        found = set()
        for node in self.nodes:
            x = flatten(node.inputs)[0] if node.takes_repeat else None
            if x is not None and x.node is not None and x.node.repeats and self.readers.get(x) == [node]:
                found.add(node)
        return found

    # ---- forward and backward ----

    def forward(self, xs, training=False, masks=None):
        """Return ``(ys, cache)`` for a list of arrays, one for each input; `masks`: None, or a list of those masks."""
        if self.dtype is not None and in_several_parts():
            self._check_parts()
        masks = {} if masks is None else dict(zip(self.inputs, masks))
        with flushing(), self.computing():
            ys, losses, caches = self._run(xs, training, masks)
        return ys, GraphCache(self, list(xs), caches, [masks.get(tensor) for tensor in self.outputs], losses)

    def _run(self, xs, training, masks):
        """``(ys, losses, caches)``; masks of the outputs are added to `masks`."""
        if self._program is not None and _watcher.get() is None and self._program.takes(xs):
            ys, losses, kept = self._program.forward(xs)
            return ys, losses, CachesOfProgram(self._program, xs, kept)
        values = dict(zip(self.inputs, xs))
        steps = self.walk(values, training, masks)
        if self._walks_left > 0:
            self._walks_left -= 1
            if self._walks_left <= 0:  # threads may count at the same time
                steps = list(steps)
                self._program = program_of(self, xs, steps)
        caches = [cache for _, _, _, cache in steps]
        ys, losses = ([values[tensor] for tensor in ends] for ends in (self.outputs, self.losses))
        return ys, losses, caches

    def backward(self, dys, cache, needs_dx=True):
        """Return ``(dxs, grads)``; grads has the keys ``(layer, name)`` of parameters.

        An adjoint in `dys` may be None where an output does not matter; dxs is None unless `needs_dx`, which may be a
        list of bools, one for each input. What is added to the loss here has its derivative, 1, in it.
        """
        losses = [np.full_like(value, counted_here()) for value in cache.losses]
        with flushing(), self.computing():
            if type(cache.nodes) is CachesOfProgram and _watcher.get() is None:
                dxs, grads = cache.nodes.backward(dys, losses, needs_dx)
            else:
                dxs, grads = self._run_back(dys, losses, cache.nodes, needs_dx)
        sums = Adjoints()
        for weight, d in grads:
            sums.add(weight, d)
        if not needs_dx:
            return None, sums
        return [np.zeros_like(x) if dx is None else dx for dx, x in zip(dxs, cache.inputs)], sums

    def _run_back(self, dys, losses, caches, needs_dx):
        """``(dxs, grads)``: dxs may be None, grads is a list of pairs of a weight and a gradient."""
        adjoints, grads = Adjoints(self.tiles), []
        for tensor, d in [*zip(self.outputs, dys), *zip(self.losses, losses)]:
            adjoints.add(tensor, d)
        for _, _, node_grads in self.walk_back(adjoints, caches, needs_dx):
            grads.extend(node_grads.items())
        for tensor in list(adjoints.unfinished):
            adjoints.finish(tensor)
        for leaf in self.leaves:
            if leaf.trainable and leaf in adjoints:
                grads.append((leaf.weight, adjoints.to_add_into(leaf, leaf.shape, leaf.dtype)))
        return [adjoints.get(tensor) for tensor in self.inputs], grads

    def added_loss(self, cache):
        """What is added to the loss here and by layers: the share of this part of the batch."""
        own = sum(float(value) for value in cache.losses) * counted_here()
        return own + sum(node.added_loss(cache.nodes[k]) for k, node in self._layers)

    def loss_values(self, cache):
        """What is added to the loss, one by one."""
        inner = [value for k, node in self._layers for value in node.loss_values(cache.nodes[k])]
        return [*cache.losses, *inner]

    @property
    def adds_loss(self):
        """Whether `added_loss` says anything."""
        return bool(self.losses) or any(node.adds_loss for _, node in self._layers)

    def remember(self, cache):
        """Move the states of the layers on."""
        for k, node in self._layers:
            node.remember(cache.nodes[k])

    def prepare(self, training):
        """Have the layers here ready that are traced: not in the threads that compute."""
        for _, node in self._layers:
            node.prepare(training)

    def rows_of_outputs(self, rows):
        """See `scratchnet.graph.batch`."""
        key = tuple(rows)
        if key not in self._rows:
            with self.computing():
                self._rows[key] = rows_of_outputs(self, rows)
        return self._rows[key]

    @property
    def in_one_part(self):
        """Whether the samples of a batch meet somewhere, or leave it, so that it cannot be computed in parts."""
        if self.dtype is not None and any(tensor.shape[:1] != (None,) for tensor in self.inputs):
            return True  # an operation may rely on the number of samples
        rows = self.rows_of_outputs([1] * len(self.inputs))
        return rows is None or 0 in rows

    def _check_parts(self):
        """Have found out what is over the whole batch. A graph of a shape that comes up within a step is new."""
        if self.rows_of_outputs([int(tensor.shape[:1] == (None,)) for tensor in self.inputs]) is None:
            raise RuntimeError(
                "samples of a batch meet, but only in data of this shape, which the first had not: train with "
                "scratchnet.set_num_threads(1)"
            )

    def computing(self):
        """A context to walk in: the float dtype of the operations here."""
        return contextlib.nullcontext() if self.dtype is None else computing_in(self.dtype)

    # ---- node by node ----

    def caches_of(self, xs):
        """The caches of the nodes for a list of arrays, without anybody watching."""
        with watched_by(None), self.computing():
            return [cache for _, _, _, cache in self.walk(dict(zip(self.inputs, xs)))]

    def walk(self, values, training=False, masks=None):
        """Run the nodes, one after the other; yields ``(node, x, y, cache)`` behind each.

        Args:
            values: dict with an array for each input; the outputs are added to it.
            masks: dict of the masks that come with the inputs, those of the outputs are added to it.
        """
        masks, watcher = {} if masks is None else masks, _watcher.get()
        values.update((leaf, leaf.array()) for leaf in self.leaves)
        for node, written, last_read in zip(self.nodes, self._written, self.last_reads):
            x = node.read(values)
            mask = map_structure(masks.get, node.inputs) if node.reads_mask or node.masks_output else None
            if watcher is not None:
                watcher.enter(node)
            try:
                if node in self._repeated:
                    first, *states = x if isinstance(x, list) else [x]
                    repeat, first = first.shape[1], first[:, :1]
                    y, cache = node.forward([first, *states] if states else first, training, mask, repeat)
                else:
                    y, cache = node.forward(x, training, mask)
            except Exception as problem:
                node.note(problem)
                raise
            if node.outputs is written[0]:
                values[written[0]] = y
            else:
                values.update(zip(written, flatten(y)))
            if node.masks_output:
                masks.update(zip(written, node.output_masks(x, mask, cache)))
            if watcher is not None:
                watcher.forward(node, x, y, cache)
            yield node, x, y, cache
            for tensor in last_read:
                values.pop(tensor, None)

    def walk_back(self, adjoints, caches, needs_dx=True):
        """Run the nodes backwards; yields ``(node, dy, grads)`` behind each that has a part in the gradient.

        Args:
            adjoints: `Adjoints`, to begin with of the outputs; those of the inputs are added to it.
            caches: of the nodes, in the order of `nodes`.
            needs_dx: whether somebody wants the adjoints of the inputs; or a list, which of them.
        """
        watcher = _watcher.get()
        for k, node, wanted in self.way_back(needs_dx):
            cache, written = caches[k], self._written[k]
            if written[0] in adjoints.unfinished:
                adjoints.finish(written[0])
            if node.outputs is written[0]:
                dy = adjoints.get(written[0])
                is_reached = dy is not None
            else:
                dy = map_structure(adjoints.get, node.outputs)
                is_reached = any(tensor in adjoints for tensor in written)
            if not is_reached and not node.adds_loss:
                continue
            if watcher is not None:
                watcher.enter_back(node)
            noted = adjoints if watcher is None else Noted(adjoints)
            try:
                grads = node.backward(dy, cache, noted, wanted)
            except Exception as problem:
                node.note(problem)
                raise
            if watcher is not None:
                watcher.backward(node, dy, noted.hand_on(), grads)
            yield node, dy, grads
            for tensor in written:
                adjoints.pop(tensor)

    def way_back(self, needs_dx):
        """``(number, node, wanted)`` for the nodes that have a part in the gradient, the last first.

        It is the same at every step, until something is frozen, or somebody wants other adjoints.
        """
        wanted_inputs = list(needs_dx) if isinstance(needs_dx, list) else [needs_dx] * len(self.inputs)
        are_trainable = [leaf.trainable for leaf in self.leaves], [node.trainable for _, node in self._layers]
        way = self._last_way_back
        if way is None or way[0] != wanted_inputs or way[1] != are_trainable:
            ends = {leaf for leaf in self.leaves if leaf.trainable}  # a set: `==` of symbolic tensors is an operation
            ends.update(tensor for tensor, wanted in zip(self.inputs, wanted_inputs) if wanted)
            trainable = {node for _, node in self._layers if node.trainable}
            reaches = self.reached_from(ends, trainable)
            numbered = [(k, node, node.wanted(reaches)) for k, node in enumerate(self.nodes)]
            steps = [(k, node, wanted) for k, node, wanted in numbered if node in trainable or any(wanted)]
            way = self._last_way_back = wanted_inputs, are_trainable, steps[::-1]
        return way[2]

    def __getstate__(self):
        nothing = {"_last_way_back": None, "_program": None, "_walks_left": walks_of(self), "counted": {}}
        return {**vars(self), **nothing}

    def reached_from(self, tensors, trainable):
        """The set of tensors whose adjoints lead on to one of `tensors`, or to a parameter of a node in `trainable`."""
        reaches = set(tensors)
        for node in self.nodes:
            if node in trainable or any(node.wanted(reaches)):
                reaches.update(flatten(node.outputs))
        return reaches


def first_non_finite(graph, xs, training):
    """The first node whose output is not finite for a list of arrays, in words, or None.

    Where that is a layer whose `call` was traced, the words are of the node within.
    """
    with graph.computing():
        for node, x, y, _ in graph.walk(dict(zip(graph.inputs, xs)), training):
            if not all(np.isfinite(value).all() for value in flatten(y)):
                return node.first_non_finite(x, training) or f"the output of {node}"
    return None


def sorted_nodes(inputs, outputs, error):
    """The nodes between inputs and outputs, each after the nodes whose outputs it reads.

    Raises what `error` makes of a message if an output depends on an `Input` that is not among `inputs`.
    """
    done, order = set(inputs), []
    # An explicit stack: a graph may be deeper than Python's recursion limit.
    stack = [(tensor, False) for tensor in reversed(outputs)]
    while stack:
        current, inputs_done = stack.pop()
        if current in done:
            continue
        node = current.node
        if node is None:
            raise error(
                f"the graph is disconnected: an output depends on the input {current.name!r} of shape "
                f"{current.shape}, which is not among the model's inputs"
            )
        if inputs_done:
            done.update(flatten(node.outputs))
            order.append(node)
        else:
            stack.append((current, True))
            stack.extend((t, False) for t in reversed(flatten(node.inputs)))
    return order
