"""Softmax of rows, as attention needs it: of scores that are scaled, some of which are hidden."""

import numpy as np

HIDDEN = -1e9  # the score of what is hidden: e^-1e9 is 0. A row of which all is hidden has 1 / S everywhere


def softmax_forward(z, scale, may=None):
    """``y = e^(scale z) / sum over the row of e^(scale z)`` for z (M, S); hidden where `may` (M, S) is False."""
    y = np.empty_like(z)
    for m, row in enumerate(z):
        scores = [float(row[s]) * scale if may is None or may[m, s] else HIDDEN for s in range(len(row))]
        powers = np.exp(np.array(scores) - np.max(scores))  # the shift changes nothing and avoids overflow
        y[m] = powers / powers.sum()
    return y


def softmax_backward(dy, y, scale):
    """dz, the adjoint of `softmax_forward`; what is hidden has y = 0, and so dz = 0, where not all of a row is."""
    dz = np.empty_like(y)
    for m, row in enumerate(y):
        along = sum(float(dy[m, s]) * row[s] for s in range(len(row)))
        for s in range(len(row)):
            dz[m, s] = row[s] * (dy[m, s] - along) * scale  # J = diag(y) - y y^T
    return dz
