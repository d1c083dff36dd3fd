"""What goes through time: LSTM, GRU and SimpleRNN, cells of the same kinds, both directions, TimeDistributed."""

import numpy as np

from scratchnet.files.onnx_writing.activations import is_ours
from scratchnet.files.onnx_writing.steps import first_states, kind_of, last_step, scan, step_of, zeros
from scratchnet.files.onnx_writing.writer import Value
from scratchnet.layers.rnn.steps_of_cells import CellSteps
from scratchnet.structure import flatten

# Activations under ONNX's names, with alpha and beta where it needs them.
_ACTIVATIONS = {
    "sigmoid": ("Sigmoid", None, None),
    "tanh": ("Tanh", None, None),
    "relu": ("Relu", None, None),
    "linear": ("Affine", 1.0, 0.0),
    "softplus": ("Softplus", None, None),
    "softsign": ("Softsign", None, None),
    "elu": ("Elu", 1.0, None),
    "hard_sigmoid": ("HardSigmoid", 1 / 6, 0.5),
}
_TIME_FIRST = (1, 0, 2)


def recurrent(w, layer, *inputs, mask=None):
    """A layer: the sequence or its last step, and the states if they are returned."""
    x, *states = inputs
    sequence, states = _run(w, layer, layer, x, states, layer.go_backwards, mask)
    return _returned(w, layer, sequence, states, mask is None)


def _returned(w, layer, sequence, states, first_is_output):
    if not layer.return_sequences:
        y = states[0] if first_is_output else last_step(w, sequence, layer.go_backwards)
    elif layer.go_backwards:
        y = w.backwards(sequence, 1)  # in the order of processing, as we return it
    else:
        y = sequence
    return [y, *states] if layer.return_state else y


def _run(w, layer, cell, x, states, go_backwards, mask):
    """``(sequence (N, T, U) in the order of the input, [h, c])`` of one direction."""
    kind, zeroed = kind_of(cell), getattr(layer, "zero_output_for_mask", False)
    if kind is None:
        states, shape = states or first_states(w, cell, x), CellSteps(cell).output_shape(x.shape)
        return scan(w, step_of(w, cell), x, states, go_backwards, mask, zeroed, shape)
    activations, U = _activations(cell, kind), cell.units
    if mask is not None or activations is None:
        states = states or [zeros(w, x, (x.shape[0], U))] * (2 if kind == "LSTM" else 1)
        return scan(w, step_of(w, cell), x, states, go_backwards, mask, zeroed)
    W, R = (np.asarray(cell.params[name], "float32").T for name in ("kernel", "recurrent_kernel"))
    bias = np.asarray(cell.params["bias"], "float32") if cell.use_bias else None
    if kind == "LSTM":
        i, f, c, o = (np.arange(gate * U, (gate + 1) * U) for gate in range(4))
        order = np.concatenate([i, o, f, c])
        W, R, bias = W[order], R[order], None if bias is None else bias[order]
    names = [
        w.in_order(x, _TIME_FIRST),
        w.constant(W[None], stem=f"{layer.name}/W"),
        w.constant(R[None], stem=f"{layer.name}/R"),
    ]
    attributes = {"hidden_size": U, "direction": "reverse" if go_backwards else "forward", **activations}
    if kind == "GRU":
        attributes["linear_before_reset"] = int(cell.reset_after)
    if bias is not None:
        both = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
        names.append(w.constant(both.reshape(1, -1), stem=f"{layer.name}/B"))
    elif states:
        names.append("")
    if states:
        names += ["", *(w.plain(w.unsqueeze(state, 0)) for state in states)]
    count = 3 if kind == "LSTM" else 2
    sequence, *last = w.node(kind, names, outputs=count, **attributes)
    N, T, _ = x.shape
    # Y is (T, 1, N, U), Y_h and Y_c (1, N, U)
    sequence = Value(w.node("Squeeze", [sequence, w.ints(1)]), (N, T, U), _TIME_FIRST)
    return sequence, [Value(w.node("Squeeze", [state, w.ints(0)]), (N, U)) for state in last]


def _activations(cell, kind):
    """The attributes that say which they are, or None if ONNX's own layers do not have them."""
    functions = [cell.activation] if kind == "RNN" else [cell.recurrent_activation, cell.activation]
    functions += [cell.activation] if kind == "LSTM" else []
    found = []
    for function in functions:
        if function.name not in _ACTIVATIONS or function.parameters or not is_ours(function):
            return None
        found.append(_ACTIVATIONS[function.name])
    attributes = {"activations": [name for name, _, _ in found]}
    for key, numbers in (("activation_alpha", [a for _, a, _ in found]), ("activation_beta", [b for _, _, b in found])):
        given = [number for number in numbers if number is not None]
        if given != numbers[: len(given)]:  # which function a number is for is not agreed upon then
            return None
        attributes.update({key: given} if given else {})
    return attributes


def cells(w, layer, *inputs, mask=None):
    """An RNN layer: one cell, or several of which each reads what the one before it makes."""
    x, *states = inputs
    stack = getattr(layer.cell, "cells", [layer.cell])
    last = []
    for cell in stack:
        count = len(flatten(cell.state_size))
        own, states = states[:count], states[count:]
        x, after = _run(w, layer, cell, x, own, layer.go_backwards, mask)
        last += after
    y = _returned(w, layer, x, after, mask is None and kind_of(stack[-1]) is not None)
    return [y[0], *last] if layer.return_state else y


def bidirectional(w, layer, *inputs, mask=None):
    x, *states = inputs
    half = len(states) // 2
    results = []
    for one, own in ((layer.forward_layer, states[:half]), (layer.backward_layer, states[half:])):
        result = w.layer(one, [x, *own], masks=[mask])
        results.append(result)
    (a, *first), (b, *second) = results
    if layer.backward_layer.return_sequences:
        b = w.backwards(b, 1)
    merged = {
        "concat": lambda: w.concatenate([w_plain(w, a), w_plain(w, b)], -1),
        "sum": lambda: w.combine("Add", a, b),
        "ave": lambda: w.combine("Mul", w.combine("Add", a, b), np.float32(0.5)),
        "mul": lambda: w.combine("Mul", a, b),
    }
    y = [a, b] if layer.merge_mode is None else [merged[layer.merge_mode]()]
    y += [*first, *second]
    return y if len(y) > 1 else y[0]


def w_plain(w, value):
    return Value(w.plain(value), value.shape)


def time_distributed(w, layer, x, mask=None):
    within = [] if mask is None or mask.rank < 3 else [w.reshape(mask, (None, *mask.shape[2:]))]
    y = w.layer(layer.layer, [w.reshape(x, (None, *x.shape[2:]))], within)[0]
    N, T = x.shape[:2]
    if T is not None:
        return w.reshape(y, (N, T, *y.shape[1:]))
    if None in y.shape[1:]:
        raise ValueError("several sizes are free")
    target = w.sizes(x, (None, None, *y.shape[1:]))
    return Value(w.node("Reshape", [w.plain(y), target]), (None, None, *y.shape[1:]))


WRITERS = {
    "LSTM": recurrent,
    "GRU": recurrent,
    "SimpleRNN": recurrent,
    "RNN": cells,
    "Bidirectional": bidirectional,
    "TimeDistributed": time_distributed,
}
