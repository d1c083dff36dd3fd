"""The functions that programs for Keras take from `keras.backend`, often as ``K``: the same operations as in `ops`.

    from scratchnet import backend as K
    K.mean(K.square(y_true - y_pred), axis=-1)

Keras 3 itself has only the settings left (`floatx`, `epsilon`, ...); the rest are names and arguments of Keras 2, of
which programs and books are full. What asks for a session, or the gradients of a graph, is refused in a sentence.
"""

# ruff: noqa: F401, F811 (the names are for those who import this module, and names of arguments as well)

import string

import numpy as np

from scratchnet import activations, ops
from scratchnet.config import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from scratchnet.graph.function import function
from scratchnet.graph.symbolic import is_tensor as is_keras_tensor
from scratchnet.missing import refusal as _refusal
from scratchnet.names import unique_name as _unique_name
from scratchnet.ops import (
    abs,
    all,
    any,
    binary_crossentropy,
    cast,
    categorical_crossentropy,
    cos,
    dot,
    elu,
    equal,
    exp,
    greater,
    greater_equal,
    less,
    less_equal,
    log,
    logsumexp,
    max,
    maximum,
    mean,
    min,
    minimum,
    ndim,
    not_equal,
    prod,
    reshape,
    round,
    shape,
    sigmoid,
    sign,
    sin,
    softmax,
    softplus,
    softsign,
    sparse_categorical_crossentropy,
    sqrt,
    square,
    squeeze,
    stack,
    std,
    stop_gradient,
    sum,
    tanh,
    tile,
    transpose,
    var,
)
from scratchnet.ops import power as pow
from scratchnet.ops.dtypes import named as _named
from scratchnet.ops.dtypes import result_type as _result_type
from scratchnet.ops.operation import shape_of as _shape_of
from scratchnet.ops.random import dropout as _dropout
from scratchnet.ops.random import normal as _normal
from scratchnet.ops.random import truncated_normal
from scratchnet.ops.random import uniform as _uniform
from scratchnet.utils.sessions import clear_session
from scratchnet.values import (
    batch_get_value,
    batch_set_value,
    eval,
    get_value,
    set_value,
    update,
    update_add,
    variable,
)

# ---- shapes ----


def int_shape(x):
    """The shape as a tuple; None for an axis that is not known."""
    return _shape_of(x)


def dtype(x):
    """The name of the dtype."""
    return np.dtype(x.dtype).name


def count_params(x):
    """The number of elements."""
    return int(np.prod(_shape_of(x)))


def flatten(x):
    """All elements in one axis, the batch as well."""
    return ops.ravel(x)


def batch_flatten(x):
    """(N, ...) -> (N, D): the elements of each sample in one axis."""
    return ops.reshape(x, (-1, int(np.prod(_shape_of(x)[1:]))))


def expand_dims(x, axis=-1):
    """With an axis of size 1 at the place `axis`."""
    return ops.expand_dims(x, axis)


def permute_dimensions(x, pattern):
    """`ops.transpose`."""
    return ops.transpose(x, pattern)


def repeat(x, n):
    """(N, D) -> (N, n, D): each sample n times."""
    if len(_shape_of(x)) != 2:
        raise ValueError(f"repeat: x has two axes, got the shape {_shape_of(x)}")
    return ops.repeat(ops.expand_dims(x, 1), n, 1)


def repeat_elements(x, rep, axis):
    """Each element `rep` times in a row along an axis."""
    return ops.repeat(x, rep, axis)


def reverse(x, axes):
    """Backwards along these axes."""
    return ops.flip(x, axes)


def concatenate(tensors, axis=-1):
    """One after the other along an axis."""
    return ops.concatenate(tensors, axis)


def temporal_padding(x, padding=(1, 1)):
    """(N, T, D) with zeros before and after the time steps."""
    return ops.pad(x, ((0, 0), tuple(padding), (0, 0)))


def spatial_2d_padding(x, padding=((1, 1), (1, 1)), data_format=None):
    """(N, H, W, C) with zeros around."""
    _check_channels_last(data_format)
    return ops.pad(x, ((0, 0), *(tuple(p) for p in padding), (0, 0)))


