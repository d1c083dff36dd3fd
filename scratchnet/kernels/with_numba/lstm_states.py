"""The states of an LSTM in use, where nobody goes back: compiled, and the product with its input stands in the loop.

    z_t = x_t W + h_(t-1) R            some rows at a time, which stay in the cache until their gates are computed

In training `x W` is one product of all steps before the first: thousands of rows pay for any preparation of W. But it
is written to memory and read again, four times as many numbers as there are states, and x, which comes sample by
sample, is copied together step by step before. Here W and R are prepared once for all steps, laid out in the panels
that tiles read, and x is read where it lies: nothing is written but states. It takes 0.8 of the time.

Cost: 8 T N (D + U) U floating-point operations.
"""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.elementwise import copy, sigmoid32, tanh_or_relu
from scratchnet.kernels.with_numba.panels import LANES, in_panels, multiply
from scratchnet.kernels.with_numba.team import by_rows

LEAST = 4  # samples; with fewer a step does not fill its tiles
_ROWS = 96  # whose pre-activations stay in the cache


def states(x, W, R, b, h0, c0, T, sequence, relu):
    """h and c in float32, with sigmoid and `tanh_or_relu`, as `recurrent.lstm_states`, which chooses, says it."""
    (steps, N, D), U = x.shape, len(R)
    h, c = np.empty((T + 1 if sequence else 2, N, U), x.dtype), np.empty((N, U), x.dtype)
    work = T * N * U * 4 * U + steps * N * D * 4 * U
    known = *as_it_lies(x), in_panels(W), in_panels(R), plain(b), plain(h0), plain(c0)
    by_rows(_states, N, work, *known, T, h, c, relu)
    return h, c[np.newaxis]


def as_it_lies(x):
    """x (T, N, D), or (N, T, D) if that is how it lies in memory, and whether it does."""
    by_sample = x.transpose(1, 0, 2).flags.c_contiguous
    return plain(x.transpose(1, 0, 2) if by_sample else x), by_sample


@njit
def _states(first, stop, x, by_sample, W, R, b, h0, c0, T, h, c, relu):
    """Of the samples from `first` to `stop`; c is turned from the first one into the last one."""
    copy(h0[first:stop], h[(-T - 1) % len(h), first:stop])
    copy(c0[first:stop], c[first:stop])
    U, z = c.shape[1], np.empty((min(_ROWS, stop - first), filled(b.size)), x.dtype)
    of_all = product_of_all(first, stop, T, x, by_sample, W, z.shape[1])
    for t in range(T):
        h_prev, h_t = h[(t - T - 1) % len(h)], h[(t - T) % len(h)]  # counted from the end: there may be two alone
        for m in range(first, stop, _ROWS):
            end = min(m + _ROWS, stop)
            product_of_step(t, m, end, of_all[m - first :], x, by_sample, W, z)
            multiply(h_prev[m:end][:, ::1], 0, U, R, z, True)
            for n in range(m, end):
                _step(z[n - m], b, c[n], h_t[n], relu)


@njit(inner=True)
def filled(columns):
    """As many columns, or more, as fill vectors."""
    return (columns + LANES - 1) // LANES * LANES


@njit(inner=True)
def product_of_all(first, stop, T, x, by_sample, W, width):
    """x W, if x has one step that is that of all T; else no rows."""
    steps = x.shape[1] if by_sample else x.shape[0]
    z = np.empty((stop - first if steps < T else 0, width), x.dtype)
    if len(z) > 0:
        _multiply(x, by_sample, 0, first, stop, W, z)
    return z


@njit(inner=True)
def product_of_step(t, first, stop, of_all, x, by_sample, W, z):
    """``z = x_t W`` for the panels of W, of the samples from `first` to `stop`; `of_all` has rows from the first on."""
    if len(of_all) > 0:
        copy(of_all[: stop - first], z[: stop - first])
    else:
        _multiply(x, by_sample, t, first, stop, W, z)


@njit(inner=True)
def _multiply(x, by_sample, t, first, stop, W, z):
    x_t = x[first:stop, t][:, ::1] if by_sample else x[t, first:stop][:, ::1]  # of one type
    multiply(x_t, 0, x.shape[2], W, z, False)


@njit(inline="always")
def _step(z, b, c, h, relu):
    """Of one sample, see `scratchnet.kernels.with_numba.recurrent` for the two loops."""
    U = c.size
    z_i, z_f, z_g, z_o = z[:U], z[U : 2 * U], z[2 * U : 3 * U], z[3 * U : 4 * U]
    b_i, b_f, b_g, b_o = b[:U], b[U : 2 * U], b[2 * U : 3 * U], b[3 * U :]
    for u in range(U):
        i, f, g = sigmoid32(z_i[u] + b_i[u]), sigmoid32(z_f[u] + b_f[u]), tanh_or_relu(z_g[u] + b_g[u], relu)
        c[u] = f * c[u] + i * g
    for u in range(U):
        h[u] = sigmoid32(z_o[u] + b_o[u]) * tanh_or_relu(c[u], relu)
