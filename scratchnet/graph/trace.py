"""`call` of a layer or model, run once on symbolic tensors: what results is a graph.

    class Scale(Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1],))

        def call(self, x):
            return x * self.w

A parameter is a *leaf* of the graph: one more input, whose value is looked up in the layer each time, and whose adjoint
is its gradient. So are arrays that a layer is applied to. All else that `call` reads, Python's numbers and attributes,
is part of the graph as it was at that moment.
"""

import contextlib
import threading
from typing import Any, NamedTuple

import numpy as np

from scratchnet.graph.adjoints import Adjoints
from scratchnet.graph.arguments import Arguments
from scratchnet.graph.changes import Changes
from scratchnet.graph.logits import without_last_activations
from scratchnet.graph.operators import ufunc_as_operation
from scratchnet.graph.place import users_place
from scratchnet.graph.symbolic import KerasTensor, is_tensor, record
from scratchnet.graph.variable import Variable
from scratchnet.graph.walk import Graph, sorted_nodes
from scratchnet.ops import sum as sum_of
from scratchnet.ops.dtypes import computing_in
from scratchnet.ops.operation import current_trace
from scratchnet.ops.operation import is_symbolic as stands_for_an_array
from scratchnet.ops.random import stream_of
from scratchnet.structure import flatten, map_structure

LOCK = threading.RLock()  # of all tracing: two threads that need the same graph make it once


class Leaf(KerasTensor):
    """A parameter, or a constant, as an input of a graph that nobody has to give.

    Attributes:
        source: a `Variable`, or an array.
        weight: ``(layer, name)`` of a parameter, None of a constant.
    """

    def __init__(self, source, name):
        is_variable = isinstance(source, Variable)
        array = source.array if is_variable else source
        super().__init__(array.shape, array.dtype.name, name)
        self.source = source
        self.weight = (source.layer, source.key) if is_variable else None
        self.place = users_place()

    @property
    def trainable(self):
        return self.weight is not None and self.source.trainable

    def array(self):
        return self.source if self.weight is None else self.source.array


class Trace:
    """What happens while `call` of `layer` runs; within ``with trace:`` operations and layers ask for it.

    Attributes:
        training: what `call` is traced for.
        leaves: dict from the id of an array to its `Leaf`.
        losses: tensors that `add_loss` was given.
        changes: what weights were assigned.
        counted: ``(metric, args, kwargs)`` of each `update_state` with tensors.
    """

    def __init__(self, layer, training, dtype):
        self.layer = layer
        self.training = training
        self.dtype = dtype
        self.leaves = {}
        self.losses = []
        self.changes = Changes(layer)
        self.counted = []
        self._draws = 0

    def __enter__(self):
        self._computing = computing_in(self.dtype)
        self._computing.__enter__()
        self._token = current_trace.set(self)
        return self

    def __exit__(self, *problem):
        current_trace.reset(self._token)
        self._computing.__exit__(*problem)

    def __scratchnet_operation__(self, operation, operands, options):
        return record(operation, operands, options)

    def ufunc(self, ufunc, method, inputs, kwargs):
        """What an operator makes of inputs among which no tensor is."""
        return ufunc_as_operation(ufunc, method, inputs, kwargs)

    def variable(self, variable):
        """The leaf of a `scratchnet.Variable` that belongs to no layer: nobody trains it."""
        held = [value for value in vars(self.layer).values() if isinstance(value, (list, tuple, dict))]
        if any(leaf is variable for leaf in flatten(held)):
            raise self.layer.error(
                f"the Variable {variable.name!r} stands in a list or dict, where it is no weight of the layer: make it "
                "an attribute of its own, or use add_weight",
                TypeError,
            )
        return self._leaf(variable.value, variable.value, variable.name)

    def parameter(self, variable):
        """The leaf of a Variable; once `call` has given it another value, that."""
        changed = self.changes.value_of(variable)
        return self._leaf(variable, variable.array, variable.name) if changed is None else changed

    def assign(self, variable, value):
        """Take up that `call` gives `variable` another value."""
        value = value if stands_for_an_array(value) else self.constant(np.asarray(value))
        self.changes.assign(variable, value, list(self.leaves.values()))

    def constant(self, array):
        """The leaf of an array."""
        self.refuse_parameters(array)
        return self._leaf(array, array, "constant")

    def _leaf(self, source, array, name):
        if id(array) not in self.leaves:
            self.leaves[id(array)] = Leaf(source, name)
        return self.leaves[id(array)]

    def refuse_parameters(self, array):
        """Raise TypeError for an array that is a parameter: as a constant it would silently get no gradient."""
        if array.size and array.dtype.kind == "f":
            for key, own in self.layer.named_arrays().items():
                if np.may_share_memory(array, own):
                    raise self.layer.error(
                        f"call computes with the array of the parameter {key!r}, which would be a constant without a "
                        f"gradient; use the weight itself, such as self.{key.replace('/', '.')}",
                        TypeError,
                    )

    def stream_of(self, seed):
        """Where a random operation draws from; by itself from a stream of the layer's, by the number of the draw."""
        if seed is not None:
            return stream_of(seed)
        self._draws += 1
        return self.layer.own_stream(self._draws - 1)

    def count_later(self, metric, args, kwargs):
        """Take up that a metric is to count tensors in, once the step is over."""
        args, kwargs = (
            map_structure(lambda leaf: leaf.as_tensor() if stands_for_an_array(leaf) else leaf, given)
            for given in (args, kwargs)
        )
        self.counted.append((metric, args, kwargs))

    def add_loss(self, loss):
        """Take up what `add_loss` was given: a tensor, or several; of a vector the sum is added, as in Keras."""
        for value in flatten(loss):
            if not stands_for_an_array(value):
                raise self.layer.error(f"add_loss takes a tensor that call has computed, got {value!r}", TypeError)
            tensor = value.as_tensor()
            self.losses.append(sum_of(tensor) if tensor.shape else tensor)


