"""Nodes with weights and windows, which become layers: Conv, Gemm, pooling, normalization, what goes through time."""

import numpy as np

from scratchnet import ops
from scratchnet.files.onnx_reading.recurrent import HANDLERS as RECURRENT
from scratchnet.files.onnx_reading.values import Folded, Value, channels_last, counted
from scratchnet.layers import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    BatchNormalization,
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Conv3DTranspose,
    Cropping1D,
    Cropping2D,
    Cropping3D,
    Dense,
    DepthwiseConv1D,
    DepthwiseConv2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    GroupNormalization,
    LayerNormalization,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
    UpSampling1D,
    UpSampling2D,
    UpSampling3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)

# By the number of axes that a window has.
_CONV = {1: Conv1D, 2: Conv2D, 3: Conv3D}
_DEPTHWISE = {1: DepthwiseConv1D, 2: DepthwiseConv2D}
_TRANSPOSED = {1: Conv1DTranspose, 2: Conv2DTranspose, 3: Conv3DTranspose}
_PADDING = {1: ZeroPadding1D, 2: ZeroPadding2D, 3: ZeroPadding3D}
_CROPPING = {1: Cropping1D, 2: Cropping2D, 3: Cropping3D}
_MAX = {1: MaxPooling1D, 2: MaxPooling2D, 3: MaxPooling3D}
_AVERAGE = {1: AveragePooling1D, 2: AveragePooling2D, 3: AveragePooling3D}
_GLOBAL_AVERAGE = {1: GlobalAveragePooling1D, 2: GlobalAveragePooling2D, 3: GlobalAveragePooling3D}
_GLOBAL_MAX = {1: GlobalMaxPooling1D, 2: GlobalMaxPooling2D, 3: GlobalMaxPooling3D}
_UPSAMPLING = {1: UpSampling1D, 2: UpSampling2D, 3: UpSampling3D}


def _constants(*values):
    """Arrays, or None where one is left out. Raises ValueError for what depends on the inputs."""
    if any(isinstance(value, Value) for value in values):
        raise ValueError("its weights depend on the inputs")
    return [None if value is None else np.asarray(value, "float32") for value in values]


def _images(x):
    """``(tensor with channels last, number of axes of a window)``. Raises ValueError for what is no image."""
    if x.rank not in (3, 4, 5) or x.batch_axis != 0:
        raise ValueError(f"its input has {x.rank} axes")
    return x.channels_last(), x.rank - 2


def _last(x, tensor):
    return x.like(tensor, channels_last(x.rank))


def _one_or_all(values):
    return values[0] if len(values) == 1 else tuple(values)


# ---- padding ----


