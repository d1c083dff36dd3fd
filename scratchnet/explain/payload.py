"""A trace as the page wants it: a description that JSON can hold, and the bytes of the tensors."""

import inspect
import re

import numpy as np

from scratchnet.explain.sources import Sources
from scratchnet.explain.table import norm_of
from scratchnet.explain.tensors import EXACT_FACTOR, EXACT_PARAMETER, Tensors
from scratchnet.explain.views import goes_back_by_itself
from scratchnet.explain.views.base import mathml
from scratchnet.kernels.loops import adam
from scratchnet.names import snake_case
from scratchnet.parallel.ranks import current_ranks
from scratchnet.structure import flatten

_MOST_WITHIN = 60  # calls within one call that the page shows
_SMALL = 4096  # numbers: up to here z and dz of a recurrent layer are shown, too
_NOT_SHOWN = ("tanh_c", "dc_from_h", "dc_from_next")  # the page computes them
_MULTIPLIED = (
    "dense",
    "conv2d",
    "conv2d-transpose",
    "convnd",
    "depthwise2d",
    "separable2d",
    "rnn-conv",
    "embedding",
)  # views that multiply by single parameters


class Payload:
    """Attributes: `meta`, a dict; `tensors`, a `Tensors`, whose blob belongs to it.

    Args:
        report: of `check_everything`; None where nothing was checked.
        beside: another trace to compare with.
        coarser: see `Tensors`.
    """

    def __init__(self, trace, report=None, beside=None, coarser=1):
        self.trace = trace
        self.tensors = Tensors(coarser)
        self.sources = Sources()
        self._report = report
        self._keys = {id(array): key for key, array in trace.model.params.items()}
        self._paths = _shown_paths(trace)
        self._index = {path: k for k, path in enumerate(self._paths)}
        self._broken = trace.first_non_finite
        back = trace.loss is not None
        calls = [self._call(trace[path], beside) for path in self._paths]
        self.meta = {
            "model": trace.model.name,
            "samples": len(trace.batch.x[0]),
            "training": trace.training,
            "backend": trace.backend,
            "metrics": trace.metrics,
            "inputs": [tensor.name for tensor in trace.model.inputs],
            "x": [self.tensors.add(x) for x in trace.batch.x],
            "dx": [self._array(d) for d in flatten(trace.dx)] if back else [None] * len(trace.batch.x),
            "calls": calls,
            "ends": self._ends(),
            "loss": self._loss() if back else None,
            "update": self._update() if back and trace.grads and current_ranks().size == 1 else None,
            "checked": report is not None,
            "beside": None if beside is None else {"title": f"{beside.model.name}, {_loss_text(beside)}"},
        }
        self.meta["stops"] = self._stops(back)
        self.meta["first"] = self._first_stop()
        self.meta["sources"] = self.sources.entries
        self.meta["tensors"] = self.tensors.metas

    # ---- stops ----

    def _stops(self, back):
        indices = range(len(self._paths))
        stops = [{"pass": "input"}, *({"pass": "forward", "call": k} for k in indices)]
        if back:
            stops += [{"pass": "loss"}, *({"pass": "backward", "call": k} for k in reversed(indices))]
        return stops + ([{"pass": "update"}] if self.meta["update"] else [])

    def _first_stop(self):
        """The input; where something is not finite, the first stop where it is."""
        return 0 if self._broken not in self._index else 1 + self._index[self._broken]

    def _ends(self):
        """The calls that the outputs come from."""
        made = {path: call for path, call in self.trace.items() if not call.depth}
        found = []
        for tensor in self.trace.model.outputs:
            name = None if tensor.node is None else str(tensor.node.name)
            found.append(self._index.get(next((path for path in reversed(made) if path.split(":")[0] == name), None)))
        return found

    # ---- a call ----

    def _array(self, a):
        return self.tensors.add(a)

    def _call(self, call, beside):
        layer, view = call.layer, call.view
        multiplied = view.kind in _MULTIPLIED
        limit = EXACT_FACTOR if multiplied else EXACT_PARAMETER
        inside = {name: a for name, a in call.inside.items() if self._is_shown(name, a, view)}
        dys = [d for d in flatten(call.dy) if d is not None]
        return {
            "path": call.path,
            "name": call.name,
            "kind": call.kind,
            "depth": call.depth,
            "repr": repr(layer) if layer is not None else call.place,
            "about": _first_sentence(layer),
            "held": "" if layer is None else layer.held_constant,
            "view": self._view_kind(call),
            "options": view.options(layer, call) if layer is not None else {},
            "calls": [self._index[path] for path in call.calls if path in self._index],
            "sources": [None if path is None else self._index.get(path) for path in call.sources],
            "x": [self._array(a) for a in flatten(call.x)],
            "y": [self._array(a) for a in flatten(call.y)],
            "dy": [self._array(a) for a in flatten(call.dy)],
            "dx": [self._array(a) for a in flatten(call.dx)],
            "norm": norm_of(dys) if dys else None,
            "back": call.went_back,
            "broken": call.path == self._broken,
            "inside": {name: self._array(a) for name, a in inside.items()},
            "params": {name: self.tensors.add(a, limit) for name, a in call.params.items()},
            "grads": {name: self.tensors.add(a, limit) for name, a in call.grads.items()},
            "state": {name: self.tensors.add(a, limit) for name, a in call.state.items()},
            "lines": {side: self._lines(layer, getattr(view, side)) for side in ("forward", "backward")},
            "own": {side: self._own(layer, side) for side in ("forward", "backward")},
            "own_way_back": goes_back_by_itself(layer),
            "place": call.place,
            "checks": self._checks(call),
            "replay": _replay_error(call),
            "beside": self._beside(call, beside),
        }

    def _view_kind(self, call):
        """The picture, if what it is made of is there: one sample's x and y as arrays with at least one axis, and the
        channels behind the others."""
        shapes = [np.ndim(a) for a in (*flatten(call.x), *flatten(call.y))]
        is_usual = getattr(call.layer, "data_format", "channels_last") == "channels_last"
        return call.view.kind if shapes and min(shapes) >= 2 and is_usual else "generic"

    def _is_shown(self, name, a, view):
        if not view.kind.startswith("rnn"):
            return True
        large = name in ("z", "dz", "s", "ds") and view.kind != "rnn-simple" and a.size > _SMALL
        gates_of_gru = view.kind == "rnn-gru" and name in ("z", "dz")
        return name not in _NOT_SHOWN and (gates_of_gru or not large)

    def _lines(self, layer, lines):
        found = []
        for line in lines:
            if not line.when(layer):
                continue
            source, rows = self.sources.lines(line.function, line.snippet)
            if source is not None:
                loops = ".loops." in getattr(line.function, "__module__", "")
                text = _named(line.equation, layer)
                quoted = {
                    "quantity": line.quantity,
                    "text": text,
                    "math": mathml(text),
                    "source": source,
                    "rows": rows,
                    "loops": loops,
                }
                found.append({**quoted, "main": line.quantity in ("c", "dc", "h", "z", "dkernel", "y")})
        mains = [k for k, line in enumerate(found) if line["main"]]
        for k, line in enumerate(found):
            line["main"] = bool(mains) and k == min(mains, key=lambda k: _ORDER.index(found[k]["quantity"]))
        return found

    def _own(self, layer, side):
        """The source of the layer's own forward or backward; of one that defines `call`, that."""
        if layer is None:
            return None
        name = "call" if layer.is_traced and hasattr(type(layer), "call") else side
        return self.sources.add(getattr(type(layer), name))

    def _checks(self, call):
        """The rows of the check that belong here: "x", and the parameters by name."""
        if self._report is None or call.layer is None:
            return {}
        of_keys = {row.argument: row for path, row in self._report if path is None}
        rows = {"x": next((row for path, row in self._report if path == call.path), None)}
        rows |= {name: of_keys.get(self._keys.get(id(array))) for name, array in call.layer.params.items()}
        return {name: _check(row) for name, row in rows.items() if row is not None}

    def _beside(self, call, beside):
        """y and dy of the call of the same path in the other trace, where they have the same shapes."""
        other = None if beside is None else beside._calls.get(call.path)
        if other is None or np.shape(other.y) != np.shape(call.y) or isinstance(call.y, (list, dict)):
            return None
        return {"y": [self._array(other.y)], "dy": [self._array(other.dy)]}

    # ---- the loss ----

    def _loss(self):
        trace = self.trace
        terms = {term.outputs: (term, value) for term, value in zip(trace.objective.plain_terms, trace.losses)}
        outputs = [self._loss_of(k, *terms.get(k, (None, 0.0))) for k in range(len(trace.ys))]
        return {"total": trace.loss, "added": trace.added, "outputs": outputs}

    def _loss_of(self, k, term, value):
        trace, name = self.trace, self.trace.objective.names[k]
        if term is None:
            return {"name": name, "loss": None, "source": None}
        loss = term.loss
        y, target, dy = trace.ys[k], trace.batch.y[k], trace.dys[k]
        fused = trace.objective._activations[k] is not None
        cut = int(np.count_nonzero((y < 1e-7) | (y > 1 - 1e-7))) if fused else 0
        return {
            "name": name,
            "loss": loss.name,
            "kind": snake_case(type(loss).__name__),
            "plainly": _is_plain(loss) and trace.batch.weights[k] is None,
            "value": value,
            "weight": term.weight,
            "target": self._array(target),
            "y": self._array(y),
            "dy": self._array(dy),
            "values": self._array(_values(loss, target, y)),
            "fused": fused,
            "cut": cut,
            "source": self._source_of_loss(loss),
        }

    def _source_of_loss(self, loss):
        forward = next((f for f in (getattr(type(loss), n, None) for n in ("call", "values", "forward")) if f), None)
        found = None if forward is None else self.sources.add(forward)
        back = getattr(type(loss), "gradient", None)
        return (
            None if found is None else {"forward": found, "backward": None if back is None else self.sources.add(back)}
        )

    # ---- the update ----

    def _update(self):
        updates = self.trace.explain_step()
        optimizer = updates.optimizer
        is_adam = type(optimizer).__name__ == "Adam" and not optimizer.amsgrad
        size, epsilon = 0.0, 0.0
        if is_adam:
            t, epsilon = optimizer.updates, optimizer.epsilon
            size = updates.learning_rate * np.sqrt(1 - optimizer.beta_2**t) / (1 - optimizer.beta_1**t)
        config = ", ".join(f"{key}={value!r}" for key, value in optimizer.get_config().items() if _is_said(value))
        return {
            "optimizer": type(optimizer).__name__,
            "config": f"{type(optimizer).__name__}({config})",
            "rate": updates.learning_rate,
            "t": int(optimizer.updates),
            "before": updates.loss_before,
            "after": updates.loss_after,
            "adam": is_adam and not (optimizer.clipnorm or optimizer.clipvalue or optimizer.weight_decay),
            "size": float(size),
            "epsilon": float(epsilon),
            "params": [_update_of(update) for update in updates.values()],
            "source": self.sources.add(type(optimizer).update_step),
            "kernel": self._kernel_of(optimizer),
        }

    def _kernel_of(self, optimizer):
        """The definition of the kernel that Adam's rule calls."""
        if "adam_update" not in inspect.getsource(type(optimizer).update_step):
            return None
        return self.sources.add(adam.adam_update)


