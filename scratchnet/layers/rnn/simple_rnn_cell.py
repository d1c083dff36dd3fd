"""One step of the plain recurrent layer; the equations stand in `scratchnet.layers.rnn.simple_rnn`."""

from typing import NamedTuple

import numpy as np

from scratchnet import kernels
from scratchnet.layers.rnn.cell import Cell
from scratchnet.registry import register


class SimpleRNNCellCache(NamedTuple):
    """As that of `SimpleRNN`, for one step."""

    x: np.ndarray  # (1, N, D)
    z: np.ndarray | None  # (1, N, U)
    h: np.ndarray  # (2, N, U): before the step, and after it
    x_drop: np.ndarray | None
    h_drop: np.ndarray | None


@register("layers")
class SimpleRNNCell(Cell):
    """One step of `SimpleRNN`, whose arguments it has.

    Shapes: x (N, D) and h (N, U) -> y and h (N, U); ``cell(x, [h])`` gives ``y, [h]``.
    """

    num_gates = 1
    state_names = ("h",)

    def __init__(
        self,
        units,
        activation="tanh",
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

    def forward(self, x, training=False, drops=None):
        """Return ``([y, h], cache)`` for ``[x, h]``; `drops`: masks as of `draw_masks`, the same at all steps."""
        x, (h0,), x_drop, h_drop = self.unpack_step(x, training, drops)
        R, b = self._params["recurrent_kernel"], self._params.get("bias", np.zeros(self.units, x.dtype))
        z, h = kernels.simple_rnn_forward(self.project(x, 1, x_drop), R, b, h0, self.activation, None, h_drop)
        return [h[1], h[1]], SimpleRNNCellCache(x, z, h, x_drop, h_drop)

    def backward(self, dy, cache, needs_dx=True):
        """Return ``([dx, dh], grads)`` for ``[dy, dh]``."""
        x, h, x_drop, h_drop = cache.x, cache.h, cache.x_drop, cache.h_drop
        (dh,) = self.unpack_adjoints(dy, h[1])
        R = self._params["recurrent_kernel"]
        dz, dh0 = kernels.simple_rnn_backward(None, dh, R, cache, self.activation, None, h_drop)
        dx, grads = self.gradients(x, h, dz, dz, needs_dx, x_drop, h_drop)
        return ([dx[:, 0], dh0] if needs_dx else None), self.trained(grads) if self._frozen else grads
