"""The LSTM of images: its gates are maps, at every step; and what comes back to each.

As of the other recurrent layers (`scratchnet.explain.views.recurrent`), the way back is gone once more, step by step.
"""

import numpy as np

from scratchnet.explain.views.base import Line, View
from scratchnet.kernels.loops import lstm_step
from scratchnet.layers import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from scratchnet.layers.rnn.conv_lstm import ConvLSTM


def conv_lstm_inside(layer, call):
    """i, f, g, o, c, h, z and, behind a pass back, the adjoint of each; dx is the layer's."""
    steps = call.cache.steps
    found = {name: np.stack([getattr(step, name) for step in steps]) for name in ("z", "i", "f", "g", "o", "tanh_c")}
    found |= {"c": np.stack(call.cache.c), "h": call.cache.h}
    if call.dy is not None and layer.data_format == "channels_last":
        found |= _steps_back(layer, call)
    return {name: np.swapaxes(a, 0, 1) for name, a in found.items()}


def _steps_back(layer, call):
    cache, act, rec = call.cache, layer.activation, layer.recurrent_activation
    dy, (dh_next, dc_next) = layer.unpack_dy(call.dy, cache.mask, cache.h)
    names = ("dh", "dc", "di", "df", "dg", "do", "dz")
    T = len(cache.steps)
    steps = {name: [None] * T for name in names}
    for t in reversed(range(T)):
        z, i, f, g, o, c_prev, c, tanh_c, _ = cache.steps[t]
        z_i, z_f, z_g, z_o = np.split(z, 4, axis=-1)
        dh = dh_next if dy is None else dh_next + dy[t]  # h_t goes into the next step, and into y
        do = dh * tanh_c  # h = o * tanh(c)
        dc = act.adjoint(dh * o, c, tanh_c) + dc_next
        di, df, dg = dc * g, dc * c_prev, dc * i  # c = f * c_prev + i * g
        gates = [rec.adjoint(di, z_i, i), rec.adjoint(df, z_f, f), act.adjoint(dg, z_g, g), rec.adjoint(do, z_o, o)]
        counts = True if cache.mask is None else cache.mask[t].reshape(-1, *[1] * (dh.ndim - 1))
        for name, value in zip(names, (dh, dc, di, df, dg, do, np.concatenate(gates, axis=-1))):
            steps[name][t] = np.where(counts, value, 0)
        dh_next = np.where(counts, layer.adjoint_of_h(steps["dz"][t], cache), dh)  # z = x * W + h_prev * R + b
        dc_next = np.where(counts, dc * f, dc_next)
    return {name: np.stack(values).astype(cache.h.dtype) for name, values in steps.items()}


def replayed_grads(layer, call):
    """The gradients of the weights and dx of the replay, by name; nothing where there was none."""
    if "dz" not in call.inside:
        return {}
    dx, grads = layer.gradients(call.cache, np.swapaxes(call.inside["dz"], 0, 1))
    return {**grads, "x": dx}


def _options(layer, call):
    of_x, of_h = layer.geometries(call.cache.x.shape[2:-1])
    names = ("strides", "padding", "dilation")
    found = {
        side: {name: [int(np.ravel(v)[0]) for v in values] for name, values in zip(names, geometry)}
        for side, geometry in (("of_x", of_x), ("of_h", of_h))
    }
    kept = call.cache.x_drop is None and call.cache.h_drop is None
    return {**found, "activation": layer.activation.name, "backwards": layer.go_backwards, "plain": kept}


_FORWARD, _BACKWARD = ConvLSTM._forward_steps, ConvLSTM._backward_steps
_STEP, _STEP_BACK = lstm_step.lstm_step_forward, lstm_step.lstm_step_backward
_FORWARD_LINES = (
    Line("z", "z_t = x_t * W + h_{t-1} * R + b", _FORWARD, "z[t] += _product(h[t : t + 1], h_drop, R, of_h)[0]"),
    Line("i", "i_t = rec ( z_i )", _STEP, "i[n], f[n], g[n], o[n] = apply(rec, z_i)"),
    Line("f", "f_t = rec ( z_f )", _STEP, "apply(rec, z_f)"),
    Line("g", "g_t = act ( z_g )", _STEP, "apply(act, z_g)"),
    Line("o", "o_t = rec ( z_o )", _STEP, "apply(rec, z_o)"),
    Line("c", "c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t", _STEP, "c[n][u] = f[n][u] * c_prev[n][u] + i[n][u] * g[n][u]"),
    Line("h", "h_t = o_t ⊙ act ( c_t )", _STEP, "h[n][u] = o[n][u] * tanh_c[n][u]"),
)
_BACKWARD_LINES = (
    Line("dh", "dh_t = dy_t + dz_{t+1} * R^T", _BACKWARD, "dh_t = dh if dy is None else dh + dy[t]"),
    Line("do", "do_t = dh_t ⊙ act ( c_t )", _STEP_BACK, "do, d_tanh_c = dh[n] * tanh_c[n]"),
    Line(
        "dc",
        "dc_t = dh_t ⊙ o_t ⊙ act' ( c_t ) + f_{t+1} ⊙ dc_{t+1}",
        _STEP_BACK,
        "dc_n = dc[n] + adjoint(act, d_tanh_c, c[n], tanh_c[n])",
    ),
    Line("di", "di_t = dc_t ⊙ g_t , df_t = dc_t ⊙ c_{t-1} , dg_t = dc_t ⊙ i_t", _STEP_BACK, "di, df, dg = dc_n * g[n]"),
    Line("dz", "dz_f = df_t ⊙ rec' ( z_f )", _STEP_BACK, "adjoint(rec, df, z_f, f[n])"),
    Line("dkernel", "dW = sum_t x_t * dz_t", ConvLSTM.gradients, "dW, db = _adjoints_of_weights("),
)

CONV_LSTM = dict.fromkeys(
    (ConvLSTM1D, ConvLSTM2D, ConvLSTM3D),
    View("rnn-conv", conv_lstm_inside, _FORWARD_LINES, _BACKWARD_LINES, _options, replayed_grads),
)
