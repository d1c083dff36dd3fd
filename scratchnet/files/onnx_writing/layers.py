"""Layers that compute row by row, move numbers or merge tensors."""

import numpy as np

from scratchnet.files.onnx_writing import masks
from scratchnet.files.onnx_writing.activations import activation, softmax
from scratchnet.files.onnx_writing.masks import either, with_rank
from scratchnet.files.onnx_writing.writer import Value, channels_first


def _array(layer, name):
    return np.asarray(layer.named_arrays()[name], "float32")


def dense(w, layer, x):
    kernel = _array(layer, "kernel")
    shape = (*x.shape[:-1], kernel.shape[1])
    names = [w.plain(x), w.constant(kernel, stem=f"{layer.name}/kernel")]
    if x.rank == 2:
        names += [w.constant(_array(layer, "bias"), stem=f"{layer.name}/bias")] if layer.use_bias else []
        y = Value(w.node("Gemm", names), shape)
    else:
        y = Value(w.node("MatMul", names), shape)
        y = w.combine("Add", y, _array(layer, "bias")) if layer.use_bias else y
    return activation(w, y, layer.activation)


def einsum_dense(w, layer, x):
    kernel = w.constant(_array(layer, "kernel"), stem=f"{layer.name}/kernel")
    shape = layer.compute_output_shape(x.shape)
    y = Value(w.node("Einsum", [w.plain(x), kernel], equation=layer.equation), shape)
    if "bias" in layer.params:
        y = w.combine("Add", y, _array(layer, "bias"))
    return activation(w, y, layer.activation)


def embedding(w, layer, x):
    table = w.constant(_array(layer, "embeddings"), stem=f"{layer.name}/embeddings")
    rows = w.node("Gather", [table, w.plain(w.cast(x, "int64"))], axis=0)
    return Value(rows, (*x.shape, layer.output_dim))


def reversible_embedding(w, layer, x, reverse=False):
    if not reverse:
        return embedding(w, layer, x)
    table = _array(layer, "embeddings").T if layer.tie_weights else _array(layer, "reverse_embeddings")
    names = [w.plain(x), w.constant(table, stem=f"{layer.name}/reverse_embeddings")]
    z = Value(w.node("MatMul", names), (*x.shape[:-1], layer.input_dim))
    if layer.logit_soft_cap is None:
        return z
    c = np.float32(layer.logit_soft_cap)
    return w.combine("Mul", w.each(w.combine("Div", z, c), "Tanh"), c)


def own_activation(w, layer, x):
    return activation(w, x, layer.activation)


def softmax_layer(w, layer, x, mask=None):
    axes = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
    if mask is not None:
        x = w.where(mask, x, np.float32(np.finfo("float32").min / 2))
        y = softmax_layer(w, layer, x)
        return w.where(mask, y, np.float32(0))
    if len(axes) == 1:
        return softmax(w, x, axes[0])
    top = w.reduce(x, "ReduceMax", axes)
    e = w.each(w.combine("Sub", x, top), "Exp")
    return w.combine("Div", e, w.reduce(e, "ReduceSum", axes))


def prelu(w, layer, x):
    alpha = _array(layer, "alpha")
    below = w.combine("Mul", w.combine("Min", x, np.float32(0)), alpha[None])
    return w.combine("Add", w.each(x, "Relu"), below)


def identity(w, layer, x):
    return x


def all_of_them(w, layer, *xs):
    return list(xs)


def wrapped(w, layer, x):
    """A wrapper that does something in training alone."""
    return w.layer(layer.layer, [x])


def sampling(w, layer, mean, log_variance):
    """What is drawn is not what is drawn here, but of the same distribution."""
    eps = mean.like(w.node("RandomNormalLike", [mean.name]))
    deviation = w.each(w.combine("Mul", log_variance, np.float32(0.5)), "Exp")
    return w.combine("Add", mean, w.combine("Mul", deviation, eps))


# ---- normalization ----


