"""The names of TensorFlow that programs use beside `tf.keras`: ``import scratchnet as tf`` serves them as well.

    tf.keras.layers.Dense(10, activation=tf.nn.relu)
    loss = lambda y_true, y_pred: tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)

`tf.keras` is this library, and its functions are the operations of `scratchnet.ops` under TensorFlow's names and
arguments, with a derivative like all of them. What asks for TensorFlow itself, `GradientTape` above all, is refused in
a sentence: what a step computes is said by layers and losses, and `fit` takes it.
"""

# ruff: noqa: F401, F811 (the names are for those who import this module, and names of arguments as well)

import logging
import sys
from typing import TYPE_CHECKING

import numpy as np

from scratchnet import initializers, losses, metrics, ops, optimizers
from scratchnet import random as _random_names
from scratchnet.missing import refusal
from scratchnet.ops import (
    abs,
    add,
    argmax,
    argmin,
    broadcast_to,
    cast,
    ceil,
    convert_to_tensor,
    cos,
    cumsum,
    divide,
    einsum,
    equal,
    exp,
    expand_dims,
    eye,
    floor,
    greater,
    greater_equal,
    less,
    less_equal,
    linspace,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    meshgrid,
    minimum,
    multiply,
    norm,
    not_equal,
    ones,
    ones_like,
    pad,
    repeat,
    reshape,
    round,
    shape,
    sigmoid,
    sign,
    sin,
    sort,
    sqrt,
    square,
    squeeze,
    stack,
    stop_gradient,
    subtract,
    tanh,
    tensordot,
    tile,
    unstack,
    where,
    zeros,
    zeros_like,
)
from scratchnet.ops import power as pow
from scratchnet.ops import random as _random
from scratchnet.utils.dataset import Dataset as _Dataset
from scratchnet.variables import Variable

newaxis = None
float32, float64, int32, int64, uint8, bool, string = "float32 float64 int32 int64 uint8 bool string".split()


class Room:
    """A part of TensorFlow, such as `tf.nn`: these names, and a sentence for all others."""

    def __init__(self, name, **members):
        self._name = name
        self.__dict__.update(members)

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        raise AttributeError(f"{self._name}.{name} is not here: docs/keras.md; scratchnet.ops has the operations")


# ---- the same operations with other arguments ----


def concat(values, axis=0, name=None):
    """`ops.concatenate`."""
    return ops.concatenate(values, axis)


def transpose(a, perm=None):
    """`ops.transpose`."""
    return ops.transpose(a, perm)


def matmul(a, b, transpose_a=False, transpose_b=False, name=None):
    """`ops.matmul`, of matrices that are transposed first where that is said."""
    a = ops.swapaxes(a, -1, -2) if transpose_a else a
    return ops.matmul(a, ops.swapaxes(b, -1, -2) if transpose_b else b)


def clip_by_value(t, clip_value_min, clip_value_max, name=None):
    """`ops.clip`."""
    return ops.clip(t, clip_value_min, clip_value_max)


def split(value, num_or_size_splits, axis=0):
    """Parts of equal size, or of these sizes."""
    if isinstance(num_or_size_splits, int):
        return ops.split(value, num_or_size_splits, axis)
    return ops.split(value, np.cumsum(num_or_size_splits)[:-1].tolist(), axis)


def gather(params, indices, axis=0):
    """`ops.take`."""
    return ops.take(params, indices, axis)


def reverse(tensor, axis):
    """`ops.flip`."""
    return ops.flip(tensor, axis)


def fill(dims, value):
    """`ops.full`."""
    return ops.full(dims, value)


def constant(value, dtype=None, shape=None):
    """An array; floating point numbers in `scratchnet.config.floatx()` unless a dtype is given."""
    array = ops.convert_to_tensor(value, dtype)
    return array if shape is None else ops.broadcast_to(array, shape)


def identity(input):
    """The same."""
    return ops.convert_to_tensor(input)


def range(start, limit=None, delta=1, dtype=None):
    """`ops.arange`."""
    return ops.arange(start, limit, delta, dtype)


