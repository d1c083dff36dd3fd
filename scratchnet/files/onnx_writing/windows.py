"""Layers whose windows slide: convolutions, pooling, padding, cropping and upsampling."""

import numpy as np

from scratchnet.files.onnx_writing.activations import activation
from scratchnet.files.onnx_writing.writer import Value, channels_first
from scratchnet.interpolation import resize_weights
from scratchnet.kernels.geometry import adaptive_windows, paddings


def _result(w, layer, name, x, outputs=None):
    """The value of a node that works on channels in front."""
    shape = layer.compute_output_shape(x.shape) if outputs is None else outputs
    return Value(name, shape, channels_first(len(shape)))


def _finished(w, layer, value):
    return activation(w, value, layer.activation)


def _window(layer, x, window):
    """The attributes of a window: strides, and pads, or auto_pad where sizes are not fixed."""
    n = len(window)
    dilations = getattr(layer, "dilation_rate", (1,) * n)
    dilations = (dilations,) * n if isinstance(dilations, int) else tuple(dilations)
    attributes = {"kernel_shape": list(window), "strides": list(layer.strides)}
    if any(d != 1 for d in dilations):
        attributes["dilations"] = list(dilations)
    if layer.padding == "causal":
        attributes["pads"] = [(window[0] - 1) * dilations[0], 0]
    elif layer.padding == "same":
        sizes = x.shape[1:-1]
        if None in sizes:
            attributes["auto_pad"] = "SAME_UPPER"
        else:
            pads = paddings(tuple(sizes), tuple(window), tuple(layer.strides), "same", dilations)
            attributes["pads"] = [before for before, _ in pads] + [after for _, after in pads]
    return attributes


def _weights(layer, *names):
    return [np.asarray(layer.params[name], "float32") for name in names if name in layer.params]


def conv(w, layer, x, outputs=None):
    kernel, *bias = _weights(layer, "kernel", "bias")  # (KH, KW, C / groups, F)
    n = kernel.ndim - 2
    kernel = kernel.transpose(n + 1, n, *range(n))
    names = [w.in_order(x, channels_first(x.rank)), w.constant(kernel, stem=f"{layer.name}/kernel")]
    names += [w.constant(array, stem=f"{layer.name}/bias") for array in bias]
    name = w.node("Conv", names, group=layer.groups, **_window(layer, x, layer.kernel_size))
    return _finished(w, layer, _result(w, layer, name, x, outputs))


def convolved(w, x, kernel, strides, pads, dilations, shape):
    """The convolution (N, S..., C) -> `shape` with a kernel (K..., C, F), `pads` a pair for each axis."""
    n = kernel.ndim - 2
    names = [w.in_order(x, channels_first(x.rank)), w.constant(kernel.transpose(n + 1, n, *range(n)))]
    attributes = {"strides": list(strides), "dilations": list(dilations)}
    attributes["pads"] = [before for before, _ in pads] + [after for _, after in pads]
    return Value(w.node("Conv", names, **attributes), shape, channels_first(x.rank))


def _depthwise(w, layer, x, kernel, bias=()):
    """``(name, channels)`` of a convolution of each channel by itself; kernel (KH, KW, C, M)."""
    n = kernel.ndim - 2
    C, M = kernel.shape[-2:]
    kernel = kernel.transpose(n, n + 1, *range(n)).reshape(C * M, 1, *kernel.shape[:n])
    names = [w.in_order(x, channels_first(x.rank)), w.constant(kernel, stem=f"{layer.name}/kernel")]
    names += [w.constant(array, stem=f"{layer.name}/bias") for array in bias]
    return w.node("Conv", names, group=C, **_window(layer, x, kernel.shape[2:])), C * M


def depthwise(w, layer, x):
    kernel, *bias = _weights(layer, "kernel", "bias")
    name, _ = _depthwise(w, layer, x, kernel, bias)
    return _finished(w, layer, _result(w, layer, name, x))


def separable(w, layer, x):
    depth, point, *bias = _weights(layer, "depthwise_kernel", "pointwise_kernel", "bias")
    name, _ = _depthwise(w, layer, x, depth)
    n = point.ndim - 2
    names = [name, w.constant(point.transpose(n + 1, n, *range(n)), stem=f"{layer.name}/pointwise_kernel")]
    name = w.node("Conv", names + [w.constant(array, stem=f"{layer.name}/bias") for array in bias])
    return _finished(w, layer, _result(w, layer, name, x))


def transposed(w, layer, x):
    kernel, *bias = _weights(layer, "kernel", "bias")  # (KH, KW, F, C)
    n = kernel.ndim - 2
    kernel = kernel.transpose(n + 1, n, *range(n))  # (C, F, KH, KW)
    sizes = x.shape[1:-1]
    if None in sizes:
        raise ValueError("a transposed convolution can be written for images of fixed sizes only")
    pads, extra = layer.pad_amounts(sizes), []
    for size, out, k, s, d, (before, after) in zip(
        sizes, layer.output_sizes(sizes), layer.kernel_size, layer.strides, layer.dilation_rate, pads
    ):
        extra.append(out - ((size - 1) * s + (k - 1) * d + 1 - before - after))
    if min(extra) < 0:  # the last windows reach beyond the output
        pads = [(before, after - min(e, 0)) for (before, after), e in zip(pads, extra)]
        extra = [max(e, 0) for e in extra]
    names = [w.in_order(x, channels_first(x.rank)), w.constant(kernel, stem=f"{layer.name}/kernel")]
    names += [w.constant(array, stem=f"{layer.name}/bias") for array in bias]
    name = w.node(
        "ConvTranspose", names, strides=list(layer.strides), dilations=list(layer.dilation_rate),
        pads=[before for before, _ in pads] + [after for _, after in pads], output_padding=extra,
    )  # fmt: skip
    return _finished(w, layer, _result(w, layer, name, x))


