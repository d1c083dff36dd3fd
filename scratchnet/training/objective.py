"""What a model is trained for and measured by: a loss for each output, and metrics."""

import numpy as np

from scratchnet import losses, metrics


class Objective:
    """The weighted sum of the losses of all outputs.

    It follows the contract of a single loss, with a list of everything: ``values, caches = forward(...)``,
    ``dys = backward(caches)``. An output whose loss is None takes no part.

    Args:
        names: of the outputs.
        ranks: how many axes each output has.
        loss: one for all outputs, or a list or dict with one for each.
        loss_weights: None, or a list or dict with a number for each output.
    """

    def __init__(self, names, ranks, loss, loss_weights=None):
        self.names = names
        self.ranks = ranks
        self.losses = [None if entry is None else losses.get(entry) for entry in per_output(names, loss, "loss")]
        weights = [None] * len(names) if loss_weights is None else per_output(names, loss_weights, "loss_weights")
        self.weights = [1.0 if w is None else float(w) for w in weights]
        if all(entry is None for entry in self.losses):
            raise ValueError("compile: no output has a loss")

    def counts(self, batch):
        """For each output, what its sum of loss values is divided by; parts of a batch share the batch's counts."""
        return [
            None if loss is None else loss.count(y, ndim, sample_weight=w)
            for loss, y, ndim, w in zip(self.losses, batch.y, self.ranks, batch.weights)
        ]

    def forward(self, batch, y_preds, counts):
        """Return ``(values, caches)``: the unweighted value of each output's loss (0.0 where there is none)."""
        values, caches = [], []
        for loss, y, y_pred, w, count in zip(self.losses, batch.y, y_preds, batch.weights, counts):
            value, cache = (0.0, None) if loss is None else loss.forward(y, y_pred, sample_weight=w, count=count)
            values.append(float(value))
            caches.append(cache)
        return values, caches

    def backward(self, caches):
        """The gradient of the total with respect to each output; None where there is no loss."""
        dys = []
        for loss, weight, cache in zip(self.losses, self.weights, caches):
            dy = None if loss is None else loss.backward(cache)
            dys.append(dy if dy is None or weight == 1.0 else dy * dy.dtype.type(weight))
        return dys

    def total(self, values):
        """The number that is minimized."""
        return sum(weight * value for weight, value in zip(self.weights, values))


class Averages:
    """The running figures of an epoch: the losses, averaged over samples, and the metrics."""

    def __init__(self, objective, metric_lists, weighted_lists):
        self.objective = objective
        self._specs = [
            [(m, False) for m in plain] + [(m, True) for m in weighted]
            for plain, weighted in zip(metric_lists, weighted_lists)
        ]
        self._metrics = None
        self.reset()

    @property
    def wants_predictions(self):
        """Whether there are metrics, which need the predictions of the whole batch."""
        return any(self._specs)

    def reset(self):
        """Begin an epoch."""
        self._samples = 0
        self._sums = np.zeros(len(self.objective.names))
        for entries in self._metrics or []:
            for _, metric, _ in entries:
                metric.reset_state()

    def add(self, batch, values, y_preds=None):
        """Count in one batch: its loss values and, where there are metrics, its predictions."""
        self._samples += batch.size
        self._sums += np.multiply(values, batch.size)
        if not self.wants_predictions:
            return
        if self._metrics is None:
            self._metrics = [
                [(*resolve_metric(spec, y, y_pred), weighted) for spec, weighted in specs]
                for specs, y, y_pred in zip(self._specs, batch.y, y_preds)
            ]
        for entries, y, y_pred, w in zip(self._metrics, batch.y, y_preds, batch.weights):
            for _, metric, weighted in entries:
                metric.update_state(y, y_pred, sample_weight=w if weighted else None)

    def logs(self):
        """The figures so far under Keras's keys: "loss", for several outputs "<output>_loss" too, then the metrics."""
        names, several = self.objective.names, len(self.objective.names) > 1
        values = self._sums / max(self._samples, 1)
        logs = {"loss": float(self.objective.total(values))}
        if several:
            logs.update((f"{n}_loss", float(v)) for n, v, loss in zip(names, values, self.objective.losses) if loss)
        for name, entries in zip(names, self._metrics or []):
            for key, metric, _ in entries:
                logs[f"{name}_{key}" if several else key] = float(metric.result())
        return logs


def per_output(names, value, argument):
    """`value` of compile's `argument` as a list with an entry for each output."""
    if isinstance(value, dict) and "class_name" not in value:
        unknown = [key for key in value if key not in names]
        if unknown:
            raise ValueError(f"compile: {argument} names the outputs {unknown}; the model has {names}")
        return [value.get(name) for name in names]
    if isinstance(value, (list, tuple)):
        if len(value) != len(names):
            raise ValueError(f"compile: {argument} has {len(value)} entries, the model {len(names)} outputs: {names}")
        return list(value)
    if argument == "loss_weights":
        raise ValueError(f"compile: loss_weights must be a list or dict, got {value!r}")
    return [value] * len(names)


def metrics_per_output(names, value, argument):
    """compile's `metrics` as a list, with a list of metrics for each output."""
    if value is None:
        return [[] for _ in names]
    if isinstance(value, dict):
        entries = per_output(names, value, argument)
    elif not isinstance(value, (list, tuple)):
        raise TypeError(f"compile: {argument} must be a list or dict of metrics, got {value!r}")
    elif len(names) == 1:
        entries = [value[0] if len(value) == 1 and isinstance(value[0], (list, tuple)) else value]
    elif all(isinstance(entry, (list, tuple)) or entry is None for entry in value) or len(value) == len(names):
        entries = per_output(names, value, argument)
    else:
        entries = [list(value) for _ in names]
    return [[] if e is None else list(e) if isinstance(e, (list, tuple)) else [e] for e in entries]


def resolve_metric(spec, y_true, y_pred):
    """``(key, metric)`` for one entry of `metrics`; "accuracy" means what the shapes of targets and predictions say."""
    if isinstance(spec, str) and spec.lower() in ("accuracy", "acc", "crossentropy", "ce"):
        return spec, metrics.resolve_accuracy(spec, np.shape(y_true), np.shape(y_pred))
    metric = metrics.get(spec)
    return spec if isinstance(spec, str) else metric.name, metric
