"""Losses along an axis of the user's choice: it goes to the end, where the formulas have it, and the gradient back."""

import math

import numpy as np

from scratchnet.losses.base import Loss, in_shape_of


class AlongAxis(Loss):
    """Base of these losses, whose values are without `axis`; several axes become one.

    Samples along whose own axis a loss is computed meet: such a batch has one part alone.
    """

    axis = -1

    def in_rows(self, y_pred):
        if self.axis == -1:
            return y_pred
        axes = self._axes(y_pred.ndim)
        moved = np.moveaxis(y_pred, axes, range(-len(axes), 0))
        rest = moved.shape[: y_pred.ndim - len(axes)]
        return moved.reshape(*rest, math.prod(moved.shape[len(rest) :]))

    def out_of_rows(self, dy_pred, shape):
        if self.axis == -1:
            return dy_pred
        axes = self._axes(len(shape))
        moved = [shape[k] for k in range(len(shape)) if k not in axes] + [shape[k] for k in axes]
        return np.moveaxis(dy_pred.reshape(moved), range(-len(axes), 0), axes)

    def check_targets(self, y_true, y_pred):
        if self.axis != -1 and in_shape_of(y_pred, y_true) is not None:
            y_true, y_pred = self.in_rows(y_true.reshape(y_pred.shape)), self.in_rows(y_pred)
        return super().check_targets(y_true, y_pred)

    def values_shape(self, targets_shape, ndim):
        if self.axis == -1:
            return super().values_shape(targets_shape, ndim)
        axes = self._axes(ndim)
        return tuple(n for k, n in enumerate((*targets_shape, 1)[:ndim]) if k not in axes)

    def in_one_part(self, y_true, y_pred):
        return 0 in self._axes(len(y_pred.shape))

    @property
    def _is_known(self):
        return self.axis == -1 and super()._is_known

    def _axes(self, ndim):
        axes = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        if not all(-ndim <= axis < ndim for axis in axes):
            raise self.error(f"axis {self.axis} is not an axis of predictions with {ndim} axes")
        return tuple(sorted({axis % ndim for axis in axes}))


def may_look_across(loss):
    """Whether samples may meet in a loss, so that its `in_one_part` has to be asked."""
    asked = type(loss).in_one_part
    return asked is not Loss.in_one_part and not (asked is AlongAxis.in_one_part and loss.axis == -1)
