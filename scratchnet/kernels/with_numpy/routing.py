"""Routing by agreement with whole arrays; see `scratchnet.kernels.loops.routing` for what it is."""

import numpy as np

from scratchnet.kernels.steps import RoutingSteps


def routing_forward(u_hat, R):
    I, N, J, D = u_hat.shape
    b = np.zeros((I, N, J), u_hat.dtype)
    cs, ss, vs = [], [], []
    for _ in range(R):
        e = np.exp(b - b.max(axis=-1, keepdims=True))
        c = e / e.sum(axis=-1, keepdims=True)  # (I, N, J)
        s = np.einsum("inj,injd->njd", c, u_hat)
        v = s * _factor(s)
        cs.append(c), ss.append(s), vs.append(v)
        b = b + np.einsum("injd,njd->inj", u_hat, v)
    return RoutingSteps(np.stack(cs), np.stack(ss), np.stack(vs))


def routing_backward(dv, u_hat, steps, through_all):
    db = 0
    du_hat = np.zeros_like(u_hat)
    for r in range(len(steps.c) - 1, -1, -1):
        c, s = steps.c[r], steps.s[r]
        ds = _squash_backward(dv, s)  # v = squash(s)
        du_hat += c[..., np.newaxis] * ds  # s = sum of c u_hat
        if r == 0 or not through_all:
            return du_hat
        dc = np.einsum("injd,njd->inj", u_hat, ds)
        db = db + c * (dc - (dc * c).sum(axis=-1, keepdims=True))  # c = softmax(b)
        dv = np.einsum("inj,injd->njd", db, u_hat)  # b += u_hat . v, in the iteration before
        du_hat += db[..., np.newaxis] * steps.v[r - 1]
    return du_hat


def _factor(s):
    length = np.sqrt(np.square(s).sum(axis=-1, keepdims=True))
    return length / (1 + length * length)


def _squash_backward(dv, s):
    length = np.sqrt(np.square(s).sum(axis=-1, keepdims=True))
    along = (s * dv).sum(axis=-1, keepdims=True)
    slope = (1 - length**2) / (1 + length**2) ** 2 / np.where(length > 0, length, 1)
    return dv * _factor(s) + slope * along * s
