"""A recurrent layer made of any cell.

    y_t, states_t = cell(x_t, states_(t-1))          for t = 1 ... T

The cell is whatever knows one step: `LSTMCell`, a stack of cells, or a layer of your own. The loop is here, and so is
backpropagation through time: the steps in reverse, each of which hands the adjoints of the states on to the one before
it, while the gradients of the weights, which all steps share, add up.

``RNN(LSTMCell(...))`` computes the same as `LSTM`, and so on. So where there are only cells of the library, alone or
stacked, these layers compute it, several times as quick: their loop is in the kernels, and x meets W in one product for
all steps (`scratchnet.layers.rnn.cells_as_layers`). With any other cell, or another in the stack, the loop is this one.
"""

from typing import NamedTuple

import numpy as np

from scratchnet.layers.base import Layer
from scratchnet.layers.composite import Composite
from scratchnet.layers.rnn import cells_as_layers
from scratchnet.layers.rnn.masks import of_steps
from scratchnet.layers.rnn.stacked_rnn_cells import StackedRNNCells
from scratchnet.layers.rnn.steps_of_cells import CellSteps, states_of
from scratchnet.registry import deserialize, register
from scratchnet.structure import flatten


class RNNCache(NamedTuple):
    """Steps are in the order of processing."""

    steps: list  # the cell's cache of each
    counts: np.ndarray | None  # (T, N): which steps count
    states: list  # the last ones, flat
    x_shape: tuple  # (N, T, ...)
    has_initial_state: bool


