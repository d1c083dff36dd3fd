"""Recurrent layers: every gate at every step, and what comes back to each.

The layer's cache has the gates. What each h and c receives from later steps exists only within the kernels, while they
go back through time. So the way back is gone once more, step by step, with the same equations (see `loops.recurrent`,
which is the definition), and every adjoint is kept. That the sums of this replay are the layer's own gradients is shown
in the page, and tested.
"""

import numpy as np

from scratchnet.explain.views.base import Line, View
from scratchnet.kernels import dropped
from scratchnet.kernels.loops import gru, recurrent
from scratchnet.layers.rnn.gru import GRU, gru_gradients
from scratchnet.layers.rnn.lstm import LSTM
from scratchnet.layers.rnn.simple_rnn import SimpleRNN


def _project(layer, call):
    """``x_t W + h_(t-1) R + b`` at all steps: z, which compiled kernels do not keep, computed once more."""
    cache, W, R = call.cache, layer.params["kernel"], layer.params["recurrent_kernel"]
    x = cache.x if cache.x_drop is None else None
    xW = x @ W if x is not None else np.stack([dropped.product(x_t[None], cache.x_drop, W)[0] for x_t in cache.x])
    T = len(cache.h) - 1
    return np.broadcast_to(xW, (T, *xW.shape[1:])), [_times(h, R, cache.h_drop) for h in cache.h[:-1]]


def _times(h, R, drop):
    return (
        h @ R
        if drop is None
        else np.concatenate([(h * m) @ part for m, part in zip(drop, np.split(R, len(drop), axis=1))], axis=1)
    )


def _times_adjoint(dz, R, drop):
    if drop is None:
        return dz @ R.T
    gates = zip(np.split(dz, len(drop), axis=1), drop, np.split(R, len(drop), axis=1))
    return sum((dz_g @ R_g.T) * m for dz_g, m, R_g in gates)


def _start(layer, call):
    """What every step hands over as output, (T, N, U), and what the last states receive besides."""
    dy, last = layer.unpack_dy(call.dy, call.cache.mask, call.cache.h)
    return (np.zeros_like(call.cache.h[1:]) if dy is None else dy), list(last)


def _counts(cache, t):
    """(N, 1): for which samples step t counts."""
    return np.ones((cache.h.shape[1], 1), bool) if cache.mask is None else cache.mask[t][:, None]


def _batch_first(values):
    return {name: np.swapaxes(np.asarray(a), 0, 1) for name, a in values.items() if a is not None}


def _dx(layer, dz):
    return dz @ layer.params["kernel"].T


# ---- LSTM ----


def lstm_inside(layer, call):
    """i, f, g, o, c, h, z and, behind a pass back, the adjoint of each; dx is that of each step by itself."""
    cache, R, U = call.cache, layer.params["recurrent_kernel"], layer.units
    xW, hR = _project(layer, call)
    b = layer.params.get("bias", 0)
    z = cache.z if cache.z is not None else np.stack([a + r + b for a, r in zip(xW, hR)])
    found = {"i": cache.i, "f": cache.f, "g": cache.g, "o": cache.o, "c": cache.c, "h": cache.h}
    found |= {"tanh_c": cache.tanh_c, "z": z}
    if call.dy is None:
        return _batch_first(found)
    act, rec = layer.activation, layer.recurrent_activation
    dy, (dh_next, dc_next) = _start(layer, call)
    T = len(cache.i)
    names = ("dh", "dc", "di", "df", "dg", "do", "dz", "dc_from_h", "dc_from_next")
    steps = {name: [None] * T for name in names}
    for t in reversed(range(T)):
        i, f, g, o, tanh_c = cache.i[t], cache.f[t], cache.g[t], cache.o[t], cache.tanh_c[t]
        counts = _counts(cache, t)
        dh = dh_next + dy[t]  # h_t goes into the next step, and into y
        do = dh * tanh_c  # h = o * tanh(c)
        from_h = act.adjoint(dh * o, cache.c[t + 1], tanh_c)
        dc = from_h + dc_next
        di, df, dg = dc * g, dc * cache.c[t], dc * i  # c = f * c_prev + i * g
        gates = [rec.adjoint(di, z[t, :, :U], i), rec.adjoint(df, z[t, :, U : 2 * U], f)]
        gates += [act.adjoint(dg, z[t, :, 2 * U : 3 * U], g), rec.adjoint(do, z[t, :, 3 * U :], o)]
        dz = np.concatenate(gates, axis=1)
        values = (dh, dc, di, df, dg, do, dz, from_h, dc_next)
        for name, value in zip(names, values):
            steps[name][t] = np.where(counts, value, 0)
        dh_next = np.where(counts, _times_adjoint(dz, R, cache.h_drop), dh)  # z = x W + h_prev R + b
        dc_next = np.where(counts, dc * f, dc_next)
    found |= {name: np.stack(values).astype(z.dtype) for name, values in steps.items()}
    return _batch_first({**found, "dx": _dx(layer, found["dz"])} if cache.x_drop is None else found)


