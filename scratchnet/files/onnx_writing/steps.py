"""Recurrent layers step by step, as a Scan: for what ONNX's own LSTM, GRU and RNN do not have.

That is a mask, other activations than theirs, and convolutions in place of matrix products. The body of the Scan is one
step, written as the layer's equations are. Where a step of a sample does not count, its states stay as they were.
"""

import numpy as np

from scratchnet.files.onnx_writing.activations import activation
from scratchnet.files.onnx_writing.masks import of_steps
from scratchnet.files.onnx_writing.windows import convolved
from scratchnet.files.onnx_writing.writer import Value
from scratchnet.layers.rnn.steps_of_cells import CellSteps, states_of
from scratchnet.structure import flatten


def scan(w, step, xs, states, backwards, mask=None, zero_output_for_mask=False, output_shape=None):
    """``(sequence, last states)``, the sequence in the order of x.

    Args:
        step: ``step(x, states)`` gives the output and the next states in one list, as cells do.
        xs: a Value (N, T, ...), what each step reads.
        states: the first ones.
        backwards: whether the last step is the first one.
        mask: a Value (N, T, ...) of bools, or None.
        zero_output_for_mask: whether the output of a step that does not count is zero; otherwise it is what was last
            put out, and zeros before the first.
        output_shape: by default that of the first state.
    """
    T = xs.shape[1]
    states = [Value(w.plain(state), state.shape, dtype=state.dtype) for state in states]
    if mask is not None:  # what was last put out is a state, too
        mask = of_steps(w, mask)
        states = [*states, zeros(w, xs, output_shape or states[0].shape)]
    scanned = [Value(w.plain(x), x.shape, dtype=x.dtype) for x in ([xs] if mask is None else [xs, mask])]
    with w.subgraph() as body:
        inner = [Value(w.unique("state"), state.shape, dtype=state.dtype) for state in states]
        now = [Value(w.unique("x_t"), (x.shape[0], *x.shape[2:]), dtype=x.dtype) for x in scanned]
        if mask is None:
            y, *after = step(now[0], inner)
        else:
            y, *after = step(now[0], inner[:-1])
            counts = w.unsqueeze(now[1], -1)  # (N, 1)
            after = [w.where(_like(w, counts, old), new, old) for new, old in zip((*after, y), inner, strict=True)]
            y = w.where(_like(w, counts, y), y, np.float32(0)) if zero_output_for_mask else after[-1]
        results = [w.renamed(value) for value in (*after, y)]
    attributes = {
        "num_scan_inputs": len(scanned),
        "scan_input_axes": [1] * len(scanned),
        "scan_input_directions": [int(backwards)] * len(scanned),
        "scan_output_axes": [1],
        "scan_output_directions": [int(backwards)],
    }
    body = body.graph([*inner, *now], results)
    names = w.node("Scan", [v.name for v in (*states, *scanned)], outputs=len(results), body=body, **attributes)
    *last, sequence = names
    sequence = Value(sequence, (y.shape[0], T, *y.shape[1:]))
    last = [Value(name, state.shape, dtype=state.dtype) for name, state in zip(last, states)]
    return sequence, last if mask is None else last[:-1]


def last_step(w, sequence, backwards):
    """The output of the step that was processed last."""
    return w.squeeze(w.cut(sequence, 1, 0, 1) if backwards else w.cut(sequence, 1, -1), [1])


def zeros(w, x, shape):
    """Zeros of a shape whose first size is that of x."""
    first = w.node("Slice", [w.node("Shape", [w.plain(x)]), w.ints(0), w.ints(1)])
    sizes = w.node("Concat", [first, w.ints(*shape[1:])], axis=0)
    return Value(w.node("ConstantOfShape", [sizes]), shape)


def _like(w, condition, value):
    """A condition (N, 1) with as many axes as a value has."""
    for _ in range(value.rank - 2):
        condition = w.unsqueeze(condition, -1)
    return condition


def _gates(w, z, count):
    """The parts of z along the last axis."""
    size = z.shape[-1] // count
    return [w.cut(z, -1, k * size, (k + 1) * size) for k in range(count)]


def _lstm_step(w, cell, z, c):
    """``[h, h, c]`` of the sums of the gates."""
    z_i, z_f, z_g, z_o = _gates(w, z, 4)
    i, f, o = (activation(w, gate, cell.recurrent_activation) for gate in (z_i, z_f, z_o))
    g = activation(w, z_g, cell.activation)
    c = w.combine("Add", w.combine("Mul", f, c), w.combine("Mul", i, g))
    h = w.combine("Mul", o, activation(w, c, cell.activation))
    return [h, h, c]


