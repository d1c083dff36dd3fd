"""The states of a GRU in use, where nobody goes back: compiled as those of an LSTM are, see `lstm_states`.

    a_t = x_t W        a_zr += h_(t-1) R_zr        q_t = h_(t-1) R_g            some rows at a time

Only g needs the two products apart: r comes between them. Nothing is written but states.

Cost: 6 T N (D + U) U floating-point operations.
"""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.elementwise import copy, sigmoid32, tanh_or_relu
from scratchnet.kernels.with_numba.lstm_states import as_it_lies, filled, product_of_all, product_of_step
from scratchnet.kernels.with_numba.panels import in_panels, multiply
from scratchnet.kernels.with_numba.team import by_rows

_ROWS = 64  # whose two products stay in the cache
_ONE = np.float32(1)


def states(x, W, R, b, b_R, h0, T, sequence, relu):
    """h in float32, with sigmoid, `tanh_or_relu` and `reset_after`, as `gru.gru_states`, which chooses, says it."""
    (steps, N, D), U = x.shape, len(R)
    h = np.empty((T + 1 if sequence else 2, N, U), x.dtype)
    biases = np.concatenate([b[: 2 * U] + b_R[: 2 * U], b[2 * U :], b_R[2 * U :]])
    known = *as_it_lies(x), in_panels(W), in_panels(R[:, : 2 * U]), in_panels(R[:, 2 * U :]), biases, plain(h0)
    by_rows(_states, N, T * N * U * 3 * U + steps * N * D * 3 * U, *known, T, h, relu)
    return h


@njit
def _states(first, stop, x, by_sample, W, R_zr, R_g, biases, h0, T, h, relu):
    """Of the samples from `first` to `stop`."""
    copy(h0[first:stop], h[(-T - 1) % len(h), first:stop])
    U, rows = h.shape[2], min(_ROWS, stop - first)
    a, q = np.empty((rows, filled(3 * U)), x.dtype), np.empty((rows, filled(U)), x.dtype)
    of_all = product_of_all(first, stop, T, x, by_sample, W, a.shape[1])
    for t in range(T):
        h_prev, h_t = h[(t - T - 1) % len(h)], h[(t - T) % len(h)]  # counted from the end: there may be two alone
        for m in range(first, stop, _ROWS):
            end = min(m + _ROWS, stop)
            product_of_step(t, m, end, of_all[m - first :], x, by_sample, W, a)
            before = h_prev[m:end][:, ::1]
            multiply(before, 0, U, R_zr, a[:, : filled(2 * U)], True)  # behind 2 U zeros are added
            multiply(before, 0, U, R_g, q, False)
            for n in range(m, end):
                _step(a[n - m], q[n - m], biases, h_prev[n], h_t[n], relu)


@njit(inline="always")
def _step(a, q, biases, h_prev, h, relu):
    """Of one sample."""
    U = h.size
    a_z, a_r, a_g = a[:U], a[U : 2 * U], a[2 * U : 3 * U]
    b_z, b_r, b_g, c_g = biases[:U], biases[U : 2 * U], biases[2 * U : 3 * U], biases[3 * U :]
    for u in range(U):
        q[u] = a_g[u] + b_g[u] + sigmoid32(a_r[u] + b_r[u]) * (q[u] + c_g[u])
    for u in range(U):
        z = sigmoid32(a_z[u] + b_z[u])
        h[u] = z * h_prev[u] + (_ONE - z) * tanh_or_relu(q[u], relu)