def batch_normalization(w, layer, x, mask=None):
    axis = layer.axis % x.rank
    C = len(_array(layer, "moving_mean"))
    gamma = _array(layer, "gamma") if layer.scale else np.ones(C)
    beta = _array(layer, "beta") if layer.center else np.zeros(C)
    order = channels_first(x.rank) if axis == x.rank - 1 else None
    if order is None and axis != 1:
        order = (0, axis, *(k for k in range(1, x.rank) if k != axis))
    order = tuple(range(x.rank)) if order is None else order
    parameters = [w.constant(a) for a in (gamma, beta, _array(layer, "moving_mean"), _array(layer, "moving_variance"))]
    name = w.node("BatchNormalization", [w.in_order(x, order), *parameters], epsilon=float(layer.epsilon))
    return Value(name, x.shape, order)


def _along(array, axes, rank):
    """An array over some axes with all the axes of a tensor."""
    shape = [1] * rank
    for axis, size in zip(axes, np.shape(array)):
        shape[axis] = size
    return np.reshape(array, shape)


def _standardized(w, x, axes, epsilon):
    """(x - mean) / sqrt(variance + epsilon)"""
    centred = w.combine("Sub", x, w.reduce(x, "ReduceMean", axes))
    variance = w.reduce(w.combine("Mul", centred, centred), "ReduceMean", axes)
    return w.combine("Div", centred, w.each(w.combine("Add", variance, np.float32(epsilon)), "Sqrt"))


def layer_normalization(w, layer, x):
    axes = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
    axes = sorted(axis % x.rank for axis in axes)
    y = _standardized(w, x, axes, layer.epsilon)
    if "gamma" in layer.params:
        y = w.combine("Mul", y, _along(_array(layer, "gamma"), axes, x.rank))
    return w.combine("Add", y, _along(_array(layer, "beta"), axes, x.rank)) if "beta" in layer.params else y


def group_normalization(w, layer, x):
    axis = layer.axis % x.rank
    if axis != x.rank - 1:  # the same with the channels behind
        order = [*(k for k in range(x.rank) if k != axis), axis]
        return w.transposed(_in_groups(w, layer, w.transposed(x, order)), np.argsort(order).tolist())
    return _in_groups(w, layer, x)


