"""Scores of keys for queries by a small network of one hidden layer.

    A[t, s] = sum over d of  w[d] tanh(q[t, d] + k[s, d])

Backwards:

    u = tanh(q + k)        dw[d] = sum(dA u)        dz = dA w (1 - u^2)
    dq[t] = sum over s of dz[t, s]        dk[s] = sum over t of dz[t, s]
"""

import numpy as np

from scratchnet import kernels
from scratchnet.activations import tanh


def additive_scores_forward(q, k, w):
    """``(A, cache)``: (..., T, S) for q (..., T, D), k (..., S, D) and w (D,)."""
    if q.dtype == np.float32 and kernels.additive_scores_forward is not None:  # the lines below, sample by sample
        A = kernels.additive_scores_forward(_samples(q), _samples(k), w)
        return A.reshape(*q.shape[:-1], k.shape[-2]), (q, k, None)
    u = tanh(q[..., None, :] + k[..., None, :, :])  # (..., T, S, D)
    return np.matmul(u, w), (q, k, u)


def additive_scores_backward(dA, cache, w):
    """``(dq, dk, dw)``"""
    q, k, u = cache
    if u is None:
        dq, dk, dw = kernels.additive_scores_backward(_samples(dA), _samples(q), _samples(k), w)
        return dq.reshape(q.shape), dk.reshape(k.shape), dw
    dw = np.tensordot(dA, u, dA.ndim)  # (D,)
    dz = tanh.backward(dA[..., None] * w, u)  # A = sum(w tanh(z))
    return dz.sum(axis=-2), dz.sum(axis=-3), dw  # z = q + k


def _samples(x):
    """(N, ..., T, D) as (N, T, D), with as many samples as there are of what is in front of T."""
    return x.reshape(-1, *x.shape[-2:])
