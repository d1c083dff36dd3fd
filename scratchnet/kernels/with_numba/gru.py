"""The gated recurrent unit, compiled; `scratchnet.kernels.loops.gru` defines and documents it.

The code is built like that in `recurrent`; what is not compiled is left to `scratchnet.kernels.with_numpy`. The product
with R_g is computed apart from the others, because one of the two variants needs r first.
"""

import numpy as np

from scratchnet.kernels.steps import GRUSteps, separate, transposed
from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.dropped_states import (
    add_product,
    as_drop,
    drop_from,
    left_of,
    of_gates,
    product_adjoint,
    room_for,
)
from scratchnet.kernels.with_numba.elementwise import add, copy
from scratchnet.kernels.with_numba.gru_states import states
from scratchnet.kernels.with_numba.matrix_product import matmul_into_by, multiplier
from scratchnet.kernels.with_numba.recurrent import (
    USUAL,
    add_bias,
    as_mask,
    of_all_steps,
    one_for_all,
    or_nothing,
    set_aside,
    stay,
    takes_states_alone,
    through_time,
)
from scratchnet.kernels.with_numba.step_activations import activate, backward_of, forward_of, multiply_by_slope
from scratchnet.kernels.with_numpy import gru as with_numpy


def gru_forward(xW, R, b, b_R, h0, act, rec, reset_after, mask=None, drop=None):
    functions = forward_of(xW.dtype, act, rec)
    if functions is None:
        return with_numpy.gru_forward(xW, R, b, b_R, h0, act, rec, reset_after, mask, drop)
    (T, N, _), U = xW.shape, len(R)
    z, r, g, q = separate(4, (T, N, U), xW.dtype)
    h = np.empty((T + 1, N, U), xW.dtype)
    h[0] = h0
    R_zr, R_g = _by_gate(R[:, : 2 * U], drop), np.ascontiguousarray(R[:, 2 * U :])
    b_g = np.zeros(U, xW.dtype)  # what is added to q
    if reset_after:
        b, b_g = np.concatenate([b[: 2 * U] + b_R[: 2 * U], b[2 * U :]]), plain(b_R[2 * U :])
    known = one_for_all(xW), R_zr, R_g, plain(b), b_g
    how = *functions, bool(reset_after), as_mask(mask), *_drops(drop, h[0])
    through_time(_gru_forward, T, N, R, multiplier(h.dtype), *known, z, r, g, q, h, *how)
    return GRUSteps(None, z, r, g, q, h)


def gru_states(x, W, R, b, b_R, h0, act, rec, reset_after, T, sequence):
    """h of `gru_forward` of ``x W``, whose last entry is the last state; without `sequence` there may be two entries.

    x is (T, N, D), laid out as it may, or (1, N, D) if it is that of every step.
    """
    if reset_after and takes_states_alone(x, act, rec, T, len(R)):
        return states(x, W, R, b, b_R, h0, T, sequence, USUAL[act.name, rec.name])
    return gru_forward(of_all_steps(x, W, T), R, b, b_R, h0, act, rec, reset_after).h


def gru_backward(dy, dh, R, steps, act, rec, reset_after, mask=None, drop=None):
    functions = backward_of(R.dtype, act, rec)
    if functions is None:
        return with_numpy.gru_backward(dy, dh, R, steps, act, rec, reset_after, mask, drop)
    z, r, g, q, h = steps.z, steps.r, steps.g, steps.q, steps.h
    T, N, U = z.shape
    ds, dq, dh0 = np.empty((T, N, 3 * U), z.dtype), np.empty((T, N, U), z.dtype), np.empty((N, U), z.dtype)
    R_T = transposed(R)
    zr_T, g_T = R_T[: 2 * U].reshape(1 if drop is None else 2, -1, U), R_T[2 * U :]
    known = multiplier(z.dtype), or_nothing(dy, z), plain(dh), zr_T, g_T, z, r, g, q, h
    how = *functions, bool(reset_after), as_mask(mask), *_drops(drop, dh0)
    through_time(_gru_backward, T, N, R, *known, ds, dq, dh0, *how)
    return ds, dq, dh0


