"""The gated recurrent unit, as its equations define it; the arguments are those of `loops.recurrent`."""

import numpy as np

from scratchnet.kernels.loops.recurrent import adjoint, adjoint_of_product, apply, product
from scratchnet.kernels.steps import GRUSteps


def gru_forward(xW, R, b, b_R, h0, act, rec, reset_after, mask=None, drop=None):
    """The pre-activations s, the gates z and r, the candidate g and the state h, step by step.

    xW (T, N, 3U), R (U, 3U), b (3U,) and, with `reset_after`, b_R (3U,), h0 (N, U) -> `GRUSteps`.
    """
    (T, N, _), U, dtype = xW.shape, len(R), xW.dtype
    s = np.zeros((T, N, 3 * U), dtype)
    z, r, g, q = np.zeros((4, T, N, U), dtype)
    h = np.empty((T + 1, N, U), dtype)
    h[0] = h0
    for t in range(T):
        hR = product(h[t], drop, R)  # without `reset_after` only the columns of z and r are used
        for n in range(N):
            for k in range(2 * U):
                s[t, n, k] = xW[t, n, k] + b[k] + hR[n, k] + (b_R[k] if reset_after else 0)
            z[t, n] = apply(rec, s[t, n, :U])
            r[t, n] = apply(rec, s[t, n, U : 2 * U])
            for u in range(U):
                q[t, n, u] = hR[n, 2 * U + u] + b_R[2 * U + u] if reset_after else r[t, n, u] * h[t, n, u]
        if not reset_after:
            qR = product(q[t], None if drop is None else drop[2:], R[:, 2 * U :])
        for n in range(N):
            if mask is not None and not mask[t, n]:
                h[t + 1, n] = h[t, n]
                continue
            for u in range(U):
                s[t, n, 2 * U + u] = xW[t, n, 2 * U + u] + b[2 * U + u]
                s[t, n, 2 * U + u] += r[t, n, u] * q[t, n, u] if reset_after else qR[n, u]
            g[t, n] = apply(act, s[t, n, 2 * U :])
            for u in range(U):
                h[t + 1, n, u] = z[t, n, u] * h[t, n, u] + (1 - z[t, n, u]) * g[t, n, u]
    return GRUSteps(s, z, r, g, q, h)


def gru_backward(dy, dh, R, steps, act, rec, reset_after, mask=None, drop=None):
    """The adjoint of `gru_forward`: ``ds, dq, dh0``.

    dy (T, N, U), or None for zeros, is what each h_t receives as the layer's output; dh (N, U) what the last one
    receives besides -> ds (T, N, 3U), dq (T, N, U), dh0 (N, U).
    """
    s, z, r, g, q, h = steps.s, steps.z, steps.r, steps.g, steps.q, steps.h
    T, N, U = z.shape
    R_zr, R_g = R[:, : 2 * U], R[:, 2 * U :]
    drop_zr, drop_g = (None, None) if drop is None else (drop[:2], drop[2:])
    ds, dq = np.zeros((T, N, 3 * U), z.dtype), np.zeros((T, N, U), z.dtype)
    dz, dr, dg = np.empty((3, U), z.dtype)
    for t in reversed(range(T)):
        dh_t = dh if dy is None else dh + dy[t]  # h_t goes into the next step, and into y
        dh = np.zeros_like(dh_t)
        for n in range(N):
            if mask is not None and not mask[t, n]:
                dh[n] = dh_t[n]
                continue
            for u in range(U):
                dg[u] = dh_t[n, u] * (1 - z[t, n, u])  # h = z * h_prev + (1 - z) * g
                dh[n, u] = dh_t[n, u] * z[t, n, u]
            ds[t, n, 2 * U :] = adjoint(act, dg, s[t, n, 2 * U :], g[t, n])
            for u in range(U):
                dq[t, n, u] = ds[t, n, 2 * U + u] * r[t, n, u]  # with `reset_after`: s_g = x W_g + b_g + r * q
        if reset_after:
            dh += adjoint_of_product(dq[t], drop_g, R_g)  # q = h_prev R_g + b_R
        else:
            dq[t] = adjoint_of_product(ds[t, :, 2 * U :], drop_g, R_g)  # s_g = x W_g + b_g + q R_g
        for n in range(N):
            if mask is not None and not mask[t, n]:
                continue
            for u in range(U):
                dz[u] = dh_t[n, u] * (h[t, n, u] - g[t, n, u])
                if reset_after:
                    dr[u] = ds[t, n, 2 * U + u] * q[t, n, u]
                else:
                    dr[u] = dq[t, n, u] * h[t, n, u]  # q = r * h_prev
                    dh[n, u] += dq[t, n, u] * r[t, n, u]
            ds[t, n, :U] = adjoint(rec, dz, s[t, n, :U], z[t, n])
            ds[t, n, U : 2 * U] = adjoint(rec, dr, s[t, n, U : 2 * U], r[t, n])
        dh += adjoint_of_product(ds[t, :, : 2 * U], drop_zr, R_zr)
    return ds, dq, dh
