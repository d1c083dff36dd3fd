"""What every metric has: a state that batches are added to, and a result."""

import inspect

import numpy as np


class Metric:
    """Base of all metrics: `update_state` with each batch, `result` at any time, `reset_state` for a new epoch.

    Args:
        name: the key in logs and histories; by default the class's name in snake case.
        dtype: accepted for Keras's sake; figures are gathered in float64.
    """

    default_name = None

    def __init__(self, name=None, dtype=None):
        self.name = name or self.default_name
        self.dtype = dtype
        self.reset_state()

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count in one batch."""
        raise NotImplementedError(f"{type(self).__name__} defines no update_state")

    def result(self):
        """The figure for all that was counted in, a float; 0.0 before anything was."""
        raise NotImplementedError(f"{type(self).__name__} defines no result")

    def reset_state(self):
        """Forget everything."""

    def __call__(self, *args, **kwargs):
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self):
        """The constructor's arguments as JSON-able values."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters if hasattr(self, name)}

    @classmethod
    def from_config(cls, settings):
        return cls(**settings)

    def __repr__(self):
        return f"<{type(self).__name__} {self.name}={self.result():.6g}>"


class Mean(Metric):
    """The weighted mean of values: ``update_state(values, sample_weight=None)``."""

    default_name = "mean"

    def reset_state(self):
        self.total = 0.0
        self.count = 0.0

    def update_state(self, values, sample_weight=None):
        values = np.asarray(values, dtype=np.float64)
        if sample_weight is None:
            self.total += float(values.sum())
            self.count += values.size
            return
        weights = np.asarray(sample_weight, dtype=np.float64)
        if weights.ndim == values.ndim + 1 and weights.shape[-1] == 1:
            weights = weights[..., 0]
        if weights.ndim < values.ndim:  # a weight for several values counts their mean
            values = values.mean(axis=tuple(range(weights.ndim, values.ndim)))
        if weights.shape != values.shape and weights.size != 1:
            raise ValueError(
                f'metric "{self.name}": weights of shape {weights.shape} for values of shape {values.shape}'
            )
        weights = np.broadcast_to(weights, values.shape)
        self.total += float((values * weights).sum())
        self.count += float(weights.sum())

    def result(self):
        return self.total / self.count if self.count else 0.0


class MeanMetricWrapper(Mean):
    """The mean of ``fn(y_true, y_pred, **options)``, which gives a value for each sample."""

    def __init__(self, fn, name=None, dtype=None, **options):
        super().__init__(name=name or getattr(fn, "__name__", None), dtype=dtype)
        self.fn = fn
        self.options = options

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(self.fn(y_true, y_pred, **self.options), sample_weight)

    def get_config(self):
        settings = super().get_config()
        settings.pop("fn", None)
        return settings
