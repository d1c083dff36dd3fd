"""What every metric has: a state that batches are added to, and a result."""

import numpy as np

from scratchnet import registry
from scratchnet.names import snake_case
from scratchnet.recorded import Recorded, from_recorded, recorded_config
from scratchnet.registry import register


class Metric(metaclass=Recorded, kind="metrics"):
    """Base of all metrics: `update_state` with each batch, `result` at any time, `reset_state` for a new epoch.

    Args:
        name: the key in logs and histories; by default the class's name in snake case.
        dtype: accepted for Keras's sake; figures are gathered in float64.

    A metric of your own defines `update_state`, `result` and `reset_state`. This constructor calls `reset_state`: what
    that needs is set before ``super().__init__``.
    """

    needs_init = True

    def __init__(self, name=None, dtype=None):
        self.name = name or snake_case(type(self).__name__)
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
        return recorded_config(self)

    @classmethod
    def from_config(cls, config):
        """The metric with these arguments."""
        return from_recorded(cls, config)

    def __repr__(self):
        return f"<{type(self).__name__} {self.name}={self.result():.6g}>"


@register("metrics")
class Mean(Metric):
    """The weighted mean of values: ``update_state(values, sample_weight=None)``.

        result = sum over batches and samples of w_n v_n / sum of w_n

    where v_n is the mean of all values of a sample, and so is w_n, as in Keras. Weights may have fewer axes than the
    values, (N,) for values (N, T): then they count the mean of what they cover.
    """

    def __init__(self, name="mean", dtype=None):
        super().__init__(name, dtype)

    def reset_state(self):
        self.total = 0.0
        self.count = 0.0

    def update_state(self, values, sample_weight=None):
        """Count in the values (N, ...) of one batch. Raises ValueError for weights that do not match them."""
        values = np.asarray(values, dtype=np.float64)
        if sample_weight is None:
            self.total += float(_per_sample(values).sum())
            self.count += len(values) if values.ndim else 1
            return
        weights = np.asarray(sample_weight, dtype=np.float64)
        if weights.ndim == values.ndim + 1 and weights.shape[-1] == 1:
            weights = weights[..., 0]
        means = values.mean(axis=tuple(range(weights.ndim, values.ndim)))
        if weights.ndim > values.ndim or any(have not in (1, want) for have, want in zip(weights.shape, means.shape)):
            raise ValueError(
                f'metric "{self.name}": weights of shape {weights.shape} for values of shape {values.shape}'
            )
        weights = np.broadcast_to(weights, means.shape)
        self.total += float(_per_sample(means * weights).sum())
        self.count += float(_per_sample(weights).sum())

    def result(self):
        return self.total / self.count if self.count else 0.0


@register("metrics")
class MeanMetricWrapper(Mean):
    """The mean of ``fn(y_true, y_pred, **kwargs)``, which gives a value for each sample."""

    def __init__(self, fn, name=None, dtype=None, **kwargs):
        super().__init__(name or snake_case(type(self).__name__), dtype)
        self.fn = fn
        self.kwargs = kwargs

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count in one batch."""
        values = self.fn(np.asarray(y_true), np.asarray(y_pred), **self.kwargs)
        super().update_state(values, sample_weight)

    @classmethod
    def from_config(cls, config):
        if isinstance(config.get("fn"), str):
            fn = registry.function(config["fn"], "metrics", "losses")
            if fn is None:
                raise registry.unknown("metrics", config["fn"])
            config = {**config, "fn": fn}
        return super().from_config(config)


def _per_sample(a):
    """The mean of all but the first axis."""
    return a.mean(axis=tuple(range(1, a.ndim))) if a.ndim > 1 else a