# Which equation is shown first.
_ORDER = ("c", "dc", "dkernel", "z", "h", "y")


def _shown_paths(trace):
    """The paths that get stops: of a call that holds very many others, only the first ones are shown."""
    left_out = {path for call in trace.values() for path in call.calls[_MOST_WITHIN:]}
    return [path for path in trace if not any(path == p or path.startswith(f"{p}/") for p in left_out)]


def _first_sentence(layer):
    text = (inspect.getdoc(type(layer)) or "") if layer is not None else ""
    return text.split("\n\n")[0].replace("\n", " ").replace("``", "").replace("`", "")


def _named(equation, layer):
    """The equation with the layer's own activations for ``act`` and ``rec``."""
    for word, attribute in (("act", "activation"), ("rec", "recurrent_activation")):
        name = getattr(getattr(layer, attribute, None), "name", word).replace("_", "")
        equation = re.sub(rf"\b{word}\b", name, equation)
    return equation


def _replay_error(call):
    """By how much the replay of a recurrent layer differs from the layer's own gradients; None for other layers."""
    if call.dy is None or not call.grads:
        return None
    found = call.view.replay(call.layer, call)
    pairs = [(found[name], own) for name, own in call.grads.items() if name in found]
    errors = [float(np.max(np.abs(a - b)) / max(np.max(np.abs(b)), 1e-30)) for a, b in pairs]
    return max(errors, default=None)