def _by_gate(R_zr, drop):
    """R_z and R_r, beside each other or one behind the other: (1, U, 2U) or (2, U, U)."""
    return np.array(of_gates(R_zr, None if drop is None else drop[:2]), order="C")


def _drops(drop, h0):
    """What is dropped for z and r, and for g."""
    drop = as_drop(drop, h0)
    return (None, None) if drop is None else (drop[:2], drop[2:])


@njit
def _gru_forward(
    first, stop, times, xW, R_zr, R_g, b, b_g, z, r, g, q, h, act, rec, reset_after, mask, drop_zr, drop_g
):
    N, U, rows = stop - first, len(R_g), slice(first, stop)
    s, qR, room = np.empty((N, 2 * U), h.dtype), np.empty((N, U), h.dtype), room_for(N, h, drop_zr)
    for t in range(len(z)):
        xW_t, z_t, r_t, g_t, q_t = xW[t % len(xW), rows], z[t, rows], r[t, rows], g[t, rows], q[t, rows]
        h_prev, h_t = h[t, rows], h[t + 1, rows]
        add_bias(xW_t, b, s)  # its first 2U columns
        add_product(times, h_prev, first, drop_zr, R_zr, s, room)
        _gru_gates(s, z_t, r_t, rec)
        if reset_after:
            matmul_into_by(times, left_of(h_prev, first, drop_g, 0, room), R_g, q_t)
            _gru_candidate_after(q_t, b_g, xW_t, b, r_t, s, g_t, act)
        else:
            _multiply(r_t, h_prev, q_t)
            matmul_into_by(times, left_of(q_t, first, drop_g, 0, room), R_g, qR)
            _gru_candidate_before(qR, xW_t, b, s, g_t, act)
        _gru_mix(z_t, g_t, h_prev, h_t)
        if mask is not None:
            stay(first, stop, h[t], h[t + 1], mask[t])


@njit(inline="always")
def _gru_gates(s, z, r, rec):
    N, U = z.shape
    for n in range(N):
        activate(rec, s[n, :U], z[n])
        activate(rec, s[n, U:], r[n])


@njit(inline="always")
def _gru_candidate_after(q, b_g, xW, b, r, s, g, act):
    """s has room for pre-activations: read from where they are written, they would be taken one by one."""
    N, U = r.shape
    for n in range(N):
        q_n, r_n, s_n, xW_g, b_x = q[n], r[n], s[n, :U], xW[n, 2 * U :], b[2 * U :]
        for u in range(U):
            q_n[u] += b_g[u]
        for u in range(U):
            s_n[u] = xW_g[u] + b_x[u]
        for u in range(U):
            s_n[u] += r_n[u] * q_n[u]
        activate(act, s_n, g[n])


@njit(inline="always")
def _gru_candidate_before(qR, xW, b, s, g, act):
    N, U = g.shape
    for n in range(N):
        qR_n, s_n, xW_g, b_x = qR[n], s[n, :U], xW[n, 2 * U :], b[2 * U :]
        for u in range(U):
            s_n[u] = xW_g[u] + b_x[u] + qR_n[u]
        activate(act, s_n, g[n])


@njit(inline="always")
def _gru_mix(z, g, h_prev, h):
    N, U = z.shape
    for n in range(N):
        z_n, g_n, h_prev_n, h_n = z[n], g[n], h_prev[n], h[n]
        for u in range(U):
            h_n[u] = g_n[u] + z_n[u] * (h_prev_n[u] - g_n[u])  # z * h_prev + (1 - z) * g


@njit(inline="always")
def _multiply(x, y, product):
    for n in range(len(x)):
        x_n, y_n, product_n = x[n], y[n], product[n]
        for u in range(x_n.size):
            product_n[u] = x_n[u] * y_n[u]


