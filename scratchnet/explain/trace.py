"""One pass of a model, forward and back, kept whole.

The lines are those of a training step (`scratchnet.training.step`), run once under the eyes of a `Recorder`: what is
recorded is what training computes, to the last bit.
"""

import webbrowser
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from scratchnet import kernels
from scratchnet.explain.calls import Call, calls_of
from scratchnet.explain.check import check_trace
from scratchnet.explain.pages import write_page
from scratchnet.explain.recorder import Recorder
from scratchnet.explain.table import html_of, table_of
from scratchnet.explain.update import updates_of
from scratchnet.graph.walk import watched_by
from scratchnet.parallel.batch import drawing_rows
from scratchnet.structure import flatten
from scratchnet.training.data import Arrays

_OF_TENSORFLOW = {
    **dict.fromkeys(("func", "input_signature", "autograph", "reduce_retracing", "jit_compile"), "tf.function"),
    **dict.fromkeys(("graph", "profiler", "profiler_outdir", "step"), "tf.summary.trace_export"),
}


class Trace(Mapping):
    """What a model computed for some samples: a mapping from path to `Call`, in the order of the graph.

    ``t["dense"]``, ``t["encoder/lstm"]`` within a nested model, ``t["dense:1"]`` the second use of a shared layer; also
    ``t[0]``.

    Attributes:
        model: the model.
        x, y: what went in and came out, in the structure that the model takes and gives.
        targets: as they were given; None without a pass back.
        loss: the number that is minimized, for these samples; None without targets.
        losses: the value of each loss, unweighted; `added`: what layers and regularizers add.
        metrics: those that compile was given, for these samples, by name.
        dx: the gradient of the loss in x.
        grads: of the parameters, by key ("dense/kernel"): what the optimizer would get.
        backend: which kernels computed.
    """

    def __init__(self, model, batch, objective, training):
        terms = [] if objective is None else objective.terms
        if any(term.is_joint or objective.term_of(term.outputs) is None for term in terms):
            raise model.error("explain and trace show models of which each output has one loss for itself")
        self.model = model
        self.training = bool(training)
        self.step = 0 if model.optimizer is None else model.optimizer.steps
        self.backend = kernels.get_backend()
        self.batch = batch
        self.objective = objective
        self.loss = self.dx = self.targets = None
        self.losses, self.added, self.metrics, self.grads, self.dys = [], 0.0, {}, {}, []
        recorder, ends = Recorder(), {}
        with self.drawing(), np.errstate(all="ignore"), watched_by(recorder):
            if objective is None:
                y, _ = model.forward(model.pack_inputs(batch.x), training=self.training)
                ys = flatten(y)
            else:
                ys, ends = self._forward_and_back(model, batch, objective)
        self.x = model.pack_inputs(batch.x)
        self.y = model.pack_outputs(ys)
        self.ys = ys
        self._calls = calls_of(recorder.records, model, ends)

    def _forward_and_back(self, model, batch, objective):
        run, counts = objective.model, objective.counts(batch)
        y, cache = run.forward(run.pack_inputs(batch.x), training=self.training)
        ys = flatten(y)
        values, loss_caches = objective.forward(batch, ys, counts, cache.masks)
        penalty, penalty_grads = run.penalty()
        dys = objective.backward(loss_caches)
        wanted = [tensor.dtype.startswith("float") for tensor in run.inputs]
        dx, grads = run.backward(dys if len(dys) > 1 else dys[0], cache, needs_dx=wanted)
        self.grads = {key: d + penalty_grads[key] if key in penalty_grads else d for key, d in grads.items()}
        self.losses = [float(value) for value in values]
        self.added = float(run.added_loss(cache) + penalty)
        self.loss = float(objective.total(values) + self.added)
        self.dx = dx
        self.targets = batch.y
        self.logits_dys = dys
        predictions = objective.predictions(ys)
        self.dys = self._plain_dys(batch, predictions, counts, cache.masks, dys)
        self.metrics = self._metrics(batch, values, predictions, cache.masks)
        ends = {
            run.outputs[k]: (activation, self.dys[k])
            for k, activation in enumerate(objective._activations)
            if activation is not None
        }
        return predictions, ends

    def _plain_dys(self, batch, predictions, counts, masks, dys):
        """The gradient of the loss, as it is written, in each output: also where training takes it in the logits."""
        objective = self.objective
        found = list(dys)
        for term, plain, count in zip(objective.terms, objective.plain_terms, counts):
            if term.loss is not plain.loss:
                k = term.outputs
                w = batch.weights[k]
                if masks[k] is not None:
                    w, count = objective._masked(plain, batch, masks[k], w, count)
                _, cache = plain.loss.forward(batch.y[k], predictions[k], sample_weight=w, count=count)
                dy = plain.loss.backward(cache)
                found[k] = dy * dy.dtype.type(term.weight)
        return found

    def _metrics(self, batch, values, predictions, masks):
        averages = self.model._new_averages(own=True)
        averages.add(batch, values, predictions, masks=masks)
        return {name: float(value) for name, value in averages.logs().items() if name != "loss"}

    def drawing(self):
        """A context to compute in: in training, layers draw what the next step of `fit` would draw, each time."""
        return drawing_rows(self.step, 0, len(self.batch.x[0]))

    # ---- a mapping ----

    def __getitem__(self, key):
        if isinstance(key, (int, np.integer)):
            return list(self._calls.values())[key]
        if key in self._calls:
            return self._calls[key]
        raise KeyError(f"no call {key!r}: there are {', '.join(self._calls)}")

    def __iter__(self):
        return iter(self._calls)

    def __len__(self):
        return len(self._calls)

    @property
    def forward(self):
        """The trace itself: ``t.forward["conv2d"].z``."""
        return self

    @property
    def backward(self):
        """The trace itself, behind a pass back: ``t.backward["encoder"].dkernel``."""
        if self.loss is None:
            raise self.model.error("was traced without targets, so nothing went backward: model.trace(x, y)")
        return self

    @property
    def first_non_finite(self):
        """The path of the first call whose output holds NaN or infinity, or None."""
        for path, call in self._calls.items():
            if not call.calls and not all(_is_finite(y) for y in flatten(call.y)):
                return path
        return None

    # ---- what can be asked of it ----

    def check(self, directions=3):
        """Is every gradient right, for these samples? A `Report` with a row for each parameter, computed in float64.

        Args:
            directions: in how many random directions the loss is differenced, for each parameter.
        """
        return check_trace(self.backward, directions)

    def explain_step(self, optimizer=None):
        """What an optimizer (by default the model's) makes of these gradients: `Updates`. The model stays as it is."""
        return updates_of(self.backward, optimizer)

    def save(self, path, check=True, beside=None, max_mb=5.0):
        """Write the page and return its path; arguments as of `Model.explain`."""
        return write_page(self, path, check, beside, max_mb)

    def show(self, path="explain.html", **options):
        """Write the page and open it in the browser."""
        path = self.save(path, **options)
        webbrowser.open(Path(path).resolve().as_uri())
        return path

    def __str__(self):
        return table_of(self)

    def __repr__(self):
        return table_of(self)

    def _repr_html_(self):
        return html_of(self)


def trace(model, x, y=None, training=False, sample_weight=None, **kwargs):
    """See `Model.trace`."""
    for name in kwargs:
        if name in _OF_TENSORFLOW:
            raise TypeError(
                f"trace: {name} belongs to {_OF_TENSORFLOW[name]}, whose traces are graphs; this one holds numbers: "
                "model.trace(x, y)"
            )
        raise TypeError(f"trace got an unexpected argument {name!r}")
    if y is not None and not model.compiled:
        raise model.error("trace before compile: a gradient needs a loss, compile(optimizer=..., loss=...)")
    data = Arrays(model, x, y, sample_weight, "traced")
    batch = data.batch(slice(None))
    alone = y is None and model.compiled and model.loss is None and model.adds_loss  # the loss is among the layers
    if y is None and not alone:
        model.trace_ahead()
        return Trace(model, batch, None, training)
    model._prepare("trace")
    if alone:
        batch = batch._replace(y=[None] * len(model.outputs), weights=[None] * len(model.outputs))
    return Trace(model, batch, model._objective, training)


def _is_finite(a):
    return a.dtype.kind not in "fc" or bool(np.isfinite(a).all())


__all__ = ["Call", "Trace", "trace"]
