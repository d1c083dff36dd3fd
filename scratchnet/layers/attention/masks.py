"""Which query may look at which key: masks (N, T, S), True where it may, that broadcast and are joined by "and"."""

import numpy as np


def causal_mask(T, S):
    """(1, T, S): a query sees no key behind its own place."""
    return np.tri(T, S, dtype=bool)[None]


def window_mask(T, S, width):
    """(1, T, S): a query sees the keys that are less than `width` places away."""
    return (np.abs(np.arange(T)[:, None] - np.arange(S)) < width)[None]


def joined(masks):
    """True where all of `masks` are, which broadcast; None among them says nothing. None if none says anything."""
    result = None
    for mask in masks:
        if mask is not None:
            mask = np.asarray(mask).astype(bool, copy=False)
            result = mask if result is None else result & mask
    return result
