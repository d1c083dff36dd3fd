"""What every loss has: shapes, weights, and the reduction to one number.

    value, cache = loss.forward(y_true, y_pred, sample_weight=None)
    dy_pred      = loss.backward(cache)

A subclass gives the loss of each sample, `values`, and its derivative, `gradient`. The rest is the weighted sum

    value = sum_k w_k v_k / count            dv_k = w_k / count

where count is that of the values, as in Keras, not the sum of the weights. A batch that is computed in parts hands each
part the count of the whole; then the parts' values and gradients simply add up.
"""

import inspect
from typing import Any, NamedTuple

import numpy as np

_REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None)


class LossCache(NamedTuple):
    dvalues: Any  # (N, ...), or one number: w / count
    values: Any  # what the loss's own derivative needs
    shape: tuple  # of y_pred


class Loss:
    """Base of all losses.

    Args:
        reduction: "sum_over_batch_size" (or "mean"): divided by the number of values; "sum"; "mean_with_sample_weight":
            divided by the sum of the weights; None or "none": an array, of which there is no gradient.
        name: by default the class's name in snake case.
        dtype: None or "float32" / "float64"; a loss follows the dtype of the predictions, so it changes nothing.
    """

    def __init__(self, reduction="sum_over_batch_size", name=None, dtype=None):
        if reduction not in _REDUCTIONS:
            raise ValueError(
                f"{type(self).__name__}: unknown reduction {reduction!r}, expected one of {_REDUCTIONS[:5]}"
            )
        self.reduction = "none" if reduction is None else reduction
        self.name = name or _snake_case(type(self).__name__)
        self.dtype = dtype

    # ---- what a loss defines ----

    def values(self, y_true, y_pred):
        """Return ``(values, cache)``: the loss of each sample, averaged over the last axis, and what `gradient` needs."""
        raise NotImplementedError(f"{type(self).__name__} defines no values(y_true, y_pred)")

    def gradient(self, dvalues, cache):
        """``dy_pred`` for the adjoints `dvalues` of the values, which broadcast against y_pred."""
        raise NotImplementedError(f"{type(self).__name__} defines no gradient(dvalues, cache)")

    def check_shapes(self, y_true, y_pred):
        """`y_true` in the shape of `y_pred`: an axis of size 1 at the end may be missing or too many, nothing else."""
        if y_true.shape == y_pred.shape:
            return y_true
        if y_true.shape == (*y_pred.shape, 1) or (*y_true.shape, 1) == y_pred.shape:
            return y_true.reshape(y_pred.shape)
        raise self.error(f"targets of shape {y_true.shape} do not match predictions of shape {y_pred.shape}")

    def valid(self, y_true, shape):
        """Which of the values, of this shape, count: a boolean array, or None for all."""
        return None

    # ---- the contract ----

    def forward(self, y_true, y_pred, sample_weight=None, count=None):
        """Return ``(value, cache)``.

        Args:
            y_true: the targets, of y_pred's shape (for sparse losses without the axis of classes).
            y_pred: the predictions (N, ...).
            sample_weight: None, or weights whose shape is a beginning of that of the values: (N,), (N, T), ...
            count: what the sum is divided by, if not `self.count` of this batch.

        Raises ValueError where shapes do not match or a label is outside the classes.
        """
        y_pred = np.asarray(y_pred)
        if y_pred.dtype.kind != "f":
            y_pred = y_pred.astype(np.float64)
        y_true = self.check_shapes(np.asarray(y_true), y_pred)
        values, cache = self.values(y_true, y_pred)
        weights = self._weights(sample_weight, y_true, values.shape, values.dtype)
        if self.reduction == "none":
            return (values if weights is None else values * weights), LossCache(None, None, y_pred.shape)
        if count is None:
            count = self.count(y_true, y_pred.ndim, sample_weight)
        total = values.sum() if weights is None else (values * weights).sum()
        scale = values.dtype.type(1 / count if count else 0)
        return total * scale, LossCache(scale if weights is None else weights * scale, cache, y_pred.shape)

    def backward(self, cache):
        """``dy_pred``: the gradient of the value, in the shape and dtype of the predictions."""
        if cache.dvalues is None:
            raise self.error('a loss with reduction="none" is an array, which has no gradient')
        return self.gradient(cache.dvalues, cache.values).reshape(cache.shape)

    def count(self, y_true, ndim, sample_weight=None):
        """What the weighted sum of the values of this batch is divided by; `ndim` is the number of axes of y_pred."""
        if self.reduction == "sum":
            return 1.0
        y_true = np.asarray(y_true)
        shape = y_true.shape[: max(ndim - 1, 1)]  # the values': the last axis is averaged away
        valid = self.valid(y_true, shape)
        if self.reduction == "mean_with_sample_weight" and sample_weight is not None:
            weights = np.broadcast_to(_expand(np.asarray(sample_weight), len(shape)), shape)
            return float(weights.sum() if valid is None else weights[valid].sum())
        return float(np.prod(shape) if valid is None else valid.sum())

    def __call__(self, y_true, y_pred, sample_weight=None):
        """The value alone, as in Keras."""
        return self.forward(y_true, y_pred, sample_weight)[0]

    def _weights(self, sample_weight, y_true, shape, dtype):
        """The weight of each value, or None where all are 1."""
        valid = self.valid(y_true, shape)
        if sample_weight is None:
            return None if valid is None else valid.astype(dtype)
        weights = np.asarray(sample_weight, dtype=dtype)
        if weights.ndim == len(shape) + 1 and weights.shape[-1] == 1:
            weights = weights[..., 0]
        if weights.shape != shape[: weights.ndim] and weights.size != 1:
            raise self.error(f"sample weights of shape {weights.shape} do not match loss values of shape {shape}")
        weights = np.broadcast_to(_expand(weights, len(shape)), shape)
        return weights if valid is None else weights * valid

    def error(self, message, kind=ValueError):
        """An exception to raise, which names the loss."""
        return kind(f'{type(self).__name__} "{self.name}": {message}')

    # ---- configuration ----

    def get_config(self):
        """The constructor's arguments as JSON-able values."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters if hasattr(self, name)}

    @classmethod
    def from_config(cls, settings):
        return cls(**settings)

    def __repr__(self):
        return (
            f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items() if v is not None)})"
        )


def over_last_axis(dvalues, ndim):
    """Adjoints of values, shaped to broadcast against predictions of `ndim` axes."""
    return dvalues[..., None] if np.ndim(dvalues) == ndim - 1 and ndim > 1 else dvalues


def _expand(weights, ndim):
    """`weights` with axes of size 1 behind, up to `ndim`."""
    return weights.reshape(weights.shape + (1,) * (ndim - weights.ndim)) if weights.ndim < ndim else weights


def _snake_case(name):
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))