# ---- GRU ----


def gru_inside(layer, call):
    """z, r, g, q, h, s and, behind a pass back, the adjoint of each."""
    cache, R, U = call.cache, layer.params["recurrent_kernel"], layer.units
    found = {"z": cache.z, "r": cache.r, "g": cache.g, "q": cache.q, "h": cache.h, "s": _gru_s(layer, call)}
    if call.dy is None:
        return _batch_first(found)
    act, rec, s = layer.activation, layer.recurrent_activation, found["s"]
    R_zr, R_g = R[:, : 2 * U], R[:, 2 * U :]
    drop_zr, drop_g = (None, None) if cache.h_drop is None else (cache.h_drop[:2], cache.h_drop[2:])
    dy, (dh_next,) = _start(layer, call)
    T = len(cache.z)
    names = ("dh", "dz", "dr", "dg", "dq", "ds")
    steps = {name: [None] * T for name in names}
    for t in reversed(range(T)):
        z, r, g, q, h_prev = cache.z[t], cache.r[t], cache.g[t], cache.q[t], cache.h[t]
        counts = _counts(cache, t)
        dh = dh_next + dy[t]  # h_t goes into the next step, and into y
        dg = dh * (1 - z)  # h = z * h_prev + (1 - z) * g
        dz = dh * (h_prev - g)
        ds_g = act.adjoint(dg, s[t, :, 2 * U :], g)
        if layer.reset_after:
            dq, dr = ds_g * r, ds_g * q  # s_g = x W_g + b_g + r * q
            past = dh * z + _times_adjoint(dq, R_g, drop_g)  # q = h_prev R_g + b_R
        else:
            dq = _times_adjoint(ds_g, R_g, drop_g)  # s_g = x W_g + b_g + q R_g
            dr = dq * h_prev  # q = r * h_prev
            past = dh * z + dq * r
        ds_zr = np.concatenate([rec.adjoint(dz, s[t, :, :U], z), rec.adjoint(dr, s[t, :, U : 2 * U], r)], axis=1)
        values = (dh, dz, dr, dg, dq, np.concatenate([ds_zr, ds_g], axis=1))
        for name, value in zip(names, values):
            steps[name][t] = np.where(counts, value, 0)
        dh_next = np.where(counts, past + _times_adjoint(ds_zr, R_zr, drop_zr), dh)
    found |= {name: np.stack(values).astype(s.dtype) for name, values in steps.items()}
    return _batch_first({**found, "dx": _dx(layer, found["ds"])} if cache.x_drop is None else found)


def _gru_s(layer, call):
    """The pre-activations of z, r and g."""
    cache, U = call.cache, layer.units
    if cache.s is not None:
        return cache.s
    bias = layer.params.get("bias", np.zeros(layer.bias_shape, cache.h.dtype))
    b, c = bias if layer.reset_after else (bias, np.zeros_like(bias))
    xW, hR = _project(layer, call)
    s = np.stack([a + b + r + c for a, r in zip(xW, hR)])
    R_g = layer.params["recurrent_kernel"][:, 2 * U :]
    for t in range(len(s)):
        q = cache.q[t]
        from_h = (
            cache.r[t] * q if layer.reset_after else _times(q, R_g, None if cache.h_drop is None else cache.h_drop[2:])
        )
        s[t, :, 2 * U :] = xW[t, :, 2 * U :] + b[2 * U :] + from_h
    return s


# ---- SimpleRNN ----