def _in_groups(w, layer, x):
    C = x.shape[-1]
    groups = C if layer.groups == -1 else layer.groups
    apart = w.reshape(x, (*x.shape[:-1], groups, C // groups))
    axes = [*range(1, x.rank - 1), x.rank]
    y = w.reshape(_standardized(w, apart, axes, layer.epsilon), x.shape)
    y = w.combine("Mul", y, _array(layer, "gamma")) if "gamma" in layer.params else y
    return w.combine("Add", y, _array(layer, "beta")) if "beta" in layer.params else y


def unit_normalization(w, layer, x):
    axes = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
    square = w.reduce(w.combine("Mul", x, x), "ReduceSum", axes)
    length = w.each(w.combine("Max", square, np.float32(1e-12)), "Sqrt")
    return w.combine("Div", x, length)


def rms_normalization(w, layer, x):
    axis = layer.axis % x.rank
    mean = w.reduce(w.combine("Mul", x, x), "ReduceMean", [axis])
    y = w.combine("Div", x, w.each(w.combine("Add", mean, np.float32(layer.epsilon)), "Sqrt"))
    return w.combine("Mul", y, _along(_array(layer, "scale"), [axis], x.rank))


# ---- masks ----


def masking(w, layer, x):
    return w.combine("Mul", x, masks.as_floats(w, masks.counted_steps(w, layer, x), x.rank))


def global_average(w, layer, x, mask=None):
    """GlobalAveragePooling1D, of the steps that count."""
    if mask is None:
        return w.reduce(x, "ReduceMean", [1], layer.keepdims)
    return masks.global_average(w, layer, x, mask)


# ---- shapes ----


def flatten(w, layer, x):
    return w.reshape(x, layer.compute_output_shape(x.shape))


def permute(w, layer, x):
    return w.transposed(x, (0, *layer.dims))


def repeat_vector(w, layer, x):
    y = w.unsqueeze(x, 1)
    name = w.node("Tile", [y.name, w.ints(1, layer.n, 1)])
    return Value(name, (x.shape[0], layer.n, x.shape[1]))


# ---- merging ----


def _aligned(w, xs):
    """The tensors with as many axes as the one with most, those of size 1 behind that of the samples."""
    rank = max(x.rank for x in xs)
    for _ in range(rank):
        xs = [w.unsqueeze(x, 1) if x.rank < rank else x for x in xs]
    return xs


def merge(kind):
    def write(w, layer, *xs):
        total, *others = _aligned(w, xs)
        for x in others:
            total = w.combine(kind, total, x)
        return total

    return write


def masked_merge(kind, nothing):
    """A merge in which what does not count is `nothing`; where none of the inputs does, see below."""

    def write(w, layer, *xs, masks=()):
        masks = list(masks) or [None] * len(xs)
        counted = [None if m is None else with_rank(w, m, x.rank) for m, x in zip(masks, xs)]
        seen = [x if c is None else w.where(c, x, np.float32(nothing)) for x, c in zip(xs, counted)]
        y = merge(kind)(w, layer, *seen)
        if any(c is None for c in counted):
            return y
        otherwise = np.float32(0) if kind == "Mul" else _aligned(w, xs)[0]
        return w.where(either(w, _aligned(w, counted)), y, otherwise)

    return write


def average(w, layer, *xs):
    return w.combine("Mul", merge("Add")(w, layer, *xs), np.float32(1 / len(xs)))


def concatenate(w, layer, *xs):
    return w.concatenate(xs, layer.axis)


def dot(w, layer, a, b):
    shape = layer.compute_output_shape([a.shape, b.shape])
    axes = layer.axes if isinstance(layer.axes, (list, tuple)) else (layer.axes, layer.axes)
    i, j = axes[0] % a.rank, axes[1] % b.rank
    if layer.normalize:
        a, b = (_unit(w, x, axis) for x, axis in ((a, i), (b, j)))
    letters = "abcdefghijklmnopqrstuvwxyz"
    first = list(letters[: a.rank])
    second = [first[0]] + list(letters[a.rank : a.rank + b.rank - 1])
    second[j] = first[i]
    out = [x for k, x in enumerate(first) if k != i] + [x for k, x in enumerate(second) if k not in (0, j)]
    y = w.einsum(f"{''.join(first)},{''.join(second)}->{''.join(out)}", [a, b], (a.shape[0], *[None] * (len(out) - 1)))
    return w.unsqueeze(y, -1) if len(shape) > len(out) else Value(y.name, shape)


def _unit(w, x, axis):
    square = w.reduce(w.combine("Mul", x, x), "ReduceSum", [axis])
    return w.combine("Div", x, w.each(w.combine("Max", square, np.float32(1e-12)), "Sqrt"))


WRITERS = {
    "Dense": dense,
    "EinsumDense": einsum_dense,
    "Embedding": embedding,
    "ReversibleEmbedding": reversible_embedding,
    "_ActivationLayer": own_activation,
    "Softmax": softmax_layer,
    "PReLU": prelu,
    "BatchNormalization": batch_normalization,
    "LayerNormalization": layer_normalization,
    "GroupNormalization": group_normalization,
    "UnitNormalization": unit_normalization,
    "RMSNormalization": rms_normalization,
    "Masking": masking,
    "GlobalAveragePooling1D": global_average,
    "Flatten": flatten,
    "Reshape": flatten,
    "Permute": permute,
    "RepeatVector": repeat_vector,
    "Add": merge("Add"),
    "Multiply": masked_merge("Mul", 1),
    "Maximum": masked_merge("Max", -np.inf),
    "Minimum": masked_merge("Min", np.inf),
    "Subtract": merge("Sub"),
    "Average": average,
    "Concatenate": concatenate,
    "Dot": dot,
    "GaussianKL": all_of_them,
    "Sampling": sampling,
    "SpectralNormalization": wrapped,
    **dict.fromkeys(
        ("Identity", "RandomLayer", "Dropout", "ActivityRegularization", "InputLayer"),
        identity,
    ),
}
