"""Small helpers under Keras's names."""

import random as python_random

import numpy as np

from scratchnet import random as seeds
from scratchnet.names import clear_names

__all__ = ["clear_session", "normalize", "set_random_seed", "to_categorical"]


def set_random_seed(seed):
    """Make everything that follows repeatable: parameters, shuffling, Dropout, Python's and NumPy's own generators.

    Raises ValueError unless `seed` is an integer of at least 0 (and below 2**32, which NumPy's old generator needs).
    """
    if isinstance(seed, (int, np.integer)) and seed >= 2**32:
        raise ValueError(f"the seed must be below 2**32, got {seed}")
    seeds.set_seed(seed)
    python_random.seed(int(seed))
    np.random.seed(int(seed))


def to_categorical(x, num_classes=None):
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


def normalize(x, axis=-1, order=2):
    """`x` divided by its norm of that order along `axis`; a vector of zeros stays."""
    x = np.asarray(x)
    norm = np.linalg.norm(x, order, axis, keepdims=True)
    norm[norm == 0] = 1
    return x / norm


def clear_session():
    """Start counting the automatic names of layers and models from the beginning again."""
    clear_names()
