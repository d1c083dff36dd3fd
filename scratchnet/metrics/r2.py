"""The coefficient of determination: how much of the targets' variance the predictions explain.

    R^2 = 1 - sum (t - y)^2 / sum (t - mean(t))^2

1 for predictions without error, 0 for those that are no better than the mean (Wright 1921).
"""

import warnings

import numpy as np

from scratchnet.losses.base import in_shape_of
from scratchnet.metrics.base import Metric
from scratchnet.registry import register


@register("metrics", "r2_score")
class R2Score(Metric):
    """R^2 of each output for targets and predictions (N, outputs), or a mean of them.

    Args:
        class_aggregation: "uniform_average", "variance_weighted_average", or None for an array.
        num_regressors: with the number p of inputs, the result is ``1 - (1 - R^2) (n - 1) / (n - p - 1)``, "adjusted":
            more inputs alone do not make it larger.
        name, dtype: see `Metric`.
    """

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: str | None = None,
    ):
        super().__init__(dtype, name)
        if class_aggregation not in (None, "uniform_average", "variance_weighted_average"):
            known = 'None, "uniform_average" or "variance_weighted_average"'
            raise self.error(f"class_aggregation must be {known}, got {class_aggregation!r}")
        if num_regressors < 0:
            raise self.error(f"num_regressors must be at least 0, got {num_regressors!r}")
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.num_samples = self.add_variable((), "zeros", name="num_samples")
        self.residual = None  # with the next three made for the number of outputs of the first batch

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count in one batch."""
        y = np.asarray(y_pred, dtype=np.float64)
        t = in_shape_of(y, np.asarray(y_true, dtype=np.float64))
        if t is None:
            raise self.error(f"targets of shape {np.shape(y_true)} do not match predictions of shape {y.shape}")
        if y.ndim == 1:
            t, y = t[:, None], y[:, None]
        if y.ndim != 2:
            raise self.error(f"expected predictions (N, outputs), got shape {y.shape}")
        if self.residual is None:
            self.residual, self.sum, self.squared_sum, self.count = (
                self.add_variable(y.shape[1:], "zeros", name=name)
                for name in ("residual", "sum", "squared_sum", "count")
            )
        weights = np.ones(1) if sample_weight is None else np.asarray(sample_weight, np.float64)
        weights = np.broadcast_to(weights[:, None] if weights.ndim == 1 else weights, t.shape)
        self.residual.assign_add((weights * np.square(t - y)).sum(axis=0))
        self.sum.assign_add((weights * t).sum(axis=0))
        self.squared_sum.assign_add((weights * t * t).sum(axis=0))
        self.count.assign_add(weights.sum(axis=0))
        self.num_samples.assign_add(t.size)

    def result(self):
        if self.residual is None or not np.all(self.count.value):
            return 0.0
        total = self.squared_sum.value - np.square(self.sum.value) / self.count.value
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = 1 - self.residual.value / total
        scores = np.where(np.isinf(scores), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            scores = scores.mean()
        elif self.class_aggregation == "variance_weighted_average":
            scores = (total * scores).sum() / total.sum()
        return self._adjusted(scores)

    def _adjusted(self, score):
        n, p = float(self.num_samples), self.num_regressors
        if p == 0:
            return score
        if p >= n - 1:
            warnings.warn(f"R2Score: {p} regressors for {n:.0f} samples; R^2 is not adjusted", stacklevel=4)
            return score
        return 1 - (1 - score) * (n - 1) / (n - p - 1)