class TracedCall(NamedTuple):
    """What a trace has found out.

    Attributes:
        arguments: what `call` was traced for.
        graph: from the arrays of the arguments, and then the masks of those that come with masks, to the outputs, and
            then to `mask`.
        result: what `call` returned: outputs as tensors, in the structure in which they were returned.
        mask: of the first output: a tensor that `compute_mask` made, or None.
        keys: what the parameters in it are called in the layer: dict from ``(layer, name)``.
        sublayers: which layers there were.
        changes: the `Changes` of weights; the new values of the state are outputs of the graph behind the others.
        counted: see `Trace`; the tensors in it are the last outputs of the graph.
    """

    arguments: Arguments
    graph: Graph
    result: Any
    mask: Any
    keys: dict
    sublayers: tuple
    changes: Changes
    counted: list

    @property
    def masked(self):
        """For each array of the arguments, whether a mask comes with it."""
        return [tensor.masked for tensor in self.graph.inputs[: len(self.arguments.specs)]]

    @property
    def outputs(self):
        """The outputs as layers return them: a tensor, or lists and dicts of them."""
        if any(not is_tensor(leaf) for leaf in flatten(self.result)):
            return [leaf for leaf in flatten(self.result) if is_tensor(leaf)]
        return _with_lists(self.result)

    def last_activations(self, outputs):
        """Dict from those numbers among `outputs` that end in an activation to the activation."""
        return without_last_activations(self.graph, outputs)[1]

    def remember(self, values):
        """Move on what `call` changes: `values` are those of the graph's outputs behind the mask."""
        count = len(self.changes.of_state)
        self.changes.remember(values[:count])
        given = dict(zip(_tensors(self.counted), values[count:]))
        for metric, args, kwargs in self.counted:
            args, kwargs = (
                map_structure(lambda leaf: given[leaf] if is_tensor(leaf) else leaf, of) for of in (args, kwargs)
            )
            metric.update_state(*args, **kwargs)

    def to_logits(self, outputs, layer):
        """The same without the activations of these outputs."""
        graph, _ = without_last_activations(self.graph, outputs)
        new = dict(zip(self.graph.outputs, graph.outputs))
        result = map_structure(lambda leaf: new[leaf] if is_tensor(leaf) else leaf, self.result)
        return self._replace(graph=graph, result=result, keys=layer.keys_of(graph))

    def gathered(self, grads, params):
        """Gradients by ``(layer, name)`` as those by key, zeros for those of `params` that have none."""
        found = Adjoints()
        for weight, d in grads.items():
            found.add(self.keys[weight], d)
        return {key: found[key] if key in found else np.zeros_like(w) for key, w in params.items()}

    def packed(self, ys):
        """What `call` returned with these values, a flat list, in the places of the outputs."""
        remaining = iter(ys)
        return map_structure(lambda leaf: next(remaining) if is_tensor(leaf) else leaf, self.result)


def _with_lists(structure):
    if isinstance(structure, dict):
        return {key: _with_lists(value) for key, value in structure.items()}
    return [_with_lists(value) for value in structure] if isinstance(structure, (list, tuple)) else structure