def _pads(node, sizes, window, strides, n):
    """``(before, after)`` for each axis, as the attributes say; None where they say "same as Keras does"."""
    kind = node.attributes.get("auto_pad", "NOTSET")
    if kind == "SAME_UPPER":
        return None
    if kind == "VALID":
        return [(0, 0)] * n
    if kind == "SAME_LOWER":
        totals = _same(sizes, window, strides)
        return [(total - total // 2, total // 2) for total in totals]
    pads = node.attributes.get("pads", [0] * 2 * n)
    return list(zip(pads[:n], pads[n:]))


def _same(sizes, window, strides):
    if None in sizes:
        raise ValueError(f"its padding depends on sizes that are not fixed: {sizes}")
    return [max((-(-size // s) - 1) * s + k - size, 0) for size, k, s in zip(sizes, window, strides)]


def _is_keras_same(pads, sizes, window, strides):
    """Whether Keras's padding="same" is the same."""
    if all(s == 1 for s in strides):
        totals = [k - 1 for k in window]
    elif None in sizes:
        return False
    else:
        totals = _same(sizes, window, strides)
    return pads == [(total // 2, total - total // 2) for total in totals]


# ---- convolutions ----


def conv(context, node, inputs):
    x, kernel, bias = (*inputs, None)[:3]
    tensor, n = _images(x)
    kernel, bias = _constants(kernel, bias)  # (F, C / groups, KH, KW)
    groups, window = node.attributes.get("group", 1), list(kernel.shape[2:])
    strides, dilations = (node.attributes.get(name, [1] * n) for name in ("strides", "dilations"))
    if kernel.ndim != n + 2 or node.attributes.get("kernel_shape", window) != window:
        raise ValueError(f"its kernel has shape {kernel.shape}")
    reach = [(k - 1) * d + 1 for k, d in zip(window, dilations)]
    sizes = tensor.shape[1:-1]
    pads = _pads(node, sizes, reach, strides, n)
    both = max(strides) > 1 and max(dilations) > 1  # which a layer does not take: all places, and then some of them
    if both and pads is None:
        pads = [(total // 2, total - total // 2) for total in _same(sizes, reach, strides)]
    same = pads is None or (not both and _is_keras_same(pads, sizes, reach, strides))
    if not same and any(map(any, pads)):
        tensor = _PADDING[n](_one_or_all(pads))(tensor)
    options = {
        "strides": 1 if both else _one_or_all(strides),
        "padding": "same" if same else "valid",
        "dilation_rate": _one_or_all(dilations),
        "use_bias": bias is not None,
    }
    F, C = kernel.shape[0], tensor.shape[-1]
    axes = tuple(range(2, n + 2))
    if groups == C > 1 and kernel.shape[1] == 1 and n in _DEPTHWISE and len(set(strides)) == 1:
        layer = _DEPTHWISE[n](_one_or_all(window), depth_multiplier=F // C, **options)
        kernel = kernel.reshape(C, F // C, *window).transpose(*axes, 0, 1)  # (KH, KW, C, M)
    else:
        layer = _CONV[n](F, _one_or_all(window), groups=groups, **options)
        kernel = kernel.transpose(*axes, 1, 0)  # (KH, KW, C, F)
    tensor = context.layer(layer, tensor, [kernel] if bias is None else [kernel, bias])
    if both:
        tensor = tensor[(slice(None), *[slice(None, None, s) for s in strides])]
    return [_last(x, tensor)]


def conv_transpose(context, node, inputs):
    x, kernel, bias = (*inputs, None)[:3]
    tensor, n = _images(x)
    kernel, bias = _constants(kernel, bias)  # (C, F, KH, KW)
    window, F = list(kernel.shape[2:]), kernel.shape[1]
    strides, dilations = (node.attributes.get(name, [1] * n) for name in ("strides", "dilations"))
    extra = node.attributes.get("output_padding", [0] * n)
    if node.attributes.get("group", 1) != 1 or node.attributes.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        raise ValueError("it has groups, or pads by itself")
    if node.attributes.get("output_shape"):
        raise ValueError("its output_shape is not read")
    pads = _pads(node, tensor.shape[1:-1], window, strides, n)
    # Without padding Keras gives (size - 1) stride + max(reach, stride); ONNX takes off pads, and adds output_padding.
    reach = [(k - 1) * d + 1 for k, d in zip(window, dilations)]
    crops = [(b, a - e + max(s - r, 0)) for (b, a), e, r, s in zip(pads, extra, reach, strides)]
    beyond = [max(-after, 0) for _, after in crops]
    options = {"strides": _one_or_all(strides), "dilation_rate": _one_or_all(dilations)}
    inside = bias is not None and not any(beyond)  # what is added beyond the windows has the bias, too
    layer = _TRANSPOSED[n](F, _one_or_all(window), use_bias=inside, **options)
    kernel = kernel.transpose(*range(2, n + 2), 1, 0)  # (KH, KW, F, C)
    tensor = context.layer(layer, tensor, [kernel, bias] if inside else [kernel])
    crops = [(before, max(after, 0)) for before, after in crops]
    if any(map(any, crops)):
        tensor = _CROPPING[n](_one_or_all(crops))(tensor)
    if any(beyond):
        tensor = _PADDING[n](_one_or_all([(0, size) for size in beyond]))(tensor)
        tensor = tensor if bias is None else ops.add(tensor, bias)
    return [_last(x, tensor)]


# ---- pooling ----


def _ceiled(node, sizes, window, strides, pads):
    """`pads` with what ceil_mode adds at the ends: a window that begins within the image or its padding counts."""
    if not node.attributes.get("ceil_mode", 0) or pads is None:
        return pads
    if None in sizes:
        raise ValueError("ceil_mode needs fixed sizes")
    found = []
    for size, k, s, (before, after) in zip(sizes, window, strides, pads):
        steps = -(-(size + before + after - k) // s)
        if steps * s >= size + before:  # it would begin behind all
            steps -= 1
        found.append((before, max(after, steps * s + k - size - before)))
    return found


def _window(node, x):
    tensor, n = _images(x)
    window = node.attributes["kernel_shape"]
    strides = node.attributes.get("strides", [1] * n)
    if any(d != 1 for d in node.attributes.get("dilations", [1] * n)):
        raise ValueError("its dilations are not read")
    sizes = tensor.shape[1:-1]
    pads = _ceiled(node, sizes, window, strides, _pads(node, sizes, window, strides, n))
    same = pads is None or (any(map(any, pads)) and _is_keras_same(pads, sizes, window, strides))
    return tensor, n, window, strides, pads, same


def _pooled(kinds, n, window, strides, padding, tensor):
    return kinds[n](_one_or_all(window), strides=_one_or_all(strides), padding=padding)(tensor)


def max_pool(context, node, inputs):
    if node.attributes.get("storage_order", 0) or context.is_read(node, 1):
        raise ValueError("where the maxima were is not read")
    tensor, n, window, strides, pads, same = _window(node, inputs[0])
    if not same and any(map(any, pads)):
        tensor = ops.pad(tensor, [(0, 0), *pads, (0, 0)], constant_values=-np.inf)
    padding = "same" if same else "valid"
    return [_last(inputs[0], _pooled(_MAX, n, window, strides, padding, tensor))]


def average_pool(context, node, inputs):
    tensor, n, window, strides, pads, same = _window(node, inputs[0])
    counted = node.attributes.get("count_include_pad", 0)
    if pads is not None and not any(map(any, pads)) or (same and not counted):
        padding = "same" if same else "valid"
        return [_last(inputs[0], _pooled(_AVERAGE, n, window, strides, padding, tensor))]
    sizes = tensor.shape[1:-1]
    if pads is None:
        pads = [(total // 2, total - total // 2) for total in _same(sizes, window, strides)]
    if None in sizes:
        raise ValueError("padded averages need fixed sizes")
    padded = _PADDING[n](_one_or_all(pads))(tensor)
    averages = _pooled(_AVERAGE, n, window, strides, "valid", padded)
    share = _share_inside(node, sizes, window, strides, pads, counted)
    return [_last(inputs[0], averages if share is None else ops.multiply(averages, share))]


def _share_inside(node, sizes, window, strides, pads, counted):
    """What the averages over whole windows have to be multiplied by, since not all of a window counts."""
    given = node.attributes.get("pads", [0] * 2 * len(sizes)) if counted else None
    factor = np.ones((1,), "float32")
    for axis, (size, k, s, (before, after)) in enumerate(zip(sizes, window, strides, pads)):
        inside = np.zeros(before + size + after)
        inside[before : before + size] = 1
        if counted:  # padding counts, what ceil_mode adds behind it does not
            inside[: given[axis] + size + given[axis + len(sizes)]] = 1
        starts = range(0, len(inside) - k + 1, s)
        share = np.array([k / max(inside[at : at + k].sum(), 1) for at in starts], "float32")
        factor = factor[..., None, :] * share[:, None] if axis else share[:, None]
    return None if (factor == 1).all() else factor[None].astype("float32")


def global_pool(kinds):
    def handler(context, node, inputs):
        tensor, n = _images(inputs[0])
        return [_last(inputs[0], kinds[n](keepdims=True)(tensor))]

    return handler


# ---- matrix products ----


def gemm(context, node, inputs):
    x, kernel, bias = (*inputs, None)[:3]
    alpha, beta = node.attributes.get("alpha", 1.0), node.attributes.get("beta", 1.0)
    if not isinstance(x, (Value, Folded)) or isinstance(kernel, Value) or isinstance(bias, Value):
        raise ValueError("one of its factors must be a constant")
    kernel, bias = _constants(kernel, bias)
    kernel = (kernel.T if node.attributes.get("transB", 0) else kernel) * np.float32(alpha)
    value = x.value if isinstance(x, Folded) else x
    order = (value.batch_axis, *(axis for axis in range(value.rank) if axis != value.batch_axis))
    if node.attributes.get("transA", 0) or len(x.sizes) != 2 or value.batch_axis == value.rank - 1:
        raise ValueError("its first factor has no samples as rows")
    U = kernel.shape[1]
    if bias is not None and bias.size not in (1, U):
        raise ValueError(f"its summand has shape {bias.shape}")
    layer = Dense(U, use_bias=bias is not None)
    weights = [kernel] if bias is None else [kernel, np.broadcast_to(bias.ravel() * np.float32(beta), (U,))]
    result = value.like(context.layer(layer, value.in_order(order), weights), order)
    return [Folded(result, x.count) if isinstance(x, Folded) else result]


def matmul(context, node, inputs):
    a, b = inputs
    if isinstance(a, Value) and not isinstance(b, Value) and np.ndim(b) == 2:
        order = (a.batch_axis, *(axis for axis in range(a.rank) if axis != a.batch_axis))
        if a.batch_axis == a.rank - 1:
            raise ValueError("it multiplies samples with one another")
        tensor = context.layer(Dense(b.shape[1], use_bias=False), a.in_order(order), _constants(b))
        return [a.like(tensor, order)]
    ranks = [value.rank if isinstance(value, Value) else np.ndim(value) for value in inputs]
    rank = max(ranks)
    if min(ranks) < 2 or any(isinstance(v, Value) and v.batch_axis != 0 for v in inputs) or rank < 3:
        raise ValueError("it multiplies samples with one another")
    if any(isinstance(v, Value) and v.rank != rank for v in inputs):
        raise ValueError("its factors have different numbers of axes")
    first = next(value for value in inputs if isinstance(value, Value))
    tensors = [v.as_in_onnx() if isinstance(v, Value) else np.asarray(v, "float32") for v in inputs]
    return [Value(ops.matmul(*tensors), range(rank), first.rows)]


# ---- normalization ----


def batch_normalization(context, node, inputs):
    x, *parameters = inputs
    if node.attributes.get("training_mode", 0) or any(context.is_read(node, k) for k in range(1, 5)):
        raise ValueError("it is in training mode")
    layer = BatchNormalization(
        epsilon=node.attributes.get("epsilon", 1e-5), momentum=node.attributes.get("momentum", 0.9)
    )
    tensor = x.in_order(channels_last(x.rank))
    return [_last(x, context.layer(layer, tensor, _constants(*parameters)))]


def instance_normalization(context, node, inputs):
    x, gamma, beta = inputs
    tensor, _ = _images(x)
    layer = GroupNormalization(groups=tensor.shape[-1], epsilon=node.attributes.get("epsilon", 1e-5))
    return [_last(x, context.layer(layer, tensor, _constants(gamma, beta)))]


def layer_normalization(context, node, inputs):
    x, gamma, beta = (*inputs, None)[:3]
    gamma, beta = _constants(gamma, beta)
    axes = list(range(counted(node.attributes.get("axis", -1), x.rank), x.rank))
    if x.batch_axis in axes:
        raise ValueError("it normalizes across samples")
    order = (x.batch_axis, *(axis for axis in range(x.rank) if axis != x.batch_axis))
    tensor, sizes = x.in_order(order), [x.sizes[axis] for axis in axes]
    places = [order.index(axis) for axis in axes]
    layer = LayerNormalization(
        axis=places[0] if len(places) == 1 else places,
        epsilon=node.attributes.get("epsilon", 1e-5),
        center=beta is not None,
    )
    weights = [np.broadcast_to(array, sizes) for array in (gamma, beta) if array is not None]
    return [x.like(context.layer(layer, tensor, weights), order)]


def local_response_normalization(context, node, inputs):
    """``x / (bias + alpha / size * sum of the squares of size channels around) ** beta`` (Krizhevsky et al. 2012)."""
    x, size = inputs[0], node.attributes["size"]
    tensor, n = _images(x)
    C, before = tensor.shape[-1], (size - 1) // 2
    squares = ops.pad(ops.square(tensor), [(0, 0)] * (n + 1) + [(before, size - 1 - before)])
    total = squares[..., :C]
    for k in range(1, size):
        total = ops.add(total, squares[..., k : k + C])
    share = np.float32(node.attributes.get("alpha", 1e-4) / size)
    around = ops.add(ops.multiply(total, share), np.float32(node.attributes.get("bias", 1.0)))
    return [_last(x, ops.divide(tensor, ops.power(around, np.float32(node.attributes.get("beta", 0.75)))))]


# ---- upsampling ----


def resize(context, node, inputs):
    x = inputs[0]
    tensor, n = _images(x)
    scales = node.attributes.get("scales") or next(
        (v for v in inputs[1:] if v is not None and np.size(v) == x.rank), None
    )
    if scales is None or isinstance(scales, Value):
        raise ValueError("its scales are not constant")
    scales = np.asarray(scales)
    if scales.dtype.kind in "iu":  # sizes in place of scales
        scales = scales / np.array(x.known_sizes())
    factors = [float(scale) for scale in scales.ravel()]
    whole = all(factor == int(factor) >= 1 for factor in factors)
    if not whole or factors[:2] != [1, 1]:
        raise ValueError(f"it enlarges by {factors}")
    mode, options = node.attributes.get("mode", "nearest"), {}
    coordinates = node.attributes.get("coordinate_transformation_mode", "half_pixel")
    if mode == "linear" and n == 2 and coordinates in ("half_pixel", "pytorch_half_pixel"):
        options["interpolation"] = "bilinear"
    elif mode != "nearest" or coordinates not in ("asymmetric", "half_pixel", "pytorch_half_pixel"):
        raise ValueError(f"it interpolates by {mode!r} in {coordinates!r}")
    return [_last(x, _UPSAMPLING[n](_one_or_all([int(factor) for factor in factors[2:]]), **options)(tensor))]


HANDLERS = {
    **RECURRENT,
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "GlobalAveragePool": global_pool(_GLOBAL_AVERAGE),
    "GlobalMaxPool": global_pool(_GLOBAL_MAX),
    "Gemm": gemm,
    "MatMul": matmul,
    "BatchNormalization": batch_normalization,
    "InstanceNormalization": instance_normalization,
    "LayerNormalization": layer_normalization,
    "LRN": local_response_normalization,
    "Resize": resize,
    "Upsample": resize,
}
