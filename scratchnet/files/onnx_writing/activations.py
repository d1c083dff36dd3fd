"""Activations in ONNX's operations: those that it has by a name of its own, the others by what they are made of."""

import math

import numpy as np

from scratchnet import activations


def activation(w, x, function):
    """What an Activation of ours makes of a tensor.

    Raises ValueError for one that is not known here, by name.
    """
    if hasattr(function, "traced_for"):  # somebody's own, written with operations
        return w.graph(function.traced_for(x.shape, x.dtype).graph, [x])[0][0]
    if not is_ours(function):
        raise ValueError(f"the activation {function.name!r} is written without operations, and cannot be written here")
    return WRITERS[function.name](w, x, **function.parameters)


def is_ours(function):
    """Whether it is the library's function of that name, perhaps with parameters of its own."""
    known = getattr(activations, function.name, None)
    return getattr(known, "function", None) is function.function


def _plain(kind, **attributes):
    return lambda w, x: w.each(x, kind, **attributes)


def _relu(w, x, negative_slope=0.0, max_value=None, threshold=0.0):
    if threshold == 0:
        y = w.each(x, "Relu") if negative_slope == 0 else w.each(x, "LeakyRelu", alpha=float(negative_slope))
    else:
        below = w.combine("Mul", w.combine("Sub", x, np.float32(threshold)), np.float32(negative_slope))
        y = w.where(w.combine("Greater", x, np.float32(threshold), dtype="bool"), x, below)
    return y if max_value is None else w.combine("Min", y, np.float32(max_value))


def _gelu(w, x, approximate=False):
    if approximate:
        cube = w.combine("Mul", w.combine("Mul", w.combine("Mul", x, x), x), np.float32(0.044715))
        inner = w.combine("Mul", w.combine("Add", x, cube), np.float32(math.sqrt(2 / math.pi)))
        share = w.combine("Add", w.each(inner, "Tanh"), np.float32(1))
    else:
        share = w.combine("Add", w.each(w.combine("Mul", x, np.float32(math.sqrt(0.5))), "Erf"), np.float32(1))
    return w.combine("Mul", w.combine("Mul", x, share), np.float32(0.5))


def _clipped(w, x, low, high):
    return w.combine("Min", w.combine("Max", x, np.float32(low)), np.float32(high))


def softmax(w, x, axis=-1, kind="Softmax"):
    """Softmax or LogSoftmax along an axis."""
    return w.each(x, kind, axis=x.place(axis))


def _log_sigmoid(w, x):
    return w.each(w.each(w.each(x, "Neg"), "Softplus"), "Neg")


def _soft_shrink(w, x, threshold=0.5):
    beyond = w.combine("Max", w.combine("Sub", w.each(x, "Abs"), np.float32(threshold)), np.float32(0))
    return w.combine("Mul", w.each(x, "Sign"), beyond)


def _hard_shrink(w, x, threshold=0.5):
    beyond = w.combine("Greater", w.each(x, "Abs"), np.float32(threshold), dtype="bool")
    return w.where(beyond, x, np.float32(0))


def _squareplus(w, x, b=4):
    root = w.each(w.combine("Add", w.combine("Mul", x, x), np.float32(b)), "Sqrt")
    return w.combine("Mul", w.combine("Add", x, root), np.float32(0.5))


def _sparse_plus(w, x):
    above = w.combine("Add", x, np.float32(1))
    bend = w.combine("Mul", w.combine("Mul", above, above), np.float32(0.25))
    bend = w.where(w.combine("Greater", x, np.float32(-1), dtype="bool"), bend, np.float32(0))
    return w.where(w.combine("Less", x, np.float32(1), dtype="bool"), bend, x)


def _threshold(w, x, threshold=0.0, default_value=0.0):
    return w.where(w.combine("Greater", x, np.float32(threshold), dtype="bool"), x, np.float32(default_value))


def _sparsemax(w, x, axis=-1):
    """max(x - tau, 0), with tau such that the sum is 1: of the largest values z, as many as stay above it count."""
    n = x.shape[axis % x.rank]
    if n is None or axis % x.rank != x.rank - 1:
        raise ValueError("sparsemax needs a fixed last axis")
    sorted_, _ = w.node("TopK", [w.plain(x), w.ints(n)], outputs=2, axis=-1)
    z = type(x)(sorted_, x.shape)
    total = z.like(w.node("CumSum", [z.name, w.constant(x.rank - 1, "int64")]))
    places = np.arange(1, n + 1, dtype="float32")
    inside = w.combine("Greater", w.combine("Add", w.combine("Mul", z, places), np.float32(1)), total, dtype="bool")
    inside = w.cast(inside, "float32")
    count = w.reduce(inside, "ReduceSum", [-1])
    sum_inside = w.reduce(w.combine("Mul", inside, z), "ReduceSum", [-1])
    tau = w.combine("Div", w.combine("Sub", sum_inside, np.float32(1)), count)
    return w.each(w.combine("Sub", x, tau), "Relu")


WRITERS = {
    "linear": lambda w, x: x,
    "relu": _relu,
    "relu6": lambda w, x: _clipped(w, x, 0, 6),
    "leaky_relu": lambda w, x, negative_slope=0.2: w.each(x, "LeakyRelu", alpha=float(negative_slope)),
    "elu": lambda w, x, alpha=1.0: w.each(x, "Elu", alpha=float(alpha)),
    "celu": lambda w, x, alpha=1.0: w.each(x, "Celu", alpha=float(alpha)),
    "selu": _plain("Selu", alpha=1.6732632423543772, gamma=1.0507009873554805),
    "gelu": _gelu,
    "silu": lambda w, x: w.combine("Mul", x, w.each(x, "Sigmoid")),
    "sigmoid": _plain("Sigmoid"),
    "tanh": _plain("Tanh"),
    "softplus": _plain("Softplus"),
    "softsign": _plain("Softsign"),
    "exponential": _plain("Exp"),
    "hard_sigmoid": _plain("HardSigmoid", alpha=1 / 6, beta=0.5),
    "hard_sigmoid_of_keras_2": _plain("HardSigmoid", alpha=0.2, beta=0.5),
    "hard_silu": _plain("HardSwish"),
    "hard_tanh": lambda w, x: _clipped(w, x, -1, 1),
    "log_sigmoid": _log_sigmoid,
    "softmax": softmax,
    "log_softmax": lambda w, x, axis=-1: softmax(w, x, axis, "LogSoftmax"),
    "mish": lambda w, x: w.combine("Mul", x, w.each(w.each(x, "Softplus"), "Tanh")),
    "tanh_shrink": lambda w, x: w.combine("Sub", x, w.each(x, "Tanh")),
    "soft_shrink": _soft_shrink,
    "hard_shrink": _hard_shrink,
    "squareplus": _squareplus,
    "sparse_plus": _sparse_plus,
    "sparse_sigmoid": lambda w, x: _clipped(
        w, w.combine("Mul", w.combine("Add", x, np.float32(1)), np.float32(0.5)), 0, 1
    ),
    "threshold": _threshold,
    "sparsemax": _sparsemax,
}
WRITERS["swish"], WRITERS["hard_swish"] = WRITERS["silu"], WRITERS["hard_silu"]
