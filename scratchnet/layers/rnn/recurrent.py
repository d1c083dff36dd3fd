"""What the recurrent layers share: their arguments, shapes, initial states, and time in front.

The time loop, forward and back, is the heavy one and stands in `scratchnet.kernels`; in the backend "numpy" it reads
like the equations. It works on arrays with time as the first axis, such as (T, N, U): then the values of one step lie
together in memory, and matrix products take them without a copy.

A layer whose input is the same at every step (behind a `RepeatVector`) can be told so: ``forward(x, repeat=T)`` takes x
(N, 1, D), multiplies it by W once instead of T times, and goes T steps; backward's dx is then (N, 1, D), too. A model
does that by itself.
"""

import numpy as np

from scratchnet import activations, initializers, kernels
from scratchnet.checks import check_positive_int
from scratchnet.layers.base import Layer


class Recurrent(Layer):
    """Base of `SimpleRNN` and `LSTM`: a layer that carries `state_names` from step to step.

    A subclass names its states and says how many vectors of U pre-activations one step has (`num_gates`).
    """

    state_names = ("h",)
    num_gates = 1
    takes_repeat = True
    harmless = ("unroll", "implementation")
    absent = {
        **dict.fromkeys(("kernel_regularizer", "recurrent_regularizer", "bias_regularizer"), (None,)),
        **dict.fromkeys(("kernel_constraint", "recurrent_constraint", "bias_constraint"), (None,)),
        **dict.fromkeys(("dropout", "recurrent_dropout"), (0,)),
        "seed": (None,),
        "stateful": (False,),
    }

    def __init__(
        self,
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
    ):
        super().__init__(**kwargs)
        self.units = check_positive_int(self, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.return_sequences = bool(return_sequences)
        self.return_state = bool(return_state)
        self.go_backwards = bool(go_backwards)

    def __call__(self, inputs, initial_state=None, training=False):
        """As every layer; `initial_state` is what the layer starts from instead of zeros: (N, U) for each state."""
        if initial_state is not None:
            states = initial_state if isinstance(initial_state, (list, tuple)) else [initial_state]
            inputs = [inputs, *states]
        return super().__call__(inputs, training=training)

    def call_arguments(self, inputs):
        x, states = self._split(inputs)
        return [x], {"initial_state": states} if states else {}

    # ---- shapes and parameters ----

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        D = self._split(input_shape)[0][-1]
        G, U = self.num_gates, self.units
        self.add_weight("kernel", (D, G * U), self.kernel_initializer)
        self.add_weight("recurrent_kernel", (U, G * U), self.recurrent_initializer)
        if self.use_bias:
            self.add_weight("bias", (G * U,), self.bias_initializer)
        self.built = True

    def compute_output_shape(self, input_shape):
        x_shape, state_shapes = self._split(input_shape)
        self.check_shape(x_shape, "NTD", **self._expected())
        N, T, D = x_shape
        if D is None:
            raise self.error(f"the last axis of its input must have a size, got {x_shape}")
        for name, shape in zip(self.state_names, state_shapes):
            self._check_state(name, shape, N)
        y_shape = (N, T, self.units) if self.return_sequences else (N, self.units)
        return [y_shape, *[(N, self.units) for _ in self.state_names]] if self.return_state else y_shape

    def _expected(self):
        return {"D": self.params["kernel"].shape[0]} if self.built else {}

    def _split(self, inputs):
        """The input and the list of initial states; this is empty where the layer starts from zeros."""
        if not isinstance(inputs, list):
            return inputs, []
        if len(inputs) != 1 + len(self.state_names):
            wanted = ", ".join(f"{name}0" for name in self.state_names)
            raise self.error(f"expected x alone or [x, {wanted}], got {len(inputs)} inputs")
        return inputs[0], inputs[1:]

    def _check_states(self, states, N, dtype):
        self._split([None, *states])  # are they as many as there must be?
        for name, state in zip(self.state_names, states):
            self._check_state(name, np.shape(state), N)
            if state.dtype != dtype:
                raise self.error(
                    f"expected the initial state {name}0 to be {dtype} like x, got {state.dtype}", TypeError
                )

    def _check_state(self, name, shape, N):
        matches = len(shape) == 2 and shape[1] == self.units and (None in (shape[0], N) or shape[0] == N)
        if not matches:
            raise self.error(f"the initial state {name}0 must have shape ({N}, {self.units}), got {shape}")

    # ---- the ends of forward and backward ----

    def unpack_input(self, inputs, repeat):
        """What forward is given, as the kernels take it: time in front, in the order of processing.

        With `repeat` x has one step, which stands for as many equal ones. Returns x (T, N, D), the number of steps, and
        the list of the initial states (N, U): zeros where none are given.
        """
        x, *states = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        W = self._params.get("kernel")
        if W is None or np.ndim(x) != 3 or x.shape[2] != len(W) or x.size == 0 or x.dtype != W.dtype:
            self.unpack(x, "NTD", **self._expected())  # says what is wrong
        N, T, _ = x.shape
        if states:
            self._check_states(states, N, x.dtype)
        else:
            states = [np.zeros((N, self.units), x.dtype)] * len(self.state_names)
        x = x.transpose(1, 0, 2)  # (T, N, D)
        return np.ascontiguousarray(x[::-1] if self.go_backwards else x), repeat or T, states

    def project(self, x, T):
        """``x_t W`` for all T steps, in one product: (T, N, G U). An x of one step is that of all."""
        W, (steps, N, D) = self._params["kernel"], x.shape
        xW = kernels.matmul(x.reshape(steps * N, D), W).reshape(steps, N, -1)
        return xW if steps == T else np.broadcast_to(xW, (T, *xW.shape[1:]))

    def pack_output(self, *states):
        """What forward returns, given the values of each state at all times, (T + 1, N, U) with the initial ones."""
        h = states[0]
        y = h[1:].transpose(1, 0, 2) if self.return_sequences else h[-1]  # (N, T, U) or (N, U)
        return [y, *[state[-1] for state in states]] if self.return_state else y

    def unpack_dy(self, dy, h):
        """Undo `pack_output`: dy (T, N, U), or None if only the last step came out, and the last states' adjoints.

        `h` (T + 1, N, U) gives shape and dtype. An adjoint that is None means zeros.
        """
        nothing = np.zeros_like(h[-1])
        dstates = [nothing] * len(self.state_names)
        if self.return_state:
            dy, *given = dy
            dstates = [nothing if d is None else np.asarray(d, h.dtype) for d in given]
        if dy is not None and self.return_sequences:
            return dy.transpose(1, 0, 2), dstates
        if dy is not None:
            dstates[0] = dstates[0] + dy  # y is h at the last step
        return None, dstates

    def weight_gradients(self, x, h, dz, needs_dx):
        """The adjoints of ``z_t = x_t W + h_(t-1) R + b``: ``(dx, grads)``, dx (N, T, D) or None.

        Summed over steps and samples, each kernel's is one product.
        """
        W, (T, N, GU), U = self._params["kernel"], dz.shape, h.shape[-1]
        dxW = dz if len(x) == T else dz.sum(axis=0, keepdims=True)  # the one x of all steps collects from all
        dxW, dz = dxW.reshape(-1, GU), dz.reshape(T * N, GU)
        grads = {
            "kernel": kernels.matmul(x.reshape(len(dxW), -1).T, dxW),  # (D, G U)
            "recurrent_kernel": kernels.matmul(h[:-1].reshape(T * N, U).T, dz),  # (U, G U)
        }
        if self.use_bias:
            grads["bias"] = np.ones(T * N, dz.dtype) @ dz  # (G U,); a product is quicker than a sum over rows
        if not needs_dx:
            return None, grads
        dx = kernels.matmul(dxW, W.T).reshape(x.shape).transpose(1, 0, 2)
        return dx[:, ::-1] if self.go_backwards else dx, grads