@njit
def _gru_backward(
    first, stop, times, dy, dh_T, zr_T, g_T, z, r, g, q, h, ds, dq, dh0, act, rec, reset_after, mask, drop_zr, drop_g
):
    N, U, rows = stop - first, g_T.shape[1], slice(first, stop)
    dh, product = dh0[rows], np.empty((N, U), h.dtype)
    if mask is not None:
        past = np.empty_like(dh)
    ds_g, ds_zr, room = np.empty((N, U), h.dtype), np.empty((N, 2 * U), h.dtype), room_for(N, h, drop_zr)
    copy(dh_T[rows], dh)  # turned from the last state's into the first one's
    for t in range(len(z) - 1, -1, -1):
        z_t, r_t, g_t, q_t, h_prev, dq_t = z[t, rows], r[t, rows], g[t, rows], q[t, rows], h[t, rows], dq[t, rows]
        if len(dy) > 0:
            add(dy[t, rows], dh)
        if mask is not None:
            set_aside(first, dh, past, mask[t])
        _gru_mix_backward(dh, z_t, g_t, h_prev, ds_zr, ds_g, act)  # dh becomes the part through z h_prev
        if reset_after:
            _gru_candidate_after_backward(ds_g, q_t, r_t, dq_t, ds_zr)
            matmul_into_by(times, dq_t, g_T, product)
            if drop_g is not None:
                drop_from(product, first, drop_g, 0, product)
        else:
            matmul_into_by(times, ds_g, g_T, dq_t)
            if drop_g is not None:
                drop_from(dq_t, first, drop_g, 0, dq_t)
            _gru_candidate_before_backward(dq_t, h_prev, r_t, product, ds_zr)
        add(product, dh)
        for n in range(N):
            multiply_by_slope(rec, z_t[n], ds_zr[n, :U])
            multiply_by_slope(rec, r_t[n], ds_zr[n, U:])
        _join(ds_zr, ds_g, ds[t, rows])
        product_adjoint(times, ds_zr, first, drop_zr, zr_T, product, room)
        add(product, dh)
        if mask is not None:
            add(past, dh)


@njit(inner=True)
def _join(ds_zr, ds_g, ds):
    for n in range(len(ds)):
        ds_zr_n, ds_g_n, ds_n = ds_zr[n], ds_g[n], ds[n]
        for u in range(ds_zr_n.size):
            ds_n[u] = ds_zr_n[u]
        for u in range(ds_g_n.size):
            ds_n[ds_zr_n.size + u] = ds_g_n[u]


@njit(inline="always")
def _gru_mix_backward(dh, z, g, h_prev, dz, ds_g, act):
    """dz is the left half of its array (N, 2U)."""
    N, U = z.shape
    for n in range(N):
        dh_n, z_n, g_n, h_prev_n, dz_n, ds_g_n = dh[n], z[n], g[n], h_prev[n], dz[n], ds_g[n]
        for u in range(U):
            dz_n[u] = dh_n[u] * (h_prev_n[u] - g_n[u])  # h = z * h_prev + (1 - z) * g
        for u in range(U):
            ds_g_n[u] = dh_n[u] * (1 - z_n[u])
        for u in range(U):
            dh_n[u] *= z_n[u]
        multiply_by_slope(act, g_n, ds_g_n)


@njit(inline="always")
def _gru_candidate_after_backward(ds_g, q, r, dq, ds_zr):
    N, U = r.shape
    for n in range(N):
        ds_g_n, q_n, r_n, dq_n, dr_n = ds_g[n], q[n], r[n], dq[n], ds_zr[n, U:]
        for u in range(U):
            dr_n[u] = ds_g_n[u] * q_n[u]  # s_g = x W_g + b_g + r * q
        for u in range(U):
            dq_n[u] = ds_g_n[u] * r_n[u]


@njit(inline="always")
def _gru_candidate_before_backward(dq, h_prev, r, dh, ds_zr):
    N, U = r.shape
    for n in range(N):
        dq_n, h_prev_n, r_n, dh_n, dr_n = dq[n], h_prev[n], r[n], dh[n], ds_zr[n, U:]
        for u in range(U):
            dr_n[u] = dq_n[u] * h_prev_n[u]  # q = r * h_prev
        for u in range(U):
            dh_n[u] = dq_n[u] * r_n[u]
