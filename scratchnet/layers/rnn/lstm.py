"""Long short-term memory.

    [z_i, z_f, z_g, z_o] = x_t W + h_(t-1) R + b

    i = sigmoid(z_i)    f = sigmoid(z_f)    g = tanh(z_g)    o = sigmoid(z_o)
    c_t = f * c_(t-1) + i * g
    h_t = o * tanh(c_t)

i, f and o are the input, the forget and the output gate, g is the candidate; other functions may take the places of
tanh (the activation) and sigmoid (the recurrent activation). The cell c passes from step to step through a product
with f and a sum, not through a matrix and a squashing function, so that its gradient need not vanish (Hochreiter and
Schmidhuber, "Long short-term memory", 1997; the forget gate: Gers, Schmidhuber and Cummins 2000; W and R as in Greff
et al., "LSTM: a search space odyssey", 2017). Backwards through time, d v = dL/dv:

    dh_t  = dy_t + dz_(t+1) R^T
    do    = dh_t * tanh(c_t)                      dz_o = do * sigmoid'(z_o)
    dc_t  = dh_t * o * tanh'(c_t) + f_(t+1) * dc_(t+1)
    di    = dc_t * g                              dz_i = di * sigmoid'(z_i)
    df    = dc_t * c_(t-1)                        dz_f = df * sigmoid'(z_f)
    dg    = dc_t * i                              dz_g = dg * tanh'(z_g)
    dW = sum over t of x_t^T dz_t    dR = sum of h_(t-1)^T dz_t    db = sum of dz_t    dx_t = dz_t W^T
"""

from typing import NamedTuple

import numpy as np

from scratchnet import activations, kernels
from scratchnet.hints import ActivationLike, ConstraintLike, InitializerLike, RegularizerLike, Seed
from scratchnet.layers.rnn.recurrent import Recurrent
from scratchnet.registry import register


class LSTMCache(NamedTuple):
    """Steps are in the order of processing; h[0] and c[0] are the initial states, h[t + 1], c[t + 1] follow step t."""

    x: np.ndarray  # (T, N, D), or (1, N, D) if it is that of every step
    z: np.ndarray | None  # (T, N, 4U), where a derivative needs it
    i: np.ndarray  # (T, N, U)
    f: np.ndarray
    g: np.ndarray
    o: np.ndarray
    c: np.ndarray  # (T + 1, N, U)
    tanh_c: np.ndarray  # (T, N, U), activation(c[1:])
    h: np.ndarray  # (T + 1, N, U)
    mask: np.ndarray | None  # (T, N)
    x_drop: np.ndarray | None  # what is dropped of x and of h, as masks (gates, N, D) and (4, N, U)
    h_drop: np.ndarray | None
    has_initial_state: bool


@register("layers")
class LSTM(Recurrent):
    """A recurrent layer with a gated memory cell.

    Args:
        units: U, the size of the states h and c.
        activation: of the candidate and the cell's output; name or Activation, None is linear.
        recurrent_activation: of the three gates.
        use_bias: whether there is a bias b.
        kernel_initializer, recurrent_initializer, bias_initializer: of W = ``kernel`` (D, 4U), R = ``recurrent_kernel``
            (U, 4U) and b = ``bias`` (4U,), each in the order i, f, g, o.
        unit_forget_bias: whether the bias of f starts at one: a new layer remembers (Jozefowicz et al. 2015).
        kernel_regularizer, recurrent_regularizer, bias_regularizer: what is added to the loss for their size.
        kernel_constraint, recurrent_constraint, bias_constraint: what they have to obey after each step.
        dropout, recurrent_dropout: how much of x and of h is dropped in training, in [0, 1); see
            `scratchnet.layers.rnn.recurrent`.
        seed: an integer of at least 0 makes the masks repeatable by themselves; None takes the library's seed.
        return_sequences: whether to return the states h of all steps or only the last.
        return_state: whether to return ``[y, h, c]``, the last states beside the output.
        go_backwards: whether to process the last step first; a returned sequence is in the order of processing.
        stateful: whether a batch starts from the states that the batch before ended with, sample by sample, until
            `reset_state`.
        zero_output_for_mask: whether the output of a step that does not count is zero, and not the last that counted.

    Shapes: x (N, T, D), or [x, h0, c0] with the initial states (N, U) -> (N, U), or (N, T, U) with `return_sequences`.
    ``lstm(x, initial_state=[h0, c0])`` says the same as ``lstm([x, h0, c0])``.

    Raises:
        ValueError: if `units` is not a positive integer, or an input or state has another shape than these.
    """

    state_names = ("h", "c")
    num_gates = 4
    unrecorded = (*Recurrent.unrecorded, "use_cudnn")  # a way to compute the same

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        recurrent_activation: ActivationLike = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: RegularizerLike = None,
        recurrent_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        recurrent_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Seed = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: bool | str = "auto",
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
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = bool(unit_forget_bias)

    def build(self, input_shape):
        super().build(input_shape)
        if self.use_bias and self.unit_forget_bias:
            self.params["bias"][self.units : 2 * self.units] = 1

    def forward(self, x, training=False, mask=None, repeat=None):
        """Return ``(y, cache)``, or ``([y, h, c], cache)`` with `return_state`; `x` may be ``[x, h0, c0]``."""
        has_initial_state = isinstance(x, (list, tuple))
        x, T, (h0, c0) = self.unpack_input(x, repeat)
        mask = None if mask is None else self.unpack_mask(mask, T)
        x_drop, h_drop = self.draw_masks(len(h0)) if training and self.drops else (None, None)
        R, b = self._params["recurrent_kernel"], self._params.get("bias", np.zeros(4 * self.units, x.dtype))
        xW = self.project(x, T, x_drop)  # (T, N, 4U)
        steps = kernels.lstm_forward(xW, R, b, h0, c0, self.activation, self.recurrent_activation, mask, h_drop)
        y = self.pack_output(mask, steps.h, steps.c)
        return y, LSTMCache(x, *steps, mask, x_drop, h_drop, has_initial_state)

    def backward(self, dy, cache, needs_dx=True):
        """Return ``(dx, grads)``; dx is ``[dx, dh0, dc0]`` if forward was given initial states.

        With `return_state`, dy is ``[dy, dh, dc]``, each of which may be None for zeros.
        """
        x, h, mask, x_drop, h_drop = cache.x, cache.h, cache.mask, cache.x_drop, cache.h_drop
        dy, (dh, dc) = self.unpack_dy(dy, mask, h)
        R, act, rec = self._params["recurrent_kernel"], self.activation, self.recurrent_activation
        dz, dz_sum, dh0, dc0 = kernels.lstm_backward(dy, dh, dc, R, cache, act, rec, mask, h_drop)
        dx, grads = self.gradients(x, h, dz, dz, needs_dx, x_drop, h_drop, dz_sum)  # z = x W + h_prev R + b
        grads = self.trained(grads) if self._frozen else grads
        return ([dx, dh0, dc0] if cache.has_initial_state and needs_dx else dx), grads
