"""Checks of what losses are given; the owner is the loss, whose `error` names it."""

import numpy as np


def check_smoothing(loss, value):
    """A label smoothing in [0, 1] as a float."""
    if not 0 <= value <= 1:
        raise loss.error(f"label_smoothing must be between 0 and 1, got {value!r}")
    return float(value)


def check_axis(loss, axis, several=False):
    """An axis as an integer, or several as a tuple of integers."""
    if several and isinstance(axis, (tuple, list)) and axis and all(map(_is_integer, axis)):
        return tuple(int(a) for a in axis)
    if not _is_integer(axis):
        raise loss.error(f"axis must be an integer{' or several' if several else ''}, got {axis!r}")
    return int(axis)


def _is_integer(axis):
    return isinstance(axis, (int, np.integer)) and not isinstance(axis, bool)


def check_labels(loss, y_true, y_pred, ignore_class=None):
    """The integer labels (N, ...) of predictions (N, ..., classes), or an error; those of `ignore_class` may be any."""
    if y_pred.ndim < 2:
        raise loss.error(f"predictions need an axis of classes behind the batch axis, got shape {y_pred.shape}")
    if y_true.shape not in (y_pred.shape[:-1], (*y_pred.shape[:-1], 1)):
        hint = "; one-hot targets need categorical_crossentropy" if y_true.shape == y_pred.shape else ""
        raise loss.error(f"labels of shape {y_true.shape} do not match predictions of shape {y_pred.shape}{hint}")
    labels, classes = y_true.reshape(y_pred.shape[:-1]), y_pred.shape[-1]
    if labels.dtype.kind not in "biuf":
        raise loss.error(f"labels must be integers, got an array of {labels.dtype}", TypeError)
    counted = labels if ignore_class is None else labels[labels != ignore_class]
    if counted.dtype.kind == "f" and (counted != np.floor(counted)).any():  # true for NaN
        raise loss.error(f"labels must be integers, got {counted[counted != np.floor(counted)][0]:g}")
    wrong = counted[(counted < 0) | (counted >= classes)]
    if wrong.size:
        raise loss.error(
            f"label {float(wrong[0]):.0f} is outside the {classes} classes of the predictions (0 to {classes - 1})"
        )
    return labels
