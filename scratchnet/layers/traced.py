"""Layers that are written as Keras's are, with `build` and `call`: `call` is traced, once, and the graph is what runs.

    y, cache  = layer.forward(x, training=False)
    dx, grads = layer.backward(dy, cache)

keep the contract of every layer; so whatever works with layers works with these. How tracing is done stands in
`scratchnet.graph.trace`.
"""

import contextlib
import functools
import inspect
from typing import Any, NamedTuple

import numpy as np

from scratchnet.graph.arguments import Spec, taken_apart
from scratchnet.graph.attributes import KeepsTraces, layers_and_streams
from scratchnet.graph.symbolic import KerasTensor, Size, record_call, with_mask
from scratchnet.graph.trace import TracedCall, keys_of, trace
from scratchnet.graph.variable import Variable
from scratchnet.graph.walk import first_non_finite
from scratchnet.layers.input_spec import check_inputs
from scratchnet.layers.sublayers import HoldsLayers
from scratchnet.ops.operation import current_trace
from scratchnet.structure import as_lists, flatten, map_shapes, map_structure
from scratchnet.variables import as_array, own_array


class TracedCache(NamedTuple):
    call: TracedCall  # the trace that was run
    inner: Any  # the cache of its graph
    masks: list  # of the outputs
    changed: list  # the values that `call` assigned, and that its metrics are to count in

    @property
    def nodes(self):
        return self.inner.nodes


