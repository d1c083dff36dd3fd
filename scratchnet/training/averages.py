"""The running figures of an epoch: the losses, averaged over samples, and the metrics."""

import copy

import numpy as np

from scratchnet import metrics
from scratchnet.graph.attributes import metrics_in
from scratchnet.losses.base import in_shape_of
from scratchnet.training.metric_states import set_state_of, state_of
from scratchnet.training.objective import per_output
from scratchnet.training.own_loss import count_in, overrides
from scratchnet.training.terms import leaves_of

_OF_SHAPES = ("accuracy", "acc", "crossentropy", "ce")  # whose meaning the shapes tell


class Averages:
    """Counts in batch after batch; `logs` tells the figures so far.

    Args:
        objective: the `Objective`.
        plain, weighted: compile's ``metrics`` and ``weighted_metrics``.
        own: whether to count in copies of the user's metrics, since somebody else is using them.
    """

    def __init__(self, objective, plain=None, weighted=None, own=False):
        self.objective = objective
        model = objective.user_model
        lists = metrics_per_output(model, plain, "metrics"), metrics_per_output(model, weighted, "weighted_metrics")
        self._specs = [
            [(m, False) for m in unweighted] + [(m, True) for m in with_weights]
            for unweighted, with_weights in zip(*lists)
        ]
        if own:
            self._specs = copy.deepcopy(self._specs)
        self._keep_apart()
        self._hooks = overrides(model, "compute_metrics") or overrides(model, "compute_loss")
        self._told = None  # what `compute_metrics` of one's own has returned
        self._metrics = None
        self._shapes = None  # of targets and predictions, which tell what "accuracy" means
        self.reset()

    def _keep_apart(self):
        """One Metric object that is given for two outputs counts for each by itself."""
        seen = set()
        for specs in self._specs:
            for k, (spec, weighted) in enumerate(specs):
                if isinstance(spec, metrics.Metric):
                    if id(spec) in seen:
                        specs[k] = copy.deepcopy(spec), weighted
                    seen.add(id(spec))
                    specs[k][0].reset_state()

    @property
    def wants_predictions(self):
        """Whether there are metrics, or hooks, which need the predictions of the whole batch."""
        return any(self._specs) or self._hooks

    @property
    def metrics(self):
        """The Metric objects, once they are known: "accuracy" is, after the first batch."""
        return [metric for entries in self._metrics or [] for _, metric, _ in entries]

    def reset(self):
        """Begin an epoch."""
        self._samples = 0
        self._sums = [0.0] * len(self.objective.terms)
        self._added = 0.0
        for entries in self._metrics or []:
            for _, metric, _ in entries:
                metric.reset_state()
        self._held = metrics_held_by(self.objective.user_model)
        for metric in self._others():
            metric.reset_state()

    def get_state(self):
        """What has been counted, to go on from in another process: a dict of numbers, arrays, lists and dicts."""
        counted = {"samples": self._samples, "sums": np.array(self._sums), "added": float(self._added)}
        return {
            **counted,
            "shapes": self._shapes,
            "metrics": [state_of(metric) for metric in self.metrics],
            "held": [state_of(metric) for metric in self._others()],
        }

    def set_state(self, state):
        """Go on from `get_state`."""
        self._samples, self._added = state["samples"], state["added"]
        self._sums = [float(total) for total in state["sums"]]
        if self._metrics is None and state["shapes"] is not None:
            self._resolve([[tuple(shape) for shape in shapes] for shapes in state["shapes"]])
        for metric, kept in zip([*self.metrics, *self._others()], [*state["metrics"], *state["held"]]):
            set_state_of(metric, kept)

    def add(self, batch, values, y_preds=None, added=0.0, masks=None, training=True):
        """Count in one batch: its loss values, what layers added and, where there are metrics, its predictions."""
        self._samples += batch.size
        self._sums = [total + value * batch.size for total, value in zip(self._sums, values)]
        self._added += added * batch.size
        if not self.wants_predictions:
            return
        if self._metrics is None and batch.y:
            self._resolve([[np.shape(y), np.shape(y_pred)] for y, y_pred in zip(batch.y, y_preds)])
        for k, entries in enumerate(self._metrics or []):
            y, y_pred = batch.y[k], y_preds[k]
            if entries:  # a metric of your own would make pairs of (N,) and (N, 1)
                matched = in_shape_of(y_pred, y)
                y = y if matched is None else matched
            for _, metric, weighted in entries:
                w = batch.weights[k] if weighted else None
                if masks is not None and masks[k] is not None:
                    mask = masks[k].astype(np.float64)
                    w = mask if w is None else mask * np.reshape(w, w.shape + (1,) * (mask.ndim - w.ndim))
                metric.update_state(y, y_pred, sample_weight=w)
        if self._hooks:
            self._told = count_in(self.objective.user_model, self, batch, y_preds, added, training)

    def _resolve(self, shapes):
        """Find ``(key, metric, weighted)`` for each metric of each output; the keys are all different.

        `shapes`: of the targets and the predictions of each output.
        """
        self._shapes = shapes
        prefixes = self.objective.prefixes
        taken = {"loss", *self._loss_names()}
        self._metrics = []
        for prefix, specs, (y, y_pred) in zip(prefixes, self._specs, shapes):
            plain, entries = set(), []
            for spec, weighted in specs:
                key, metric = resolve_metric(spec, y, y_pred)
                if weighted and key in plain:
                    key = f"weighted_{key}"
                if not weighted:
                    plain.add(key)
                key = f"{prefix}{key}"
                number, unique = 0, key
                while unique in taken:
                    number += 1
                    unique = f"{key}_{number}"
                taken.add(unique)
                entries.append((unique, metric, weighted))
            self._metrics.append(entries)

    def logs(self):
        """The figures so far: what `compute_metrics` of one's own has returned, or what is `counted`."""
        return dict(self.counted() if self._told is None else {key: _plain(a) for key, a in self._told.items()})

    def logs_in_order(self):
        """`logs`, the keys sorted, as callbacks get them and whoever asks for a dict: so does Keras."""
        return dict(sorted(self.logs().items()))

    def counted(self):
        """The figures so far under Keras's keys, in the order in which `evaluate` returns them.

        That is "loss", for several outputs "<output>_loss", the metrics by their names, and those that layers hold;
        where the outputs have no names, the metrics come before the losses.
        """
        values = self._means()
        total = {"loss": self.loss()}
        losses, figures = dict(zip(self._loss_names(), values)), {}
        for entries in self._metrics or []:
            for key, metric, _ in entries:
                result = metric.result()
                figures.update(result if isinstance(result, dict) else {key: _plain(result)})
        held = {metric.name: _plain(metric.result()) for metric in self._others()}
        if any(self.objective.prefixes):
            return {**total, **losses, **{key: figures[key] for key in sorted(figures)}, **held}
        return {**total, **figures, **losses, **held}

    def loss(self):
        """What has been minimized so far, the mean of all samples."""
        return float(self.objective.total(self._means()) + self._added / max(self._samples, 1))

    def _means(self):
        samples = max(self._samples, 1)
        return [total / samples for total in self._sums]

    def _loss_names(self):
        """The keys of the losses, where there are several."""
        names = [f"{term.name}_loss" for term in self.objective.terms]
        unique = [f"{name}_{names[:k].count(name)}" if name in names[:k] else name for k, name in enumerate(names)]
        return unique if len(unique) > 1 else []

    def _others(self):
        """The metrics that the model and its layers hold, and `call` adds to, beside those of compile."""
        own = {id(metric) for metric in self.metrics}
        return [metric for metric in self._held if id(metric) not in own]