def trace(layer, arguments, masked, training, dtype):
    """The `TracedCall` of a layer, model or loss.

    Args:
        arguments: the `Arguments`.
        masked: for each of their arrays, whether a mask comes with it.
        training: the value of `call`'s argument of that name, if it has one.
        dtype: of the floats in it.
    """
    with Trace(layer, training, dtype) as current:
        inputs = [KerasTensor(s.shape, s.dtype, f"input_{k}") for k, s in enumerate(arguments.specs)]
        for tensor, is_masked in zip(inputs, masked):
            tensor.masked = is_masked
        masks = [KerasTensor(t.shape[:2], "bool", f"{t.name}_mask") if m else None for t, m in zip(inputs, masked)]
        values = arguments.filled(inputs)
        _give_masks(arguments, values, masks)
        if "training" in arguments.signature.parameters:
            values["training"] = training
        args, kwargs = arguments.bound(values)
        result = map_structure(lambda leaf: _as_output(current, leaf), layer.call(*args, **kwargs))
        outputs = [leaf for leaf in flatten(result) if is_tensor(leaf)]
        if not outputs:
            what = "nothing" if result is None else f"no tensor, but {result!r}"
            raise layer.error(f"call returned {what}; it must return what it computed from its inputs", TypeError)
        mask = None
        if not outputs[0].masked and (any(masked) or getattr(layer, "makes_masks", False)):
            mask = _output_mask(layer, arguments, inputs, masks)
        given = [*inputs, *(m for m in masks if m is not None)]
        leaves = list(current.leaves.values())
        ends = [
            *outputs,
            *([] if mask is None else [mask]),
            *current.changes.of_state.values(),
            *_tensors(current.counted),
        ]
        nodes = sorted_nodes([*given, *leaves], [*ends, *current.losses], lambda text: _left_over(layer, text))
        nodes.sort(key=lambda node: node.number)  # as `call` goes: what it has computed last is in the cache
        graph = Graph(given, ends, nodes, leaves, current.losses)
    current.changes.bring_about()
    sublayers = tuple(layer.sublayers.items())
    keys = layer.keys_of(graph)
    return TracedCall(arguments, graph, result, mask, keys, sublayers, current.changes, current.counted)


def _tensors(counted):
    return [leaf for _, args, kwargs in counted for leaf in flatten([args, kwargs]) if is_tensor(leaf)]


def _as_output(current, leaf):
    if stands_for_an_array(leaf):
        return leaf.as_tensor()
    return current.constant(leaf) if isinstance(leaf, np.ndarray) else leaf


def _give_masks(arguments, values, masks):
    """Put the masks into the arguments ``mask`` and, of several arguments, ``..._mask``, as far as `call` has them."""
    by_name = arguments.by_name(masks)
    parameters = arguments.signature.parameters
    if "mask" in parameters and values.get("mask") is None and by_name:
        values["mask"] = next(iter(by_name.values()))
    for name, mask in by_name.items():
        if f"{name}_mask" in parameters and values.get(f"{name}_mask") is None:
            values[f"{name}_mask"] = mask


def _output_mask(layer, arguments, inputs, masks):
    first = next(iter(arguments.by_name(inputs)))
    mask = layer.compute_mask(arguments.by_name(inputs)[first], arguments.by_name(masks)[first])
    mask = next((m for m in flatten(mask) if m is not None), None)
    return mask if mask is None or is_tensor(mask) else current_trace.get().constant(np.asarray(mask))


def _left_over(layer, text):
    return layer.error(
        f"call uses a tensor that it neither got nor computed; one of another call, perhaps, that was kept in an "
        f"attribute: it must be returned by that call and given to this one ({text})"
    )


def keys_of(layer, graph):
    """What the parameters in a graph are called in the layer: dict from ``(layer, name)``.

    Raises ValueError for a layer, or a parameter, that is used and that the layer does not hold.
    """
    key_of = {id(array): key for key, array in layer.named_arrays().items()}
    streams = {id(stream) for stream in layer.random_streams().values()}
    keys = {}
    for node in graph.nodes:
        used = node.layer
        if used is None:
            continue
        arrays = used.named_arrays()
        own = [id(a) in key_of for a in arrays.values()] + [id(s) in streams for s in used.random_streams().values()]
        if not all(own):
            raise layer.error(
                f"call uses the layer {used.name!r}, which is not one of this layer's attributes: a layer with "
                f"parameters or random numbers is created once, in __init__ (self.{used.name} = ...), not inside call "
                f"({node.place})"
            )
        keys.update(((used, name), key_of[id(a)]) for name, a in arrays.items())
    for leaf in graph.leaves:
        if leaf.weight is None:
            continue
        if id(leaf.array()) not in key_of:
            owner = leaf.weight[0].name
            raise layer.error(
                f"call uses the parameter {leaf.name!r} of the layer {owner!r}, which is not one of this layer's "
                f"attributes; keep it: self.{owner} = ... ({leaf.place})"
            )
        keys[leaf.weight] = key_of[id(leaf.array())]
    return keys


@contextlib.contextmanager
def outside_of_traces():
    """Inside, nothing is traced: parameters are made, arrays computed."""
    token = current_trace.set(None)
    try:
        yield
    finally:
        current_trace.reset(token)
