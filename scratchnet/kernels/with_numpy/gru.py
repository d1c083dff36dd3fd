"""The gated recurrent unit, vectorised over the batch, with any activation.

`scratchnet.kernels.loops.gru` defines and documents it; the code is built like that in `recurrent`.
"""

import numpy as np

from scratchnet.kernels import dropped
from scratchnet.kernels.steps import GRUSteps
from scratchnet.kernels.with_numpy.recurrent import divided


def gru_forward(xW, R, b, b_R, h0, act, rec, reset_after, mask=None, drop=None):
    (T, N, _), U = xW.shape, len(R)
    s = xW + b  # (T, N, 3U)
    if reset_after:
        s[..., : 2 * U] += b_R[: 2 * U]
    s_zr, (s_z, s_r, s_g) = s[..., : 2 * U], np.split(s, 3, axis=-1)  # views
    R_zr, R_g = np.ascontiguousarray(R[:, : 2 * U]), np.ascontiguousarray(R[:, 2 * U :])
    drop_zr, drop_g = (None, None) if drop is None else (drop[:2], drop[2:])
    z, r, g, q = np.empty((4, T, N, U), s.dtype)
    h = np.empty((T + 1, N, U), s.dtype)
    h[0] = h0
    for t in range(T):
        s_zr[t] += dropped.product(h[t], drop_zr, R_zr)
        z[t], _ = rec.forward(s_z[t])
        r[t], _ = rec.forward(s_r[t])
        if reset_after:
            q[t] = dropped.product(h[t], drop_g, R_g) + b_R[2 * U :]
            s_g[t] += r[t] * q[t]
        else:
            q[t] = r[t] * h[t]
            s_g[t] += dropped.product(q[t], drop_g, R_g)
        g[t], _ = act.forward(s_g[t])
        h[t + 1] = z[t] * h[t] + (1 - z[t]) * g[t]
        if mask is not None:
            h[t + 1] = np.where(mask[t, :, None], h[t + 1], h[t])
    return GRUSteps(s, z, r, g, q, h)


def gru_backward(dy, dh, R, steps, act, rec, reset_after, mask=None, drop=None):
    s, z, r, g, q, h = steps.s, steps.z, steps.r, steps.g, steps.q, steps.h
    U = len(R)
    s_z, s_r, s_g = np.split(s, 3, axis=-1)  # views (T, N, U)
    ds, dq = np.empty_like(s), np.empty_like(q)
    ds_zr, (ds_z, ds_r, ds_g) = ds[..., : 2 * U], np.split(ds, 3, axis=-1)
    R_zr, R_g = np.ascontiguousarray(R[:, : 2 * U]), np.ascontiguousarray(R[:, 2 * U :])
    drop_zr, drop_g = (None, None) if drop is None else (drop[:2], drop[2:])
    for t in reversed(range(len(ds))):
        dh_t = dh if dy is None else dh + dy[t]  # h_t goes into the next step, and into y
        if mask is not None:
            (past,), (dh_t,) = divided(mask[t], dh_t)
        dz, dg = dh_t * (h[t] - g[t]), dh_t * (1 - z[t])  # h = z * h_prev + (1 - z) * g
        ds_g[t] = act.adjoint(dg, s_g[t], g[t])
        if reset_after:
            dr, dq[t] = ds_g[t] * q[t], ds_g[t] * r[t]  # s_g = x W_g + b_g + r * q
            dh = dropped.adjoint_of_x(dq[t], drop_g, R_g)  # q = h_prev R_g + b_R
        else:
            dq[t] = dropped.adjoint_of_x(ds_g[t], drop_g, R_g)  # s_g = x W_g + b_g + q R_g
            dr, dh = dq[t] * h[t], dq[t] * r[t]  # q = r * h_prev
        ds_z[t] = rec.adjoint(dz, s_z[t], z[t])
        ds_r[t] = rec.adjoint(dr, s_r[t], r[t])
        dh = dh + dropped.adjoint_of_x(ds_zr[t], drop_zr, R_zr) + dh_t * z[t]
        if mask is not None:
            dh = dh + past
    return ds, dq, dh
