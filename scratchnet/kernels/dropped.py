"""``x W`` with dropout: each gate sees x with other elements dropped.

    x W = [(x m_1) W_1, ..., (x m_G) W_G]

W (D, G U) holds the kernels of the G gates side by side; `drop` (G, N, D) holds the masks m, the same at every time
step (Gal and Ghahramani, "A theoretically grounded application of dropout in recurrent neural networks", 2016);
None means that nothing is dropped. x is (..., N, D).
"""

import numpy as np


def product(x, drop, W):
    """``x W``: (..., N, G U)."""
    if drop is None:
        return x @ W
    return np.concatenate([x * m @ W_g for m, W_g in zip(drop, np.split(W, len(drop), axis=1))], axis=-1)


def adjoint_of_x(dz, drop, W):
    """dx (..., N, D), for dz (..., N, G U)."""
    if drop is None:
        return dz @ W.T
    gates = zip(np.split(dz, len(drop), axis=-1), drop, np.split(W, len(drop), axis=1))
    return sum(dz_g @ W_g.T * m for dz_g, m, W_g in gates)


def adjoint_of_W(dz, x, drop):
    """dW (D, G U), the sum over all but the last axis."""
    D = x.shape[-1]
    if drop is None:
        return x.reshape(-1, D).T @ dz.reshape(-1, dz.shape[-1])
    gates = zip(np.split(dz, len(drop), axis=-1), drop)
    return np.concatenate([(x * m).reshape(-1, D).T @ dz_g.reshape(-1, dz_g.shape[-1]) for dz_g, m in gates], axis=1)
