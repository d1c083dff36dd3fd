"""One way to go a step with any cell: the library's own, a stack of them, or a layer of your own with `call`."""

import numpy as np

from scratchnet.graph.symbolic import KerasTensor
from scratchnet.structure import flatten


def states_of(cell, N, dtype):
    """The list of states (N, size) that a cell begins with."""
    if hasattr(cell, "get_initial_state"):
        states = cell.get_initial_state(batch_size=N)
    else:
        states = [np.zeros((N, size), dtype) for size in flatten(cell.state_size)]
    return list(states) if isinstance(states, (list, tuple)) else [states]


class CellSteps:
    """`forward` and `backward` of one step of `cell`, with flat lists: [x, *states] -> [y, *new states]."""

    def __init__(self, cell):
        self.cell = cell
        self.is_traced = getattr(cell, "is_traced", False)

    def build(self, x_shape):
        """Make the cell's weights for x of this shape (N, ...)."""
        if self.cell.built:
            return
        if not self.is_traced:
            self.cell.ensure_built(x_shape)
            return
        self.traced(x_shape)

    def traced(self, x_shape):
        """What tracing a cell with `call` has found for x of this shape (N, ...)."""
        arrays = [KerasTensor(shape, self.cell.dtype, "step") for shape in self._shapes(x_shape)]
        arguments, *_ = self._arguments(arrays)
        return self.cell.traced(arguments, [False] * len(arrays), False)

    def output_shape(self, x_shape):
        """(N, size), by what the cell says of itself."""
        size = getattr(self.cell, "output_size", None)
        return (x_shape[0], flatten(self.cell.state_size)[0] if size is None else size)

    def _shapes(self, x_shape):
        return [x_shape, *((x_shape[0], size) for size in flatten(self.cell.state_size))]

    def _arguments(self, values):
        """The pattern of ``cell(x, states)`` and its arrays."""
        x, *states = values
        return self.cell._taken_apart([x, states], {})

    def forward(self, values, training, drops):
        if self.is_traced:
            arguments, arrays, *_ = self._arguments(values)
            y, cache = self.cell.forward(arrays, bool(training), None, arguments)
            return flatten(y), cache
        options = {} if drops is None else {"drops": drops}
        return self.cell.forward(values, training=training, **options)

    def backward(self, dy, cache, needs_dx):
        dx, grads = self.cell.backward(dy, cache, needs_dx=needs_dx)
        return (flatten(dx) if needs_dx else None), grads
