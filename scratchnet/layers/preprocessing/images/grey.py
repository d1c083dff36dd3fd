"""The brightness that an eye sees, by the weights of television (ITU-R BT.601).

grey = 0.2989 red + 0.587 green + 0.114 blue        dred = 0.2989 dgrey, ...
"""

import numpy as np

_WEIGHTS = (0.2989, 0.5870, 0.1140)


def grey(x):
    """Images (..., 3) as (..., 1); those of one channel as they are."""
    return x if x.shape[-1] == 1 else x @ np.asarray(_WEIGHTS, x.dtype)[:, None]


def grey_backward(dy):
    """dx of `grey`, where each channel of dy (..., C) has had a copy of it."""
    return dy if dy.shape[-1] == 1 else dy.sum(axis=-1, keepdims=True) * np.asarray(_WEIGHTS, dy.dtype)
