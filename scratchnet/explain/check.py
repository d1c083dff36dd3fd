"""The gradient check of a trace: the loss of these very samples, differenced in a few directions of each parameter.

A float64 twin of the model computes it, with the backend "numpy", which needs no compiling. Where a layer's backward
takes something for a constant, by definition (`Layer.held_constant`), the differences hold it, too: what is checked is
what the layer says that it computes, and a mistake in that is found.
"""

import copy
import functools

import numpy as np

from scratchnet import kernels
from scratchnet.gradient_check.differences import noise_of_differences
from scratchnet.gradient_check.report import FAILED, Report, compare
from scratchnet.layers import Bidirectional
from scratchnet.structure import flatten, map_structure
from scratchnet.training.objective import Objective

_BOUND = 1e-6  # for several layers in a row, as in `gradient_check`
_TRIES = 3  # of a layer that fails, at other points: two maxima may be as good as equal by chance, a mistake stays
_STEPS = (1e-5, 1e-6, 1e-7)  # a kink (of relu, of max pooling) between the two points is stepped around by the smaller


def in_float64(model):
    """A twin of the model that computes in float64, with the same parameters."""
    twin = copy.deepcopy(model)
    twin._forget_objective()
    _widen(twin)
    return twin


def _widen(layer):
    for arrays in (layer._params, layer._state):
        for name, array in arrays.items():
            if array.dtype.kind == "f":
                arrays[name] = array.astype(np.float64)
    layer.dtype = "float64"
    if hasattr(layer, "forget_traces"):
        layer.forget_traces()
    graph = getattr(layer, "graph", None)
    if graph is not None:
        tensors = [*graph.inputs, *graph.outputs, *(t for node in graph.nodes for t in flatten(node.outputs))]
        for tensor in tensors:
            if tensor.dtype.startswith("float"):
                tensor.dtype = "float64"
        for node in graph.nodes:
            if getattr(node, "arguments", None) is not None:  # of a call that is traced anew
                node.arguments = _wide(node.arguments)
        graph.dtype = graph._find_dtype()
    inner = layer.sublayers.values() if hasattr(layer, "sublayers") else ()
    for sublayer in inner:
        _widen(sublayer)


def _wide(arguments):
    specs = tuple(s._replace(dtype="float64") if s.dtype.startswith("float") else s for s in arguments.specs)
    return arguments._replace(specs=specs, key=(arguments.key[0], specs))


class Double:
    """The objective of a trace, in float64: `value` and `gradients` for the parameters as they are at the moment."""

    def __init__(self, trace):
        model = in_float64(trace.model)
        model.trace_ahead()
        self.trace = trace
        self.objective = Objective(model, model.loss, model._compile_config["loss_weights"])
        self.model = self.objective.model
        self.params = self.model.trainable_params
        batch = trace.batch
        self.batch = batch._replace(x=[a.astype(np.float64) if a.dtype.kind == "f" else a for a in batch.x])
        self.counts = self.objective.counts(batch)

        self.held = Held(self.model)

    def _forward(self):
        model = self.model
        self.held.uses = 0
        with self.trace.drawing():
            y, cache = model.forward(model.pack_inputs(self.batch.x), training=self.trace.training)
            values, loss_caches = self.objective.forward(self.batch, flatten(y), self.counts, cache.masks)
        return cache, values, loss_caches

    def value(self):
        """The loss, with all that is added to it."""
        cache, values, _ = self._forward()
        return float(self.objective.total(values) + self.model.added_loss(cache) + self.model.penalty()[0])

    def gradients(self):
        """Of the parameters, by key. What layers take for constants stays, from now on, as it is here."""
        self.held.caches = None
        cache, _, loss_caches = self._forward()
        self.held.caches = self.held.found
        dys = self.objective.backward(loss_caches)
        _, grads = self.model.backward(dys if len(dys) > 1 else dys[0], cache, needs_dx=False)
        penalty_grads = self.model.penalty()[1]
        return {key: grads[key] + penalty_grads.get(key, 0) for key in self.params}

    def move_a_little(self, rng):
        """To parameters and samples beside those of the trace, where no relu stands exactly at its kink."""
        for array in self.params.values():
            array += _a_little(array, rng)
        self.batch = self.batch._replace(x=[a + _a_little(a, rng) if a.dtype.kind == "f" else a for a in self.batch.x])


def _a_little(array, rng):
    return 1e-3 * max(np.std(array), 0.1) * rng.standard_normal(array.shape)


class Held:
    """Lets the layers of a model that take something for a constant (`held_constant`) do so when they go forward, too.

    Attributes:
        caches: of the pass whose constants are held, in the order of use; None while there are none yet.
        uses: how many there were in this pass; to be set to 0 in front of each.
    """

    def __init__(self, model):
        self.caches, self.found, self.uses = None, [], 0
        for layer in _all_layers(model):
            if layer.held_constant:
                layer.forward = functools.partial(self._forward, layer)

    def _forward(self, layer, x, training=False):
        self.uses += 1
        if self.caches is not None:
            cache = self.caches[self.uses - 1]
            return layer.forward_holding(x, cache, training), cache
        y, cache = type(layer).forward(layer, x, training=training)
        self.found = [*self.found[: self.uses - 1], cache]
        return y, cache


