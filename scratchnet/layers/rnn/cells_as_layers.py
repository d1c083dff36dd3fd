"""The library's own cells as the layers whose step they are: for `RNN`, the loop over time in the kernels.

A step by itself is a product of few rows, and some twenty lines of Python around it. `LSTM`, `GRU` and `SimpleRNN` go
through all steps in one kernel, with one product of x and W before it. So an `RNN` of an `LSTMCell` is computed by the
`LSTM` that has everything of the cell: its weights, its functions, its random numbers. Cells that are stacked are such
layers one behind the other, where all but the last return sequences.

The layer is made anew whenever it is used, and only looks at what the cell has at that moment. There is none where
somebody looks at the steps, having put something in the place of a cell's forward or backward.
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet.layers.rnn.gru import GRU
from scratchnet.layers.rnn.gru_cell import GRUCell
from scratchnet.layers.rnn.lstm import LSTM
from scratchnet.layers.rnn.lstm_cell import LSTMCell
from scratchnet.layers.rnn.simple_rnn import SimpleRNN
from scratchnet.layers.rnn.simple_rnn_cell import SimpleRNNCell
from scratchnet.layers.rnn.stacked_rnn_cells import StackedRNNCells

_LAYERS = {SimpleRNNCell: SimpleRNN, GRUCell: GRU, LSTMCell: LSTM}
_WAYS = "forward", "backward"
_WRITTEN = {(kind, way): getattr(kind, way) for kind in (*_LAYERS, StackedRNNCells) for way in _WAYS}


class LayersCache(NamedTuple):
    passes: dict[str, tuple[Any, Any]]  # by the path of each cell, the layer and its cache
    states: list  # the last ones, flat
    has_initial_state: bool


def layers_of(rnn):
    """``{path: layer}``: what computes the same as an `RNN`; empty if its cell is not made of the library's own."""
    cells = _cells_by_path(rnn.cell, "cell")
    if not all(type(cell) in _LAYERS and _is_as_written(cell) for cell in cells.values()):
        return {}
    layers = {path: _layer_of(cell) for path, cell in cells.items()}
    first, last = (list(layers.values())[place] for place in (0, -1))
    first.go_backwards = rnn.go_backwards  # those behind it are given what it returns, in the order of processing
    last.return_sequences, last.zero_output_for_mask = rnn.return_sequences, rnn.zero_output_for_mask
    return layers


def _cells_by_path(cell, path):
    """The cells that a cell is made of: itself, if it is no stack, or somebody looks at that."""
    if type(cell) is not StackedRNNCells or not cell.cells or not _is_as_written(cell):
        return {path: cell}
    within = (_cells_by_path(one, f"{path}/{name}") for name, one in cell.sublayers.items())
    return {path: cell for found in within for path, cell in found.items()}


def _is_as_written(cell):
    ways = ((way, _WRITTEN.get((type(cell), way))) for way in _WAYS)
    return all(getattr(getattr(cell, way), "__func__", None) is written for way, written in ways)


def _layer_of(cell):
    layer = object.__new__(_LAYERS[type(cell)])
    through_time = {"return_sequences": True, "return_state": True, "go_backwards": False, "stateful": False}
    vars(layer).update(vars(cell), **through_time, zero_output_for_mask=False, states=None)
    return layer


def forward(layers, x, states, training, mask):
    """``(y, last states, passes)`` of layers one behind the other, which start from `states`; mask (N, T) or None."""
    last, passes = [], {}
    for path, layer in layers.items():
        count = len(layer.state_names)
        own, states = [np.asarray(state, x.dtype) for state in states[:count]], states[count:]
        (x, *own), cache = layer.forward([x, *own], training, mask)
        last += own
        passes[path] = layer, cache
        if mask is not None and layer.go_backwards:
            mask = mask[:, ::-1]
    return x, last, passes


def backward(passes, dy, dstates, needs_dx):
    """``([dx, *dstates], grads)``, or None in place of the list if nobody needs it."""
    first, grads, dfirst = next(iter(passes)), {}, []
    for path, (layer, cache) in reversed(passes.items()):
        dstates, own = dstates[: -len(layer.state_names)], dstates[-len(layer.state_names) :]
        needs = needs_dx or path != first
        dx, found = layer.backward([dy, *own], cache, needs)
        grads.update((f"{path}/{name}", gradient) for name, gradient in found.items())
        if needs:
            dy, *own = dx
            dfirst = [*own, *dfirst]
    return ([dy, *dfirst] if needs_dx else None), grads
