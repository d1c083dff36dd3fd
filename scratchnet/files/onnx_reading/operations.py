"""Nodes that compute number by number, or along axes: arithmetic, activations, sums and means, Softmax, MatMul."""

import math

import numpy as np

from scratchnet import ops
from scratchnet.files.onnx_reading.folding import axes_of
from scratchnet.files.onnx_reading.shapes import squeezed
from scratchnet.files.onnx_reading.values import Value, aligned, counted
from scratchnet.layers import ELU, Activation, LeakyReLU, PReLU, ReLU


def each_number(function):
    """A node with one input whose numbers are computed one by one."""

    def handler(context, node, inputs):
        return [inputs[0].like(function(inputs[0].tensor))]

    return handler


def activation(name):
    """A node that is one of our activations."""
    return lambda context, node, inputs: [inputs[0].like(Activation(name)(inputs[0].tensor))]


def elementwise(function):
    """A node with several inputs, which are broadcast."""

    def handler(context, node, inputs):
        operands, like = aligned(inputs)
        result = operands[0]
        for operand in operands[1:]:
            result = function(result, operand)
        return [like.like(result)]

    return handler


def mean(context, node, inputs):
    (total,) = elementwise(ops.add)(context, node, inputs)
    return [total.like(ops.multiply(total.tensor, np.float32(1 / len(inputs))))]


def relu(context, node, inputs):
    return [inputs[0].like(ReLU()(inputs[0].tensor))]


def leaky_relu(context, node, inputs):
    return [inputs[0].like(LeakyReLU(node.attributes.get("alpha", 0.01))(inputs[0].tensor))]


def elu(context, node, inputs):
    return [inputs[0].like(ELU(node.attributes.get("alpha", 1.0))(inputs[0].tensor))]


def celu(context, node, inputs):
    return [inputs[0].like(ops.celu(inputs[0].tensor, alpha=node.attributes.get("alpha", 1.0)))]


def selu(context, node, inputs):
    alpha, gamma = node.attributes.get("alpha", 1.67326), node.attributes.get("gamma", 1.0507)
    if not (math.isclose(alpha, 1.67326, rel_tol=1e-4) and math.isclose(gamma, 1.0507, rel_tol=1e-4)):
        x = inputs[0].tensor
        return [inputs[0].like(ops.multiply(ops.elu(x, alpha=alpha), np.float32(gamma)))]
    return activation("selu")(context, node, inputs)


def prelu(context, node, inputs):
    x, slope = inputs
    if isinstance(slope, Value) or x.batch_axis != 0:
        raise ValueError("its slope depends on the inputs")
    order = (0, *range(2, x.rank), 1)
    slope = np.asarray(slope)
    if context.opset < 7 and slope.ndim == 1:  # of the channels, the axis behind the samples
        slope = slope.reshape(-1, *[1] * (x.rank - 2))
    slope = slope.reshape((1,) * (x.rank - slope.ndim) + slope.shape).transpose(order)[0]  # a sample's
    sizes = [1 if n == 1 else n for n in slope.shape]
    shared = [k + 1 for k, n in enumerate(sizes) if n == 1]
    layer = PReLU(shared_axes=shared or None)
    return [x.like(context.layer(layer, x.in_order(order), [slope]), order)]


def hard_sigmoid(context, node, inputs):
    alpha, beta = node.attributes.get("alpha", 0.2), node.attributes.get("beta", 0.5)
    if math.isclose(alpha, 1 / 6, rel_tol=1e-6) and beta == 0.5:
        return activation("hard_sigmoid")(context, node, inputs)
    line = ops.add(ops.multiply(inputs[0].tensor, np.float32(alpha)), np.float32(beta))
    return [inputs[0].like(ops.clip(line, 0.0, 1.0))]


def gelu(context, node, inputs):
    approximate = node.attributes.get("approximate", "none") == "tanh"
    return [inputs[0].like(ops.gelu(inputs[0].tensor, approximate=approximate))]


def clip(context, node, inputs):
    x, low, high = (*inputs, None, None)[:3]
    low = node.attributes.get("min") if low is None else float(np.asarray(low).ravel()[0])
    high = node.attributes.get("max") if high is None else float(np.asarray(high).ravel()[0])
    if low == 0 and high is not None and high > 0:
        return [x.like(ReLU(high)(x.tensor))]
    tensor = x.tensor if low is None else ops.maximum(x.tensor, np.float32(low))
    return [x.like(tensor if high is None else ops.minimum(tensor, np.float32(high)))]


