"""The gated recurrent unit.

    z = sigmoid(x_t W_z + b_z + h_(t-1) R_z)                       update gate
    r = sigmoid(x_t W_r + b_r + h_(t-1) R_r)                       reset gate
    g = tanh(x_t W_g + b_g + q R_g)        q = r * h_(t-1)         candidate
    h_t = z * h_(t-1) + (1 - z) * g

One state instead of the LSTM's two, and two gates instead of three: z says how much of the state stays, r how much of
it the candidate sees (Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine
translation", 2014). As in the LSTM's cell, the state passes on through a product and a sum, and its gradient need not
vanish. By default (`reset_after`) the reset gate comes after the product, which can then be one with those of the
gates, and h has a bias of its own, so that b_z becomes a sum of two, as does b_r:

    g = tanh(x_t W_g + b_g + r * q)        q = h_(t-1) R_g + c_g

Let s be the arguments of the three functions, s = [s_z, s_r, s_g]. Backwards through time, d v = dL/dv:

    dh_t  = dy_t + what the next step hands back as its dh_(t-1)
    dz    = dh_t * (h_(t-1) - g)                  ds_z = dz * sigmoid'(s_z)
    dg    = dh_t * (1 - z)                        ds_g = dg * tanh'(s_g)
    dq    = ds_g R_g^T                            dr = dq * h_(t-1)              ds_r = dr * sigmoid'(s_r)
    dh_(t-1) = dh_t * z + dq * r + [ds_z, ds_r] [R_z, R_r]^T

or, with `reset_after`, dq = ds_g * r, dr = ds_g * q and dh_(t-1) = dh_t * z + [ds_z, ds_r, dq] R^T.

    dW = sum over t of x_t^T ds    db = sum of ds    dx_t = ds W^T
    dR_z, dR_r = sum of h_(t-1)^T [ds_z, ds_r]    dR_g = sum of q^T ds_g, or of h_(t-1)^T dq with `reset_after`
"""

from typing import NamedTuple

import numpy as np

from scratchnet import activations, kernels
from scratchnet.hints import ActivationLike, ConstraintLike, InitializerLike, RegularizerLike, Seed
from scratchnet.kernels import dropped
from scratchnet.layers.rnn.recurrent import Recurrent
from scratchnet.registry import register


class GRUCache(NamedTuple):
    """Steps are in the order of processing; h[0] is the initial state, h[t + 1] the state after step t."""

    x: np.ndarray  # (T, N, D), or (1, N, D) if it is that of every step
    s: np.ndarray | None  # (T, N, 3U), where a derivative needs it
    z: np.ndarray  # (T, N, U)
    r: np.ndarray
    g: np.ndarray
    q: np.ndarray
    h: np.ndarray  # (T + 1, N, U)
    mask: np.ndarray | None  # (T, N)
    x_drop: np.ndarray | None  # what is dropped of x and of h, as masks (gates, N, D) and (3, N, U)
    h_drop: np.ndarray | None
    has_initial_state: bool


