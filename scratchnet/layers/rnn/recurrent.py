"""What recurrent layers and their cells share: weights, and what is dropped; shapes, states, masks; time in front.

    z_t = x_t W + h_(t-1) R + b

The kernels of the G gates lie side by side: W is (D, G U), R is (U, G U). The time loop, forward and back, is the heavy
one and stands in `scratchnet.kernels`; in the backend "numpy" it reads like the equations. It works on arrays with time
as the first axis, such as (T, N, U): then the values of one step lie together in memory, and matrix products take them
without a copy.

* Dropout leaves out elements of x, recurrent dropout of h, the same ones at every time step (Gal and Ghahramani, "A
  theoretically grounded application of dropout in recurrent neural networks", 2016). As in Keras each gate has masks of
  its own where h is dropped, and one mask of x serves all gates where it is not.
* With a mask (N, T) only the steps of a sample count where it is true: at the others the state stays as it was, and the
  output is the last one that counted, or zeros.
* A layer whose input is the same at every step (behind a `RepeatVector`) can be told so: ``forward(x, repeat=T)`` takes
  x (N, 1, D), multiplies it by W once instead of T times, and goes T steps; backward's dx is then (N, 1, D), too. A
  model does that by itself.
"""

import numpy as np

from scratchnet import activations, constraints, initializers, kernels, regularizers
from scratchnet.checks import check_number, check_positive_int
from scratchnet.hints import ActivationLike, ConstraintLike, InitializerLike, RegularizerLike, Seed
from scratchnet.kernels import dropped
from scratchnet.layers.base import Layer
from scratchnet.layers.rnn.masks import of_steps
from scratchnet.streams import RandomStream
from scratchnet.structure import flatten


