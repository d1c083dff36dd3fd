"""The recurrent layers, compiled, matrix products included.

`scratchnet.kernels.loops.recurrent` defines and documents them. Activations that `step_activations` has not are not
compiled; `scratchnet.kernels.with_numpy` computes them.

A step is short: some 100 microseconds. If each of its products and functions were called from Python, threads that
compute side by side would spend a fifth of their time waiting for the interpreter's lock.

Between two matrix products a sample's row of pre-activations (4U numbers, 2 KB for U = 128 in float32) stays in the
first-level cache while short loops over U go over it, one for each equation, so that any activation can stand in any
place. With those that an LSTM mostly has, tanh or relu and sigmoid, there are two loops: c, and what needs it. In one
the processor would wait: from z to h through both functions is further than it looks ahead.

A sample's row goes through time by itself. So every kernel computes the rows that it is told: all of them, or some,
while another thread computes the others (`by_rows`), which it meets once for all steps.

Cost of a step with N = 64, U = 128 (float32, one Zen 4 core): about 12 microseconds forward and 13 backward,
beside 80 for the matrix product.
"""

import numpy as np

from scratchnet.kernels.steps import LSTMSteps, SimpleRNNSteps, separate
from scratchnet.kernels.with_numba import simple_rnn_state as in_use
from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.dropped_states import add_product, as_drop, of_gates, product_adjoint, room_for
from scratchnet.kernels.with_numba.elementwise import add, copy, sigmoid32, tanh_or_relu, through_tanh_or_relu
from scratchnet.kernels.with_numba.lstm_states import LEAST, states
from scratchnet.kernels.with_numba.matrix_product import can_share, matmul, multiplier
from scratchnet.kernels.with_numba.panels import laid_out
from scratchnet.kernels.with_numba.step_activations import activate, backward_of, forward_of, multiply_by_slope
from scratchnet.kernels.with_numba.team import by_rows
from scratchnet.kernels.with_numpy import recurrent as with_numpy

# By activation and recurrent activation, what `tanh_or_relu` is told
USUAL = {("tanh", "sigmoid"): None, ("relu", "sigmoid"): True}
_KEPT = 1 << 15  # numbers of each gate, of those steps that are computed at once where nobody wants them later
_ONE = np.float32(1)  # an integer would turn float32 into float64


def simple_rnn_forward(xW, R, b, h0, act, mask=None, drop=None):
    functions = forward_of(xW.dtype, act)
    if functions is None:
        return with_numpy.simple_rnn_forward(xW, R, b, h0, act, mask, drop)
    T, N, U = xW.shape
    h = np.empty((T + 1, N, U), xW.dtype)
    h[0] = h0
    known = multiplier(R.dtype), one_for_all(xW), laid_out_by_gate(of_gates(R, drop), T, N), plain(b)
    through_time(_simple_rnn_forward, T, N, R, *known, h, *functions, as_mask(mask), as_drop(drop, h[0]))
    return SimpleRNNSteps(None, h)


def simple_rnn_state(x, W, R, b, act, T):
    """The last h of `simple_rnn_forward` of ``x W``, from zeros: (N, U).

    x is (T, N, D), laid out as it may, or (1, N, D) if it is that of every step.
    """
    (steps, N, D), U = x.shape, len(R)
    is_common = act.name in in_use.ACTIVATIONS and act.standard and x.itemsize == 4
    if is_common and steps == T and in_use.pays(T, N, D, U):
        return in_use.state(x, W, R, b, act)
    return simple_rnn_forward(of_all_steps(x, W, T), R, b, np.zeros((N, U), x.dtype), act).h[-1]


def simple_rnn_backward(dy, dh, R, steps, act, mask=None, drop=None):
    functions = backward_of(R.dtype, act)
    if functions is None:
        return with_numpy.simple_rnn_backward(dy, dh, R, steps, act, mask, drop)
    T, N, U = steps.h[1:].shape
    dz, dh0 = np.empty((T, N, U), R.dtype), np.empty((N, U), R.dtype)
    R_T = laid_out_by_gate([R_g.T for R_g in of_gates(R, drop)], T, N)
    known = multiplier(R.dtype), or_nothing(dy, dz), plain(dh), R_T, steps.h
    through_time(_simple_rnn_backward, T, N, R, *known, dz, dh0, *functions, as_mask(mask), as_drop(drop, dh0))
    return dz, dh0