def simple_rnn_inside(layer, call):
    """z, h and, behind a pass back, dh and dz."""
    cache, R = call.cache, layer.params["recurrent_kernel"]
    xW, hR = _project(layer, call)
    b = layer.params.get("bias", 0)
    z = cache.z if cache.z is not None else np.stack([a + r + b for a, r in zip(xW, hR)])
    found = {"z": z, "h": cache.h}
    if call.dy is None:
        return _batch_first(found)
    dy, (dh_next,) = _start(layer, call)
    T = len(z)
    steps = {"dh": [None] * T, "dz": [None] * T}
    for t in reversed(range(T)):
        counts = _counts(cache, t)
        dh = dh_next + dy[t]  # h_t goes into the next step, and into y
        dz = layer.activation.adjoint(dh, z[t], cache.h[t + 1])  # h = f(z)
        for name, value in (("dh", dh), ("dz", dz)):
            steps[name][t] = np.where(counts, value, 0)
        dh_next = np.where(counts, _times_adjoint(dz, R, cache.h_drop), dh)  # z = x W + h_prev R + b
    found |= {name: np.stack(values).astype(z.dtype) for name, values in steps.items()}
    return _batch_first({**found, "dx": _dx(layer, found["dz"])} if cache.x_drop is None else found)


def replayed_grads(layer, call):
    """The gradients of the weights and dx of the replay, by name: those of the layer itself, if all is right."""
    cache, inside = call.cache, call.inside
    dz = np.swapaxes(inside["ds" if "ds" in inside else "dz"], 0, 1)
    if isinstance(layer, GRU):
        dx, grads = gru_gradients(layer, cache, dz, np.swapaxes(inside["dq"], 0, 1), True)
    else:
        dx, grads = layer.gradients(cache.x, cache.h, dz, dz, True, cache.x_drop, cache.h_drop)
    return {**grads, "x": dx}


def _options(layer, call):
    return {"units": layer.units, "backwards": layer.go_backwards, "activation": layer.activation.name}


_L, _G = recurrent, gru