def one_hot(indices, depth, on_value=1.0, off_value=0.0, axis=-1, dtype=None):
    """`ops.one_hot`."""
    y = ops.one_hot(indices, depth, axis, dtype)
    return y if (on_value, off_value) == (1, 0) else y * (on_value - off_value) + off_value


def add_n(inputs):
    """The sum of several."""
    total, *others = inputs
    for a in others:
        total = total + a
    return total


def size(input):
    """The number of elements."""
    return ops.size(input)


def rank(input):
    """The number of axes."""
    return len(input.shape)


def is_tensor(x):
    """Whether `x` is an array or a symbolic tensor."""
    return ops.is_tensor(x)


def executing_eagerly():
    """Outside of `call`, always."""
    return True


def get_logger():
    """A logger to which nothing is written."""
    return logging.getLogger("tensorflow")


def _reduction(name):
    f = getattr(ops, name)

    def reduce(input_tensor, axis=None, keepdims=False, name=None):
        return f(input_tensor, axis=axis, keepdims=keepdims)

    reduce.__name__, reduce.__doc__ = f"reduce_{name}", f"`ops.{name}`."
    return reduce


reduce_mean, reduce_sum, reduce_max, reduce_min, reduce_prod, reduce_any, reduce_all = (
    _reduction(name) for name in ("mean", "sum", "max", "min", "prod", "any", "all")
)


# ---- tf.nn ----


def _l2_normalize(x, axis=None, epsilon=1e-12):
    return x * ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), epsilon))


def _leaky_relu(features, alpha=0.2):
    return ops.leaky_relu(features, alpha)


def _dropout(x, rate, seed=None):
    return _random.dropout(x, rate, seed=seed)


def _sigmoid_cross_entropy(labels=None, logits=None):
    return ops.binary_crossentropy(labels, logits, from_logits=True)


def _softmax_cross_entropy(labels, logits, axis=-1):
    return ops.categorical_crossentropy(labels, logits, from_logits=True, axis=axis)


def _sparse_softmax_cross_entropy(labels, logits):
    return ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def _middle(numbers):
    """TensorFlow's ``[1, 2, 2, 1]`` is our ``(2, 2)``."""
    return numbers if isinstance(numbers, int) or len(numbers) < 4 else tuple(numbers[1:3])


def _conv2d(input, filters, strides, padding, data_format="NHWC", dilations=1, name=None):
    return ops.conv(input, filters, _middle(strides), padding.lower(), dilation_rate=_middle(dilations))


def _max_pool2d(input, ksize, strides, padding, data_format="NHWC", name=None):
    return ops.max_pool(input, _middle(ksize), _middle(strides), padding.lower())


def _avg_pool2d(input, ksize, strides, padding, data_format="NHWC", name=None):
    return ops.average_pool(input, _middle(ksize), _middle(strides), padding.lower())


def _pool(input, window_shape, pooling_type, strides=None, padding="VALID", data_format=None, dilations=None):
    pool = ops.max_pool if pooling_type == "MAX" else ops.average_pool
    return pool(input, tuple(window_shape), 1 if strides is None else tuple(strides), padding.lower())


def _bias_add(value, bias, data_format=None, name=None):
    return ops.add(value, bias)


def _l2_loss(t, name=None):
    return ops.sum(ops.square(t)) / 2


_ACTIVATIONS = "relu relu6 elu selu silu swish sigmoid tanh softmax log_softmax softplus softsign gelu".split()
nn = Room(
    "tf.nn",
    **{name: getattr(ops, name) for name in _ACTIVATIONS},
    leaky_relu=_leaky_relu,
    l2_normalize=_l2_normalize,
    dropout=_dropout,
    moments=ops.moments,
    conv2d=_conv2d,
    max_pool2d=_max_pool2d,
    max_pool=_max_pool2d,
    avg_pool2d=_avg_pool2d,
    avg_pool=_avg_pool2d,
    pool=_pool,
    bias_add=_bias_add,
    embedding_lookup=gather,
    l2_loss=_l2_loss,
    depth_to_space=ops.depth_to_space,
    space_to_depth=ops.space_to_depth,
    sigmoid_cross_entropy_with_logits=_sigmoid_cross_entropy,
    softmax_cross_entropy_with_logits=_softmax_cross_entropy,
    sparse_softmax_cross_entropy_with_logits=_sparse_softmax_cross_entropy,
)

