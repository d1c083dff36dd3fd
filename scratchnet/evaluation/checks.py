"""Checks of the arguments of this package's functions; `who` is the name of the function in the error."""

import numpy as np


def check_probabilities(who, p):
    """(N, classes) float64 whose rows are probabilities.

    Raises ValueError for another shape, for no rows, and for a row that is not finite, has a negative number, or does
    not sum to 1 within 0.001, naming the first such row.
    """
    p = np.asarray(p, dtype=np.float64)
    if p.ndim != 2 or p.shape[1] < 2:
        raise ValueError(f"{who}: expected probabilities of shape (N, classes) with at least 2 classes, got {p.shape}")
    if not len(p):
        raise ValueError(f"{who}: there are no probabilities: shape {p.shape}")
    bad = ~np.isfinite(p).all(axis=1)
    if bad.any():
        raise ValueError(f"{who}: the probabilities of sample {bad.argmax()} are not finite: {_row(p, bad)}")
    bad = (p < 0).any(axis=1) | (np.abs(p.sum(axis=1) - 1) > 1e-3)
    if bad.any():
        raise ValueError(
            f"{who}: the numbers of sample {bad.argmax()} are not probabilities (from 0 on, with the sum 1): "
            f"{_row(p, bad)}; of a model that gives logits, take the softmax first"
        )
    return p


def check_labels(who, y, classes, samples):
    """(N,) integer labels below `classes`, from (N,), (N, 1) or one-hot (N, classes).

    One-hot is what has `classes` columns, and in each row one 1 and otherwise 0. Raises ValueError for all else, and
    unless N is `samples`.
    """
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    elif y.ndim == 2:
        if y.shape[1] != classes or not (((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all()):
            raise ValueError(
                f"{who}: labels of shape {y.shape} must be one-hot: {classes} columns, each row one 1 and otherwise 0"
            )
        y = y.argmax(axis=1)
    if y.ndim != 1 or y.dtype.kind not in "iu":
        raise ValueError(
            f"{who}: expected integer labels of shape (N,), (N, 1) or one-hot (N, {classes}), "
            f"got dtype {y.dtype} and shape {y.shape}"
        )
    if len(y) != samples:
        raise ValueError(f"{who}: {len(y)} labels for the probabilities of {samples} samples")
    if y.min() < 0 or y.max() >= classes:
        raise ValueError(f"{who}: labels must be from 0 to {classes - 1}, got {y.min()} to {y.max()}")
    return y.astype(np.int64)


def check_class_names(who, names, classes):
    """A list of `classes` strings, by default the classes' numbers. Raises ValueError for another count."""
    if names is None:
        return [str(c) for c in range(classes)]
    if len(names) != classes:
        raise ValueError(f"{who}: {len(names)} class names for {classes} classes")
    return [str(name) for name in names]


def check_pictures(who, images):
    """(N, H, W) or (N, H, W, 3), cut to [0, 1], from what else may have a last axis of 1.

    Raises ValueError for another shape and for NaN or infinity, TypeError for integers.
    """
    images = np.asarray(images)
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if not (images.ndim == 3 or (images.ndim == 4 and images.shape[-1] == 3)):
        raise ValueError(f"{who}: expected images (N, H, W), (N, H, W, 1) or (N, H, W, 3), got shape {images.shape}")
    if images.dtype.kind != "f":
        raise TypeError(f"{who}: expected floats in [0, 1], got dtype {images.dtype}; divide bytes by 255")
    if not np.isfinite(images).all():
        raise ValueError(f"{who}: the images hold NaN or infinity")
    return np.clip(images, 0, 1)


def check_values(who, values, what="errors"):
    """(N,) float64, finite, N at least 1. Raises ValueError."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or not len(values):
        raise ValueError(f"{who}: expected {what} of shape (N,) with N at least 1, got {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"{who}: {what} hold NaN or infinity, first at {(~np.isfinite(values)).argmax()}")
    return values


def _row(p, bad):
    return np.array2string(p[bad.argmax()], precision=4, threshold=10, edgeitems=3)
