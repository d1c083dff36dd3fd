"""A call: one use of a layer, with everything that went through it."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from scratchnet.explain.views import view_of
from scratchnet.graph.nodes import RegularizedCache
from scratchnet.layers.activated import BehindCache
from scratchnet.layers.rnn.bidirectional import Bidirectional
from scratchnet.layers.rnn.time_distributed import TimeDistributed
from scratchnet.structure import as_lists, flatten, map_structure


class Call:
    """One use of a layer or an operation in a pass.

    Attributes:
        path: its name in the trace, such as ``"dense"``, ``"encoder/lstm"``, ``"dense:1"`` (the second use of a layer).
        layer: the layer; None for an operation.
        operation: the name of the operation; None for a layer.
        x, y: what went in and came out, as arrays or lists of them. Also `input` and `output`.
        cache: what forward remembered for backward.
        dy, dx: the gradient of the loss in y and in x; None where none was needed. `grad` is dy.
        params: the parameters, by name.
        grads: their gradients from this use, by name. ``call.dkernel`` is ``call.grads["kernel"]``.
        inside: what lies between x and y, by its name in the equations: z, dz, the gates of an LSTM. Each is an
            attribute, too: ``call.z``.
        left_out: the activation that a loss from logits has left out of the computation; else None. `dy` is then that
            of the loss as it is written, and `dz` what training computes, in one step from the loss.
        options: what forward was told besides, such as ``use_causal_mask=True``.
        is_masked: whether a mask came with x.
        calls: the paths of the calls within this one.
        sources: the paths of the calls that x comes from; None for an input of the graph around.
    """

    def __init__(self, path, record, layer, depth, left_out=None, plain_dy=None):
        node = record.node
        self.path = path
        self.depth = depth
        self.layer = layer
        self.operation = None if layer is not None else str(node.name)
        self.place = str(getattr(node, "place", "") or "")
        self.options = dict(getattr(node, "options", None) or {}) if layer is not None else {}
        self.is_masked = bool(getattr(node, "reads_mask", False))
        self.calls = []
        self.sources = []
        self.went_back = record.went_back
        self.left_out = left_out
        self.x, self.y = _frozen(record.x), _frozen(record.y)
        self.cache = record.cache.own if isinstance(record.cache, RegularizedCache) else record.cache
        if isinstance(self.cache, BehindCache):
            self.cache = self.cache.of_z
        self.dy = _frozen(record.dy)
        self.dx = None
        if record.dxs is not None and any(d is not None for d in record.dxs):
            self.dx = _frozen(_in_structure(record.dxs, record.x))
        if layer is None and isinstance(self.x, list) and len(self.x) == 1:
            self.x = self.x[0]
            self.dx = self.dx[0] if self.dx is not None else None
        self.logits = None
        if left_out is not None:
            self.logits = self.y, self.dy
            self.y, self.dy = _frozen(left_out.forward(self.y)[0]), _frozen(plain_dy)
        self.params = {} if layer is None else {k: _frozen(w) for k, w in layer.params.items()}
        self.state = {} if layer is None else {k: _frozen(w) for k, w in layer.state.items()}
        self.grads = {k: _frozen(d) for k, d in record.grads.items()}
        self.view = view_of(layer)
        self._inside = None

    input = property(lambda self: self.x)
    output = property(lambda self: self.y)
    grad = property(lambda self: self.dy)

    @property
    def name(self):
        return self.path.rsplit("/", 1)[-1]

    @property
    def kind(self):
        """The class of the layer, or the name of the operation."""
        return self.operation if self.layer is None else type(self.layer).__name__

    @property
    def inside(self):
        if self._inside is None:
            found = self.view.inside(self.layer, self)
            self._inside = {name: _frozen(a) for name, a in found.items() if a is not None}
        return self._inside

    @property
    def gates(self):
        """What a recurrent layer computes at each step, batch first: i (N, T, U), ..., h (N, T + 1, U)."""
        return SimpleNamespace(**self._through_time())

    @property
    def steps(self):
        """The same as a list, one step of time each; ``steps[10].dc`` is (N, U), as are ``h_prev``, ``h``, ..."""
        T = self._through_time()["h"].shape[1] - 1
        return [self._step(t, T) for t in range(T)]

    def _through_time(self):
        if not self.view.kind.startswith("rnn"):
            raise TypeError(f"{self.path!r} is no recurrent layer: it has no gates, and no steps")
        return self.inside

    def _step(self, t, T):
        values = {name: a[:, t + (a.shape[1] > T)] for name, a in self.inside.items()}
        values |= {f"{name}_prev": a[:, t] for name, a in self.inside.items() if a.shape[1] > T}
        return SimpleNamespace(**values)

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        if name[:1] == "d" and name[1:] in self.params:
            if name[1:] in self.grads:
                return self.grads[name[1:]]
            raise AttributeError(f"{self.path!r}: no gradient of {name[1:]!r} was needed")
        if name in self.inside:
            return self.inside[name]
        raise AttributeError(f"{self.path!r} has no {name!r}: it has {', '.join(self._names())}")

    def _names(self):
        return ["x", "y", "cache", "dy", "dx", "params", "grads", *self.inside, *(f"d{name}" for name in self.grads)]

    def __dir__(self):
        return [*super().__dir__(), *self._names()]

    def __repr__(self):
        shapes = ", ".join(str(np.shape(y)) for y in flatten(self.y))
        return f"<call of {self.kind} {self.path!r}, y {shapes}>"


def _frozen(structure):
    """The same arrays, not to be written into."""

    def view(a):
        if a is None:
            return None
        a = np.asarray(a).view()
        a.flags.writeable = False
        return a

    return map_structure(view, as_lists(structure))


def _in_structure(flat, structure):
    """A flat list in the form of `structure`."""
    remaining = iter(flat)
    return map_structure(lambda _: next(remaining), as_lists(structure))


# ---- from records to calls ----


def calls_of(records, scope, ends=None):
    """The calls of a recorded pass, a dict by path, each container in front of what is within it.

    Args:
        records: what `Recorder` wrote down.
        scope: the model, whose layers have the activations that training on logits leaves out.
        ends: dict from a symbolic tensor to ``(activation, dy)``: outputs that came as logits, and the gradient of the
            loss, as it is written, in what the activation would have given.
    """
    calls = {}
    _add(calls, records, "", scope, ends or {}, 0)
    return calls


def _add(calls, records, prefix, scope, ends, depth):
    layers = {node.layer.name: node.layer for node in getattr(scope, "nodes", []) if node.layer is not None}
    paths, made_by = [], {}
    for record in records:
        name = prefix + str(record.node.name)
        path, again = name, 0
        while path in calls:
            again += 1
            path = f"{name}:{again}"
        used = record.node.layer
        layer = None if used is None else layers.get(used.name, used)
        outputs = record.node.outputs
        end = None if isinstance(outputs, (list, dict)) else ends.get(outputs)
        call = Call(path, record, layer, depth, *(end or ()))
        calls[path] = call
        paths.append(path)
        call.sources = list(dict.fromkeys(made_by.get(tensor) for tensor in flatten(record.node.inputs)))
        made_by.update(dict.fromkeys(flatten(outputs), path))
        inner, inner_ends = record.children, {}
        if end is not None and inner:
            inner_ends = {inner[-1].node.outputs: end}
        if isinstance(layer, TimeDistributed) and not inner and hasattr(record.cache, "inner"):
            inner = [_folded(record, layer, used)]
            inner_ends = {} if end is None else {inner[0].node.outputs: (end[0], _fold(end[1]))}
        if isinstance(layer, Bidirectional) and not (
            call.options or isinstance(call.x, list) or isinstance(call.y, list)
        ):
            inner = [_direction(record, layer, name) for name in ("forward_layer", "backward_layer")]
        call.calls = _add(calls, inner, f"{path}/", layer, inner_ends, depth + 1)
    return paths


def _fold(a):
    """(N, T, ...) -> (N T, ...)"""
    return None if a is None else a.reshape(-1, *a.shape[2:])


def _folded(record, layer, used):
    """What the layer within a TimeDistributed does: the same, with time folded into the batch."""
    from_outside: Any = SimpleNamespace(
        name=layer.layer.name, layer=layer.layer, inputs=object(), outputs=object(), options={}, reads_mask=False
    )
    folded = type(record)(from_outside, _fold(record.x), _fold(record.y), record.cache.inner)
    folded.dy, folded.went_back = _fold(record.dy), record.went_back
    folded.dxs = None if record.dxs is None else [_fold(d) for d in record.dxs]
    folded.grads = record.grads
    return folded


def _direction(record, layer, name):
    """What one of the two layers of a Bidirectional does, in its own order of time."""
    inner, caches = getattr(layer, name), record.cache
    turned = name == "backward_layer"
    y, cache = (layer.in_order(caches.b), caches.backward) if turned else (caches.a, caches.forward)
    node: Any = SimpleNamespace(
        name=inner.name, layer=inner, inputs=object(), outputs=object(), options={}, reads_mask=record.node.reads_mask
    )
    found = type(record)(node, record.x, y, cache)
    found.went_back = record.went_back
    if record.dy is not None:
        da, db = layer.merge_adjoint(record.dy, caches.a, caches.b)
        found.dy = layer.in_order(db) if turned else da
        dx, _ = inner.backward(found.dy, cache, record.dxs is not None)
        found.dxs = None if dx is None else [dx]
    found.grads = {key.split("/", 1)[1]: d for key, d in record.grads.items() if key.startswith(f"{name}/")}
    return found