@register("layers")
class GRU(Recurrent):
    """A recurrent layer with a gated state.

    Args:
        units: U, the size of the state.
        activation: of the candidate; name or Activation, None is linear.
        recurrent_activation: of the two gates.
        use_bias: whether there are biases b and, with `reset_after`, c.
        kernel_initializer, recurrent_initializer, bias_initializer: of W = ``kernel`` (D, 3U), R = ``recurrent_kernel``
            (U, 3U) and ``bias``, each in the order z, r, g; this is b (3U,) or, with `reset_after`, [b, c] (2, 3U).
        kernel_regularizer, recurrent_regularizer, bias_regularizer: what is added to the loss for their size.
        kernel_constraint, recurrent_constraint, bias_constraint: what they have to obey after each step.
        dropout, recurrent_dropout: how much of x and of h is dropped in training, in [0, 1); see
            `scratchnet.layers.rnn.recurrent`.
        seed: an integer of at least 0 makes the masks repeatable by themselves; None takes the library's seed.
        return_sequences: whether to return the states h of all steps or only the last.
        return_state: whether to return ``[y, h]``, the last state beside the output.
        go_backwards: whether to process the last step first; a returned sequence is in the order of processing.
        stateful: whether a batch starts from the states that the batch before ended with, sample by sample, until
            `reset_state`.
        zero_output_for_mask: whether the output of a step that does not count is zero, and not the last that counted.
        reset_after: whether the reset gate comes after the product with R_g.

    Shapes: x (N, T, D), or [x, h0] with the initial state (N, U) -> (N, U), or (N, T, U) with `return_sequences`.
    ``gru(x, initial_state=h0)`` says the same as ``gru([x, h0])``.

    Raises:
        ValueError: if `units` is not a positive integer, or an input or state has another shape than these.
    """

    num_gates = 3
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
        reset_after: bool = True,
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
        self.reset_after = bool(reset_after)

    @property
    def bias_shape(self):
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def forward(self, x, training=False, mask=None, repeat=None):
        """Return ``(y, cache)``, or ``([y, h], cache)`` with `return_state`; `x` may be ``[x, h0]``."""
        has_initial_state = isinstance(x, (list, tuple))
        x, T, (h0,) = self.unpack_input(x, repeat)
        mask = None if mask is None else self.unpack_mask(mask, T)
        x_drop, h_drop = self.draw_masks(len(h0)) if training and self.drops else (None, None)
        R, bias = self._params["recurrent_kernel"], self._params.get("bias", np.zeros(self.bias_shape, x.dtype))
        b, c = bias if self.reset_after else (bias, None)
        xW = self.project(x, T, x_drop)  # (T, N, 3U)
        act, rec = self.activation, self.recurrent_activation
        steps = kernels.gru_forward(xW, R, b, c, h0, act, rec, self.reset_after, mask, h_drop)
        return self.pack_output(mask, steps.h), GRUCache(x, *steps, mask, x_drop, h_drop, has_initial_state)

    def backward(self, dy, cache, needs_dx=True):
        """Return ``(dx, grads)``; dx is ``[dx, dh0]`` if forward was given an initial state.

        With `return_state`, dy is ``[dy, dh]``, each of which may be None for zeros.
        """
        mask, h_drop = cache.mask, cache.h_drop
        dy, (dh,) = self.unpack_dy(dy, mask, cache.h)
        R, act, rec = self._params["recurrent_kernel"], self.activation, self.recurrent_activation
        ds, dq, dh0 = kernels.gru_backward(dy, dh, R, cache, act, rec, self.reset_after, mask, h_drop)
        dx, grads = gru_gradients(self, cache, ds, dq, needs_dx)
        return ([dx, dh0] if cache.has_initial_state and needs_dx else dx), grads


def gru_gradients(layer, cache, ds, dq, needs_dx):
    """``(dx, grads)`` of the weights of a `GRU` or its cell, from the adjoints of s and q."""
    x, h, h_drop, U = cache.x, cache.h, cache.h_drop, layer.units
    dhR = np.concatenate([ds[..., : 2 * U], dq], axis=-1) if layer.reset_after else ds
    dx, grads = layer.gradients(x, h, ds, dhR, needs_dx, cache.x_drop, h_drop)  # s_z = x W_z + b_z + h_prev R_z + c_z
    if grads and layer.reset_after and layer.use_bias:  # s_g = x W_g + b_g + r * q, q = h_prev R_g + c_g
        grads["bias"] = np.stack([grads["bias"]] * 2)  # b and c
        grads["bias"][1, 2 * U :] = np.ones(dq.size // U, dq.dtype) @ dq.reshape(-1, U)  # where they differ
    elif grads and not layer.reset_after:  # s_g = x W_g + b_g + q R_g
        drop_g = None if h_drop is None else h_drop[2:]
        grads["recurrent_kernel"][:, 2 * U :] = dropped.adjoint_of_W(ds[..., 2 * U :], cache.q, drop_g)
    return dx, layer.trained(grads) if layer._frozen else grads
