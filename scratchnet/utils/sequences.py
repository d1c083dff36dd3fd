"""Sequences of different lengths as one array."""

import numpy as np


def pad_sequences(sequences, maxlen=None, dtype="int32", padding="pre", truncating="pre", value=0.0):
    """Sequences (lists of numbers, or arrays (T, ...)) as an array (N, maxlen, ...).

    Args:
        maxlen: the common length; by default that of the longest.
        dtype: of the result; ``object`` or a string dtype for sequences of texts.
        padding: "pre" or "post": where shorter sequences are filled up.
        truncating: "pre" or "post": where longer ones are cut.
        value: what they are filled up with.

    Raises ValueError for something that has no length, for sequences whose steps have different shapes, and for a
    `value` that the dtype cannot hold.
    """
    for side, where in (("padding", padding), ("truncating", truncating)):
        if where not in ("pre", "post"):
            raise ValueError(f'pad_sequences: {side} must be "pre" or "post", got {where!r}')
    if not hasattr(sequences, "__len__") or not all(hasattr(sequence, "__len__") for sequence in sequences):
        raise ValueError("pad_sequences: expected a list of sequences")
    steps = {np.shape(sequence)[1:] for sequence in sequences if len(sequence)}
    if len(steps) > 1:
        raise ValueError(f"pad_sequences: the steps of the sequences have different shapes: {sorted(steps)}")
    if maxlen is None:
        maxlen = max(map(len, sequences), default=0)
    dtype = np.dtype(dtype)
    if isinstance(value, str) and dtype.kind not in "OUS":
        raise ValueError(f"pad_sequences: dtype {dtype} cannot hold the value {value!r}; dtype=object can")
    padded = np.full((len(sequences), maxlen, *(steps.pop() if steps else ())), value, dtype)
    if maxlen == 0:
        return padded
    for row, sequence in zip(padded, sequences):
        kept = np.asarray(sequence[-maxlen:] if truncating == "pre" else sequence[:maxlen], dtype)
        if len(kept):
            row[-len(kept) if padding == "pre" else 0 :][: len(kept)] = kept
    return padded
