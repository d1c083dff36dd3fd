"""Layers that prepare data: numbers are scaled, images cut out and resized, categories encoded."""

import numpy as np

from scratchnet.files.onnx_writing.windows import padded, resized
from scratchnet.interpolation import middle


def rescaling(w, layer, x):
    y = w.combine("Mul", w.cast(x, "float32"), np.asarray(layer.scale, "float32"))
    return w.combine("Add", y, np.asarray(layer.offset, "float32"))


def normalization(w, layer, x):
    mean, variance = (np.asarray(getattr(layer, name), "float32") for name in ("mean", "variance"))
    s = np.maximum(np.sqrt(variance), np.float32(1e-7))
    if layer.invert:
        return w.combine("Add", w.combine("Mul", x, s), mean)
    return w.combine("Div", w.combine("Sub", x, mean), s)


def pipeline(w, layer, x):
    for one in layer.layers:
        (x,) = w.layer(one, [x])
    return x


# ---- images ----


def image(w, layer, x):
    """What a layer that changes images in training does outside of it: nothing."""
    if layer.at_rest(x.shape) is not None:
        raise ValueError(f"{type(layer).__name__} has no counterpart")
    return x


def _cut(w, x, part, size, interpolation="bilinear", antialias=False):
    """The `part` of images as images of `size`: see `scratchnet.interpolation`."""
    for axis, start, length in ((1, part[0], part[2]), (2, part[1], part[3])):
        if length != x.shape[axis]:
            x = w.cut(x, axis, start, start + length)
    return x if tuple(part[2:]) == tuple(size) else resized(w, x, size, interpolation, antialias)


def _sizes(x):
    if None in x.shape[1:3]:
        raise ValueError("images of any size cannot be written")
    return x.shape[1:3]


def resizing(w, layer, x):
    (H, W), size = _sizes(x), (layer.height, layer.width)
    if layer.pad_to_aspect_ratio:
        top = (max(H, W * size[0] // size[1]) - H) // 2
        left = (max(W, H * size[1] // size[0]) - W) // 2
        widths, (N, _, _, C) = [(0, 0), (top, top), (left, left), (0, 0)], x.shape
        H, W = H + 2 * top, W + 2 * left
        x = padded(w, x, widths, (N, H, W, C), value=layer.fill_value)
    part = middle(H, W, size) if layer.crop_to_aspect_ratio else (0, 0, H, W)
    return _cut(w, x, part, size, layer.interpolation, layer.antialias)


def center_crop(w, layer, x):
    (H, W), size = _sizes(x), (layer.height, layer.width)
    fits = size[0] <= H and size[1] <= W
    part = ((H - size[0]) // 2, (W - size[1]) // 2, *size) if fits else middle(H, W, size)
    return _cut(w, x, part, size)


def random_crop(w, layer, x):
    size = (layer.height, layer.width)
    return _cut(w, x, middle(*_sizes(x), size), size)


def auto_contrast(w, layer, x):
    low, high = map(np.float32, layer.value_range)
    m, M = (w.reduce(x, kind, [1, 2]) for kind in ("ReduceMin", "ReduceMax"))
    flat = w.combine("Equal", M, m, dtype="bool")
    r = w.combine("Div", high - low, w.where(flat, np.float32(1), w.combine("Sub", M, m)))
    y = w.combine("Add", w.combine("Mul", w.combine("Sub", x, m), r), low)
    return w.where(flat, x, w.combine("Min", w.combine("Max", y, low), high))


# ---- categories ----


def encoded(w, layer, tokens, depth):
    """Numbers (N, K, ...) in the layer's `output_mode`; those outside of 0 to depth - 1 count for nothing."""
    if layer.output_mode == "int":
        return tokens
    if tokens.rank < 2:
        raise ValueError("numbers in a row cannot be written")
    if layer.output_mode == "one_hot" and tokens.shape[-1] == 1:
        tokens = w.squeeze(tokens, [-1])
    hot = w.cast(w.combine("Equal", w.unsqueeze(tokens, -1), np.arange(depth), dtype="bool"), "float32")
    if layer.output_mode == "one_hot":
        return hot
    return w.reduce(hot, "ReduceMax" if layer.output_mode == "multi_hot" else "ReduceSum", [1], keepdims=False)


def category_encoding(w, layer, x, weights=None):
    if weights is not None:
        raise ValueError("count_weights cannot be written")
    return encoded(w, layer, w.cast(x, "int64"), layer.num_tokens)


def discretization(w, layer, x):
    """The number of a bin is how many boundaries are not above."""
    boundaries = np.asarray(layer.bin_boundaries, "float32")
    reached = w.combine("GreaterOrEqual", w.unsqueeze(w.cast(x, "float32"), -1), boundaries, dtype="bool")
    tokens = w.reduce(w.cast(reached, "int64"), "ReduceSum", [-1], keepdims=False)
    return encoded(w, layer, tokens, len(boundaries) + 1)


WRITERS = {
    "Rescaling": rescaling,
    "Normalization": normalization,
    "Pipeline": pipeline,
    "RandomCrop": random_crop,
    "CenterCrop": center_crop,
    "Resizing": resizing,
    "AutoContrast": auto_contrast,
    "ImageLayer": image,
    "RandomImageLayer": image,
    "CategoryEncoding": category_encoding,
    "Discretization": discretization,
}
