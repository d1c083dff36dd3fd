"""Base of the losses that are the mean, or the sum, of a function of each number: a backend may have it in one pass."""

import numpy as np

from scratchnet import kernels
from scratchnet.losses.base import Loss


class ElementwiseLoss(Loss):
    """``v = mean(f(y_true, y_pred))`` over the last axis, or the sum.

    A subclass says under which name the backend has f, and with which numbers (`for_kernel`).
    """

    is_mean = True

    def for_kernel(self):
        """``(name, numbers)`` as `kernels.loss_and_slopes` takes them; None where this loss is not among them."""
        raise NotImplementedError(f"{type(self).__name__} defines no for_kernel")

    def total(self, y_true, y_pred):
        return (self.total_and_gradient(y_true, y_pred, 1.0) or (None, None))[0]  # the derivative costs little beside

    def total_and_gradient(self, y_true, y_pred, scale):
        known = None if kernels.loss_and_slopes is None or y_pred.size == 0 else self.for_kernel()
        if known is None:
            return None
        (name, numbers), count = known, y_pred.shape[-1] if self.is_mean else 1
        t = self.check_targets(np.asarray(y_true), y_pred)
        found = kernels.loss_and_slopes(name, y_pred, t, y_pred.dtype.type(scale / count), numbers)
        return None if found is None else (found[0] / count, found[1])
