"""Models of a class that defines `compute_loss` or `compute_metrics`, Keras's hooks within a step.

    class Autoencoder(Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return ops.mean(ops.square(y_pred - x)) + sum(self.losses)

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            self.distance.update_state(x, y_pred)
            return {**super().compute_metrics(x, y, y_pred, sample_weight), "distance": self.distance.result()}

`compute_loss` is traced as a loss is, with operations, and gives dy_pred; a batch is computed in one part, since its
samples may meet in it. What layers add to the loss is not among its operations: `self.losses` is one tensor there that
stands for their sum and may only be added. Metrics that it or `compute_metrics` counts in are counted when the step is
over, by a run on arrays.
"""

import inspect
from contextvars import ContextVar

import numpy as np

from scratchnet import ops
from scratchnet.losses.base import Loss
from scratchnet.losses.traced import TracedLoss
from scratchnet.structure import flatten, map_structure
from scratchnet.training.terms import terms_of
from scratchnet.variables import as_array

_standing_in = ContextVar("scratchnet_losses_of_layers", default=(None, ()))  # (model, what its `losses` are meanwhile)


def overrides(model, name):
    """Whether the model's class has its own `compute_loss` or `compute_metrics`."""
    return getattr(type(model), name) is not getattr(OwnLoss, name)


class OwnLoss:
    """The part of a Model that has Keras's hooks."""

    _counting = None  # the Averages that a `compute_metrics` is called for

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """What compile's losses are, weighted, of targets and predictions, and what layers add.

        Arguments are nested as the model's inputs and outputs are. A class that defines this computes its own.
        """
        ys, ps = _flat(self, y), flatten(y_pred)
        weights = _flat(self, sample_weight)
        total = [
            term.weight * term.loss(_of(term, ys), _of(term, ps), sample_weight=_of(term, weights))
            for term in ([] if self.loss is None else terms_of(self, self.loss, self._compile_config["loss_weights"]))
        ]
        total += self.losses
        if not total:
            raise self.error("compute_loss needs a loss: compile(optimizer=..., loss=...), or one of your own")
        return sum(total[1:], total[0])

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """The figures so far, with this batch. A class that defines this says what `fit` and `evaluate` show."""
        return self.get_metrics_result()

    def get_metrics_result(self):
        """The figures so far, by name."""
        averages = self._counting or self._averages
        return {} if averages is None else averages.counted()

    @property
    def losses(self):
        model, losses = _standing_in.get()
        return list(losses) if model is self else super().losses


def count_in(model, averages, batch, y_preds, added, training=True):
    """Run the hooks of `model` on the arrays of a batch; what `compute_metrics` returns, or None."""
    if batch.division is not None:
        raise model.error("compute_loss and compute_metrics of one's own are for one process")
    given = {"x": model.pack_inputs(batch.x), "y": None, "y_pred": model.pack_outputs(y_preds), "sample_weight": None}
    if batch.y:
        given["y"] = model.pack_outputs(batch.y)
    if any(w is not None for w in batch.weights):
        given["sample_weight"] = model.pack_outputs(batch.weights)
    given = {name: map_structure(lambda a: None if a is None else as_array(a), of) for name, of in given.items()}
    before = _standing_in.set((model, [np.float64(added)]))
    vars(model)["_counting"] = averages
    try:
        if overrides(model, "compute_loss"):
            model.compute_loss(**given, **_training_of(model, training))
        return model.compute_metrics(**given) if overrides(model, "compute_metrics") else None
    finally:
        del vars(model)["_counting"]
        _standing_in.reset(before)


class LossOfModel(TracedLoss, Loss):
    """`compute_loss` of a model, as one loss of all its outputs, which also reads the inputs."""

    def __init__(self, model):
        super().__init__("loss", "sum_over_batch_size")
        self.model = model

    takes_logits = False

    def of_batch(self, batch, training):
        """What `forward` is given as targets: all arrays of the batch, one that stands for what layers add, and
        `training`, for each value of which there is a trace.
        """
        given = {"x": batch.x, "y": batch.y, "weights": batch.weights}
        found = {key: {str(k): a for k, a in enumerate(of) if a is not None} for key, of in given.items()}
        return {**found, "added": np.zeros(1), "training": training}

    def call(self, given, y_pred):
        model, count = self.model, len(self.model.outputs)
        arguments = {
            "x": model.pack_inputs([given["x"].get(str(k)) for k in range(len(model.inputs))]),
            "y": model.pack_outputs([given["y"].get(str(k)) for k in range(count)]) if given["y"] else None,
            "y_pred": model.pack_outputs(y_pred),
            "sample_weight": None,
            **_training_of(model, given["training"]),
        }
        if given["weights"]:
            arguments["sample_weight"] = model.pack_outputs([given["weights"].get(str(k)) for k in range(count)])
        before = _standing_in.set((model, [ops.sum(given["added"])]))
        try:
            loss = model.compute_loss(**arguments)
        finally:
            _standing_in.reset(before)
        if len(getattr(loss, "shape", ())) > 0:
            raise self.error(f"compute_loss must return one number, it returned an array of shape {loss.shape}")
        return loss

    def error(self, message, kind=ValueError):
        return self.model.error(message, kind)

    def check_targets(self, y_true, y_pred):
        """Whatever `compute_loss` takes."""

    def forward(self, y_true, y_pred, sample_weight=None, count=None):
        y_true, y_pred = self._in_dtype(y_true, y_pred)
        found = self.traced(y_true, y_pred)
        (value, *_), inner = found.graph.forward([a for a in flatten([y_true, y_pred]) if hasattr(a, "shape")])
        return value, (found.graph, inner, value, y_pred)

    def backward(self, cache):
        graph, inner, value, y_pred = cache
        first, count = len(graph.inputs) - len(y_pred), len(y_pred)
        wanted = [k >= first - 1 for k in range(len(graph.inputs))]
        dys = [np.ones_like(value), *[None] * (len(graph.outputs) - 1)]
        times, *dys = graph.backward(dys, inner, needs_dx=wanted)[0][-count - 1 :]
        times = 0.0 if times is None else float(times[0])
        if times != 1 and (self.model.adds_loss or self.model.penalties()):
            raise self.error(
                f"layers add to the loss, which compute_loss takes {times:g} times: add sum(self.losses), or "
                "super().compute_loss(...), once"
            )
        return [np.zeros_like(y) if dy is None else dy for dy, y in zip(dys, y_pred)]

    def _in_dtype(self, y_true, y_pred):
        dtype = flatten(y_pred)[0].dtype

        def cast(a):
            return a.astype(dtype, copy=False) if hasattr(a, "shape") and a.dtype.kind == "f" else a

        return map_structure(cast, (y_true, y_pred))


def _training_of(model, training):
    """The argument `training` for the model's `compute_loss`, if it has one."""
    return {"training": training} if "training" in inspect.signature(model.compute_loss).parameters else {}


def _flat(model, structure):
    return [None] * len(model.outputs) if structure is None else flatten(structure)


def _of(term, values):
    return map_structure(lambda k: values[k], term.outputs)
