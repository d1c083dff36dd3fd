"""Long short-term memory.

    [z_i, z_f, z_g, z_o] = x_t W + h_(t-1) R + b

    i = r(z_i)    f = r(z_f)    g = a(z_g)    o = r(z_o)        input, forget, candidate and output gate
    c_t = f * c_(t-1) + i * g
    h_t = o * a(c_t)

r is the recurrent activation (sigmoid), a the activation (tanh). The cell c passes from step to step through a product
with f and a sum, not through a matrix and a squashing function, so that its gradient need not vanish (Hochreiter and
Schmidhuber, "Long short-term memory", 1997; the forget gate: Gers, Schmidhuber and Cummins 2000; W and R as in Greff
et al., "LSTM: a search space odyssey", 2017). Backwards through time, d v = dL/dv:

    dh_t  = dy_t + dz_(t+1) R^T
    do    = dh_t * a(c_t)                         dz_o = do * r'(z_o)
    dc_t  = dh_t * o * a'(c_t) + f_(t+1) * dc_(t+1)
    di    = dc_t * g                              dz_i = di * r'(z_i)
    df    = dc_t * c_(t-1)                        dz_f = df * r'(z_f)
    dg    = dc_t * i                              dz_g = dg * a'(z_g)
    dW = sum over t of x_t^T dz_t    dR = sum of h_(t-1)^T dz_t    db = sum of dz_t    dx_t = dz_t W^T
"""

from typing import NamedTuple

import numpy as np

from scratchnet import activations, kernels
from scratchnet.kernels.with_numpy import recurrent as numpy_kernels
from scratchnet.layers.rnn.recurrent import Recurrent, initial
from scratchnet.registry import register

# Activations that the kernels of every backend know; the NumPy kernels take any.
_KERNEL_ACTIVATIONS = (activations.tanh, activations.relu, activations.linear)
_KERNEL_RECURRENT_ACTIVATIONS = (activations.sigmoid, activations.hard_sigmoid)


class LSTMCache(NamedTuple):
    """Steps are in the order of processing; h[0] and c[0] are the initial states, h[t + 1], c[t + 1] follow step t."""

    x: np.ndarray  # (T, N, D + 1), x and ones; (1, N, D + 1) if every step had the same
    h: np.ndarray  # (T + 1, N, U)
    c: np.ndarray  # (T + 1, N, U)
    i: np.ndarray  # (T, N, U), a view of `gates`, as are f, g and o
    f: np.ndarray
    g: np.ndarray
    o: np.ndarray
    gates: np.ndarray  # (T, N, 4U)
    a: np.ndarray  # (T, N, U), activation(c)
    z: np.ndarray | None  # (T, N, 4U), only for activations whose derivative needs it
    has_initial_state: bool


@register("layers")
class LSTM(Recurrent):
    """A recurrent layer with a gated memory cell.

    Args:
        units: U, the size of the states h and c.
        activation: a, of the candidate and the cell's output; name or Activation, None is linear.
        recurrent_activation: r, of the three gates.
        use_bias: whether there is a bias b.
        kernel_initializer, recurrent_initializer, bias_initializer: of W = ``kernel`` (D, 4U), R = ``recurrent_kernel``
            (U, 4U) and b = ``bias`` (4U,), each in the order i, f, g, o.
        unit_forget_bias: whether the bias of f starts at one: a new layer remembers (Jozefowicz et al. 2015).
        return_sequences: whether to return the states h of all steps or only the last.
        return_state: whether to return ``[y, h, c]``, the last states beside the output.
        go_backwards: whether to process the last step first; a returned sequence is in the order of processing.

    Shapes: x (N, T, D), or [x, h0, c0] with the initial states (N, U) -> (N, U), or (N, T, U) with `return_sequences`.
    ``lstm(x, initial_state=[h0, c0])`` says the same as ``lstm([x, h0, c0])``.

    Raises:
        ValueError: if `units` is not a positive integer, or an input or state has another shape than these.
    """

    state_names = ("h", "c")
    num_gates = 4
    harmless = ("use_cudnn",)

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        unit_forget_bias=True,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        **kwargs,
    ):
        super().__init__(
            units,
            activation,
            use_bias,
            kernel_initializer,
            recurrent_initializer,
            bias_initializer,
            return_sequences,
            return_state,
            go_backwards,
            **kwargs,
        )
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = bool(unit_forget_bias)
        known = self.activation in _KERNEL_ACTIVATIONS and self.recurrent_activation in _KERNEL_RECURRENT_ACTIVATIONS
        self._kernels = kernels if known else numpy_kernels

    def build(self, input_shape):
        super().build(input_shape)
        if self.use_bias and self.unit_forget_bias:
            self.params["bias"][self.units : 2 * self.units] = 1

    def forward(self, x, training=False):
        """Return ``(y, cache)``, or ``([y, h, c], cache)`` with `return_state`; `x` may be ``[x, h0, c0]``."""
        x, T, (h0, c0) = self.start(x)
        N, U, dtype = x.shape[1], self.units, x.dtype
        R = self.params["recurrent_kernel"]
        act, rec = self.activation, self.recurrent_activation
        xW = self.project(x)  # (T, N, 4U)
        gates = xW if len(xW) == T else np.empty((T, N, 4 * U), dtype)  # a step's xW is not needed after its gates
        h = initial(h0, T, (N, U), dtype)  # (T + 1, N, U)
        c = initial(c0, T, (N, U), dtype)
        a = np.empty((T, N, U), dtype)
        z = np.empty((T, N, 4 * U), dtype) if "z" in (act.keeps, rec.keeps) else None
        self._kernels.lstm_forward(xW, R, h, c, gates, a, z, act, rec)
        i, f, g, o = np.split(gates, 4, axis=-1)  # (T, N, U)
        cache = LSTMCache(x, h, c, i, f, g, o, gates, a, z, h0 is not None)
        return self.finish([h, c]), cache

    def backward(self, dy, cache, needs_dx=True):
        """Return ``(dx, grads)``; dx is ``[dx, dh0, dc0]`` if forward was given initial states.

        With `return_state`, dy is ``[dy, dh, dc]``, each of which may be None for zeros.
        """
        x, h, c, gates, a, z = cache.x, cache.h, cache.c, cache.gates, cache.a, cache.z
        T, N, U = a.shape
        R = self.params["recurrent_kernel"]
        dy, (dh, dc) = self.split_dy(dy, (N, U), h.dtype)
        dz = np.empty((T, N, 4 * U), h.dtype)
        self._kernels.lstm_backward(dy, dh, dc, R, c, gates, a, z, dz, self.activation, self.recurrent_activation)
        dx, grads = self.gradients(x, h, dz, needs_dx)
        return ([dx, dh, dc] if cache.has_initial_state and needs_dx else dx), grads