LSTM_VIEW = View(
    "rnn-lstm",
    lstm_inside,
    (
        Line("z", "z_t = x_t W + h_{t-1} R + b", _L.lstm_forward, "z[t, n, k] = xW[t, n, k] + hR[n, k] + b[k]"),
        Line("i", "i_t = rec ( z_i )", _L.lstm_forward, "i[t, n] = apply(rec, z[t, n, :U])"),
        Line("f", "f_t = rec ( z_f )", _L.lstm_forward, "f[t, n] = apply(rec, z[t, n, U : 2 * U])"),
        Line("g", "g_t = act ( z_g )", _L.lstm_forward, "g[t, n] = apply(act, z[t, n, 2 * U : 3 * U])"),
        Line("o", "o_t = rec ( z_o )", _L.lstm_forward, "o[t, n] = apply(rec, z[t, n, 3 * U :])"),
        Line("c", "c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t", _L.lstm_forward, "c[t + 1, n, u] = f[t, n, u] * c[t, n, u]"),
        Line("h", "h_t = o_t ⊙ act ( c_t )", _L.lstm_forward, "h[t + 1, n, u] = o[t, n, u] * tanh_c[t, n, u]"),
    ),
    (
        Line("dh", "dh_t = dy_t + dz_{t+1} R^T", _L.lstm_backward, "dh_t = dh if dy is None else dh + dy[t]"),
        Line("do", "do_t = dh_t ⊙ act ( c_t )", _L.lstm_backward, "do[u] = dh_t[n, u] * tanh_c[t, n, u]"),
        Line(
            "dc",
            "dc_t = dh_t ⊙ o_t ⊙ act' ( c_t ) + f_{t+1} ⊙ dc_{t+1}",
            _L.lstm_backward,
            "dc_n = dc_t[n] + adjoint(act, d_tanh_c, c[t + 1, n], tanh_c[t, n])",
        ),
        Line("di", "di_t = dc_t ⊙ g_t", _L.lstm_backward, "di[u] = dc_n[u] * g[t, n, u]"),
        Line("df", "df_t = dc_t ⊙ c_{t-1}", _L.lstm_backward, "df[u] = dc_n[u] * c[t, n, u]"),
        Line("dg", "dg_t = dc_t ⊙ i_t", _L.lstm_backward, "dg[u] = dc_n[u] * i[t, n, u]"),
        Line("dz", "dz_f = df_t ⊙ rec' ( z_f )", _L.lstm_backward, "dz_n[U : 2 * U] = adjoint(rec, df,"),
        Line("dkernel", "dW = sum_t x_t^T dz_t", LSTM.gradients, "dW = kernels.matmul(x.reshape("),
    ),
    _options,
    replayed_grads,
)
GRU_VIEW = View(
    "rnn-gru",
    gru_inside,
    (
        Line("s", "s_t = x_t W + b + h_{t-1} R", _G.gru_forward, "s[t, n, k] = xW[t, n, k] + b[k] + hR[n, k]"),
        Line("z", "z_t = rec ( s_z )", _G.gru_forward, "z[t, n] = apply(rec, s[t, n, :U])"),
        Line("r", "r_t = rec ( s_r )", _G.gru_forward, "r[t, n] = apply(rec, s[t, n, U : 2 * U])"),
        Line("g", "g_t = act ( x_t W_g + b_g + r_t ⊙ q_t )", _G.gru_forward, "g[t, n] = apply(act, s[t, n, 2 * U :])"),
        Line(
            "h", "h_t = z_t ⊙ h_{t-1} + ( 1 - z_t ) ⊙ g_t", _G.gru_forward, "h[t + 1, n, u] = z[t, n, u] * h[t, n, u]"
        ),
    ),
    (
        Line(
            "dh",
            "dh_t = dy_t + z_{t+1} ⊙ dh_{t+1} + [ ds_z , ds_r , dq ]_{t+1} R^T",
            _G.gru_backward,
            "dh_t = dh if dy is None else dh + dy[t]",
        ),
        Line("dg", "dg_t = dh_t ⊙ ( 1 - z_t )", _G.gru_backward, "dg[u] = dh_t[n, u] * (1 - z[t, n, u])"),
        Line(
            "dz", "dz_t = dh_t ⊙ ( h_{t-1} - g_t )", _G.gru_backward, "dz[u] = dh_t[n, u] * (h[t, n, u] - g[t, n, u])"
        ),
        Line(
            "dq",
            "dq_t = ds_g ⊙ r_t",
            _G.gru_backward,
            "dq[t, n, u] = ds[t, n, 2 * U + u] * r[t, n, u]",
            lambda layer: layer.reset_after,
        ),
        Line(
            "dr",
            "dr_t = ds_g ⊙ q_t",
            _G.gru_backward,
            "dr[u] = ds[t, n, 2 * U + u] * q[t, n, u]",
            lambda layer: layer.reset_after,
        ),
        Line(
            "dq",
            "dq_t = ds_g R_g^T",
            _G.gru_backward,
            "dq[t] = adjoint_of_product(ds[t, :, 2 * U :], drop_g, R_g)",
            lambda layer: not layer.reset_after,
        ),
        Line(
            "dr",
            "dr_t = dq_t ⊙ h_{t-1}",
            _G.gru_backward,
            "dr[u] = dq[t, n, u] * h[t, n, u]",
            lambda layer: not layer.reset_after,
        ),
        Line("ds", "ds_r = dr_t ⊙ rec' ( s_r )", _G.gru_backward, "ds[t, n, U : 2 * U] = adjoint(rec, dr,"),
        Line("dkernel", "dW = sum_t x_t^T ds_t", GRU.gradients, "dW = kernels.matmul(x.reshape("),
    ),
    _options,
    replayed_grads,
)
SIMPLE_RNN_VIEW = View(
    "rnn-simple",
    simple_rnn_inside,
    (
        Line("z", "z_t = x_t W + h_{t-1} R + b", _L.simple_rnn_forward, "z[t, n, u] = xW[t, n, u] + hR[n, u] + b[u]"),
        Line("h", "h_t = act ( z_t )", _L.simple_rnn_forward, "h[t + 1, n] = apply(act, z[t, n])"),
    ),
    (
        Line("dh", "dh_t = dy_t + dz_{t+1} R^T", _L.simple_rnn_backward, "dh_t = dh if dy is None else dh + dy[t]"),
        Line("dz", "dz_t = dh_t ⊙ act' ( z_t )", _L.simple_rnn_backward, "dz[t, n] = adjoint(act, dh_t[n], z[t, n]"),
        Line("dkernel", "dW = sum_t x_t^T dz_t", SimpleRNN.gradients, "dW = kernels.matmul(x.reshape("),
    ),
    _options,
    replayed_grads,
)

RECURRENT = {LSTM: LSTM_VIEW, GRU: GRU_VIEW, SimpleRNN: SIMPLE_RNN_VIEW}