def softmax(function):
    def handler(context, node, inputs):
        x = inputs[0]
        if context.opset >= 13:
            return [x.like(function(x.tensor, axis=x.feature_place(node.attributes.get("axis", -1))))]
        axis = counted(node.attributes.get("axis", 1), x.rank)  # over all axes from this one on
        if axis == x.rank - 1 or all(n == 1 for n in x.sizes[axis + 1 :]):
            return [x.like(function(x.tensor, axis=x.feature_place(axis)))]
        if axis != 1 or x.batch_axis != 0:
            raise ValueError(f"axis={axis} mixes samples")
        tensor = x.as_in_onnx()
        flat = function(ops.reshape(tensor, (-1, math.prod(x.known_sizes()[1:]))), axis=-1)
        return [x.like(ops.reshape(flat, (-1, *tensor.shape[1:])), range(x.rank))]

    return handler


def reduce(function):
    def handler(context, node, inputs):
        x, given = inputs[0], inputs[1] if len(inputs) > 1 else None
        axes = axes_of(node.attributes, given, x.rank)
        if axes is None and node.attributes.get("noop_with_empty_axes", 0):
            return [x]
        axes = list(range(x.rank)) if axes is None else axes
        places = tuple(sorted(x.feature_place(axis) for axis in axes))
        result = x.like(function(x.tensor, axis=places, keepdims=True))
        return [result if node.attributes.get("keepdims", 1) else squeezed(result, axes)]

    return handler


def _l2(tensor, axis, keepdims):
    return ops.sqrt(ops.sum(ops.square(tensor), axis=axis, keepdims=keepdims))


def arg(function):
    def handler(context, node, inputs):
        if node.attributes.get("select_last_index", 0):
            raise ValueError("select_last_index is not read")
        x, axis = inputs[0], counted(node.attributes.get("axis", 0), inputs[0].rank)
        result = x.like(function(x.tensor, axis=x.feature_place(axis), keepdims=True))
        return [result if node.attributes.get("keepdims", 1) else squeezed(result, [axis])]

    return handler


def cast(context, node, inputs):
    names = {1: "float32", 6: "int32", 7: "int32", 9: "bool", 10: "float32", 11: "float32"}
    if node.attributes["to"] not in names:
        raise ValueError("a cast to a type that is not read")
    x, name = inputs[0], names[node.attributes["to"]]
    return [x if x.tensor.dtype == name else x.like(ops.cast(x.tensor, name))]


HANDLERS = {
    "Relu": relu,
    "LeakyRelu": leaky_relu,
    "Elu": elu,
    "Celu": celu,
    "Selu": selu,
    "PRelu": prelu,
    "HardSigmoid": hard_sigmoid,
    "HardSwish": activation("hard_silu"),
    "Sigmoid": activation("sigmoid"),
    "Tanh": activation("tanh"),
    "Softplus": activation("softplus"),
    "Softsign": activation("softsign"),
    "Mish": activation("mish"),
    "Gelu": gelu,
    "Clip": clip,
    "Softmax": softmax(ops.softmax),
    "LogSoftmax": softmax(ops.log_softmax),
    "Cast": cast,
    "Mean": mean,
    "ArgMax": arg(ops.argmax),
    "ArgMin": arg(ops.argmin),
    "ReduceMean": reduce(ops.mean),
    "ReduceSum": reduce(ops.sum),
    "ReduceMax": reduce(ops.max),
    "ReduceMin": reduce(ops.min),
    "ReduceProd": reduce(ops.prod),
    "ReduceL2": reduce(_l2),
    **{
        name: each_number(function)
        for name, function in {
            "Sqrt": ops.sqrt, "Exp": ops.exp, "Log": ops.log, "Abs": ops.absolute, "Neg": ops.negative, "Erf": ops.erf,
            "Reciprocal": ops.reciprocal, "Floor": ops.floor, "Ceil": ops.ceil, "Round": ops.round, "Sign": ops.sign,
            "Sin": ops.sin, "Cos": ops.cos, "Tan": ops.tan, "Sinh": ops.sinh, "Cosh": ops.cosh, "Asin": ops.arcsin,
            "Acos": ops.arccos, "Atan": ops.arctan, "Not": ops.logical_not,
        }.items()
    },
    **{
        name: elementwise(function)
        for name, function in {
            "Add": ops.add, "Sub": ops.subtract, "Mul": ops.multiply, "Div": ops.divide, "Pow": ops.power,
            "Sum": ops.add, "Max": ops.maximum, "Min": ops.minimum, "Equal": ops.equal, "Greater": ops.greater,
            "Less": ops.less, "GreaterOrEqual": ops.greater_equal, "LessOrEqual": ops.less_equal,
            "And": ops.logical_and, "Or": ops.logical_or, "Xor": ops.logical_xor,
        }.items()
    },
}  # fmt: skip
