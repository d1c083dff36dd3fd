"""Routing by agreement, compiled: one pass over the predictions for each iteration, sample by sample."""

import math

import numpy as np

from scratchnet.kernels.steps import RoutingSteps
from scratchnet.kernels.with_numba.compile import njit, plain


def routing_forward(u_hat, R):
    I, N, J, D = u_hat.shape
    steps = RoutingSteps(
        np.empty((R, I, N, J), u_hat.dtype), np.empty((R, N, J, D), u_hat.dtype), np.empty((R, N, J, D), u_hat.dtype)
    )
    _forward(plain(u_hat), np.zeros((I, N, J), u_hat.dtype), *steps)
    return steps


def routing_backward(dv, u_hat, steps, through_all):
    du_hat = np.empty_like(u_hat)
    _backward(plain(dv).copy(), plain(u_hat), *steps, through_all, np.zeros(u_hat.shape[:3], u_hat.dtype), du_hat)
    return du_hat


@njit
def _forward(u_hat, b, c, s, v):
    I, N, J, D = u_hat.shape
    one = u_hat.dtype.type(1)
    for r in range(len(c)):
        s[r] = 0
        for i in range(I):
            for n in range(N):
                largest = b[i, n].max()
                total = one * 0
                for j in range(J):
                    c[r, i, n, j] = math.exp(b[i, n, j] - largest)
                    total += c[r, i, n, j]
                for j in range(J):
                    c[r, i, n, j] /= total
                    share = c[r, i, n, j]
                    for d in range(D):
                        s[r, n, j, d] += share * u_hat[i, n, j, d]
        for n in range(N):
            for j in range(J):
                square = one * 0
                for d in range(D):
                    square += s[r, n, j, d] * s[r, n, j, d]
                factor = math.sqrt(square) / (one + square)
                for d in range(D):
                    v[r, n, j, d] = factor * s[r, n, j, d]
        if r + 1 < len(c):
            for i in range(I):
                for n in range(N):
                    for j in range(J):
                        agreement = one * 0
                        for d in range(D):
                            agreement += u_hat[i, n, j, d] * v[r, n, j, d]
                        b[i, n, j] += agreement


@njit
def _backward(dv, u_hat, c, s, v, through_all, db, du_hat):
    I, N, J, D = u_hat.shape
    one = u_hat.dtype.type(1)
    ds = np.empty((N, J, D), u_hat.dtype)
    dc = np.empty(J, u_hat.dtype)
    last = len(c) - 1
    for r in range(last, -1, -1):
        for n in range(N):
            for j in range(J):
                square = one * 0
                along = one * 0
                for d in range(D):
                    square += s[r, n, j, d] * s[r, n, j, d]
                    along += s[r, n, j, d] * dv[n, j, d]
                length = math.sqrt(square)
                slope = one * 0
                if length > 0:
                    slope = (one - square) / ((one + square) * (one + square) * length)
                for d in range(D):
                    ds[n, j, d] = dv[n, j, d] * length / (one + square) + slope * along * s[r, n, j, d]
        go_on = through_all and r > 0
        if go_on:
            dv[...] = 0
        for i in range(I):
            for n in range(N):
                mean = one * 0
                if go_on:
                    for j in range(J):
                        dc[j] = 0
                        for d in range(D):
                            dc[j] += u_hat[i, n, j, d] * ds[n, j, d]
                        mean += dc[j] * c[r, i, n, j]
                for j in range(J):
                    share = c[r, i, n, j]
                    if r == last:
                        for d in range(D):
                            du_hat[i, n, j, d] = share * ds[n, j, d]
                    else:
                        for d in range(D):
                            du_hat[i, n, j, d] += share * ds[n, j, d]
                    if go_on:
                        db[i, n, j] += share * (dc[j] - mean)
                        for d in range(D):
                            dv[n, j, d] += db[i, n, j] * u_hat[i, n, j, d]
                            du_hat[i, n, j, d] += db[i, n, j] * v[r - 1, n, j, d]
        if not go_on:
            return
