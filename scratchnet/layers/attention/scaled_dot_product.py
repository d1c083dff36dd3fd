"""Scaled dot products: attention as in the Transformer, for a stack of heads at once.

    A = q k^T / sqrt(D)        P = softmax(A) over the keys        y = P v

Of random vectors of D numbers with variance 1 the dot product has variance D: without the root the softmax would settle
on one key, where its derivative is nearly 0 (Vaswani et al., "Attention is all you need", 2017). Backwards:

    dv = P^T dy        dP = dy v^T        dA = P (dP - sum over s of dP P)
    dq = dA k / sqrt(D)        dk = dA^T q / sqrt(D)

Here stand P, what dropout leaves of it, and what becomes of masks; the heads are the business of the layers.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from scratchnet.activations import softmax

HIDDEN = -1e9  # the score of a hidden key: e^-1e9 is 0


class ScaledDotProductCache(NamedTuple):
    q: np.ndarray  # (..., T, D)
    k: np.ndarray  # (..., S, D)
    v: np.ndarray  # (..., S, E)
    P: np.ndarray  # (..., T, S)
    kept: np.ndarray  # (..., T, S): P after dropout
    may: np.ndarray | None  # (..., T, S): where a query may look
    dropout: Any


def attention_forward(q, k, v, may, dropout_layer, training, blind_sees_nothing):
    """``(y, cache)`` for queries (..., T, D), keys (..., S, D) and values (..., S, E): y is (..., T, E).

    Args:
        may: where a query may look, broadcasting against (..., T, S), or None.
        dropout_layer: a `Dropout` for P, whose first axis is that of the samples.
        blind_sees_nothing: whether y is 0 for a query that may look nowhere; otherwise it looks everywhere alike.
    """
    A = np.matmul(q, k.swapaxes(-1, -2)) * q.dtype.type(1 / math.sqrt(q.shape[-1]))  # (..., T, S)
    if may is not None:
        A = np.where(may, A, A.dtype.type(HIDDEN))
    P, _ = softmax.forward(A)
    if may is not None and blind_sees_nothing:
        P = np.where(may, P, P.dtype.type(0))
    kept, dropout = dropout_layer.forward(P, training)
    return np.matmul(kept, v), ScaledDotProductCache(q, k, v, P, kept, may, dropout)


def attention_backward(dy, dP, cache, dropout_layer):
    """``(dq, dk, dv)``; `dP` is the adjoint of P where P itself is an output, or None."""
    q, k, v, P, kept, may, dropout = cache
    dv = np.matmul(kept.swapaxes(-1, -2), dy)  # y = kept v
    through_y, _ = dropout_layer.backward(np.matmul(dy, v.swapaxes(-1, -2)), dropout)  # (..., T, S)
    dA = softmax.backward(through_y if dP is None else through_y + dP, P)  # P = softmax(A)
    if may is not None:
        dA = np.where(may, dA, dA.dtype.type(0))
    dA = dA * q.dtype.type(1 / math.sqrt(q.shape[-1]))  # A = q k^T / sqrt(D)
    return np.matmul(dA, k), np.matmul(dA.swapaxes(-1, -2), q), dv
