"""LSTM, GRU and RNN nodes.

    W (directions, gates U, D)    R (directions, gates U, U)    B (directions, 2 gates U): the input's, then the state's

X is (T, N, D), Y is (T, directions, N, U), Y_h and Y_c are (directions, N, U). The gates stand in another order: of an
LSTM i, o, f, c, here i, f, c, o; of a GRU z, r, h, as here.
"""

import numpy as np

from scratchnet import ops
from scratchnet.files.onnx_reading.values import Value
from scratchnet.layers import GRU, LSTM, SimpleRNN

_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
_DEFAULTS = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}
_ACTIVATIONS = {"Sigmoid": "sigmoid", "Tanh": "tanh", "Relu": "relu", "Softplus": "softplus", "Softsign": "softsign"}


def recurrent(context, node, inputs):
    x, W, R, B, lengths, *states = (*inputs, *[None] * 8)[:8]
    if node.kind != "LSTM":
        states = states[:1]
    elif states[2] is not None:
        raise ValueError("its peepholes are not read")
    else:
        states = states[:2]
    if lengths is not None or any(isinstance(value, Value) for value in (W, R, B)):
        raise ValueError("sequence_lens, or weights that depend on the inputs, are not read")
    if node.attributes.get("clip") or node.attributes.get("input_forget"):
        raise ValueError("clip and input_forget are not read")
    batch_first = bool(node.attributes.get("layout", 0))
    time, batch = (1, 0) if batch_first else (0, 1)
    tensor = x.in_order((batch, time, 2))
    directions = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}
    backwards = directions.get(node.attributes.get("direction", "forward"))
    W, R = np.asarray(W, "float32"), np.asarray(R, "float32")
    U, gates = R.shape[-1], _GATES[node.kind]
    if backwards is None or W.shape[:2] != (len(backwards), gates * U) or R.shape != (len(backwards), gates * U, U):
        raise ValueError(f"its weights have shapes {W.shape} and {R.shape}")
    B = None if B is None else np.asarray(B, "float32").reshape(len(backwards), 2, gates * U)
    want_sequence = context.is_read(node, 0)
    results = []
    for k, go_backwards in enumerate(backwards):
        layer, weights = _layer(node, k, U, W[k], R[k], None if B is None else B[k], go_backwards, want_sequence)
        first = [_state(state, k, batch_first) for state in states]
        if all(state is None for state in first):
            outputs = context.layer(layer, tensor, weights)
        elif any(state is None for state in first):
            raise ValueError("one of its initial states is left out")
        else:
            outputs = context.layer(layer, tensor, weights, initial_state=first)
        sequence, *last = outputs
        if go_backwards and want_sequence:
            sequence = ops.flip(sequence, 1)  # step t of the output belongs to step t of the input
        results.append([sequence, *last])
    both = [ops.stack(list(parts), axis=-1) for parts in zip(*results)]  # (N, T, U, directions), (N, U, directions)
    # ONNX: (T, directions, N, U) and (directions, N, U), or samples first
    sequence_axes, state_axes = ((0, 1, 3, 2), (0, 2, 1)) if batch_first else ((2, 0, 3, 1), (1, 2, 0))
    found = [x.like(both[0], sequence_axes) if want_sequence else None]
    return found + [x.like(state, state_axes) for state in both[1:]]


def _layer(node, k, U, W, R, B, go_backwards, return_sequences):
    """The layer for one direction, and its weights."""
    names = node.attributes.get("activations") or _DEFAULTS[node.kind] * 2
    per_direction = len(_DEFAULTS[node.kind])
    names = [_ACTIVATIONS.get(name) for name in names[k * per_direction : (k + 1) * per_direction]]
    if None in names or len(names) != per_direction or (node.kind == "LSTM" and names[1] != names[2]):
        raise ValueError(f"its activations are {node.attributes.get('activations')}")
    options = {
        "return_sequences": return_sequences,
        "return_state": True,
        "go_backwards": go_backwards,
        "use_bias": B is not None,
        "activation": names[-1],
    }
    if node.kind == "RNN":
        return SimpleRNN(U, **options), [W.T, R.T] + ([] if B is None else [B.sum(axis=0)])
    options["recurrent_activation"] = names[0]
    if node.kind == "GRU":
        reset_after = bool(node.attributes.get("linear_before_reset", 0))
        bias = [] if B is None else [B if reset_after else B.sum(axis=0)]
        return GRU(U, reset_after=reset_after, **options), [W.T, R.T, *bias]
    i, o, f, c = (np.arange(gate * U, (gate + 1) * U) for gate in range(4))
    order = np.concatenate([i, f, c, o])
    return LSTM(U, **options), [W[order].T, R[order].T] + ([] if B is None else [B.sum(axis=0)[order]])


def _state(state, k, batch_first):
    """The initial state of a direction, (N, U); None for zeros."""
    if state is None:
        return None
    if not isinstance(state, Value):
        if np.any(state):
            raise ValueError("it begins from constants other than zero")
        return None
    batch, direction = (0, 1) if batch_first else (1, 0)
    return state.in_order((batch, direction, 2))[:, k]


HANDLERS = dict.fromkeys(_GATES, recurrent)
