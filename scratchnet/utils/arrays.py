"""Labels as one-hot rows, and vectors of length 1."""

import numpy as np
from numpy.typing import ArrayLike


def to_categorical(x: ArrayLike, num_classes: int | None = None) -> np.ndarray:
    """Integer labels as one-hot rows: (N,) or (N, 1) -> (N, num_classes), float32.

    Args:
        x: integers in [0, num_classes).
        num_classes: by default the largest label plus one.

    Raises ValueError for a label that is not an integer, is negative, or is too large.
    """
    labels = np.asarray(x)
    whole = labels.dtype.kind in "iub"
    if labels.dtype.kind == "f":  # such as labels that were read from a text file
        whole = bool((np.isfinite(labels) & (labels == np.floor(labels))).all())
    if not whole:
        raise ValueError(f"to_categorical: labels must be integers, got {labels.dtype} {labels.ravel()[:5]}")
    labels = labels.astype(np.int64)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if num_classes is None:
        if labels.size == 0:
            raise ValueError("to_categorical: no labels, and no num_classes")
        num_classes = int(labels.max()) + 1
    if isinstance(num_classes, bool) or not isinstance(num_classes, (int, np.integer)) or num_classes < 1:
        raise ValueError(f"to_categorical: num_classes must be a positive integer, got {num_classes!r}")
    if labels.size and (labels.min() < 0 or labels.max() >= num_classes):
        wrong = labels.min() if labels.min() < 0 else labels.max()
        raise ValueError(f"to_categorical: label {wrong} is outside the {num_classes} classes (0 to {num_classes - 1})")
    one_hot = np.zeros((*labels.shape, num_classes), np.float32)
    np.put_along_axis(one_hot, labels[..., None], 1, axis=-1)
    return one_hot


def normalize(x: ArrayLike, axis: int = -1, order: int = 2) -> np.ndarray:
    """`x` divided by its norm of that order along `axis`; a vector of zeros stays."""
    x = np.asarray(x)
    norm = np.linalg.norm(x, order, axis, keepdims=True)
    norm[norm == 0] = 1
    return x / norm