@register("layers")
class RNN(Composite):
    """A layer that goes through a sequence with `cell`.

    Args:
        cell: a layer with `state_size` (a size, or a list of them, one for each state) that is called with x_t and the
            list of states, and returns the output and the list of new states; or a list of such cells, to be stacked.
        return_sequences: whether to return the outputs of all steps or only the last.
        return_state: whether to return the last states beside the output.
        go_backwards: whether to process the last step first; a returned sequence is in the order of processing.
        stateful: whether a batch starts from the states that the batch before ended with, until `reset_state`.
        zero_output_for_mask: whether the output of a step that does not count is zero, and not the last that counted.

    Shapes: x (N, T, ...), or [x, *states] -> (N, size), or (N, T, size) with `return_sequences`. The states of stacked
    cells follow one another, those of the first cell first.

    Raises:
        TypeError: for something that is no cell.
    """

    supports_masking = True
    harmless = ("unroll",)

    def __init__(
        self,
        cell,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        zero_output_for_mask=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell, dtype=self.dtype)
        if not isinstance(cell, Layer) or not hasattr(cell, "state_size"):
            raise self.error(
                f"expected a cell (a layer with a state_size, such as LSTMCell(10)), got {cell!r}", TypeError
            )
        self.cell = cell
        self.return_sequences = bool(return_sequences)
        self.return_state = bool(return_state)
        self.go_backwards = bool(go_backwards)
        self._is_stateful = bool(stateful)
        self.zero_output_for_mask = bool(zero_output_for_mask)
        self.states = None  # of a stateful layer: what the next batch starts from

    @property
    def sublayers(self):
        return {"cell": self.cell} if "cell" in vars(self) else {}

    @property
    def stateful(self):
        return self._is_stateful

    @property
    def in_one_part(self):
        return self._is_stateful or self.cell.in_one_part

    @property
    def state_size(self):
        size = self.cell.state_size
        return list(size) if isinstance(size, (list, tuple)) else [size]

    def __call__(self, inputs, initial_state=None, training=None, mask=None):
        """As every layer; `initial_state` is what the layer starts from instead of zeros.

        Of stacked cells the states come cell by cell: ``y, (h1, c1), (h2, c2)`` of two `LSTMCell`s.
        """
        if initial_state is not None:
            inputs = [inputs, *flatten(initial_state)]
        outputs = super().__call__(inputs, training=training, mask=mask)
        if not (self.return_state and isinstance(self.cell, StackedRNNCells)):
            return tuple(outputs) if isinstance(outputs, list) else outputs
        y, *states = outputs
        sizes, by_cell = self.cell.state_size, self.cell.by_cell(states)
        return y, *(own if isinstance(n, (list, tuple)) else own[0] for n, own in zip(sizes, by_cell))

    def call_arguments(self, inputs):
        if not isinstance(inputs, list):
            return [inputs], {}
        return [inputs[0]], {"initial_state": inputs[1:]}

    def get_initial_state(self, batch_size):
        return states_of(self.cell, batch_size, self.dtype)

    def reset_state(self):
        """Let the next batch start from the cell's initial states."""
        self.states = None

    reset_states = reset_state

    def remember(self, cache):
        if self._is_stateful:
            self.states = cache.states

    # ---- shapes ----

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        N, _, *rest = self._as_list(input_shape)[0]
        CellSteps(self.cell).build((N, *rest))
        self.built = True

    def compute_output_shape(self, input_shape):
        x_shape, *state_shapes = self._as_list(input_shape)
        if len(x_shape) < 3:
            raise self.error(f"expected a sequence (N, T, ...), got an input of shape {x_shape}")
        sizes = flatten(self.cell.state_size)
        if state_shapes and len(state_shapes) != len(sizes):
            raise self.error(f"expected {len(sizes)} initial states, got {len(state_shapes)}")
        N, T, *rest = x_shape
        shape = CellSteps(self.cell).output_shape((N, *rest))
        if self.return_sequences:
            shape = (N, T, *shape[1:])
        return [shape, *((N, size) for size in sizes)] if self.return_state else shape

    def compute_mask(self, x, mask=None):
        return of_steps(mask) if self.return_sequences else None

    def output_masked(self, masked):
        return self.return_sequences and flatten(masked)[0]

    def _as_list(self, inputs):
        return inputs if isinstance(inputs, list) else [inputs]

    # ---- computing ----

    def forward(self, x, training=False, mask=None):
        """Return ``(y, cache)``, or ``([y, *states], cache)`` with `return_state`; `x` may be ``[x, *states]``."""
        has_initial_state = isinstance(x, (list, tuple))
        x, *states = x if has_initial_state else [x]
        N, T = x.shape[:2]
        if not states:
            states = self._first_states(N)
        if layers := cells_as_layers.layers_of(self):
            y, states, passes = cells_as_layers.forward(layers, x, states, training, of_steps(mask))
            cache = cells_as_layers.LayersCache(passes, states, has_initial_state)
            return ([y, *states] if self.return_state else y), cache
        order = range(T)[::-1] if self.go_backwards else range(T)
        counts = None if mask is None else np.asarray(of_steps(mask), bool).T[list(order)]  # (T, N)
        drops = self.cell.draw_masks(N) if training and getattr(self.cell, "drops", False) else None
        cell, caches, outputs = CellSteps(self.cell), [], []
        for k, t in enumerate(order):
            (y, *new_states), cache = cell.forward([x[:, t], *states], training, drops)
            if counts is not None:
                last = np.zeros_like(y) if self.zero_output_for_mask or not outputs else outputs[-1]
                y = _chosen(counts[k], y, last)
                new_states = [_chosen(counts[k], new, old) for new, old in zip(new_states, states)]
            states = new_states
            outputs.append(y)
            caches.append(cache)
        y = np.stack(outputs, axis=1) if self.return_sequences else outputs[-1]
        cache = RNNCache(caches, counts, states, x.shape, has_initial_state)
        return ([y, *states] if self.return_state else y), cache

    def _first_states(self, N):
        if self.states is None:
            return flatten(self.get_initial_state(N))
        if len(self.states[0]) != N:
            raise self.error(
                f"stateful: a batch must have as many samples as the one before, {len(self.states[0])}, not {N}; "
                "reset_state() begins anew"
            )
        return self.states

    def backward(self, dy, cache, needs_dx=True):
        """Return ``(dx, grads)``; dx is ``[dx, *dstates]`` if forward was given states. None among dy means zeros."""
        dy, *dstates = dy if self.return_state else [dy, *[None] * len(cache.states)]
        dstates = [np.zeros_like(state) if d is None else d for state, d in zip(cache.states, dstates)]
        if isinstance(cache, cells_as_layers.LayersCache):
            dx, grads = cells_as_layers.backward(cache.passes, dy, dstates, needs_dx)
            return (dx if dx is None or cache.has_initial_state else dx[0]), grads
        T, counts, cell = cache.x_shape[1], cache.counts, CellSteps(self.cell)
        dxs, grads, dlast = [None] * T, {}, 0  # dlast: what comes back to an output that later steps have repeated
        for k in reversed(range(T)):
            d = self._dy_of_step(dy, k, T, cache)
            if counts is not None:
                d = d + dlast
                dlast = 0 if self.zero_output_for_mask else _chosen(counts[k], np.zeros_like(d), d)
                d = _chosen(counts[k], d, np.zeros_like(d))
                past = [_chosen(counts[k], np.zeros_like(state), state) for state in dstates]
                dstates = [state - over for state, over in zip(dstates, past)]
            (dxs[k], *dstates), step_grads = cell.backward([d, *dstates], cache.steps[k], True)
            for name, gradient in step_grads.items():
                grads[name] = grads[name] + gradient if name in grads else gradient
            if counts is not None:
                dstates = [state + over for state, over in zip(dstates, past)]
        grads = {f"cell/{name}": gradient for name, gradient in grads.items()}
        if not needs_dx:
            return None, grads
        dx = np.stack(dxs[::-1] if self.go_backwards else dxs, axis=1)
        return ([dx, *dstates] if cache.has_initial_state else dx), grads

    def _dy_of_step(self, dy, k, T, cache):
        if dy is not None and self.return_sequences:
            return dy[:, k]
        if dy is not None and k == T - 1:
            return dy
        size = CellSteps(self.cell).output_shape((cache.x_shape[0], *cache.x_shape[2:]))
        return np.zeros(size, cache.states[0].dtype)

    @classmethod
    def from_config(cls, config):
        return super().from_config({**config, "cell": deserialize(config["cell"], "layers")})


def _chosen(counts, new, old):
    """Rows of `new` where the step counts, of `old` elsewhere."""
    return np.where(counts.reshape(-1, *[1] * (new.ndim - 1)), new, old)