class RecurrentWeights(Layer):
    """Base of recurrent layers and cells. A subclass says how many gates it has, and adds functions of its own.

    Args:
        units: U, the size of the state.
        activation: name or Activation; None is linear.
        use_bias: whether there is a bias b.
        kernel_initializer, recurrent_initializer, bias_initializer: of ``kernel``, ``recurrent_kernel`` and ``bias``.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: what is added to the loss for their size.
        kernel_constraint, recurrent_constraint, bias_constraint: what they have to obey after each step.
        dropout, recurrent_dropout: how much of x and of h is dropped in training, in [0, 1).
        seed: an integer of at least 0 makes the masks repeatable by themselves; None takes the library's seed.
    """

    num_gates = 1
    go_backwards = False
    harmless = ("implementation",)

    def __init__(
        self,
        units: int,
        activation: ActivationLike,
        use_bias: bool,
        kernel_initializer: InitializerLike,
        recurrent_initializer: InitializerLike,
        bias_initializer: InitializerLike,
        kernel_regularizer: RegularizerLike,
        recurrent_regularizer: RegularizerLike,
        bias_regularizer: RegularizerLike,
        kernel_constraint: ConstraintLike,
        recurrent_constraint: ConstraintLike,
        bias_constraint: ConstraintLike,
        dropout: float,
        recurrent_dropout: float,
        seed: Seed,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = check_positive_int(self, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout = check_number(self, "dropout", dropout, below=1)
        self.recurrent_dropout = check_number(self, "recurrent_dropout", recurrent_dropout, below=1)
        self.drops = self.dropout > 0 or self.recurrent_dropout > 0
        self.random = RandomStream(seed)
        self.seed = None if seed is None else self.random.seed

    @property
    def bias_shape(self):
        return (self.num_gates * self.units,)

    def build_weights(self, D):
        G, U = self.num_gates, self.units
        weights = (("kernel", (D, G * U), "kernel"), ("recurrent_kernel", (U, G * U), "recurrent"))
        for name, shape, kind in (*weights, ("bias", self.bias_shape, "bias"))[: 2 + self.use_bias]:
            self.add_weight(
                name=name,
                shape=shape,
                initializer=getattr(self, f"{kind}_initializer"),
                regularizer=getattr(self, f"{kind}_regularizer"),
                constraint=getattr(self, f"{kind}_constraint"),
            )

    def random_streams(self):
        return {"random": self.random} if self.drops else {}

    def draw_masks(self, N):
        """What is dropped of x and of h in a step of training: masks (gates, N, D) and (G, N, U), or None."""
        D, gates = len(self.params["kernel"]), self.num_gates
        x_gates = gates if self.recurrent_dropout > 0 else 1
        return self._draw(self.dropout, N, x_gates, D), self._draw(self.recurrent_dropout, N, gates, self.units)

    def _draw(self, rate, N, gates, size):
        if rate == 0:
            return None
        factor = self.params["kernel"].dtype.type(1 / (1 - rate))  # what is left makes up for it
        return np.ascontiguousarray(self.random.mask((N, gates, size), rate, factor).transpose(1, 0, 2))

    def project(self, x, T, drop=None):
        """``x_t W`` for all T steps, in one product: (T, N, G U). An x (1, N, D) is that of all steps."""
        W, (steps, N, D) = self._params["kernel"], x.shape
        if drop is None:
            xW = kernels.matmul(x.reshape(steps * N, D), W).reshape(steps, N, -1)
        else:
            xW = dropped.product(x, drop, W)
        return xW if steps == T else np.broadcast_to(xW, (T, *xW.shape[1:]))

    def gradients(self, x, h, dz, dhR, needs_dx, x_drop, h_drop, dz_sum=None):
        """The adjoints of ``z_t = x_t W + h_(t-1) R + b``: ``(dx, grads)``, dx (N, T, D) or None.

        dz (T, N, G U) is that of the sum, dhR that of the term with h, which need not be the same. Summed over steps
        and samples, each weight's is one product. `dz_sum` (N, G U): dz summed over all steps, where it is known.
        """
        W, (steps, N, D), (T, _, GU) = self._params["kernel"], x.shape, dz.shape
        dz_sum = np.ones(T, dz.dtype) @ dz.reshape(T, N * GU) if dz_sum is None else dz_sum.reshape(-1)
        dxW = dz if steps == T else dz_sum.reshape(1, N, GU)  # the one x of all steps collects from all
        grads, h_prev = {}, h[:-1]
        if self._trainable:
            if h_drop is None:
                dR = kernels.matmul(h_prev.reshape(T * N, -1).T, dhR.reshape(T * N, GU))
            else:
                dR = dropped.adjoint_of_W(dhR, h_prev, h_drop)
            if x_drop is None:
                dW = kernels.matmul(x.reshape(steps * N, D).T, dxW.reshape(steps * N, GU))
            else:
                dW = dropped.adjoint_of_W(dxW, x, x_drop)
            grads = {"kernel": dW, "recurrent_kernel": dR}
            if self.use_bias:
                grads["bias"] = np.ones(N, dz.dtype) @ dz_sum.reshape(N, GU)  # quicker than a sum over rows
        if not needs_dx:
            return None, grads
        if x_drop is None:
            dx = kernels.matmul(dxW.reshape(steps * N, GU), W.T).reshape(x.shape)
        else:
            dx = dropped.adjoint_of_x(dxW, x_drop, W)
        dx = dx.transpose(1, 0, 2)
        return dx[:, ::-1] if self.go_backwards else dx, grads


class ThroughTime(Layer):
    """A layer that carries `state_names` from step to step of a sequence.

    Args:
        return_sequences: whether to return the outputs of all steps or only the last.
        return_state: whether to return the last states beside the output.
        go_backwards: whether to process the last step first; a returned sequence is in the order of processing.
        stateful: whether a batch starts from the states that the batch before ended with, sample by sample, until
            `reset_state`.
        zero_output_for_mask: whether the output of a step that does not count is zero.
    """

    state_names = ("h",)
    supports_masking = True

    def __init__(
        self,
        return_sequences: bool,
        return_state: bool,
        go_backwards: bool,
        stateful: bool,
        zero_output_for_mask: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.return_sequences = bool(return_sequences)
        self.return_state = bool(return_state)
        self.go_backwards = bool(go_backwards)
        self.stateful = bool(stateful)
        self.in_one_part = self.stateful
        self.zero_output_for_mask = bool(zero_output_for_mask)
        self.states = None  # of a stateful layer: what the next batch starts from; None is zeros

    def __call__(self, inputs, initial_state=None, training=None, mask=None):
        """As every layer; `initial_state` is what the layer starts from instead of zeros: (N, U) for each state.

        An output and its states come as a tuple.
        """
        if initial_state is not None:
            states = initial_state if isinstance(initial_state, (list, tuple)) else [initial_state]
            inputs = [inputs, *states]
        outputs = super().__call__(inputs, training=training, mask=mask)
        return tuple(outputs) if isinstance(outputs, list) else outputs

    def call_arguments(self, inputs):
        x, states = self._split(inputs)
        return [x], {"initial_state": states} if states else {}

    def reset_state(self):
        """Let the next batch start from zeros."""
        self.states = None

    reset_states = reset_state

    def remember(self, cache):
        if self.stateful:
            self.states = [getattr(cache, name)[-1] for name in self.state_names]

    # ---- shapes ----

    def compute_mask(self, x, mask=None):
        return of_steps(mask) if self.return_sequences else None

    def output_masked(self, masked):
        return self.return_sequences and flatten(masked)[0]

    def _split(self, inputs):
        """The input and the list of initial states; this is empty where the layer starts from zeros."""
        if not isinstance(inputs, list):
            return inputs, []
        if len(inputs) != 1 + len(self.state_names):
            wanted = ", ".join(f"{name}0" for name in self.state_names)
            raise self.error(f"expected x alone or [x, {wanted}], got {len(inputs)} inputs")
        return inputs[0], inputs[1:]

    def _check_states(self, states, wanted, dtype):
        self._split([None, *states])  # are they as many as there must be?
        for name, state in zip(self.state_names, states):
            self._check_state(name, np.shape(state), wanted)
            if state.dtype != dtype:
                raise self.error(
                    f"expected the initial state {name}0 to be {dtype} like x, got {state.dtype}", TypeError
                )

    def _check_state(self, name, shape, wanted):
        N, *rest = wanted
        matches = tuple(shape[1:]) == tuple(rest) and len(shape) > 0 and (None in (shape[0], N) or shape[0] == N)
        if not matches:
            raise self.error(f"the initial state {name}0 must have shape {tuple(wanted)}, got {shape}")

    # ---- the ends of forward and backward ----

    def _carried_states(self, N):
        if len(self.states[0]) != N:
            raise self.error(
                f"stateful: a batch must have as many samples as the one before, {len(self.states[0])}, not {N}; "
                "reset_state() begins anew"
            )
        return self.states

    def unpack_mask(self, mask, T):
        """A mask (N, T) with time in front, in the order of processing."""
        mask = np.asarray(of_steps(mask), dtype=bool)
        if mask.ndim != 2 or mask.shape[1] != T:
            raise self.error(f"expected a mask of shape (N, {T}), got {mask.shape}")
        return np.ascontiguousarray(mask.T[::-1] if self.go_backwards else mask.T)

    def pack_output(self, mask, *states):
        """What forward returns, given the values of each state at all times, (T + 1, N, U) with the initial ones."""
        y = states[0][1:]  # (T, N, U)
        if mask is not None:
            y = np.where(self._has_output(mask, y.ndim), y, 0)
        y = y.swapaxes(0, 1) if self.return_sequences else y[-1]  # (N, T, U) or (N, U)
        return [y, *[state[-1] for state in states]] if self.return_state else y

    def _has_output(self, mask, ndim):
        """Where there is an output, (T, N, 1, ...): from the first step that counts on, or only where one counts."""
        shown = mask if self.zero_output_for_mask else np.logical_or.accumulate(mask, axis=0)
        return shown.reshape(*shown.shape, *[1] * (ndim - 2))

    def unpack_dy(self, dy, mask, h):
        """Undo `pack_output`: dy (T, N, U), or None if only the last step came out, and the last states' adjoints.

        `h` (T + 1, N, U) gives shape and dtype. An adjoint that is None means zeros.
        """
        nothing = np.zeros_like(h[-1])
        dstates = [nothing] * len(self.state_names)
        if self.return_state:
            dy, *given = dy
            dstates = [nothing if d is None else np.asarray(d, h.dtype) for d in given]
        if dy is None:
            return None, dstates
        shown = None if mask is None else self._has_output(mask, h.ndim)
        if self.return_sequences:
            dy = dy.swapaxes(0, 1)
            return dy if mask is None else np.where(shown, dy, 0), dstates
        dstates[0] = dstates[0] + (dy if mask is None else np.where(shown[-1], dy, 0))  # y is h at the last step
        return None, dstates


class Recurrent(ThroughTime, RecurrentWeights):
    """Base of `SimpleRNN`, `LSTM` and `GRU`: their x is (N, T, D), each of their states (N, U)."""

    takes_repeat = True
    harmless = ("implementation",)

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        self.build_weights(self._split(input_shape)[0][-1])
        self.built = True

    def compute_output_shape(self, input_shape):
        x_shape, state_shapes = self._split(input_shape)
        self.check_shape(x_shape, "NTD", **self._expected())
        N, T, D = x_shape
        if D is None:
            raise self.error(f"the last axis of its input must have a size, got {x_shape}")
        for name, shape in zip(self.state_names, state_shapes):
            self._check_state(name, shape, (N, self.units))
        y_shape = (N, T, self.units) if self.return_sequences else (N, self.units)
        return [y_shape, *[(N, self.units) for _ in self.state_names]] if self.return_state else y_shape

    @property
    def state_size(self):
        """A list with U for each state."""
        return [self.units] * len(self.state_names)

    def get_initial_state(self, batch_size):
        """A list of zeros (batch_size, U), one array for each state: what the layer starts from."""
        return [np.zeros((batch_size, self.units), self.dtype) for _ in self.state_names]

    def _expected(self):
        return {"D": self.params["kernel"].shape[0]} if self.built else {}

    def unpack_input(self, inputs, repeat, lay_out=True):
        """What forward is given, as the kernels take it: time in front, in the order of processing.

        With `repeat` x has one step, which stands for as many equal ones. Returns x (T, N, D), without `lay_out` as it
        lies in memory, the number of steps, and the list of the initial states (N, U): zeros where none are given.
        """
        x, *states = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        W = self._params.get("kernel")
        if W is None or np.ndim(x) != 3 or x.shape[2] != len(W) or x.size == 0 or x.dtype != W.dtype:
            self.unpack(x, "NTD", **self._expected())  # says what is wrong
        N, T, _ = x.shape
        if states:
            self._check_states(states, (N, self.units), x.dtype)
        elif self.states is not None:
            states = self._carried_states(N)
        else:
            states = [np.zeros((N, self.units), x.dtype)] * len(self.state_names)
        x = x.transpose(1, 0, 2)  # (T, N, D)
        x = x[::-1] if self.go_backwards else x
        return np.ascontiguousarray(x) if lay_out else x, repeat or T, states
