"""One step of the gated recurrent unit; the equations stand in `scratchnet.layers.rnn.gru`."""

from typing import NamedTuple

import numpy as np

from scratchnet import activations, kernels
from scratchnet.layers.rnn.cell import Cell
from scratchnet.layers.rnn.gru import gru_gradients
from scratchnet.registry import register


class GRUCellCache(NamedTuple):
    """As that of `GRU`, for one step."""

    x: np.ndarray  # (1, N, D)
    s: np.ndarray | None  # (1, N, 3U)
    z: np.ndarray  # (1, N, U)
    r: np.ndarray
    g: np.ndarray
    q: np.ndarray
    h: np.ndarray  # (2, N, U): before the step, and after it
    x_drop: np.ndarray | None
    h_drop: np.ndarray | None


@register("layers")
class GRUCell(Cell):
    """One step of `GRU`, whose arguments it has.

    Shapes: x (N, D) and h (N, U) -> y and h (N, U); ``cell(x, [h])`` gives ``y, [h]``.
    """

    num_gates = 3
    state_names = ("h",)

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        reset_after=True,
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
        self.reset_after = bool(reset_after)

    @property
    def bias_shape(self):
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def forward(self, x, training=False, drops=None):
        """Return ``([y, h], cache)`` for ``[x, h]``; `drops`: masks as of `draw_masks`, the same at all steps."""
        x, (h0,), x_drop, h_drop = self.unpack_step(x, training, drops)
        R, bias = self._params["recurrent_kernel"], self._params.get("bias", np.zeros(self.bias_shape, x.dtype))
        b, c = bias if self.reset_after else (bias, None)
        act, rec = self.activation, self.recurrent_activation
        xW = self.project(x, 1, x_drop)
        steps = kernels.gru_forward(xW, R, b, c, h0, act, rec, self.reset_after, None, h_drop)
        return [steps.h[1], steps.h[1]], GRUCellCache(x, *steps, x_drop, h_drop)

    def backward(self, dy, cache, needs_dx=True):
        """Return ``([dx, dh], grads)`` for ``[dy, dh]``."""
        (dh,) = self.unpack_adjoints(dy, cache.h[1])
        R, act, rec = self._params["recurrent_kernel"], self.activation, self.recurrent_activation
        ds, dq, dh0 = kernels.gru_backward(None, dh, R, cache, act, rec, self.reset_after, None, cache.h_drop)
        dx, grads = gru_gradients(self, cache, ds, dq, needs_dx)
        return ([dx[:, 0], dh0] if needs_dx else None), grads