class Traced(KeepsTraces, HoldsLayers):
    """What a class gets among its bases that derives from `Layer` and defines `call`.

    Sublayers and random generators are found where they stand: in attributes, and in lists, tuples and dicts of them.
    An attribute that changes is seen at the next call; what changes within a list of numbers, say, is not.
    """

    is_traced = True
    keeps_integers = True
    makes_masks = False  # whether the class says which mask its output has, perhaps where none comes in

    # ---- traces ----

    def traced(self, arguments, masked, training, logits=()):
        """The `TracedCall` for these arguments; made, if it is the first time.

        logits: the numbers of the outputs that come without the activation that they end in.
        """
        takes_training = "training" in arguments.signature.parameters
        key = arguments.key, tuple(masked), bool(training) if takes_training else None, tuple(logits)
        return self.kept_trace(key, lambda: self._trace(arguments, masked, bool(training), logits))

    def traced_for(self, input_shape):
        """The `TracedCall` outside of training, for inputs of this shape, or these shapes, that have no masks."""
        count = len(flatten(_tensors(input_shape, self.dtype)))
        return self.traced(self._arguments_of(_tensors(input_shape, self.dtype)), [False] * count, False)

    def _trace(self, arguments, masked, training, logits):
        if logits:
            return self.traced(arguments, masked, training).to_logits(logits, self)
        self._build_for(arguments)
        found = trace(self, arguments, masked, training, self.dtype)
        self.built = True
        vars(self).setdefault("_build_config", _build_config(arguments))  # stays when the traces are forgotten
        return found

    def last_activations(self, arguments, masked, outputs):
        """Dict from those numbers among `outputs` that end in an activation, training or not, to the activation."""
        found = [self.traced(arguments, masked, t).last_activations(outputs) for t in (False, True)]
        return {k: activation for k, activation in found[0].items() if found[1].get(k) is activation}

    def _build_for(self, arguments):
        """Call `build`, if the class has one of its own and it has not been called."""
        if self.built or type(self).build is Traced.build:
            return
        shapes = arguments.by_name([spec.shape for spec in arguments.specs])
        parameters = list(inspect.signature(self.build).parameters)
        by_name = {f"{name}_shape": shape for name, shape in shapes.items()}
        if len(parameters) > 1 and all(name in by_name for name in parameters):
            self.build(**{name: by_name[name] for name in parameters})
        else:
            self.build(next(iter(shapes.values()), None))
        self.built = True

    def build(self, input_shape):
        """Trace `call` for inputs of this shape, so that the layers within make their parameters.

        As ``super().build(input_shape)`` in the `build` of a class that derives from a layer: build as that layer.
        """
        if type(self).build is Traced.build:
            self.traced_for(input_shape)
        else:
            self.as_base().build(input_shape)

    def ensure_built(self, input_shape):
        if not self.built:
            self.traced_for(input_shape)

    def forget_traces_of_other_layers(self):
        """Trace anew at the next call if layers have been added to lists, or taken away."""
        now = tuple(self.sublayers.items())
        if any(found.sublayers != now for found in self.kept_traces()):
            self.forget_traces()

    def keys_of(self, graph):
        return keys_of(self, graph)

    def prepare(self, arguments, masked, training):
        """Make the traces of this call and of the layers within."""
        found = self.traced(arguments, masked, training)
        found.changes.bring_about()
        found.graph.prepare(training)

    # ---- to be built again as they were ----

    def get_build_config(self):
        """The shapes and dtypes that the layer was built for first, and the only shape by itself; None before."""
        return vars(self).get("_build_config")

    def build_from_config(self, config):
        """Build for what `get_build_config` said, or for the ``input_shape`` that Keras writes."""
        if config.get("shapes") and not self.built:
            values = {name: _tensors(_shapes(shape), self.dtype) for name, shape in config["shapes"].items()}
            for tensor, dtype in zip(flatten(values), flatten(config["dtypes"])):
                tensor.dtype = dtype
            arguments, arrays = taken_apart(self.call_signature, values, _is_array, self._spec_of)
            self.traced(arguments, [False] * len(arrays), False)
        elif config.get("input_shape") is not None:
            self.ensure_built(_shapes(config["input_shape"]))

    # ---- arguments ----

    @property
    def call_signature(self):
        return _signature(type(self).call)

    def _taken_apart(self, args, kwargs):
        """``(arguments, arrays, training, mask)`` of a call."""
        signature, known = self.call_signature, ("training", "mask")
        given = {name: kwargs[name] for name in known if name in kwargs and name not in signature.parameters}
        try:
            values = signature.bind_partial(*args, **{k: v for k, v in kwargs.items() if k not in given}).arguments
            for name, parameter in signature.parameters.items():
                optional = parameter.default is not parameter.empty or parameter.kind in (2, 4)  # *args, **kwargs
                if not optional and name not in values and name not in known:
                    raise TypeError(f"missing the argument {name!r}")
        except TypeError as problem:
            raise self.error(f"call{signature}: {problem}", TypeError) from None
        values = dict(values)
        given.update((name, values.pop(name)) for name in known if name in values)
        if values:
            first = next(iter(values))
            values[first] = map_structure(self._as_value, values[first])
        arguments, arrays = taken_apart(signature, values, _is_array, self._spec_of)
        return arguments, arrays, given.get("training"), given.get("mask")

    def _as_value(self, leaf):
        return leaf if leaf is None or _is_symbolic(leaf) else self._as_input(leaf)

    def _spec_of(self, array):
        """The Spec of an array, whose first axis is that of the samples, or of a symbolic tensor."""
        if isinstance(array, Size):
            return Spec((), "int32")
        shape, dtype = array.shape, np.dtype(array.dtype)
        if isinstance(array, np.ndarray) and current_trace.get() is None and shape:
            shape = (None, *shape[1:])
        return Spec(tuple(shape), self.dtype if dtype.kind == "f" else dtype.name)

    def _arguments_of(self, x):
        """The Arguments of a call with the structure `x` of arrays as its first argument."""
        name = next(iter(self.call_signature.parameters))
        return taken_apart(self.call_signature, {name: x}, _is_array, self._spec_of)[0]

    # ---- calling ----

    def __call__(self, *args, **kwargs):
        """On symbolic tensors: record the layer in a graph. On arrays: compute, and return what `call` returns."""
        if self.input_spec is not None and (args or kwargs):
            check_inputs(self, args[0] if args else next(iter(kwargs.values())))
        arguments, arrays, training, mask = self._taken_apart(args, kwargs)
        if current_trace.get() is not None or any(map(_is_symbolic, arrays)):
            return self._connect_call(arguments, arrays, training, mask)
        self.forget_traces_of_other_layers()
        masks = [_mask_of(a) for a in flatten(args[:1])] if mask is None else [np.asarray(m) for m in flatten(mask)]
        masks = (masks + [_mask_of(a) for a in arrays[len(masks) :]])[: len(arrays)]
        y, cache = self._forward_by_hand(arrays, bool(training), masks, arguments)
        if training or self.stateful:
            self.remember(cache)
        vars(self)["_losses"] = self.loss_values(cache) + [value for value, _ in self.activity_penalties(y)]
        given = [*arrays, *(leaf.array() for leaf in cache.call.graph.leaves)]  # of the caller, and of the layer
        results = [own_array(as_array(a), given) for a in flatten(y)]
        for array, its_mask in zip(results, cache.masks):
            array._keras_mask = its_mask
        return cache.call.packed(results)

    def _forward_by_hand(self, arrays, training, masks, arguments):
        """Forward; where `call` cannot be traced for any number of samples, it is for as many as there are."""
        try:
            return self.forward(arrays, training, masks, arguments)
        except (TypeError, ValueError):
            exact = tuple(Spec(a.shape, spec.dtype) for a, spec in zip(arrays, arguments.specs))
            if exact == arguments.specs or any(t.arguments.key == arguments.key for t in self.kept_traces()):
                raise  # it can be; something else is wrong
            with contextlib.suppress(TypeError, ValueError):
                return self.forward(
                    arrays, training, masks, arguments._replace(specs=exact, key=(arguments.key[0], exact))
                )
            raise

    def _connect_call(self, arguments, arrays, training, mask):
        current = current_trace.get()
        tensors = [self._as_tensor(a, current) for a in arrays]
        if mask is not None:
            masks = [
                m if isinstance(m, KerasTensor) or m is None else self._as_tensor(m, current) for m in flatten(mask)
            ]
            tensors[: len(masks)] = [t if m is None else with_mask(t, m) for t, m in zip(tensors, masks)]
        now = training if training is not None else False if current is None else current.training
        found = self.traced(arguments, [t.masked for t in tensors], now)
        nested, *others = arguments.by_name(tensors).values()
        plain = bool(others) or any(leaf is None for leaf in flatten(nested))
        inputs = tensors if plain else as_lists(nested)
        outputs = record_call(self, inputs, found.outputs, training, arguments)
        if current is None:
            self.inbound_nodes.append(flatten(outputs)[0].node)
        return found.packed(flatten(outputs))

    def _as_tensor(self, a, current):
        if _is_symbolic(a):
            return a.as_tensor()
        if current is None:
            raise self.error(f"called on a mixture of symbolic tensors and values ({type(a).__name__})", TypeError)
        return current.constant(np.asarray(a))

    # ---- the contract of a layer ----

    def forward(self, x, training=False, mask=None, arguments=None, logits=()):
        """Return ``(y, cache)``. With `arguments`, x is the list of the arrays in them; `logits`: see `traced`."""
        xs = flatten(x)
        masks = [None] * len(xs) if mask is None else flatten(mask)
        if arguments is None:
            arguments = self._arguments_of(x)
        found = self.traced(arguments, [m is not None for m in masks], training, logits)
        xs = [a.astype(spec.dtype, copy=False) if _differs(a, spec) else a for a, spec in zip(xs, arguments.specs)]
        given = [m for m in masks if m is not None]
        ys, inner = found.graph.forward([*xs, *given], training, [*masks, *[None] * len(given)])
        count = len(flatten(found.outputs))
        masks = inner.masks[:count] if found.mask is None else [ys[count], *inner.masks[1:count]]
        changed = ys[count + (found.mask is not None) :]
        values = dict(zip(found.graph.outputs, ys))
        return map_structure(values.__getitem__, found.outputs), TracedCache(found, inner, masks, changed)

    def backward(self, dy, cache, needs_dx=True):
        """Return ``(dx, grads)``; dx in the structure of the one argument with arrays, else a flat list."""
        dxs, sums = cache.inner.graph.backward(flatten(dy), cache.inner, needs_dx)
        grads = cache.call.gathered(sums, self.trainable_params)
        if not needs_dx:
            return None, grads
        arguments = cache.call.arguments
        by_name = list(arguments.by_name(dxs).values())
        return (by_name[0] if len(by_name) == 1 else dxs[: len(arguments.specs)]), grads

    def remember(self, cache):
        cache.inner.graph.remember(cache.inner)
        cache.call.remember(cache.changed)

    @property
    def stateful(self):
        return any(found.changes or found.counted for found in self.kept_traces()) or self._is("stateful")

    @stateful.setter
    def stateful(self, value):
        vars(self)["stateful"] = value

    def loss_values(self, cache):
        return cache.inner.graph.loss_values(cache.inner)

    def added_loss(self, cache):
        return cache.inner.graph.added_loss(cache.inner)

    def rows_of_outputs(self, rows, arguments, masked, training=None):
        """See `scratchnet.graph.nodes.Node.rows_of_outputs`; unless training is said, both ways are looked at."""
        rows = [*rows, *(count for count, is_masked in zip(rows, masked) if is_masked)]
        calls = [self.traced(arguments, masked, t) for t in ((False, True) if training is None else (training,))]
        if any(call.counted for call in calls):
            return None  # a metric has to see the whole batch
        found = [call.graph.rows_of_outputs(rows) for call in calls]
        if any(counts is None for counts in found):
            return None
        return found[0][: len(flatten(calls[0].outputs))]

    def where_not_finite(self, x, training, arguments):
        """The first place within whose output is not finite, in words, or None."""
        found = self.traced(arguments, [False] * len(arguments.specs), training)
        place = first_non_finite(found.graph, flatten(x), training)
        return None if place is None else f"{place}, in {self.name!r}"

    @property
    def adds_loss(self):
        return any(found.graph.adds_loss for found in self.kept_traces())

    @property
    def takes_mask(self):
        return True

    def output_masks(self, x, mask, cache):
        return cache.masks

    def output_masked(self, masked):
        makes = self.makes_masks and any(found.mask is not None for found in self.kept_traces())
        return makes or super().output_masked(masked)

    def compute_output_shape(self, input_shape):
        found = self.traced_for(input_shape)
        return map_structure(lambda tensor: tensor.shape, found.outputs)

    @property
    def losses(self):
        """Within `call`: the tensors that have been added to the loss. Else the values, as of every layer."""
        current = current_trace.get()
        return super().losses if current is None else list(current.losses)

    def without_last_activation(self):
        call = self.kept_traces()[0] if self.kept_traces() else None
        found = {} if call is None else self.last_activations(call.arguments, call.masked, [0])
        return (EndingInLogits(self, found), found[0]) if found else None

    # ---- what is held ----

    @property
    def sublayers(self):
        return layers_and_streams(self)[0]

    def random_streams(self):
        own = {f"random_{k}": stream for k, stream in enumerate(vars(self).get("_streams", []))}
        return {**own, **layers_and_streams(self)[1], **HoldsLayers.random_streams(self)}