def kind_of(cell):
    """ONNX's name of what a cell, or the layer, computes; None for others."""
    names = {cls.__name__ for cls in type(cell).__mro__}
    kinds = {"LSTM": "LSTM", "GRU": "GRU", "SimpleRNN": "RNN"}
    return next((kind for name, kind in kinds.items() if names & {name, f"{name}Cell"}), None)


def step_of(w, cell):
    """The `step` of any cell: the library's own, several of them, or a layer of your own with `call`."""
    if hasattr(cell, "cells"):
        return _stacked(w, cell)
    if getattr(cell, "is_traced", False):
        return lambda x, states: w.graph(CellSteps(cell).traced(x.shape).graph, [x, *states])[0]
    kind = kind_of(cell)
    if kind is None:
        raise ValueError(f"the cell {type(cell).__name__} cannot be written")
    return _own_step(w, cell, kind)


def _stacked(w, stack):
    steps = [step_of(w, cell) for cell in stack.cells]

    def step(x, states):
        new_states = []
        for one, own in zip(steps, stack.by_cell(states)):
            x, *after = one(x, own)
            new_states += after
        return [x, *new_states]

    return step


def first_states(w, cell, x):
    """What a cell begins with, for the samples of x."""
    values = [np.asarray(state[0], "float32") for state in flatten(states_of(cell, 1, "float32"))]
    return [w.combine("Add", zeros(w, x, (x.shape[0], *value.shape)), value) for value in values]


def cell(w, layer, x, *states):
    """One step by itself."""
    return step_of(w, layer)(x, states)


def _own_step(w, cell, kind):
    """The `step` of an LSTM, a GRU or an RNN whose weights are the `cell`'s."""
    W, R = (np.asarray(cell.params[name], "float32") for name in ("kernel", "recurrent_kernel"))
    b = np.asarray(cell.params["bias"], "float32") if cell.use_bias else np.float32(0)
    U = cell.units

    def product(x, matrix):
        return w.matmul(x, Value(w.constant(matrix), matrix.shape), (x.shape[0], matrix.shape[1]))

    def lstm(x, states):
        h, c = states
        return _lstm_step(w, cell, w.combine("Add", w.combine("Add", product(x, W), product(h, R)), b), c)

    def gru(x, states):
        (h,) = states
        input_bias, recurrent_bias = b if np.ndim(b) == 2 else (b, np.float32(0))
        xz, xr, xh = _gates(w, w.combine("Add", product(x, W), input_bias), 3)
        hz, hr, hh = _gates(w, w.combine("Add", product(h, R), recurrent_bias), 3)
        z, r = (activation(w, w.combine("Add", a, b), cell.recurrent_activation) for a, b in ((xz, hz), (xr, hr)))
        if not cell.reset_after:
            hh = product(w.combine("Mul", r, h), R[:, 2 * U :])
        else:
            hh = w.combine("Mul", r, hh)
        candidate = activation(w, w.combine("Add", xh, hh), cell.activation)
        rest = w.combine("Mul", w.combine("Sub", np.float32(1), z), candidate)
        return [w.combine("Add", w.combine("Mul", z, h), rest)] * 2

    def rnn(x, states):
        total = w.combine("Add", w.combine("Add", product(x, W), product(states[0], R)), b)
        return [activation(w, total, cell.activation)] * 2

    return {"LSTM": lstm, "GRU": gru, "RNN": rnn}[kind]


def conv_lstm(w, layer, x, *states, mask=None):
    """ConvLSTM1D, 2D and 3D."""
    N, _, *sizes, _ = x.shape
    W, R = (np.asarray(layer.params[name], "float32") for name in ("kernel", "recurrent_kernel"))
    b = np.asarray(layer.params["bias"], "float32") if layer.use_bias else np.float32(0)
    (strides, pads, dilations), (ones, same, _) = layer.geometries(sizes)
    shape = layer.compute_output_shape(x.shape)
    shape = shape[1] if layer.return_state else (N, *shape[1 + layer.return_sequences :])
    states = list(states) or [zeros(w, x, shape)] * 2

    def step(x, states):
        h, c = states
        z_shape = (*shape[:-1], 4 * shape[-1])
        z = w.combine(
            "Add", convolved(w, x, W, strides, pads, dilations, z_shape), convolved(w, h, R, ones, same, ones, z_shape)
        )
        return _lstm_step(w, layer, w.combine("Add", z, b), c)

    sequence, states = scan(w, step, x, states, layer.go_backwards, mask, layer.zero_output_for_mask)
    y = last_step(w, sequence, layer.go_backwards)
    if layer.return_sequences:
        y = w.backwards(sequence, 1) if layer.go_backwards else sequence
    return [y, *states] if layer.return_state else y


WRITERS = {"ConvLSTM": conv_lstm, "Cell": cell, "StackedRNNCells": cell}
