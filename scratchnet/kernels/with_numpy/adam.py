"""Adam in pieces that stay in the cache: the ten passes of the formula over a piece read memory only once."""

import numpy as np

_PIECE = 16 * 1024  # elements: five float32 arrays of them fit the L2 cache


def adam_update(param, grad, m, v, learning_rate, beta_1, beta_2, epsilon):
    scratch = np.empty(min(_PIECE, param.size), param.dtype)
    for start in range(0, param.size, _PIECE):
        piece = slice(start, start + _PIECE)
        p, g, m_, v_ = param[piece], grad[piece], m[piece], v[piece]
        s = scratch[: p.size]
        np.subtract(g, m_, out=s)
        s *= 1 - beta_1
        m_ += s
        np.multiply(g, g, out=s)
        s -= v_
        s *= 1 - beta_2
        v_ += s
        np.sqrt(v_, out=s)
        s += epsilon
        np.divide(m_, s, out=s)
        s *= learning_rate
        p -= s
