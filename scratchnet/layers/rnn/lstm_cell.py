"""One step of the long short-term memory; the equations stand in `scratchnet.layers.rnn.lstm`."""

from typing import NamedTuple

import numpy as np

from scratchnet import activations, kernels
from scratchnet.layers.rnn.cell import Cell
from scratchnet.registry import register


class LSTMCellCache(NamedTuple):
    """As that of `LSTM`, for one step."""

    x: np.ndarray  # (1, N, D)
    z: np.ndarray | None  # (1, N, 4U)
    i: np.ndarray  # (1, N, U)
    f: np.ndarray
    g: np.ndarray
    o: np.ndarray
    c: np.ndarray  # (2, N, U): before the step, and after it
    tanh_c: np.ndarray  # (1, N, U)
    h: np.ndarray  # (2, N, U)
    x_drop: np.ndarray | None
    h_drop: np.ndarray | None


@register("layers")
class LSTMCell(Cell):
    """One step of `LSTM`, whose arguments it has.

    Shapes: x (N, D), h and c (N, U) -> y, h and c (N, U); ``cell(x, [h, c])`` gives ``y, [h, c]``.
    """

    num_gates = 4
    state_names = ("h", "c")

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
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        **kwargs,
    ):
        super().__init__(
            units,
            activation,
            use_bias,
            kernel_initializer,
            recurrent_initializer,
            bias_initializer,
            kernel_regularizer,
            recurrent_regularizer,
            bias_regularizer,
            kernel_constraint,
            recurrent_constraint,
            bias_constraint,
            dropout,
            recurrent_dropout,
            seed,
            **kwargs,
        )
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = bool(unit_forget_bias)

    def build(self, input_shape):
        super().build(input_shape)
        if self.use_bias and self.unit_forget_bias:
            self.params["bias"][self.units : 2 * self.units] = 1

    def forward(self, x, training=False, drops=None):
        """Return ``([y, h, c], cache)`` for ``[x, h, c]``; `drops`: masks as of `draw_masks`, the same at all steps."""
        x, (h0, c0), x_drop, h_drop = self.unpack_step(x, training, drops)
        R, b = self._params["recurrent_kernel"], self._params.get("bias", np.zeros(4 * self.units, x.dtype))
        act, rec = self.activation, self.recurrent_activation
        steps = kernels.lstm_forward(self.project(x, 1, x_drop), R, b, h0, c0, act, rec, None, h_drop)
        return [steps.h[1], steps.h[1], steps.c[1]], LSTMCellCache(x, *steps, x_drop, h_drop)

    def backward(self, dy, cache, needs_dx=True):
        """Return ``([dx, dh, dc], grads)`` for ``[dy, dh, dc]``."""
        x, h, x_drop, h_drop = cache.x, cache.h, cache.x_drop, cache.h_drop
        dh, dc = self.unpack_adjoints(dy, h[1])
        R, act, rec = self._params["recurrent_kernel"], self.activation, self.recurrent_activation
        dz, dz_sum, dh0, dc0 = kernels.lstm_backward(None, dh, dc, R, cache, act, rec, None, h_drop)
        dx, grads = self.gradients(x, h, dz, dz, needs_dx, x_drop, h_drop, dz_sum)
        return ([dx[:, 0], dh0, dc0] if needs_dx else None), self.trained(grads) if self._frozen else grads