class RunningLoss(metrics.Metric):
    """The "loss" among the metrics of a compiled model: what fit or evaluate has counted so far."""

    def __init__(self, model):
        super().__init__(name="loss")
        self.model = model

    def update_state(self, y_true, y_pred, sample_weight=None):
        raise self.error(
            "counts itself, in fit and evaluate; a metric of your own is metrics.Mean(name=...)", TypeError
        )

    def reset_state(self):
        """Nothing: `reset_metrics` of the model begins anew, as every epoch does."""

    def result(self):
        averages = self.model._averages
        return 0.0 if averages is None else averages.loss()


def metrics_held_by(model):
    """The metrics in the attributes of a model and of the layers within."""
    found, seen = [], set()

    def visit(layer):
        if id(layer) not in seen:
            seen.add(id(layer))
            found.extend(metrics_in(layer))
            for sublayer in getattr(layer, "sublayers", {}).values():
                visit(sublayer)

    visit(model)
    return list({id(metric): metric for metric in found}.values())


def _plain(result):
    """A metric's result as a float, or as an array if it has one for each class or threshold."""
    return np.asarray(result).item() if np.size(result) == 1 else np.asarray(result)


def metrics_per_output(model, value, argument):
    """compile's `metrics` as a list, with a list of metrics for each output."""
    names = model.output_names
    if value is None:
        return [[] for _ in names]
    if not isinstance(value, (list, tuple, dict)):
        raise TypeError(f"compile: {argument} must be a list or dict of metrics, got {value!r}")
    if len(names) == 1:  # however they are nested, and whatever it is called
        entries = [leaves_of(value)]
    elif isinstance(value, dict):
        entries = per_output(model, value, "metrics")
    elif all(isinstance(entry, (list, tuple, dict)) or entry is None for entry in value) or len(value) == len(names):
        entries = per_output(model, value, "metrics")
    else:
        entries = [list(value) for _ in names]
    entries = [list(e) if isinstance(e, (list, tuple)) else [e] for e in entries]
    return [[spec for spec in specs if spec is not None] for specs in entries]


def check_names(given):
    """Raise ValueError for the name of a metric that there is not, anywhere in compile's `metrics`."""
    if isinstance(given, (list, tuple)) or (isinstance(given, dict) and "class_name" not in given):
        for entry in given.values() if isinstance(given, dict) else given:
            check_names(entry)
    elif isinstance(given, str) and given.lower() not in _OF_SHAPES:
        metrics.get(given)


def resolve_metric(spec, y_true_shape, y_pred_shape):
    """``(key, metric)`` for one entry of `metrics`; "accuracy" means what the shapes of targets and predictions say."""
    if isinstance(spec, str) and spec.lower() in _OF_SHAPES:
        return spec, metrics.resolve_accuracy(spec, y_true_shape, y_pred_shape)
    metric = metrics.get(spec)
    return spec if isinstance(spec, str) else metric.name, metric
