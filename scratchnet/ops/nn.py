"""The functions of `keras.ops.nn`: activations, normalizations, cross-entropies.

The activations are those of `scratchnet.activations`, with the derivatives that stand there: an entry of that table is
an entry of this one. The rest is written with other operations and has no derivative of its own.
"""

import inspect

from scratchnet import activations, config
from scratchnet.ops.creation import cast
from scratchnet.ops.dtypes import floats
from scratchnet.ops.elementwise import (
    add,
    clip,
    divide,
    log,
    maximum,
    multiply,
    negative,
    rsqrt,
    square,
    subtract,
)
from scratchnet.ops.operation import operation, shape_of
from scratchnet.ops.reductions import mean, norm, sum, var
from scratchnet.ops.selection import take_along_axis
from scratchnet.ops.shapes import expand_dims, squeeze


def _of_activation(activation, **defaults):
    """The operation of an entry of `scratchnet.activations`; `defaults` of its parameters where Keras's differ here."""
    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = list(inspect.signature(activation.function).parameters.values())[2:]  # without z and out
    parameters = [p.replace(default=defaults.get(p.name, p.default)) for p in parameters]
    names = [p.name for p in parameters]

    def f(x, **options):
        return activation.function(x, **options)

    def dx(dz, kept, *options):
        return activation.gradient(dz, kept, **dict(zip(names, options)))

    kept = "z" if activation.keeps == "y" else "x"  # the result is y there and z here
    f.__signature__ = inspect.Signature([inspect.Parameter("x", positional), *parameters])
    dx.__signature__ = inspect.Signature([inspect.Parameter(name, positional) for name in ["dz", kept, *names]])
    return operation(f, activation.name, x=dx, dtypes=floats)


relu = _of_activation(activations.relu)
relu6 = _of_activation(activations.relu6)
leaky_relu = _of_activation(activations.leaky_relu)
elu = _of_activation(activations.elu)
selu = _of_activation(activations.selu)
sigmoid = _of_activation(activations.sigmoid)
hard_sigmoid = _of_activation(activations.hard_sigmoid)
tanh = _of_activation(activations.tanh)
softsign = _of_activation(activations.softsign)
softplus = _of_activation(activations.softplus)
silu = swish = _of_activation(activations.silu)
gelu = _of_activation(activations.gelu, approximate=True)
softmax = _of_activation(activations.softmax)
log_softmax = _of_activation(activations.log_softmax)


# ---- normalizations ----


def moments(x, axes, keepdims=False, synchronized=False):
    """``(mean, variance)`` over these axes. `synchronized` changes nothing here: a batch is one batch."""
    return mean(x, axes, keepdims), var(x, axes, keepdims)


def normalize(x, axis=-1, order=2, epsilon=None):
    """x divided by its norm of this order along an axis, by at least `epsilon` (1e-7 by default)."""
    epsilon = config.epsilon() if epsilon is None else epsilon
    if order == 2:  # the bound before the root, whose derivative at 0 is infinite
        return multiply(x, rsqrt(maximum(sum(square(x), axis, keepdims=True), epsilon * epsilon)))
    return divide(x, maximum(norm(x, order, axis, keepdims=True), epsilon))


# ---- cross-entropies, one for each sample or element ----


def binary_crossentropy(target, output, from_logits=False):
    """``-(t log(p) + (1 - t) log(1 - p))`` for each element, p clipped by epsilon from 0 and 1."""
    if from_logits:  # p = sigmoid(x): log(p) = x - softplus(x), log(1 - p) = -softplus(x)
        return subtract(softplus(output), multiply(target, output))
    p = _clipped(output)
    return negative(add(multiply(target, log(p)), multiply(subtract(1, target), log(subtract(1, p)))))


def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """``-sum(t log(p))`` along the axis of the classes, p divided by its sum and clipped by epsilon from 0 and 1."""
    _check_classes("categorical_crossentropy", shape_of(target), shape_of(output))
    if from_logits:
        return negative(sum(multiply(target, log_softmax(output, axis)), axis))
    p = _clipped(divide(output, sum(output, axis, keepdims=True)))
    return negative(sum(multiply(target, log(p)), axis))


def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """``-log(p[t])`` for integer targets t; p clipped by epsilon from 0 and 1, then divided by its sum."""
    if len(shape_of(target)) == len(shape_of(output)) and shape_of(target)[-1] == 1:
        target = squeeze(target, -1)
    shape = shape_of(output)
    axis %= len(shape)
    _check_classes("sparse_categorical_crossentropy", shape_of(target), shape[:axis] + shape[axis + 1 :])
    log_p = log_softmax(output if from_logits else log(_clipped(output)), axis)
    places = expand_dims(cast(target, "int32"), axis)
    return negative(squeeze(take_along_axis(log_p, places, axis), axis))


def _clipped(p):
    return clip(p, config.epsilon(), 1 - config.epsilon())


def _check_classes(name, target, output):
    """Raise ValueError unless both shapes are the same: cross-entropies do not broadcast."""
    same = len(target) == len(output) and all(n == m or None in (n, m) for n, m in zip(target, output))
    if not same:
        raise ValueError(f"{name}: a target of shape {target} does not belong to an output of shape {output}")
