"""Masks in an ONNX graph: tensors of bools that say which steps count, where layers of ours hand them on."""

import numpy as np

from scratchnet.files.onnx_writing.writer import Value


def _of_embedding(w, layer, inputs, masks):
    return w.each(w.combine("Equal", w.cast(inputs[0], "int32"), np.int32(0), dtype="bool"), "Not")


def counted_steps(w, layer, x):
    """Of a `Masking`: which vectors have a number that is not the mask's."""
    other = w.each(w.combine("Equal", x, np.float32(layer.mask_value), dtype="bool"), "Not")
    return any_of(w, other, [x.rank - 1])


def any_of(w, condition, axes):
    """Whether it is true anywhere along these axes, which are gone."""
    most = w.reduce(w.cast(condition, "float32"), "ReduceMax", axes, keepdims=False)
    return w.combine("Greater", most, np.float32(0), dtype="bool")


def _of_masking(w, layer, inputs, masks):
    return counted_steps(w, layer, inputs[0])


def _of_merge(w, layer, inputs, masks):
    return either(w, masks)  # all inputs have one, or the output has none


def either(w, conditions):
    """True where one of them is."""
    total, *others = conditions
    for condition in others:
        total = w.combine("Or", total, condition, dtype="bool")
    return total


def _of_concatenate(w, layer, inputs, masks):
    """Of all numbers, one behind the other as these are; a step counts if one of its numbers does."""
    full = []
    for x, mask in zip(inputs, masks):
        size = w.node("Shape", [w.plain(x)])
        counted = w.constant(True, "bool") if mask is None else w.plain(with_rank(w, mask, x.rank))
        full.append(Value(w.node("Expand", [counted, size]), x.shape, dtype="bool"))
    return any_of(w, w.concatenate(full, layer.axis), [-1])


_WRITERS = {"Embedding": _of_embedding, "Masking": _of_masking, "Merge": _of_merge, "Concatenate": _of_concatenate}


_RECURRENT = {"Recurrent", "ConvLSTM", "RNN", "Bidirectional", "TimeDistributed"}


def of_steps(w, mask):
    """A mask as (N, T): a step counts if anything of it does."""
    return any_of(w, mask, range(2, mask.rank)) if mask.rank > 2 else mask


def mask_of_output(w, layer, inputs, masks):
    """The mask, a Value or None, that comes with a layer's output, given those of its inputs."""
    names = [cls.__name__ for cls in type(layer).__mro__]
    write = next((_WRITERS[name] for name in names if name in _WRITERS), None)
    if write is not None:
        return write(w, layer, inputs, masks)
    first = next((mask for mask in masks if mask is not None), None)
    return first if first is None or not _RECURRENT & set(names) else of_steps(w, first)


def as_floats(w, mask, rank):
    """1 where a mask counts, 0 elsewhere, with `rank` axes."""
    return with_rank(w, w.cast(mask, "float32"), rank)


def with_rank(w, mask, rank):
    """A mask with axes of size 1 behind its own, so that it has `rank` axes."""
    while mask.rank < rank:
        mask = w.unsqueeze(mask, -1)
    return mask


def global_average(w, layer, x, mask):
    """The mean of the steps that count."""
    counted = as_floats(w, mask, x.rank)  # (N, T, 1)
    number = w.combine("Max", w.reduce(counted, "ReduceSum", [1]), np.float32(1))
    y = w.combine("Div", w.reduce(w.combine("Mul", x, counted), "ReduceSum", [1]), number)
    return y if layer.keepdims else w.squeeze(y, [1])
