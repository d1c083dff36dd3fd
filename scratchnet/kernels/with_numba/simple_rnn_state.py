"""The last state of a SimpleRNN in use, where nobody goes back: compiled, with one product a step.

    h_t = f([h_(t-1), x_t] [R; W] + b)        some rows from the first step to the last, which stay in the cache

In training `x W` is one product of all steps, which is written to memory and read again, and so are all states. Here x
is read where it lies, and nothing is written but what comes out. A row of the left matrix is a state with the input
behind it. The product puts the new state into another such row; what it writes beyond, to fill a vector, the next
input overwrites. Before the first step the state is zero, so that R is not multiplied.

It takes 0.9 of the time where the input has few features. Where it has many, `x W` is written for fewer states each,
and panels of [R; W] fill the cache; all states are quicker written step by step.

Cost: 2 T N (D + U) U floating-point operations.
"""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.elementwise import copy, tanh32
from scratchnet.kernels.with_numba.lstm_states import as_it_lies, filled
from scratchnet.kernels.with_numba.panels import in_panels, multiply
from scratchnet.kernels.with_numba.team import by_rows

ACTIVATIONS = "tanh", "relu"
_LEAST = 4  # samples; with fewer a step does not fill its tiles
_ROWS = 24  # that go through time together: a multiple of a tile's
_ZERO = np.float32(0)


def pays(T, N, D, U):
    return N >= _LEAST and T * N >= U and 2 * D <= U  # else to lay out R takes longer than it saves; see above


def state(x, W, R, b, act):
    """The last h of a SimpleRNN in float32, (N, U), as `recurrent.simple_rnn_state`, which chooses, says it."""
    (T, N, D), U = x.shape, len(R)
    h = np.empty((N, U), x.dtype)
    known = *as_it_lies(x), in_panels(np.concatenate([R, W])), plain(b), act.name == "tanh"
    by_rows(_state, N, T * N * (D + U) * U, *known, h)
    return h


@njit
def _state(first, stop, x, by_sample, RW, b, is_tanh, h):
    """Of the samples from `first` to `stop`."""
    T, D, U = x.shape[1] if by_sample else x.shape[0], x.shape[2], b.size
    width = filled(U)
    hx = np.empty((2, min(_ROWS, stop - first), max(width, U + D)), x.dtype)  # of a step, and of the next one
    for m in range(first, stop, _ROWS):
        N = min(_ROWS, stop - m)
        for t in range(T):
            before, after = hx[t % 2, :N], hx[(t + 1) % 2, :N]
            copy(x[m : m + N, t][:, ::1] if by_sample else x[t, m : m + N][:, ::1], before[:, U : U + D])
            multiply(before, U if t == 0 else 0, U + D, RW, after[:, :width], False)
            for n in range(N):
                _activate(is_tanh, b, after[n])
        copy(hx[T % 2, :N, :U], h[m : m + N])


@njit(inner=True)
def _activate(is_tanh, b, z):
    """``z = f(z + b)``, the first numbers of a row."""
    if is_tanh:
        for u in range(b.size):
            z[u] = tanh32(z[u] + b[u])
    else:
        for u in range(b.size):
            z[u] = max(z[u] + b[u], _ZERO)