def resize_images(x, height_factor, width_factor, data_format, interpolation="nearest"):
    """(N, H, W, C) with each pixel as a block of these factors."""
    _check_channels_last(data_format)
    if interpolation != "nearest":
        raise ValueError(f'resize_images: interpolation={interpolation!r}; only "nearest" is here, see UpSampling2D')
    return ops.repeat(ops.repeat(x, height_factor, 1), width_factor, 2)


def _check_channels_last(data_format):
    if (data_format or image_data_format()) != "channels_last":
        raise ValueError(f'only "channels_last" is here, got {data_format!r}; a layer takes "channels_first", too')


# ---- what is made ----


def constant(value, dtype=None, shape=None, name=None):
    """`value` as an array, of floatx by default; a number as often as `shape` says."""
    value = np.asarray(value, _named(dtype))
    return value if shape is None else np.broadcast_to(value, shape).copy()


def zeros(shape, dtype=None, name=None):
    """Zeros, of floatx by default."""
    return ops.zeros(shape, dtype)


def ones(shape, dtype=None, name=None):
    """Ones, of floatx by default."""
    return ops.ones(shape, dtype)


def zeros_like(x, dtype=None, name=None):
    """Zeros in the shape of x."""
    return ops.zeros_like(x, dtype)


def ones_like(x, dtype=None, name=None):
    """Ones in the shape of x."""
    return ops.ones_like(x, dtype)


def eye(size, dtype=None, name=None):
    """The identity matrix."""
    return ops.eye(size, dtype=dtype)


def arange(start, stop=None, step=1, dtype="int32"):
    """From start (0, where it is alone) by step up to stop."""
    return ops.arange(start, stop, step, dtype)


def cast_to_floatx(x):
    """x as floatx."""
    return ops.cast(x, floatx())


def random_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Normal; see `scratchnet.ops.random.normal`. A seed of 0 or more gives the same numbers at every call."""
    return _normal(shape, mean, stddev, dtype, seed)


def random_uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    """Evenly from minval up to maxval; see `scratchnet.ops.random.uniform`."""
    return _uniform(shape, minval, maxval, dtype, seed)


def random_bernoulli(shape, p=0.0, dtype=None, seed=None):
    """1 with the probability p, else 0."""
    return ops.cast(ops.less(_uniform(shape, seed=seed), p), dtype or floatx())


def dropout(x, level, noise_shape=None, seed=None):
    """`scratchnet.ops.random.dropout`."""
    return _dropout(x, level, noise_shape, seed)


# ---- functions with arguments of their own ----


def argmax(x, axis=-1):
    """The place of the largest."""
    return ops.argmax(x, axis)


def argmin(x, axis=-1):
    """The place of the smallest."""
    return ops.argmin(x, axis)


def clip(x, min_value, max_value):
    """x where it lies within the bounds, else the bound; None is no bound."""
    low = -np.inf if min_value is None else min_value
    high = np.inf if max_value is None else max_value
    if isinstance(low, (int, float)) and isinstance(high, (int, float)):
        high = np.maximum(low, high).item()
    return ops.clip(x, low, high)


def cumsum(x, axis=0):
    """The sums up to each element."""
    return ops.cumsum(x, axis)


def cumprod(x, axis=0):
    """The products up to each element."""
    return ops.cumprod(x, axis)


def gather(reference, indices):
    """The rows of `reference` at these places."""
    return ops.take(reference, indices, 0)


def hard_sigmoid(x):
    """``clip(0.2 x + 0.5, 0, 1)``, as in Keras 2; that of Keras 3 has the slope 1/6."""
    return ops.clip(ops.add(ops.multiply(x, 0.2), 0.5), 0.0, 1.0)


def in_top_k(predictions, targets, k):
    """Whether the prediction of each target's class is among the k largest."""
    return ops.in_top_k(targets, predictions, k)


def l2_normalize(x, axis=None):
    """x divided by the root of its sum of squares over `axis` (all, if None), at least 1e-6."""
    squares = ops.sum(ops.square(x), axis, keepdims=True)
    return ops.multiply(x, ops.rsqrt(ops.maximum(squares, 1e-12)))


def one_hot(indices, num_classes):
    """1 at the place that each integer names."""
    return ops.one_hot(indices, num_classes)


def relu(x, alpha=0.0, max_value=None, threshold=0.0):
    """``max(x, 0)``, with a slope below and a bound above."""
    return activations.relu(x, alpha, max_value, threshold)


