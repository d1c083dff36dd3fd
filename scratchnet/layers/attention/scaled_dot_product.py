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

from scratchnet import kernels


class ScaledDotProductCache(NamedTuple):
    q: np.ndarray  # (..., T, D)
    k: np.ndarray  # (..., S, D)
    v: np.ndarray  # (..., S, E)
    P: np.ndarray | None  # (..., T, S), or None if it is computed again
    kept: np.ndarray | None  # (..., T, S): P after dropout; or all P as the kernel has it that computed y
    may: np.ndarray | None  # (..., T, S): where a query may look
    dropout: Any  # None after such a kernel
    blind_sees_nothing: bool  # whether P is 0 for a query that may look nowhere


def attention_forward(q, k, v, may, dropout_layer, training, blind_sees_nothing, keeps_scores=True):
    """``(y, cache)`` for queries (..., T, D), keys (..., S, D) and values (..., S, E): y is (..., T, E).

    Args:
        may: where a query may look, broadcasting against (..., T, S), or None.
        dropout_layer: a `Dropout` for P, whose first axis is that of the samples.
        blind_sees_nothing: whether y is 0 for a query that may look nowhere; otherwise it looks everywhere alike.
        keeps_scores: whether P is kept; otherwise backward computes it again, where there is a kernel for that.
    """
    if q.ndim == 4 and not (training and dropout_layer.rate) and kernels.attention_forward is not None:
        how = _scale(q), may, blind_sees_nothing, keeps_scores
        y, PT = kernels.attention_forward(q, k, v, *how)  # the lines below, head by head
        P = None if PT is None else PT[..., : q.shape[2]].swapaxes(2, 3)
        return y, ScaledDotProductCache(q, k, v, P, PT, may, None, blind_sees_nothing)
    P = softmax(np.matmul(q, k.swapaxes(-1, -2)), _scale(q), may)  # (..., T, S)
    if may is not None and blind_sees_nothing:
        P = np.where(may, P, P.dtype.type(0))
    kept, dropout = dropout_layer.forward(P, training)
    return _product(kept, v, like=q), ScaledDotProductCache(q, k, v, P, kept, may, dropout, blind_sees_nothing)


def attention_backward(dy, dP, cache, dropout_layer):
    """``(dq, dk, dv)``; `dP` is the adjoint of P where P itself is an output, or None."""
    q, k, v, P, kept, may, dropout, blind_sees_nothing = cache
    if dropout is None:
        if dP is None:
            return kernels.attention_backward(dy, q, k, v, kept, _scale(q), may, blind_sees_nothing)
        kept, dropout = dropout_layer.forward(P, False)
    dv = _product(kept.swapaxes(-1, -2), dy, like=v)  # y = kept v
    through_y, _ = dropout_layer.backward(np.matmul(dy, v.swapaxes(-1, -2)), dropout)  # (..., T, S)
    dP = through_y if dP is None else through_y + dP
    dA = softmax_backward(dP, P, _scale(q))  # P = softmax(A), A = q k^T / sqrt(D)
    if may is not None:
        dA = np.where(may, dA, dA.dtype.type(0))
    return _product(dA, k, like=q), _product(dA.swapaxes(-1, -2), q, like=k), dv


def softmax(A, scale=1.0, may=None):
    """P: the softmax of ``scale A`` over the keys, for scores (..., T, S); 0 where a query may not look."""
    may = None if may is None else _rows(np.broadcast_to(may, A.shape))
    return kernels.softmax_forward(_rows(A), scale, may).reshape(A.shape)


def softmax_backward(dP, P, scale=1.0):
    """dA, the adjoint of `softmax`."""
    return kernels.softmax_backward(_rows(dP), _rows(P), scale).reshape(P.shape)


def _rows(A):
    """(..., T, S) as (M, S)."""
    return A.reshape(-1, A.shape[-1])


def _scale(q):
    return 1 / math.sqrt(q.shape[-1])


def _product(a, b, like):
    """``a @ b``, whose axes lie in memory as those of `like`: so the heads of a place remain side by side."""
    return np.matmul(a, b, out=np.empty_like(like, shape=(*a.shape[:-1], b.shape[-1])))
