"""Weights of samples against the values that they weight."""

import numpy as np


def expanded_weights(weights, shape):
    """`weights`, (N,) or (N, T) or ..., with as many axes as `shape`, to which they broadcast; None if they do not."""
    weights = np.asarray(weights)
    if weights.ndim == len(shape) + 1 and weights.shape[-1] == 1:
        weights = weights[..., 0]
    elif weights.ndim < len(shape):
        weights = weights.reshape(weights.shape + (1,) * (len(shape) - weights.ndim))
    fits = weights.ndim == len(shape) and all(have in (1, want) for have, want in zip(weights.shape, shape))
    return weights if fits else None
