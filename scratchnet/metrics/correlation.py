"""How targets and predictions vary together, along one axis.

Pearson:      r = cov(t, y) / (std(t) std(y))                                        of a straight line
concordance:  c = 2 cov(t, y) / (var(t) + var(y) + (mean(t) - mean(y))^2)            of the line y = t (Lin 1989)
"""

from collections.abc import Sequence

import numpy as np

from scratchnet import config
from scratchnet.losses.base import in_shape_of
from scratchnet.metrics.reduction import MeanMetricWrapper
from scratchnet.registry import register


@register("metrics")
def pearson_correlation(y_true, y_pred, axis=-1):
    """Pearson's correlation along `axis`: (N, ..., D) -> (N, ...)."""
    t, y = _centred(y_true, y_pred, axis)
    return (t * y).mean(axis=axis) / (t.std(axis=axis) * y.std(axis=axis))


@register("metrics")
def concordance_correlation(y_true, y_pred, axis=-1):
    """The concordance correlation along `axis`: (N, ..., D) -> (N, ...)."""
    t, y = _centred(y_true, y_pred, axis)
    apart = np.mean(y_true, axis=axis) - np.mean(y_pred, axis=axis)
    norm = t.var(axis=axis) + y.var(axis=axis) + np.square(apart)
    return 2 * (t * y).mean(axis=axis) / (norm + config.epsilon())


def _centred(y_true, y_pred, axis):
    """Both in one shape, without their means along `axis`."""
    y_pred = np.asarray(y_pred)
    y_pred = y_pred if y_pred.dtype.kind == "f" else y_pred.astype(config.floatx())
    t = in_shape_of(y_pred, np.asarray(y_true))
    if t is None:
        raise ValueError(f"targets of shape {np.shape(y_true)} do not match predictions of shape {y_pred.shape}")
    return t - t.mean(axis=axis, keepdims=True), y_pred - y_pred.mean(axis=axis, keepdims=True)


@register("metrics")
class PearsonCorrelation(MeanMetricWrapper):
    """The mean of Pearson's correlations of the samples along `axis`."""

    def __init__(
        self, name: str | None = "pearson_correlation", dtype: str | None = None, axis: int | Sequence[int] = -1
    ):
        super().__init__(pearson_correlation, name, dtype, axis=axis)
        self.axis = axis


@register("metrics")
class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of the concordance correlations of the samples along `axis`."""

    def __init__(
        self, name: str | None = "concordance_correlation", dtype: str | None = None, axis: int | Sequence[int] = -1
    ):
        super().__init__(concordance_correlation, name, dtype, axis=axis)
        self.axis = axis
