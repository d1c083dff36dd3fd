"""What every loss has: shapes, weights, and the reduction to one number.

    value, cache = loss.forward(y_true, y_pred, sample_weight=None)
    dy_pred      = loss.backward(cache)

A subclass gives the loss of each sample, `values`, and its derivative, `gradient`. The rest is the weighted sum

    value = sum_k w_k v_k / count            dv_k = w_k / count

where count is that of the values, as in Keras, not the sum of the weights. A batch that is computed in parts hands each
part the count of the whole; then the parts' values and gradients simply add up.
"""

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from scratchnet import config, registry
from scratchnet.losses.of_tensors import value_of_tensors, values_of_tensors
from scratchnet.losses.traced import TracedLoss
from scratchnet.losses.weights import expanded_weights
from scratchnet.names import snake_case
from scratchnet.ops.operation import is_symbolic
from scratchnet.recorded import Recorded, from_recorded, recorded_config
from scratchnet.variables import as_array

_REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None)


class LossCache(NamedTuple):
    dvalues: Any  # the adjoint of the values, w / count, or one number
    terms: Any  # what the loss's own derivative needs
    shape: tuple  # of y_pred
    dtype: Any  # of y_pred


class Loss(metaclass=Recorded, kind="losses"):
    """Base of all losses.

    Args:
        name: by default the class's name in snake case.
        reduction: "sum_over_batch_size" (or "mean"): divided by the number of values; "sum"; "mean_with_sample_weight":
            divided by the sum of the weights as they are given; None or "none": an array, which has no gradient.
        dtype: "float32" or "float64", to compute in; None takes that of the predictions. The gradient always has the
            dtype of the predictions.

    A loss of your own brings its derivative, here of ``v = mean(log(cosh(e)))``:

        class LogCosh(Loss):
            def values(self, y_true, y_pred):
                e = y_pred - y_true
                return np.log(np.cosh(e)).mean(axis=-1), e

            def gradient(self, dvalues, cache):
                e = cache
                return np.tanh(e) / e.shape[-1] * dvalues

    `scratchnet.gradient_check.check_loss` tells whether it is right. Or it defines ``call(y_true, y_pred)``, as in
    Keras, with operations of `scratchnet.ops`: see `scratchnet.losses.traced`. ``super().call(y_true, y_pred)`` is then
    the loss that the class derives from. A loss that is no weighted sum over samples overrides `forward` and `backward`
    themselves; fit computes a batch in parts, whose values must then add up.
    """

    needs_init = True
    base_for_call = TracedLoss

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: str | None = None
    ):
        if reduction not in _REDUCTIONS:
            raise ValueError(
                f"{type(self).__name__}: unknown reduction {reduction!r}, expected one of {_REDUCTIONS[:5]} or None"
            )
        self.name = name or snake_case(type(self).__name__)
        self.reduction = "none" if reduction is None else reduction
        self.dtype = None if dtype is None else config.check_float_dtype(dtype)

    # ---- what a loss defines ----

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return ``(values, cache)``: the loss of each sample, without the last axis, and what `gradient` needs."""
        raise NotImplementedError(
            f"{type(self).__name__} defines no values(y_true, y_pred) -> (values, cache), and no call(y_true, y_pred)"
        )

    def gradient(self, dvalues: Any, cache: Any) -> Any:
        """``dy_pred`` for the adjoints `dvalues` of the values, whose last axis of size 1 stands for that of y_pred."""
        raise NotImplementedError(f"{type(self).__name__} defines no gradient(dvalues, cache) -> dy_pred")

    def check_targets(self, y_true, y_pred):
        """`y_true` as `values` takes it: here in the shape and dtype of `y_pred`."""
        matched = in_shape_of(y_pred, y_true)
        if matched is None:
            raise self.error(f"targets of shape {y_true.shape} do not match predictions of shape {y_pred.shape}")
        return matched.astype(y_pred.dtype, copy=False)

    def valid(self, y_true, shape):
        """Which of the values, of this shape, count: a boolean array, or None for all."""
        return None

    def in_one_part(self, y_true, y_pred):
        """Whether samples of such a batch meet without `sum_over_batch`, so that it cannot be computed in parts.

        Args:
            y_true, y_pred: arrays, or what has their shape and dtype.
        """
        return False

    takes_logits = False  # whether this loss is better computed from what came before a last activation

    def on_logits(self, activation):
        """The same loss of the numbers from which `activation` makes the predictions; None where there is none."""
        return None

    def total(self, y_true, y_pred):
        """The sum of all values in one pass, where the backend in use has one; else None.

        It is asked of arrays of floats. Also None where the targets do not fit: `forward` says why.
        """
        return None

    def total_and_gradient(self, y_true, y_pred, scale):
        """`total`, and its derivative times `scale`, in one pass; None where the backend in use has none."""
        return None

    def in_rows(self, y_pred):
        """The predictions as `values` takes them, with the axis that the values do not have at the end."""
        return y_pred

    def out_of_rows(self, dy_pred, shape):
        """What `gradient` gives for them, in the shape of the predictions."""
        return dy_pred

    # ---- the contract ----

    def forward(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, count: float | None = None
    ) -> tuple[Any, Any]:
        """Return ``(value, cache)``.

        Args:
            y_true: the targets, of y_pred's shape (for sparse losses without the axis of classes); an axis of size 1 at
                the end may be missing or too many. Any dtype.
            y_pred: the predictions (N, ..., D); the values have the shape (N, ...).
            sample_weight: None, or the weights of the values: (N,), (N, 1), (N, T), ...
            count: what the sum is divided by, if not `self.count` of this batch.

        Raises ValueError where shapes do not match or a label is outside the classes.
        """
        y_pred = np.asarray(y_pred)
        if y_pred.ndim == 0:
            raise self.error("predictions need at least one axis, got a single number")
        is_float = y_pred.dtype in (np.float32, np.float64)
        dtype = np.dtype(self.dtype or (y_pred.dtype if is_float else config.floatx()))
        shape, kept_dtype = y_pred.shape, y_pred.dtype if is_float else dtype

        y_pred = y_pred.astype(dtype, copy=False)
        given = np.asarray(y_true)
        if y_pred.ndim == 1 and given.shape == (*shape, 1):
            y_pred = y_pred[:, None]  # a number of each sample, as in Keras, where (N,) beside (N,) is one row
        y_true = self.check_targets(given, y_pred)
        values, terms = self.values(y_true, self.in_rows(y_pred))  # (N, ...)
        weights = self._weights(sample_weight, y_true, values.shape)
        if weights is not None:
            weights = weights.astype(dtype)
            values, weights = values * weights, weights if values.ndim else weights.sum()
        if self.reduction == "none":
            return values, None
        if count is None:
            count = self.count(given, y_pred.ndim, sample_weight)
        scale = dtype.type(1 / count if count else 0)
        dvalues = scale if weights is None else weights * scale
        return values.sum() * scale, LossCache(dvalues, terms, shape, kept_dtype)

    def value(self, y_true, y_pred, sample_weight=None, count=None):
        """The value of `forward` alone, as a float: for whoever does not go back, as `evaluate`.

        With reduction="none" it is the mean, as Keras reports it.
        """
        total = None
        if self._is_known and sample_weight is None and y_pred.ndim > 1 and y_pred.dtype in (np.float32, np.float64):
            total = self.total(y_true, y_pred)
        if total is None or not math.isfinite(total):  # or a sum of blocks has left the range of the dtype
            value = self.forward(y_true, y_pred, sample_weight, count)[0]
            return float(value if np.ndim(value) == 0 else value.mean())
        count = self.count(y_true, y_pred.ndim) if count is None else count
        return float(total / count) if count else 0.0

    def in_one_pass(self, y_true, y_pred, sample_weight=None, count=None):
        """`forward` for whoever goes back at once, as `fit`: the cache may be ``dy_pred`` itself."""
        if self._is_known and sample_weight is None and y_pred.ndim > 1 and y_pred.dtype in (np.float32, np.float64):
            count = self.count(y_true, y_pred.ndim) if count is None else count
            scale = y_pred.dtype.type(1 / count if count else 0)
            total, dy_pred = self.total_and_gradient(y_true, y_pred, scale) or (None, None)
            if total is not None and math.isfinite(total):
                return total * scale, dy_pred
        return self.forward(y_true, y_pred, sample_weight, count)

    @property
    def _is_known(self):
        """Whether this is a loss of the library as it stands, whose `total` is the sum of its `values`."""
        is_own = type(self).__module__.startswith("scratchnet.losses.")
        return is_own and self.dtype is None and self.reduction != "none"

    def backward(self, cache: Any) -> np.ndarray:
        """``dy_pred``: the gradient of the value, in the shape and dtype of the predictions."""
        if cache is None:
            raise self.error('with reduction="none" the loss is an array, which has no gradient; take reduction="sum"')
        if isinstance(cache, np.ndarray):  # of `in_one_pass`
            return cache
        dvalues = np.asarray(cache.dvalues)[..., None]  # (N, ..., 1), or (1,)
        dy_pred = self.out_of_rows(self.gradient(dvalues, cache.terms), cache.shape)
        if dy_pred.shape == (*cache.shape, 1):  # of predictions (N,)
            dy_pred = dy_pred[..., 0]
        if dy_pred.shape != cache.shape:
            raise self.error(f"gradient gives shape {dy_pred.shape} for predictions of shape {cache.shape}")
        return dy_pred.astype(cache.dtype, copy=False)

    def count(self, y_true, ndim, sample_weight=None):
        """What the weighted sum of the values of this batch is divided by; `ndim` is the number of axes of y_pred."""
        if self.reduction == "sum":
            return 1.0
        y_true = np.asarray(y_true)
        shape = self.values_shape(y_true.shape, ndim)
        if self.reduction == "mean_with_sample_weight" and sample_weight is not None:
            return float(self._weights(sample_weight, y_true, shape).sum(dtype=np.float64))
        if shape == () and sample_weight is not None:
            return float(np.size(sample_weight))
        valid = self.valid(y_true, shape)
        return float(math.prod(shape) if valid is None else valid.sum())

    def values_shape(self, targets_shape, ndim):
        """The shape of the values, for targets of this shape and predictions with `ndim` axes; the last axis goes."""
        return targets_shape[: max(ndim, min(len(targets_shape), 2)) - 1]

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The value alone, as in Keras; of symbolic tensors a tensor."""
        if is_symbolic(y_true) or is_symbolic(y_pred):
            return value_of_tensors(self, y_true, y_pred, sample_weight)
        return as_array(self.forward(y_true, y_pred, sample_weight)[0])

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each sample, not weighted: of arrays, or of symbolic tensors."""
        if is_symbolic(y_true) or is_symbolic(y_pred):
            return values_of_tensors(self, y_true, y_pred)
        # A class that defines `call` gets here by super().call, and asks for the loss without it.
        cls = next(c for c in type(self).__mro__ if issubclass(c, Loss) and not issubclass(c, TracedLoss))
        plain = cls.__new__(cls)
        vars(plain).update(vars(self), reduction="none")
        return as_array(plain.forward(y_true, y_pred)[0])

    @functools.cached_property
    def fn(self):
        """The function of `scratchnet.losses` that gives the same values for its defaults."""
        names = [snake_case(c.__name__) for c in type(self).__mro__ if c.__module__.startswith("scratchnet.")]
        found = next(filter(None, (registry.function(name, "losses") for name in names)), None)
        if found is None:
            raise AttributeError(f"{type(self).__name__} is not a function of the library")
        return found

    def _weights(self, sample_weight, y_true, shape):
        """Weights that broadcast against values of this shape, 0 where these do not count; None where all are 1.

        The one value of predictions (N,), a row to every loss, meets each of N weights, as in Keras.
        """
        valid = self.valid(y_true, shape)
        if sample_weight is None:
            return valid
        fits_row = shape == () and np.size(sample_weight) in (1, np.size(y_true))
        weights = expanded_weights(sample_weight, np.shape(sample_weight) if fits_row else shape)
        if weights is None:
            raise self.error(
                f"sample weights of shape {np.shape(sample_weight)} do not match loss values of shape {shape}"
            )
        return weights if valid is None else weights * valid

    def error(self, message, kind=ValueError):
        """An exception to raise, which names the loss."""
        return kind(f'{type(self).__name__} "{self.name}": {message}')

    # ---- configuration ----

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON-able values."""
        config = recorded_config(self)
        if config.get("dtype", ...) is None:  # Keras names it only where there is one
            del config["dtype"]
        return config

    @classmethod
    def from_config(cls, config):
        """The loss with these arguments."""
        return from_recorded(cls, config)

    def __repr__(self):
        return (
            f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items() if v is not None)})"
        )


def in_shape_of(y_pred, y_true):
    """`y_true` in the shape of `y_pred`, where at most an axis of size 1 at the end is missing or too many; else None.

    Nothing broadcasts: (N,) against (N, N) would be a silently wrong result.
    """
    if y_true.shape == y_pred.shape:
        return y_true
    if y_true.shape == (*y_pred.shape, 1) or (*y_true.shape, 1) == y_pred.shape:
        return y_true.reshape(y_pred.shape)
    return None
