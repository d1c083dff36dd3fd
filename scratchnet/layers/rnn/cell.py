"""What the cells share: a cell is one step of a recurrent layer, for whoever goes through the steps himself.

    y, new_states = cell(x_t, states)              forward takes [x_t, *states] and returns [y, *new_states]

It has the weights, the arguments and, for one step, the equations of the layer; `RNN` makes a layer of any cell.
"""

import numpy as np

from scratchnet.layers.rnn.recurrent import RecurrentWeights
from scratchnet.structure import flatten


class Cell(RecurrentWeights):
    """Base of `SimpleRNNCell`, `LSTMCell` and `GRUCell`, which carry `state_names` from step to step."""

    state_names = ("h",)

    @property
    def state_size(self):
        """U, or a list with U for each state."""
        return self.units if len(self.state_names) == 1 else [self.units] * len(self.state_names)

    @property
    def output_size(self):
        return self.units

    def get_initial_state(self, batch_size=None):
        """A list of zeros (batch_size, U), one array for each state."""
        return [np.zeros((batch_size, self.units), self.dtype) for _ in self.state_names]

    def __call__(self, inputs, states=None, training=None):
        """``(y, new_states)``; `states` is one or a list of them."""
        single = states is not None and not isinstance(states, (list, tuple))
        given = inputs if states is None else [inputs, *flatten(states)]
        y, *new_states = super().__call__(given, training=training)
        return y, (new_states[0] if single else new_states)

    def call_arguments(self, inputs):
        return [inputs[0], inputs[1:]], {}

    # ---- shapes ----

    def build(self, input_shape):
        """For the shape of x, or the shapes of x and of the states."""
        x_shape = input_shape[0] if isinstance(input_shape, list) else input_shape
        self.check_shape(x_shape, "ND")
        if x_shape[-1] is None:
            raise self.error(f"the last axis of its input must have a size, got {x_shape}")
        self.build_weights(x_shape[-1])
        self.built = True

    def compute_output_shape(self, input_shape):
        wanted = "[x, " + ", ".join(self.state_names) + "]"
        if not isinstance(input_shape, list) or len(input_shape) != 1 + len(self.state_names):
            raise self.error(f"expected {wanted}, got inputs of shape {input_shape}")
        x_shape, *state_shapes = input_shape
        self.check_shape(x_shape, "ND", **({"D": len(self.params["kernel"])} if self.built else {}))
        for shape in state_shapes:
            self.check_shape(shape, "NU", U=self.units)
        return [(x_shape[0], self.units)] * (1 + len(self.state_names))

    # ---- the ends of forward and backward ----

    def unpack_step(self, inputs, training, drops):
        """``x (1, N, D), states, x_drop, h_drop``: a step is a sequence of one."""
        self.compute_output_shape([np.shape(part) for part in inputs])
        x, *states = inputs
        if training and self.drops and drops is None:
            drops = self.draw_masks(len(x))
        return x[np.newaxis], states, *(drops or (None, None))

    def unpack_adjoints(self, dy, like):
        """The adjoints of the states; y is h, too. None means zeros."""
        d_out, *dstates = [np.zeros_like(like) if d is None else d for d in dy]
        dstates[0] = dstates[0] + d_out
        return dstates
