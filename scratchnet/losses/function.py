"""A function ``f(y_true, y_pred)`` as a loss: ``compile(loss=my_function)``."""

from collections.abc import Callable
from typing import Any

from scratchnet.losses.base import Loss
from scratchnet.losses.of_tensors import of_same_rank
from scratchnet.registry import register
from scratchnet.structure import flatten, packed_like


@register("losses")
class LossFunctionWrapper(Loss):
    """The loss that a function computes; it is traced, and written with operators and `scratchnet.ops`.

    Args:
        fn: ``fn(y_true, y_pred, **kwargs)``: a value for each sample, or one number for the batch. Where one of the
            two has an axis of size 1 at the end that the other lacks, they are brought to the same number of axes.
        reduction, name, dtype: see `Loss`.
        kwargs: further arguments of `fn`.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str | None = None,
        **kwargs,
    ):
        super().__init__(name or getattr(fn, "__name__", None), reduction, dtype)
        if not callable(fn):
            raise self.error(f"expected a function of y_true and y_pred, got {fn!r}", TypeError)
        self.fn = fn
        self.fn_kwargs = kwargs

    def call(self, y_true, y_pred):
        pairs = [of_same_rank(t, p) for t, p in zip(flatten(y_true), flatten(y_pred))]
        y_true, y_pred = (packed_like(given, found) for given, found in zip((y_true, y_pred), zip(*pairs)))
        return self.fn(y_true, y_pred, **self.fn_kwargs)