def _values(loss, target, y):
    """The unweighted values of the loss, (N, ...); None where it gives none by themselves."""
    try:
        with np.errstate(all="ignore"):
            values = loss.values(loss.check_targets(np.asarray(target), y), y)[0]
    except NotImplementedError:
        return None
    return np.asarray(values) if np.ndim(values) else None


def _is_plain(loss):
    """Whether a loss of cross-entropy is without options that its terms in the page do not have."""
    return not getattr(loss, "from_logits", False) and not getattr(loss, "label_smoothing", 0)


def _is_said(value):
    return value not in (None, False) and not isinstance(value, (str, dict))


def _loss_text(trace):
    return "forward only" if trace.loss is None else f"loss {trace.loss:.4g}"


def _check(row):
    error = min(row.error, 1e300)
    return {"difference": row.numeric, "backward": row.analytic, "error": error, "verdict": row.verdict}


def _update_of(update):
    slots = [name for name, a in update.slots.items() if a.shape == update.before.shape]
    arrays = (update.before, update.gradient, update.step, update.after)
    entries = []
    for index in update.largest():
        w, g, step, after = (float(a[index]) for a in arrays)
        kept = [float(update.slots[name][index]) for name in slots]
        entries.append({"index": list(index), "w": w, "g": g, "slots": kept, "step": step, "after": after})
    sizes = {name: float(np.linalg.norm(a)) for name, a in zip(("w", "g", "step"), arrays)}
    return {"key": update.key, **sizes, "slots": slots, "entries": entries}
