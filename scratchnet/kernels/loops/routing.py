"""Routing by agreement as it is defined: capsule i sends its prediction to those capsules j whose pose agrees with it.

For u_hat (I, N, J, D), the prediction of capsule i for the pose of capsule j, and R iterations:

    b = 0;  R times:   c[i, n, :] = softmax(b[i, n, :])
                       s[n, j, :] = sum over i of c[i, n, j] u_hat[i, n, j, :]
                       v[n, j, :] = squash(s[n, j, :])
                       b[i, n, j] += u_hat[i, n, j, :] . v[n, j, :]

    squash(s) = s |s| / (1 + |s|^2)
"""

import math

import numpy as np

from scratchnet.kernels.steps import RoutingSteps


def routing_forward(u_hat, R):
    """Return `RoutingSteps`: c (R, I, N, J), s and v (R, N, J, D), of every iteration; v[-1] is what comes out."""
    I, N, J, D = u_hat.shape
    c, b = np.empty((R, I, N, J), u_hat.dtype), np.zeros((I, N, J), u_hat.dtype)
    s, v = np.zeros((R, N, J, D), u_hat.dtype), np.empty((R, N, J, D), u_hat.dtype)
    for r in range(R):
        for n in range(N):
            for i in range(I):
                largest = max(b[i, n])
                total = sum(math.exp(b[i, n, j] - largest) for j in range(J))
                for j in range(J):
                    c[r, i, n, j] = math.exp(b[i, n, j] - largest) / total
                    for d in range(D):
                        s[r, n, j, d] += c[r, i, n, j] * u_hat[i, n, j, d]
            for j in range(J):
                length = math.sqrt(sum(s[r, n, j, d] ** 2 for d in range(D)))
                for d in range(D):
                    v[r, n, j, d] = s[r, n, j, d] * length / (1 + length**2)
                for i in range(I):
                    b[i, n, j] += sum(u_hat[i, n, j, d] * v[r, n, j, d] for d in range(D))
    return RoutingSteps(c, s, v)


def routing_backward(dv, u_hat, steps, through_all):
    """The adjoint of `routing_forward` for dv (N, J, D): du_hat (I, N, J, D).

    Without `through_all` the coefficients c count as constants, and only the last iteration has a derivative.
    """
    I, N, J, D = u_hat.shape
    c, s, v = steps
    du_hat, db = np.zeros(u_hat.shape, u_hat.dtype), np.zeros((I, N, J), u_hat.dtype)
    dv = dv.copy()
    for r in range(len(c) - 1, -1, -1):
        ds = np.empty((N, J, D), u_hat.dtype)
        for n in range(N):
            for j in range(J):  # v = s |s| / (1 + |s|^2)
                length = math.sqrt(sum(s[r, n, j, d] ** 2 for d in range(D)))
                along = sum(s[r, n, j, d] * dv[n, j, d] for d in range(D))
                slope = (1 - length**2) / (1 + length**2) ** 2 / length if length > 0 else 0.0
                for d in range(D):
                    ds[n, j, d] = dv[n, j, d] * length / (1 + length**2) + slope * along * s[r, n, j, d]
            for i in range(I):
                for j in range(J):
                    for d in range(D):
                        du_hat[i, n, j, d] += c[r, i, n, j] * ds[n, j, d]  # s += c u_hat
                if through_all:
                    dc = [sum(u_hat[i, n, j, d] * ds[n, j, d] for d in range(D)) for j in range(J)]
                    mean = sum(dc[j] * c[r, i, n, j] for j in range(J))
                    for j in range(J):
                        db[i, n, j] += c[r, i, n, j] * (dc[j] - mean)  # c = softmax(b)
        if r == 0 or not through_all:
            return du_hat
        dv[...] = 0
        for i, n, j, d in np.ndindex(I, N, J, D):  # b += u_hat . v, in the iteration before
            dv[n, j, d] += db[i, n, j] * u_hat[i, n, j, d]
            du_hat[i, n, j, d] += db[i, n, j] * v[r - 1, n, j, d]
    return du_hat
