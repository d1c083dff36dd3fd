"""The plain recurrent layer.

    z_t = x_t W + h_(t-1) R + b          h_t = f(z_t)

The state h is the layer's memory: each step mixes what comes in with what was there (Elman, "Finding structure in
time", 1990). Its gradient unfolds the loop and walks it backwards ("backpropagation through time": Werbos 1990).
h_t is used twice, in the output y_t and in the next step, so both adjoints add up:

    dh_t = dy_t + dz_(t+1) R^T           dz_t = dh_t * f'(z_t)
    dW = sum over t of x_t^T dz_t        dR = sum of h_(t-1)^T dz_t        db = sum of dz_t        dx_t = dz_t W^T
"""

from typing import NamedTuple

import numpy as np

from scratchnet import kernels
from scratchnet.hints import ActivationLike, ConstraintLike, InitializerLike, RegularizerLike, Seed
from scratchnet.layers.rnn.recurrent import Recurrent
from scratchnet.registry import register


class SimpleRNNCache(NamedTuple):
    """Steps are in the order of processing; h[0] is the initial state, h[t + 1] the state after step t."""

    x: np.ndarray  # (T, N, D), or (1, N, D) if it is that of every step
    z: np.ndarray | None  # (T, N, U), where the derivative needs it
    h: np.ndarray  # (T + 1, N, U)
    mask: np.ndarray | None  # (T, N)
    x_drop: np.ndarray | None  # what is dropped of x and of h, as masks (gates, N, D) and (1, N, U)
    h_drop: np.ndarray | None
    has_initial_state: bool


@register("layers")
class SimpleRNN(Recurrent):
    """``h_t = activation(x_t W + h_(t-1) R + b)`` for t = 1 ... T.

    Args:
        units: U, the size of the state.
        activation: name or Activation; None is linear.
        use_bias: whether there is a bias b.
        kernel_initializer, recurrent_initializer, bias_initializer: of W = ``kernel`` (D, U), R = ``recurrent_kernel``
            (U, U) and b = ``bias`` (U,).
        kernel_regularizer, recurrent_regularizer, bias_regularizer: what is added to the loss for their size.
        kernel_constraint, recurrent_constraint, bias_constraint: what they have to obey after each step.
        dropout, recurrent_dropout: how much of x and of h is dropped in training, in [0, 1); see
            `scratchnet.layers.rnn.recurrent`.
        seed: an integer of at least 0 makes the masks repeatable by themselves; None takes the library's seed.
        return_sequences: whether to return the states of all steps or only the last.
        return_state: whether to return ``[y, h]``, the last state beside the output.
        go_backwards: whether to process the last step first; a returned sequence is in the order of processing.
        stateful: whether a batch starts from the states that the batch before ended with, sample by sample, until
            `reset_state`.
        zero_output_for_mask: whether the output of a step that does not count is zero, and not the last that counted.

    Shapes: x (N, T, D), or [x, h0] with the initial state (N, U) -> (N, U), or (N, T, U) with `return_sequences`.
    ``rnn(x, initial_state=h0)`` says the same as ``rnn([x, h0])``.

    Raises:
        ValueError: if `units` is not a positive integer, or an input or state has another shape than these.
    """

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        recurrent_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        recurrent_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: Seed = None,
        **kwargs,
    ):
        super().__init__(
            return_sequences,
            return_state,
            go_backwards,
            stateful,
            units=units,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            **kwargs,
        )

    def forward(self, x, training=False, mask=None, repeat=None):
        """Return ``(y, cache)``, or ``([y, h], cache)`` with `return_state`; `x` may be ``[x, h0]``."""
        has_initial_state = isinstance(x, (list, tuple))
        x, T, (h0,) = self.unpack_input(x, repeat)
        mask = None if mask is None else self.unpack_mask(mask, T)
        x_drop, h_drop = self.draw_masks(len(h0)) if training and self.drops else (None, None)
        R, b = self._params["recurrent_kernel"], self._params.get("bias", np.zeros(self.units, x.dtype))
        xW = self.project(x, T, x_drop)  # (T, N, U)
        z, h = kernels.simple_rnn_forward(xW, R, b, h0, self.activation, mask, h_drop)
        return self.pack_output(mask, h), SimpleRNNCache(x, z, h, mask, x_drop, h_drop, has_initial_state)

    def backward(self, dy, cache, needs_dx=True):
        """Return ``(dx, grads)``; dx is ``[dx, dh0]`` if forward was given an initial state.

        With `return_state`, dy is ``[dy, dh]``, each of which may be None for zeros.
        """
        x, h, mask, x_drop, h_drop = cache.x, cache.h, cache.mask, cache.x_drop, cache.h_drop
        dy, (dh,) = self.unpack_dy(dy, mask, h)
        R = self._params["recurrent_kernel"]
        dz, dh0 = kernels.simple_rnn_backward(dy, dh, R, cache, self.activation, mask, h_drop)
        dx, grads = self.gradients(x, h, dz, dz, needs_dx, x_drop, h_drop)  # z = x W + h_prev R + b
        grads = self.trained(grads) if self._frozen else grads
        return ([dx, dh0] if cache.has_initial_state and needs_dx else dx), grads