# ---- tf.math, tf.random, tf.linalg, tf.image, tf.data ----

_MATH = """
    abs add argmax argmin ceil cos cosh cumsum divide equal erf exp expm1 floor greater greater_equal less less_equal
    log log1p logical_and logical_not logical_or maximum minimum multiply not_equal round rsqrt sigmoid sign sin sinh
    softplus sqrt square subtract tan tanh top_k
"""
math = Room(
    "tf.math",
    **{name: getattr(ops, name) for name in _MATH.split()},
    **{f"reduce_{name}": _reduction(name) for name in ("mean", "sum", "max", "min", "prod", "any", "all", "std")},
    reduce_variance=_reduction("var"),
    reduce_logsumexp=_reduction("logsumexp"),
    is_nan=ops.isnan,
    is_inf=ops.isinf,
    is_finite=ops.isfinite,
    l2_normalize=_l2_normalize,
    add_n=add_n,
    pow=pow,
)


def _normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    return _random.normal(shape, mean, stddev, dtype, seed)


def _uniform(shape, minval=0.0, maxval=None, dtype=None, seed=None):
    if dtype is not None and not str(dtype).startswith("float"):
        return _random.randint(shape, minval, maxval, dtype, seed)
    return _random.uniform(shape, minval, 1.0 if maxval is None else maxval, dtype, seed)


random = Room(
    "tf.random",
    set_seed=_random_names.set_seed,
    normal=_normal,
    uniform=_uniform,
    truncated_normal=_random.truncated_normal,
    shuffle=_random.shuffle,
)


def _extract_patches(images, sizes, strides, rates, padding, name=None):
    return ops.image.extract_patches(images, sizes[1:3], strides[1:3], rates[1:3], padding.lower())


def _flip_left_right(image):
    return ops.flip(image, -2)


def _flip_up_down(image):
    return ops.flip(image, -3)


linalg = Room("tf.linalg", matmul=matmul, norm=norm, einsum=einsum, inv=ops.inv, det=ops.det, trace=ops.trace)
image = Room(
    "tf.image",
    resize=ops.image.resize,
    rgb_to_grayscale=ops.image.rgb_to_grayscale,
    psnr=ops.psnr,
    extract_patches=_extract_patches,
    flip_left_right=_flip_left_right,
    flip_up_down=_flip_up_down,
)
_of_data = {"AUTOTUNE": -1, "UNKNOWN_CARDINALITY": -2}
_experimental = Room("tf.data.experimental", cardinality=lambda dataset: dataset.cardinality(), **_of_data)
data = Room("tf.data", Dataset=_Dataset, experimental=_experimental, **_of_data)


class TensorSpec:
    """What `tf.data.Dataset.from_generator` is told of an array."""

    def __init__(self, shape, dtype="float32", name=None):
        self.shape, self.dtype, self.name = shape, dtype, name


# ---- what is TensorFlow's own ----

__version__ = "2.0"
keras = sys.modules["scratchnet"]


def _refused(name):
    def refused(*args, **kwargs):
        raise TypeError(
            f"tf.{name} is TensorFlow's own. scratchnet trains by fit, without a train_step: what a step computes is "
            "said by layers with call, their add_loss, and losses"
        )

    refused.__name__ = name
    return refused


GradientTape = _refused("GradientTape")


def function(func=None, **settings):
    """The function itself: TensorFlow would only compile it, here it runs as it stands."""
    return (lambda f: f) if func is None else func


_NOT_TENSORFLOW_S = {"logging", "np", "sys", "refusal", "ops", "TYPE_CHECKING", "Room"}
__all__ = sorted(name for name in vars() if not name.startswith("_") and name not in _NOT_TENSORFLOW_S)
if not TYPE_CHECKING:
    __getattr__ = refusal(__name__)


def __dir__():
    return __all__
