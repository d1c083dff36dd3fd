"""Scores of additive attention, compiled: ``A[t, s] = sum over d of w[d] tanh(q[t, d] + k[s, d])``, in float32.

NumPy makes an array of T S D numbers for each sample and goes through it five times; here none is made, and backward
computes each tanh once more, in less time than memory takes to bring it back. Keys stand in memory transposed, a row
for each d: so a vector is one query's scores for neighbouring keys, and nothing is added up across it. Rows are filled
with zeros up to whole vectors; what comes out there is left out, and dA is 0 there.
"""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.elementwise import tanh32
from scratchnet.kernels.with_numba.team import by_rows

_OF_A_TANH = 8  # multiply-adds that take as long
_FILLED = 16  # numbers, of which the keys are a multiple: a vector of AVX-512
_SUMS = 2  # over the samples, shared or not


def additive_scores_forward(q, k, w):
    """A (N, T, S) for q (N, T, D), k (N, S, D) and w (D,)."""
    (N, T, D), S = q.shape, k.shape[1]
    A = np.empty((N, T, S), np.float32)
    by_rows(_forward, N, _OF_A_TANH * A.size * D, plain(q), _by_number(k), plain(w), A, multiple=1)
    return A


def additive_scores_backward(dA, q, k, w):
    """``dq, dk, dw``"""
    S, D = k.shape[1:]
    q, kT = plain(q), _by_number(k)
    dq, dkT, dw = np.empty(q.shape, np.float32), np.empty(kT.shape, np.float32), np.empty((_SUMS, D))
    work = 2 * _OF_A_TANH * dA.size * D
    by_rows(_backward, _SUMS, work, plain(dA), q, kT, plain(w), dq, dkT, dw, multiple=1)
    return dq, np.ascontiguousarray(dkT[..., :S].swapaxes(1, 2)), (dw[0] + dw[1]).astype(np.float32)


def _by_number(k):
    """(N, S, D) as (N, D, S and more)."""
    N, S, D = k.shape
    kT = np.zeros((N, D, -(-S // _FILLED) * _FILLED), np.float32)
    kT[..., :S] = k.swapaxes(1, 2)
    return kT


@njit
def _forward(first, stop, q, kT, w, A):
    _, T, S = A.shape
    scores = np.empty(kT.shape[2], np.float32)
    for n in range(first, stop):
        for t in range(T):
            scores[:] = 0
            for d in range(w.size):
                _add_scores(q[n, t, d], kT[n, d], w[d], scores)
            A[n, t] = scores[:S]


@njit
def _add_scores(q, k, w, scores):
    for s in range(scores.size):
        scores[s] += w * tanh32(q + k[s])


@njit
def _backward(first, stop, dA, q, kT, w, dq, dkT, dw):
    """Sums `first` to `stop` over the samples, each over a part of them, and all else of these."""
    N, T, S = dA.shape
    dscores = np.zeros(kT.shape[2], np.float32)
    for part in range(first, stop):
        dw[part] = 0
        for n in range(part * N // _SUMS, (part + 1) * N // _SUMS):
            dkT[n] = 0
            for t in range(T):
                dscores[:S] = dA[n, t]
                for d in range(w.size):
                    dq[n, t, d], dw_d = _add_slopes(q[n, t, d], kT[n, d], w[d], dscores, dkT[n, d])
                    dw[part, d] += dw_d


@njit
def _add_slopes(q, k, w, dscores, dk):
    """``(dq, dw)`` of a query and number d; dk is added up."""
    dq, dw = np.float32(0), np.float32(0)
    for s in range(dscores.size):
        u = tanh32(q + k[s])
        along = dscores[s] * u
        dz = w * (dscores[s] - along * u)  # dA w (1 - u^2)
        dw += along
        dq += dz
        dk[s] += dz
    return dq, dw
