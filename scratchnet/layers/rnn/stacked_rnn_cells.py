"""Several cells as one: the output of each is the input of the next, and each has states of its own."""

from scratchnet.layers.base import Layer
from scratchnet.layers.composite import Composite
from scratchnet.layers.rnn.steps_of_cells import CellSteps, states_of
from scratchnet.registry import deserialize, register
from scratchnet.structure import flatten


@register("layers")
class StackedRNNCells(Composite):
    """A cell made of cells.

    Args:
        cells: a list of cells, the first of which sees x.

    Shapes: x (N, D) and the states of all cells -> the last cell's output and all new states;
    ``stacked(x, states)`` takes and gives the states in a list with an entry for each cell.

    Raises:
        TypeError: for something that is no cell.
    """

    def __init__(self, cells, **kwargs):
        super().__init__(**kwargs)
        self.cells = list(cells)
        for cell in self.cells:
            if not isinstance(cell, Layer) or not hasattr(cell, "state_size"):
                raise self.error(f"expected cells (layers with a state_size), got {cell!r}", TypeError)

    @property
    def sublayers(self):
        return {f"cells/{k}": cell for k, cell in enumerate(vars(self).get("cells", ()))}

    @property
    def state_size(self):
        """The cells' own, in a list."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self):
        last = self.cells[-1]
        return getattr(last, "output_size", None) or flatten(last.state_size)[0]

    def get_initial_state(self, batch_size=None):
        """A list with the states that each cell begins with."""
        return [states_of(cell, batch_size, self.dtype) for cell in self.cells]

    @property
    def drops(self):
        return any(getattr(cell, "drops", False) for cell in self.cells)

    def draw_masks(self, N):
        """For each cell what is dropped in a step of training."""
        return [cell.draw_masks(N) if getattr(cell, "drops", False) else None for cell in self.cells]

    def __call__(self, inputs, states=None, training=None):
        given = inputs if states is None else [inputs, *flatten(states)]
        y, *new_states = super().__call__(given, training=training)
        return y, self.by_cell(new_states)

    def call_arguments(self, inputs):
        return [inputs[0], self.by_cell(inputs[1:])], {}

    def by_cell(self, states):
        """A flat list of states as a list with an entry for each cell."""
        states, found = list(states), []
        for cell in self.cells:
            count = len(flatten(cell.state_size))
            found.append(states[:count])
            del states[:count]
        return found

    # ---- shapes ----

    def build(self, input_shape):
        x_shape = input_shape[0] if isinstance(input_shape, list) else input_shape
        for cell in self.cells:
            steps = CellSteps(cell)
            steps.build(x_shape)
            x_shape = steps.output_shape(x_shape)
        self.built = True

    def compute_output_shape(self, input_shape):
        x_shape, *state_shapes = input_shape
        for cell in self.cells:
            x_shape = CellSteps(cell).output_shape(x_shape)
        return [x_shape, *state_shapes]

    # ---- computing ----

    def forward(self, x, training=False, drops=None):
        """Return ``([y, *new states], caches)`` for ``[x, *states]``; `drops` as of `draw_masks`."""
        y, *states = x
        new_states, caches = [], []
        if training and self.drops and drops is None:
            drops = self.draw_masks(len(y))
        for k, (cell, own) in enumerate(zip(self.cells, self.by_cell(states))):
            (y, *own), cache = CellSteps(cell).forward([y, *own], training, None if drops is None else drops[k])
            new_states += own
            caches.append(cache)
        return [y, *new_states], caches

    def backward(self, dy, cache, needs_dx=True):
        """Return ``([dx, *dstates], grads)`` for ``[dy, *dstates]``."""
        d, *dstates = dy
        dnew, grads = [], {}
        numbered = list(enumerate(zip(self.cells, self.by_cell(dstates), cache)))
        for k, (cell, own, cell_cache) in reversed(numbered):
            needs = needs_dx or k > 0
            dx, cell_grads = CellSteps(cell).backward([d, *own], cell_cache, needs)
            grads.update((f"cells/{k}/{name}", gradient) for name, gradient in cell_grads.items())
            if needs:
                d, *own = dx
                dnew = [*own, *dnew]
        return ([d, *dnew] if needs_dx else None), grads

    @classmethod
    def from_config(cls, config):
        return super().from_config({**config, "cells": deserialize(config["cells"], "layers")})
