"""What the recurrent layers share: their arguments, shapes, initial states, and time in front.

The time loop, forward and back, is the heavy one and stands in `scratchnet.kernels`; in the backend "numpy" it reads
like the equations. It works on arrays with time as the first axis, such as (T, N, U): then the values of one step lie
together in memory, and matrix products take them without a copy. As x is copied for that anyway, a column of ones is
put behind it: ``[x 1] [W; b] = x W + b`` in one product, and its adjoint gives dW and db in one.
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

    def _check_state(self, name, shape, N):
        matches = len(shape) == 2 and shape[1] == self.units and (None in (shape[0], N) or shape[0] == N)
        if not matches:
            raise self.error(f"the initial state {name}0 must have shape ({N}, {self.units}), got {shape}")

    # ---- the ends of forward and backward ----

    def start(self, inputs):
        """Unpack what forward is given: x with time in front, in the order of processing, T, and the initial states.

        x is (T, N, D + 1) with ones in its last column (without them where there is no bias); where it is the same at
        every step (as from RepeatVector) and says so by its stride, it is (1, N, D + 1), and one step's product stands
        for all. A state is (N, U), or None for zeros.
        """
        x, states = self._split(list(inputs) if isinstance(inputs, tuple) else inputs)
        N, T, D = self.unpack(x, "NTD", **self._expected())
        for name, state in zip(self.state_names, states):
            self._check_state(name, np.shape(state), N)
            if state.dtype != x.dtype:
                raise self.error(
                    f"expected the initial state {name}0 to be {x.dtype} like x, got {state.dtype}", TypeError
                )
        if self.go_backwards:
            x = x[:, ::-1]
        x1 = np.ones((x.shape[1], N, D + self.use_bias), x.dtype)
        x1[..., :D] = x.transpose(1, 0, 2)
        return x1, T, states or [None] * len(self.state_names)

    def project(self, x):
        """``x W + b`` for all steps of what `start` made of x, in one product: (T, N, G U)."""
        T, N, _ = x.shape
        W = self.params["kernel"]
        if self.use_bias:
            W = np.concatenate([W, self.params["bias"][np.newaxis]])  # (D + 1, G U)
        return kernels.matmul(x.reshape(T * N, -1), W).reshape(T, N, -1)

    def finish(self, states):
        """What forward returns, given the values of each state at all times, (T + 1, N, U) with the initial ones."""
        h = states[0]
        y = h[1:].transpose(1, 0, 2) if self.return_sequences else h[-1]  # (N, T, U) or (N, U)
        return [y, *[state[-1] for state in states]] if self.return_state else y

    def split_dy(self, dy, shape, dtype):
        """Undo `finish`: dy as (T, N, U), or None if only the last step came out, and adjoints of the last states.

        `shape`: (N, U). An adjoint that is None means zeros; the arrays returned are new and may be changed.
        """
        dy, *dstates = dy if self.return_state else [dy, *[None] * len(self.state_names)]
        dstates = [np.zeros(shape, dtype) if d is None else np.array(d, dtype, order="C") for d in dstates]
        if dy is None:
            return None, dstates
        if self.return_sequences:
            return dy.transpose(1, 0, 2), dstates
        dstates[0] += dy  # y is h at the last step
        return None, dstates

    def gradients(self, x, h, dz, needs_dx):
        """The adjoints of ``z_t = x_t W + h_(t-1) R + b``: ``(dx, grads)``, dx (N, T, D) or None.

        Summed over steps and samples, each kernel's is one product. Of an x that is the same at every step, only the
        sum of its steps' adjoints means anything: dx is then their mean, at every step: the same sum for a T-th of the
        work.
        """
        T, N, GU = dz.shape
        U = h.shape[-1]
        dz_x = dz if len(x) == T else dz.sum(axis=0, keepdims=True)  # one x for all steps collects from all
        dz_x = dz_x.reshape(-1, GU)
        W = self.params["kernel"]
        dW = kernels.matmul(x.reshape(len(dz_x), -1).T, dz_x)  # (D + 1, G U) with the bias
        grads = {
            "kernel": dW[: len(W)],  # (D, G U)
            "recurrent_kernel": kernels.matmul(h[:-1].reshape(T * N, U).T, dz.reshape(T * N, GU)),  # (U, G U)
        }
        if self.use_bias:
            grads["bias"] = dW[-1]
        if not needs_dx:
            return None, grads
        dx = kernels.matmul(dz_x, W.T).reshape(len(x), N, -1).transpose(1, 0, 2)
        if len(x) < T:
            return np.broadcast_to(dx / dx.dtype.type(T), (N, T, dx.shape[-1])), grads
        return dx[:, ::-1] if self.go_backwards else dx, grads


def initial(state, T, shape, dtype):
    """An array (T + 1, N, U) for the values of a state at all times, its first entry set; `shape` is (N, U)."""
    values = np.empty((T + 1, *shape), dtype)
    values[0] = 0 if state is None else state
    return values
