"""Masks in an ONNX graph: tensors of bools that say which steps count, where layers of ours hand them on."""

import numpy as np


def _of_embedding(w, layer, inputs, masks):
    return w.each(w.combine("Equal", w.cast(inputs[0], "int32"), np.int32(0), dtype="bool"), "Not")


def counted_steps(w, layer, x):
    """Of a `Masking`: which steps have a number that is not the mask's."""
    other = w.each(w.combine("Equal", x, np.float32(layer.mask_value), dtype="bool"), "Not")
    most = w.reduce(w.cast(other, "float32"), "ReduceMax", range(2, x.rank), keepdims=False)
    return w.combine("Greater", most, np.float32(0), dtype="bool")


def _of_masking(w, layer, inputs, masks):
    return counted_steps(w, layer, inputs[0])


def _of_merge(w, layer, inputs, masks):
    total = masks[0]  # all inputs have one, or the output has none
    for mask in masks[1:]:
        total = w.combine("Or", total, mask, dtype="bool")
    return total


def _of_concatenate(w, layer, inputs, masks):
    axis = layer.axis % inputs[0].rank
    if any(mask is None for mask in masks) or (axis != 1 and inputs[0].rank != 3):
        raise ValueError("the mask of what it concatenates cannot be written")
    return w.concatenate(masks, 1) if axis == 1 else _of_merge(w, layer, inputs, masks)


_WRITERS = {"Embedding": _of_embedding, "Masking": _of_masking, "Merge": _of_merge, "Concatenate": _of_concatenate}


def mask_of_output(w, layer, inputs, masks):
    """The mask, a Value or None, that comes with a layer's output, given those of its inputs."""
    names = [cls.__name__ for cls in type(layer).__mro__]
    write = next((_WRITERS[name] for name in names if name in _WRITERS), None)
    if write is not None:
        return write(w, layer, inputs, masks)
    return next((mask for mask in masks if mask is not None), None)


def as_floats(w, mask, rank):
    """1 where a mask counts, 0 elsewhere, with `rank` axes."""
    counted = w.cast(mask, "float32")
    while counted.rank < rank:
        counted = w.unsqueeze(counted, -1)
    return counted


def global_average(w, layer, x, mask):
    """The mean of the steps that count."""
    counted = as_floats(w, mask, x.rank)  # (N, T, 1)
    number = w.combine("Max", w.reduce(counted, "ReduceSum", [1]), np.float32(1))
    y = w.combine("Div", w.reduce(w.combine("Mul", x, counted), "ReduceSum", [1]), number)
    return y if layer.keepdims else w.squeeze(y, [1])
