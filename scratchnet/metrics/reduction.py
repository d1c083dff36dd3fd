"""Sums and means of values that batches bring."""

from collections.abc import Callable
from typing import Any

import numpy as np

from scratchnet import registry
from scratchnet.losses.base import in_shape_of
from scratchnet.metrics.base import Metric
from scratchnet.names import snake_case
from scratchnet.registry import register


@register("metrics")
class Sum(Metric):
    """The weighted sum of all values: ``update_state(values, sample_weight=None)``."""

    def __init__(self, name: str | None = "sum", dtype: str | None = None):
        super().__init__(dtype, name)
        self.total = self.add_variable((), "zeros", name="total")

    def update_state(self, values, sample_weight=None):
        """Count in the values of one batch. Raises ValueError for weights that do not match them."""
        values, weights = matched(self, values, sample_weight)
        if weights is not None:
            values = values * weights.reshape(weights.shape + (1,) * (values.ndim - weights.ndim))
        self.total.assign_add(values.sum())

    def result(self):
        return self.total


@register("metrics")
class Mean(Metric):
    """The weighted mean of values: ``update_state(values, sample_weight=None)``.

        result = sum over batches and samples of w_n v_n / sum of w_n

    where v_n is the mean of all values of a sample, and so is w_n, as in Keras. Weights may have fewer axes than the
    values, (N,) for values (N, T): then they count the mean of what they cover.
    """

    def __init__(self, name: str | None = "mean", dtype: str | None = None):
        super().__init__(dtype, name)
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, values, sample_weight=None):
        """Count in the values (N, ...) of one batch. Raises ValueError for weights that do not match them."""
        values, weights = matched(self, values, sample_weight)
        if weights is None:
            self.total.assign_add(_per_sample(values).sum())
            self.count.assign_add(len(values) if values.ndim else 1)
            return
        means = values.mean(axis=tuple(range(weights.ndim, values.ndim)))
        weights = np.broadcast_to(weights, means.shape)
        self.total.assign_add(_per_sample(means * weights).sum())
        self.count.assign_add(_per_sample(weights).sum())

    def result(self):
        return self.total / self.count if self.count else 0.0


@register("metrics")
class MeanMetricWrapper(Mean):
    """The mean of ``fn(y_true, y_pred, **kwargs)``, which gives a value for each sample.

    Targets get the shape of the predictions first, where an axis of size 1 at the end is missing or too many: (N,)
    beside (N, 1) would make N x N pairs of N samples. Predictions (N,) of targets (N, 1) become (N, 1).
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: str | None = None, **kwargs):
        super().__init__(name or snake_case(type(self).__name__), dtype)
        self.fn = fn
        self.kwargs = kwargs

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count in one batch."""
        y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
        if y_pred.ndim == 1 and y_true.shape == (*y_pred.shape, 1):
            y_pred = y_pred[:, None]
        reshaped = in_shape_of(y_pred, y_true)
        values = self.fn(y_true if reshaped is None else reshaped, y_pred, **self.kwargs)
        super().update_state(values, sample_weight)

    @classmethod
    def from_config(cls, config):
        if isinstance(config.get("fn"), str):
            fn = registry.function(config["fn"], "metrics", "losses")
            if fn is None:
                raise registry.unknown("metrics", config["fn"])
            config = {**config, "fn": fn}
        return super().from_config(config)


def matched(metric, values, sample_weight):
    """Values and weights in float64; the weights have the first axes of the values, or are None."""
    values = np.asarray(values, dtype=np.float64)
    if sample_weight is None:
        return values, None
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.ndim == values.ndim + 1 and weights.shape[-1] == 1:
        weights = weights[..., 0]
    if weights.ndim > values.ndim or any(have not in (1, want) for have, want in zip(weights.shape, values.shape)):
        raise ValueError(f'metric "{metric.name}": weights of shape {weights.shape} for values of shape {values.shape}')
    return values, weights


def _per_sample(a):
    """The mean of all but the first axis."""
    return a.mean(axis=tuple(range(1, a.ndim))) if a.ndim > 1 else a