def bias_add(x, bias, data_format=None):
    """x plus a number for each channel."""
    _check_channels_last(data_format)
    return ops.add(x, bias)


def batch_normalization(x, mean, var, beta, gamma, axis=-1, epsilon=1e-3):
    """``(x - mean) / sqrt(var + epsilon) * gamma + beta``."""
    return ops.batch_normalization(x, mean, var, axis, beta, gamma, epsilon)


def batch_dot(x, y, axes=None):
    """For each sample the sum of products over one axis of x and one of y.

    axes: a number, or one for each; by default the last of x and the last but one of y (of (N, D) the last).
    """
    n, m = len(_shape_of(x)), len(_shape_of(y))
    if n < 2 or m < 2:
        raise ValueError(
            f"batch_dot: both have a batch and another axis, got the shapes {_shape_of(x)}, {_shape_of(y)}"
        )
    if axes is None:
        axes = (n - 1, m - 1 if m == 2 else m - 2)
    a, b = (axes, axes) if isinstance(axes, int) else axes
    first, second = list(string.ascii_letters[:n]), list(string.ascii_letters[n : n + m])
    second[0], second[b % m] = first[0], first[a % n]
    rest = [c for k, c in enumerate(first) if k not in (0, a % n)] + [
        c for k, c in enumerate(second) if k not in (0, b % m)
    ]
    z = ops.einsum(f"{''.join(first)},{''.join(second)}->{''.join([first[0], *rest])}", x, y)
    return ops.expand_dims(z, -1) if n == m == 2 else z


def switch(condition, then_expression, else_expression):
    """The one where the condition is true, the other where it is not; functions are called first."""
    then, other = (e() if callable(e) else e for e in (then_expression, else_expression))
    missing = len(_shape_of(then)) - len(_shape_of(condition))
    if missing > 0 and len(_shape_of(condition)):
        condition = ops.expand_dims(condition, list(range(-missing, 0)))
    return ops.where(condition, then, other)


def in_train_phase(x, alt, training=None):
    """x while training, else `alt`; functions are called."""
    if training is None:
        raise TypeError("in_train_phase: there is no global phase; hand down the argument training= of call")
    chosen = x if training else alt
    return chosen() if callable(chosen) else chosen


def map_fn(fn, elems, name=None, dtype=None):
    """`fn` of each row of an array, as rows."""
    return ops.stack([fn(row) for row in elems])


# ---- values ----


def get_uid(prefix=""):
    """A number that counts how often this was asked for the prefix."""
    name = _unique_name(prefix)
    return int(name.rpartition("_")[2]) + 1 if name != prefix else 1


def is_sparse(tensor):
    """False: there are no sparse tensors here."""
    return False


def result_type(*dtypes):
    """The name of the dtype that arrays of these have together."""
    return _result_type([np.empty(0, _named(dtype)) for dtype in dtypes] or [1.0]).name


def is_float_dtype(dtype):
    """Whether this is a float dtype."""
    return _named(dtype).kind == "f"


def is_int_dtype(dtype):
    """Whether this is an integer dtype."""
    return _named(dtype).kind in "iu"


def standardize_dtype(dtype):
    """The name of a dtype; of None floatx."""
    return _named(dtype).name


# ---- what there is not ----


def _refused(name, why):
    def refuse(*args, **kwargs):
        raise TypeError(f"backend.{name}: {why}")

    refuse.__doc__ = f"Refused: {why}."
    return refuse


gradients = _refused(
    "gradients", "of single tensors there are none; backward(dy, cache) of layers and models returns dx"
)
random_normal_variable = random_uniform_variable = _refused(
    "random_normal_variable", "K.variable(K.random_normal(shape)) is one"
)
placeholder = _refused("placeholder", "what stands for values to come is made by scratchnet.Input(shape)")
learning_phase = set_learning_phase = _refused(
    "learning_phase", "there is no global phase; call has a training argument"
)
get_session = set_session = _refused("get_session", "there are no sessions")
rnn = _refused("rnn", "a recurrent layer of your own is a cell in scratchnet.layers.RNN(cell)")

__all__ = sorted(name for name, value in globals().items() if callable(value) and not name.startswith("_"))
__getattr__ = _refusal(__name__)


def __dir__():
    return __all__