def lstm_forward(xW, R, b, h0, c0, act, rec, mask=None, drop=None):
    usual = is_usual(act, rec) and xW.itemsize == 4
    functions = [] if usual else forward_of(xW.dtype, act, rec)  # those that nobody calls are not compiled
    if functions is None:
        return with_numpy.lstm_forward(xW, R, b, h0, c0, act, rec, mask, drop)
    (T, N, _), U = xW.shape, len(R)
    i, f, g, o, tanh_c = separate(5, (T, N, U), xW.dtype)
    h, c = separate(2, (T + 1, N, U), xW.dtype)
    h[0], c[0] = h0, c0
    known = multiplier(R.dtype), one_for_all(xW), laid_out_by_gate(of_gates(R, drop), T, N), plain(b)
    made = (i, f, g, o, c, tanh_c, h)
    what_counts = as_mask(mask), as_drop(drop, h[0])
    if usual:
        through_time(_usual_lstm_forward, T, N, R, *known, *made, USUAL[act.name, rec.name], *what_counts)
    else:
        through_time(_lstm_forward, T, N, R, *known, *made, *functions, *what_counts)
    return LSTMSteps(None, i, f, g, o, c, tanh_c, h)


def lstm_states(x, W, R, b, h0, c0, act, rec, T, sequence):
    """h and c of `lstm_forward` of ``x W``, whose last entries are the last states; of h without `sequence` only two.

    x is (T, N, D), laid out as it may, or (1, N, D) if it is that of every step.
    """
    (_, N, _), U = x.shape, len(R)
    if takes_states_alone(x, act, rec, T, U):
        return states(x, W, R, b, h0, c0, T, sequence, USUAL[act.name, rec.name])
    at_once = max(1, T if sequence else _KEPT // max(N * U, 1))
    for t in range(0, max(T, 1), at_once):
        x_t, steps = x[t : t + at_once] if len(x) == T else x, min(at_once, T - t)
        kept = lstm_forward(of_all_steps(x_t, W, steps), R, b, h0, c0, act, rec)
        h0, c0 = kept.h[-1], kept.c[-1]
    return kept.h, kept.c


def lstm_backward(dy, dh, dc, R, steps, act, rec, mask=None, drop=None):
    usual = is_usual(act, rec)
    functions = [] if usual else backward_of(R.dtype, act, rec)
    if functions is None:
        return with_numpy.lstm_backward(dy, dh, dc, R, steps, act, rec, mask, drop)
    i, f, g, o, c, tanh_c = steps.i, steps.f, steps.g, steps.o, steps.c, steps.tanh_c
    T, N, U = i.shape
    dz, dz_sum = np.empty((T, N, 4 * U), i.dtype), np.empty((N, 4 * U), i.dtype)
    dh0, dc0 = np.empty((2, N, U), i.dtype)
    R_T = laid_out_by_gate([R_g.T for R_g in of_gates(R, drop)], T, N)
    known = multiplier(R.dtype), or_nothing(dy, i), plain(dh), plain(dc), R_T, i, f, g, o, c, tanh_c
    what_counts = as_mask(mask), as_drop(drop, dh0)
    if usual:
        relu = USUAL[act.name, rec.name]
        through_time(_usual_lstm_backward, T, N, R, *known, dz, dz_sum, dh0, dc0, relu, *what_counts)
    else:
        through_time(_lstm_backward, T, N, R, *known, dz, dz_sum, dh0, dc0, *functions, *what_counts)
    return dz, dz_sum, dh0, dc0


def takes_states_alone(x, act, rec, T, U):
    """Whether the kernels that make nothing but states compute this: with the usual functions, and in float32."""
    N = x.shape[1]
    return is_usual(act, rec) and x.itemsize == 4 and N >= LEAST and T * N >= U  # or R's panels are more than the gates


def is_usual(act, rec):
    """Whether an LSTM's activations are such that their names say all."""
    return (act.name, rec.name) in USUAL and act.standard and rec.standard


def of_all_steps(x, W, T):
    """x W, (T, N, G U), of an x (T, N, D) or, the same at every step, (1, N, D)."""
    steps, N, D = x.shape
    xW = matmul(x.reshape(steps * N, D), W).reshape(steps, N, -1)
    return xW if steps == T else np.broadcast_to(xW, (T, *xW.shape[1:]))


def through_time(kernel, T, N, R, *arguments):
    """``kernel(0, N, *arguments)``, by two threads where there is a team and it pays."""
    if R.dtype == np.float32 and can_share(N, R):
        by_rows(kernel, N, T * N * R.size, *arguments)
    else:
        kernel(0, N, *arguments)


def laid_out_by_gate(matrices, T, N):
    """As `laid_out`, with all of them in one array."""
    laid = [laid_out(matrix, T, N) for matrix in matrices]
    return laid[0][np.newaxis] if len(laid) == 1 else np.stack(laid)


def one_for_all(xW):
    """xW as compiled code takes it: (1, N, G U) if every step has the same, in the same place."""
    return plain(xW[:1] if xW.strides[0] == 0 else xW)


def or_nothing(dy, like):
    """dy as compiled code takes it: without any steps if there is none."""
    return like[:0] if dy is None else plain(dy)


def as_mask(mask):
    """The mask as compiled code takes it, or None: what is there for a mask is compiled only where there is one."""
    return None if mask is None else plain(np.asarray(mask, np.bool_))


@njit(inline="always")
def add_bias(xW, b, z):
    """``z = xW + b``, the part of a step's pre-activations that is there before the product: (N, k), k units of xW's.

    Adding it to the product afterwards would make the step of a `SimpleRNN` a tenth slower.
    """
    for n in range(len(z)):
        z_n, xW_n = z[n], xW[n]
        for k in range(z_n.size):
            z_n[k] = xW_n[k] + b[k]


@njit(inner=True)
def stay(first, stop, before, after, mask):
    """At a step that does not count for a sample, its state (N, U) stays as it was."""
    for n in range(first, stop):
        if not mask[n]:
            before_n, after_n = before[n], after[n]
            for u in range(after_n.size):
                after_n[u] = before_n[u]


@njit(inner=True)
def set_aside(first, d, past, mask):
    """The adjoint of `stay`: for such a sample, d goes past the step, and what goes through it is 0.

    d and past have the rows from `first` on.
    """
    for n in range(len(d)):
        d_n, past_n = d[n], past[n]
        if mask[first + n]:
            for u in range(d_n.size):
                past_n[u] = 0
        else:
            for u in range(d_n.size):
                past_n[u] = d_n[u]
            for u in range(d_n.size):
                d_n[u] = 0


# ---- the plain layer ----


@njit
def _simple_rnn_forward(first, stop, times, xW, R, b, h, act, mask, drop):
    rows, z, room = slice(first, stop), np.empty((stop - first, b.size), h.dtype), room_for(stop - first, h, drop)
    for t in range(len(h) - 1):
        h_prev, h_t = h[t, rows], h[t + 1, rows]
        add_bias(xW[t % len(xW), rows], b, z)
        add_product(times, h_prev, first, drop, R, z, room)  # z = x W + b + h_prev R
        activate(act, z.reshape(-1), h_t.reshape(-1))  # h = f(z)
        if mask is not None:
            stay(first, stop, h[t], h[t + 1], mask[t])


@njit
def _simple_rnn_backward(first, stop, times, dy, dh_T, R_T, h, dz, dh0, act, mask, drop):
    rows = slice(first, stop)
    dh, room = dh0[rows], room_for(stop - first, h, drop)  # dh is turned from dh_T into dh0
    if mask is not None:
        past = np.empty_like(dh)
    copy(dh_T[rows], dh)
    for t in range(len(dz) - 1, -1, -1):
        dz_t = dz[t, rows]
        if len(dy) > 0:
            add(dy[t, rows], dh)
        if mask is not None:
            set_aside(first, dh, past, mask[t])
        copy(dh, dz_t)
        multiply_by_slope(act, h[t + 1, rows].reshape(-1), dz_t.reshape(-1))  # h = f(z)
        product_adjoint(times, dz_t, first, drop, R_T, dh, room)  # z = x W + h_prev R + b
        if mask is not None:
            add(past, dh)


# ---- long short-term memory ----


@njit
def _lstm_forward(first, stop, times, xW, R, b, i, f, g, o, c, tanh_c, h, act, rec, mask, drop):
    z, room = np.empty((stop - first, b.size), h.dtype), room_for(stop - first, h, drop)
    for t in range(len(i)):
        add_bias(xW[t % len(xW), first:stop], b, z)
        add_product(times, h[t, first:stop], first, drop, R, z, room)  # z = x W + b + h_prev R
        _lstm_step_forward(t, first, z, i, f, g, o, c, tanh_c, h, act, rec)
        if mask is not None:
            stay(first, stop, c[t], c[t + 1], mask[t])
            stay(first, stop, h[t], h[t + 1], mask[t])


@njit(inner=True)
def _lstm_step_forward(t, first, z, i, f, g, o, c, tanh_c, h, act, rec):
    U = h.shape[2]
    for n in range(first, first + len(z)):
        z_n, i_n, f_n, g_n, o_n = z[n - first], i[t, n], f[t, n], g[t, n], o[t, n]
        activate(rec, z_n[:U], i_n)
        activate(rec, z_n[U : 2 * U], f_n)
        activate(act, z_n[2 * U : 3 * U], g_n)
        activate(rec, z_n[3 * U :], o_n)
        c_prev_n, c_n, tanh_c_n, h_n = c[t, n], c[t + 1, n], tanh_c[t, n], h[t + 1, n]
        for u in range(U):
            c_n[u] = f_n[u] * c_prev_n[u] + i_n[u] * g_n[u]
        activate(act, c_n, tanh_c_n)
        for u in range(U):
            h_n[u] = o_n[u] * tanh_c_n[u]


@njit
def _lstm_backward(
    first, stop, times, dy, dh_T, dc_T, R_T, i, f, g, o, c, tanh_c, dz, dz_sum, dh0, dc0, act, rec, mask, drop
):
    rows = slice(first, stop)
    dz_sum[rows] = 0
    dh, dc = dh0[rows], dc0[rows]  # turned from the last states' into the first ones'
    room = room_for(stop - first, dh, drop)
    if mask is not None:
        past_h, past_c = np.empty_like(dh), np.empty_like(dc)
    copy(dh_T[rows], dh)
    copy(dc_T[rows], dc)
    for t in range(len(dz) - 1, -1, -1):
        if len(dy) > 0:
            add(dy[t, rows], dh)
        if mask is not None:
            set_aside(first, dh, past_h, mask[t])
            set_aside(first, dc, past_c, mask[t])
        _lstm_step_backward(t, first, stop, dh0, dc0, i, f, g, o, c, tanh_c, dz, act, rec)
        add(dz[t, rows], dz_sum[rows])
        product_adjoint(times, dz[t, rows], first, drop, R_T, dh, room)  # z = x W + h_prev R + b
        if mask is not None:
            add(past_h, dh)
            add(past_c, dc)


@njit(inner=True)
def _lstm_step_backward(t, first, stop, dh, dc, i, f, g, o, c, tanh_c, dz, act, rec):
    U = dh.shape[1]
    for n in range(first, stop):
        i_n, f_n, g_n, o_n, c_prev_n, tanh_c_n = i[t, n], f[t, n], g[t, n], o[t, n], c[t, n], tanh_c[t, n]
        dz_n, dh_n, dc_n = dz[t, n], dh[n], dc[n]
        di, df, dg, do = dz_n[:U], dz_n[U : 2 * U], dz_n[2 * U : 3 * U], dz_n[3 * U :]  # in the end dz_i, ...
        d_tanh_c = dg  # room for it until dg's turn comes
        for u in range(U):
            d_tanh_c[u] = dh_n[u] * o_n[u]  # h = o * tanh(c)
            do[u] = dh_n[u] * tanh_c_n[u]
        multiply_by_slope(act, tanh_c_n, d_tanh_c)
        for u in range(U):
            dc_u = dc_n[u] + d_tanh_c[u]
            di[u] = dc_u * g_n[u]  # c = f * c_prev + i * g
            df[u] = dc_u * c_prev_n[u]
            dc_n[u] = dc_u
        for u in range(U):
            dg[u] = dc_n[u] * i_n[u]
            dc_n[u] *= f_n[u]
        multiply_by_slope(rec, i_n, di)
        multiply_by_slope(rec, f_n, df)
        multiply_by_slope(act, g_n, dg)
        multiply_by_slope(rec, o_n, do)


# ---- the same with tanh or relu, and sigmoid ----
# The loops over time stand here again: each kernel is compiled when it is first used, and few programs need both.


@njit
def _usual_lstm_forward(first, stop, times, xW, R, b, i, f, g, o, c, tanh_c, h, relu, mask, drop):
    U, rows = h.shape[2], slice(first, stop)
    z, room = np.empty((stop - first, 4 * U), h.dtype), room_for(stop - first, h, drop)
    for t in range(len(i)):
        add_bias(xW[t % len(xW), rows], b, z)
        add_product(times, h[t, rows], first, drop, R, z, room)  # z = x W + b + h_prev R
        for n in range(first, stop):
            z_n, i_n, f_n, g_n, o_n = z[n - first], i[t, n], f[t, n], g[t, n], o[t, n]
            c_prev_n, c_n, tanh_c_n, h_n = c[t, n], c[t + 1, n], tanh_c[t, n], h[t + 1, n]
            z_i, z_f, z_g, z_o = z_n[:U], z_n[U : 2 * U], z_n[2 * U : 3 * U], z_n[3 * U :]
            for u in range(U):
                i_u, f_u, g_u = sigmoid32(z_i[u]), sigmoid32(z_f[u]), tanh_or_relu(z_g[u], relu)
                i_n[u], f_n[u], g_n[u], c_n[u] = i_u, f_u, g_u, f_u * c_prev_n[u] + i_u * g_u
            for u in range(U):
                o_u, tanh_c_u = sigmoid32(z_o[u]), tanh_or_relu(c_n[u], relu)
                o_n[u], tanh_c_n[u], h_n[u] = o_u, tanh_c_u, o_u * tanh_c_u
        if mask is not None:
            stay(first, stop, c[t], c[t + 1], mask[t])
            stay(first, stop, h[t], h[t + 1], mask[t])


@njit
def _usual_lstm_backward(
    first, stop, times, dy, dh_T, dc_T, R_T, i, f, g, o, c, tanh_c, dz, dz_sum, dh0, dc0, relu, mask, drop
):
    U, rows = i.shape[2], slice(first, stop)
    dz_sum[rows] = 0
    dh, dc = dh0[rows], dc0[rows]  # turned from the last states' into the first ones'
    room = room_for(stop - first, dh, drop)
    if mask is not None:
        past_h, past_c = np.empty_like(dh), np.empty_like(dc)
    copy(dh_T[rows], dh)
    copy(dc_T[rows], dc)
    for t in range(len(dz) - 1, -1, -1):
        if len(dy) > 0:
            add(dy[t, rows], dh)
        if mask is not None:
            set_aside(first, dh, past_h, mask[t])
            set_aside(first, dc, past_c, mask[t])
        for n in range(first, stop):
            i_n, f_n, g_n, o_n, c_prev_n, tanh_c_n = i[t, n], f[t, n], g[t, n], o[t, n], c[t, n], tanh_c[t, n]
            dh_n, dc_n, dz_n = dh0[n], dc0[n], dz[t, n]
            dz_i, dz_f, dz_g, dz_o = dz_n[:U], dz_n[U : 2 * U], dz_n[2 * U : 3 * U], dz_n[3 * U :]
            for u in range(U):
                i_u, f_u, g_u, o_u, tanh_c_u = i_n[u], f_n[u], g_n[u], o_n[u], tanh_c_n[u]
                dh_u = dh_n[u]
                dc_u = dc_n[u] + through_tanh_or_relu(dh_u * o_u, tanh_c_u, relu)  # h = o * tanh(c)
                dz_o[u] = dh_u * tanh_c_u * (o_u * (_ONE - o_u))
                dz_i[u] = dc_u * g_u * (i_u * (_ONE - i_u))  # c = f * c_prev + i * g
                dz_f[u] = dc_u * c_prev_n[u] * (f_u * (_ONE - f_u))
                dz_g[u] = through_tanh_or_relu(dc_u * i_u, g_u, relu)
                dc_n[u] = dc_u * f_u
        add(dz[t, rows], dz_sum[rows])
        product_adjoint(times, dz[t, rows], first, drop, R_T, dh, room)  # z = x W + h_prev R + b
        if mask is not None:
            add(past_h, dh)
            add(past_c, dc)