class EndingInLogits:
    """A layer or model with `call`, without the activation of some outputs; all else is its own.

    Args:
        logits: the numbers of these outputs.
    """

    def __init__(self, layer: Any, logits):
        self.layer = layer
        self.logits = tuple(logits)

    def __getattr__(self, name):
        if name == "layer":  # while it is being copied
            raise AttributeError(name)
        return getattr(self.layer, name)

    def forward(self, x, training=False, mask=None, arguments=None):
        return self.layer.forward(x, training, mask, arguments, self.logits)


@functools.lru_cache(maxsize=1024)
def _signature(call):
    """The signature of a method without `self` and without annotations, which need not be picklable."""
    parameters = [p.replace(annotation=p.empty) for p in inspect.signature(call).parameters.values()]
    return inspect.Signature(parameters[1:])


def _mask_of(array):
    return getattr(array, "_keras_mask", None)


def _is_symbolic(a):
    return isinstance(a, (KerasTensor, Variable, Size))


def _is_array(leaf):
    return _is_symbolic(leaf) or isinstance(leaf, np.ndarray)


def _differs(array, spec):
    """Whether an array has to be brought into the dtype that was traced: floats, and integers where floats were."""
    dtype = np.dtype(spec.dtype)
    return array.dtype != dtype and (dtype.kind == "f" or array.dtype.kind == "f")


def _tensors(input_shape, dtype):
    """Symbolic tensors for a structure of shapes."""
    return map_shapes(lambda shape: KerasTensor(shape, dtype, "input"), _shapes(input_shape))


def _shapes(structure):
    """A structure of shapes with tuples for those that came as lists."""
    if isinstance(structure, dict):
        return {key: _shapes(value) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        is_shape = all(n is None or isinstance(n, int) for n in structure)
        return tuple(structure) if is_shape else [_shapes(value) for value in structure]
    return structure


def _build_config(arguments):
    shapes = arguments.by_name([list(spec.shape) for spec in arguments.specs])
    dtypes = arguments.by_name([spec.dtype for spec in arguments.specs])
    only = {"input_shape": list(arguments.specs[0].shape)} if len(arguments.specs) == 1 else {}
    return {**only, "shapes": as_lists(shapes), "dtypes": as_lists(dtypes)}
