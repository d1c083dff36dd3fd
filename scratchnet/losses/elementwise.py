"""Bases of the losses that are a function of each number, or of each row: a backend may have it in one pass."""

import numpy as np

from scratchnet import kernels
from scratchnet.losses.base import Loss


class ElementwiseLoss(Loss):
    """``v = mean(f(y_true, y_pred))`` over the last axis, or the sum.

    A subclass says under which name the backend has f, and with which numbers (`for_kernel`).
    """

    is_mean = True
    label_smoothing = 0.0

    def for_kernel(self):
        """``(name, numbers)`` as `compiled` takes them; None where this loss is not among them."""
        raise NotImplementedError(f"{type(self).__name__} defines no for_kernel")

    def compiled(self):
        """What computes the sum of the losses and their derivative; None if the backend in use has none."""
        return kernels.loss_and_slopes

    def smoothed(self, t):
        """The targets that f takes: with label smoothing something goes to each class, here of two."""
        return self._smoothed(t, 2)

    def _smoothed(self, t, classes):
        return t * (1 - self.label_smoothing) + self.label_smoothing / classes if self.label_smoothing else t

    def total(self, y_true, y_pred):
        return (self.total_and_gradient(y_true, y_pred, 1.0) or (None, None))[0]  # the derivative costs little beside

    def total_and_gradient(self, y_true, y_pred, scale):
        compiled = self.compiled()
        known = None if compiled is None or y_pred.size == 0 else self.for_kernel()
        if known is None:
            return None
        (name, numbers), count = known, y_pred.shape[-1] if self.is_mean else 1
        t = self.smoothed(self.check_targets(np.asarray(y_true), y_pred))
        found = compiled(name, y_pred, t, y_pred.dtype.type(scale / count), numbers)
        return None if found is None else (found[0] / count, found[1])


class RowLoss(ElementwiseLoss):
    """``v = f(y_true, y_pred)`` of all that stands along the last axis, together."""

    is_mean = False

    def compiled(self):
        return kernels.row_losses_and_slopes

    def smoothed(self, t):
        return self._smoothed(t, t.shape[-1])