def pool(kind):
    def write(w, layer, x):
        attributes = _window(layer, x, layer.pool_size)
        name = w.node(kind, [w.in_order(x, channels_first(x.rank))], **attributes)
        return _result(w, layer, name, x)

    return write


def global_pool(kind):
    def write(w, layer, x):
        return w.reduce(x, kind, range(1, x.rank - 1), layer.keepdims)

    return write


def adaptive_pool(kind):
    def write(w, layer, x):
        for axis, count in enumerate(layer.output_size, start=1):
            if x.shape[axis] is None:
                raise ValueError("adaptive pooling can be written for fixed sizes only")
            windows = adaptive_windows(x.shape[axis], count)
            x = w.concatenate([w.reduce(w.cut(x, axis, a, b), kind, [axis]) for a, b in windows], axis)
        return x

    return write


def pad(w, layer, x):
    widths = [(0, 0), *_pairs(layer.padding, x.rank - 2), (0, 0)]
    return padded(w, x, widths, layer.compute_output_shape(x.shape))


def padded(w, x, widths, shape, mode="constant", value=0.0):
    """The tensor with so many numbers more before and behind, for each of our axes."""
    widths = [widths[axis] for axis in x.order]
    pads = [before for before, _ in widths] + [after for _, after in widths]
    names = [x.name, w.ints(*pads)] + ([w.constant(np.float32(value))] if mode == "constant" else [])
    return Value(w.node("Pad", names, mode=mode), shape, x.order)


def _pairs(value, n):
    """Padding or cropping as layers keep it, as a pair for each axis."""
    value = list(value) if isinstance(value, (tuple, list)) else [value] * n
    if n == 1 and len(value) == 2 and all(isinstance(v, int) for v in value):
        return [tuple(value)]
    return [(v, v) if isinstance(v, int) else tuple(v) for v in value]


def crop(w, layer, x):
    for axis, (before, after) in enumerate(_pairs(layer.cropping, x.rank - 2), start=1):
        if before or after:
            x = w.cut(x, axis, before, -after if after else None)
    return x


def upsample(w, layer, x):
    sizes = layer.size if isinstance(layer.size, (tuple, list)) else [layer.size] * (x.rank - 2)
    mode = getattr(layer, "interpolation", "nearest")
    modes = {"nearest": ("nearest", "asymmetric"), "bilinear": ("linear", "half_pixel")}
    if mode not in modes:
        return resized(w, x, layer.compute_output_shape(x.shape)[1:-1], mode)
    kind, coordinates = modes[mode]
    scales = w.constant([1, 1, *sizes])
    name = w.node(
        "Resize", [w.in_order(x, channels_first(x.rank)), "", scales], mode=kind,
        coordinate_transformation_mode=coordinates, nearest_mode="floor",
    )  # fmt: skip
    return _result(w, layer, name, x)


def resized(w, x, size, interpolation="bilinear", antialias=False):
    """Images (N, H, W, C) of another size: y = A x B^T, see `scratchnet.interpolation`."""
    N, H, W, C = x.shape
    if None in (H, W):
        raise ValueError("images of any size cannot be written")
    A, B = (resize_weights(old, new, interpolation, antialias) for old, new in zip((H, W), size))
    rows, columns = (Value(w.constant(matrix), matrix.shape) for matrix in (A, B))
    y = w.einsum("nhwc,vw->nhvc", [x, columns], (N, H, size[1], C))
    return w.einsum("nhvc,uh->nuvc", [y, rows], (N, *size, C))


WRITERS = {
    "Conv2D": conv,
    "Conv1D": conv,
    "Conv3D": conv,
    "TransposedConvolution": transposed,
    "DepthwiseConvolution": depthwise,
    "SeparableConvolution": separable,
    "MaxPooling1D": pool("MaxPool"),
    "MaxPooling2D": pool("MaxPool"),
    "MaxPooling3D": pool("MaxPool"),
    "AveragePooling1D": pool("AveragePool"),
    "AveragePooling2D": pool("AveragePool"),
    "AveragePooling3D": pool("AveragePool"),
    "_GlobalAveragePooling": global_pool("ReduceMean"),
    "_GlobalMaxPooling": global_pool("ReduceMax"),
    "_AdaptiveAveragePooling": adaptive_pool("ReduceMean"),
    "_AdaptiveMaxPooling": adaptive_pool("ReduceMax"),
    "ZeroPadding": pad,
    "Cropping": crop,
    "UpSampling1D": upsample,
    "UpSampling2D": upsample,
    "UpSampling3D": upsample,
}