def _all_layers(model):
    """A model and all layers within it, each once."""
    found = [model]
    for layer in found:
        inner = layer.sublayers.values() if hasattr(layer, "sublayers") else ()
        found += [one for one in dict.fromkeys(inner) if one not in found]
    return found


def check_trace(trace, directions=3, seed=0):
    """A `Report` with a row for each trainable parameter.

    Exactly at a kink there is no slope to compare with: where zeros go into a relu with a bias of zero, differences
    find the half of it. So what fails is tried again a little beside the parameters and samples; a mistake stays.
    """
    rng = np.random.default_rng(seed)
    with kernels.using_backend("numpy"), np.errstate(all="ignore"):
        double = Double(trace)
        grads = double.gradients()
        rows = _rows(double, grads, double.params, directions, rng)
        for _ in range(_TRIES):
            failed = [key for key, row in rows.items() if row.verdict == FAILED and np.isfinite(grads[key]).all()]
            if not failed:
                break
            double.move_a_little(rng)
            beside = _rows(double, double.gradients(), failed, directions, rng)
            rows |= {key: row for key, row in beside.items() if row.verdict != FAILED}
    return Report(trace.model.name, list(rows.values()), sides=("difference", "backward"))


def _rows(double, grads, keys, directions, rng):
    """``{key: Row}``"""
    magnitude = abs(double.value())
    return {key: _row(double, key, grads[key], magnitude, directions, rng) for key in keys}


def check_everything(trace):
    """What the page shows, as pairs ``(path, Row)``: `check_trace`, whose rows have no path, and `check_calls`."""
    return [(None, row) for row in check_trace(trace).rows] + list(check_calls(trace).items())


def check_calls(trace, directions=3, seed=0):
    """``{path: Row}``: is the dx of each layer by itself the derivative of its y, close to these samples?

    That finds the one that is wrong among those that it spoils.

    Left out are layers that hold others, since what is within them is checked (but for a Bidirectional, which merges
    it), and those that a mask reaches.
    """
    rng, found = np.random.default_rng(seed), {}
    with kernels.using_backend("numpy"), np.errstate(all="ignore"):
        for path, call in trace.items():
            xs, dys = flatten(call.x), flatten(call.dy)
            floats = all(a is not None and a.dtype.kind == "f" for a in (*xs, *dys))
            holds = call.calls and not isinstance(call.layer, Bidirectional)
            if call.layer is not None and floats and not (holds or call.layer.is_traced or call.is_masked):
                for _ in range(_TRIES):
                    found[path] = _row_of_call(trace, call, directions, rng)
                    if found[path].verdict != FAILED:
                        break
    return found


def _row_of_call(trace, call, directions, rng):
    layer = copy.deepcopy(call.layer)
    _widen(layer)
    # A little beside the sample: exactly at it, the many zeros behind a relu make ties of maxima, which have no slope.
    x = map_structure(lambda a: a + _a_little(a, rng), call.x)
    dy = map_structure(lambda a: np.array(a, np.float64), call.dy)

    def forward():
        with trace.drawing():
            return layer.forward(x, training=trace.training, **call.options)

    def value():
        y, cache = (layer.forward_holding(x, first, trace.training), first) if layer.held_constant else forward()
        own = float(layer.added_loss(cache)) if layer.adds_loss else 0.0  # whose derivative is in dx
        return own + sum(float(np.sum(_as_far_as(d, a) * d)) for a, d in zip(flatten(y), flatten(dy)))

    y, first = forward()
    dx, _ = layer.backward(dy, first)
    units = []
    for _ in range(directions):
        v = [rng.standard_normal(a.shape) for a in flatten(x)]
        length = np.sqrt(sum(np.sum(a * a) for a in v))
        units.append([a / length for a in v])
    analytic = np.array([sum(np.sum(d * a) for d, a in zip(flatten(dx), v)) for v in units])
    magnitude = sum(float(np.sum(np.abs(_as_far_as(d, a) * d))) for a, d in zip(flatten(y), flatten(dy)))
    kept = [a.copy() for a in flatten(x)]
    return _compared("x", flatten(x), kept, units, analytic, value, magnitude)


def _as_far_as(dy, y):
    """y as far as dy goes: behind a RepeatVector, the layer that reads it may have added up equal steps already."""
    return y[tuple(slice(size) for size in dy.shape)]


def _row(double, key, gradient, magnitude, directions, rng):
    array = double.params[key]
    units = []
    for _ in range(directions):
        v = rng.standard_normal(array.shape)
        units.append([v / max(np.linalg.norm(v), 1e-30)])
    analytic = np.array([np.sum(gradient * v) for (v,) in units])
    return _compared(key, [array], [array.copy()], units, analytic, double.value, max(magnitude, 1e-3))


def _compared(name, arrays, kept, units, analytic, value, magnitude):
    """The `Row` of differences of `value` along `units`, each a list with an array for each of `arrays`."""
    first = None
    for step in _STEPS:
        numeric = np.array([_difference(arrays, kept, v, value, step) for v in units])
        row = compare(name, numeric, analytic, _BOUND, step, noise_of_differences(magnitude, step))
        first = first or row
        if row.verdict != FAILED:
            return row
    return first


def _difference(arrays, kept, units, value, step):
    found = []
    for h in (step, -step):
        for array, before, v in zip(arrays, kept, units):
            array[...] = before + h * v
        found.append(value())
    for array, before in zip(arrays, kept):
        array[...] = before
    return (found[0] - found[1]) / (2 * step)
