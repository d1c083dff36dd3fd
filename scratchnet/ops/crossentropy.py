"""Cross-entropies, one for each sample or element: written with other operations.

Of a symbolic tensor that comes out of a softmax (or sigmoid) they go back to its logits, as in Keras: there nothing has
to be clipped, and the gradient never dies. See `scratchnet.training.logits`.
"""

from scratchnet import config
from scratchnet.ops.activation import log_softmax, softplus
from scratchnet.ops.creation import cast
from scratchnet.ops.elementwise import add, clip, divide, log, multiply, negative, subtract
from scratchnet.ops.operation import shape_of
from scratchnet.ops.reductions import sum
from scratchnet.ops.selection import take_along_axis
from scratchnet.ops.shapes import expand_dims, squeeze


def binary_crossentropy(target, output, from_logits=False):
    """``-(t log(p) + (1 - t) log(1 - p))`` for each element, p clipped by epsilon from 0 and 1."""
    output, from_logits = _back_to_logits(output, from_logits, "sigmoid")
    if from_logits:  # p = sigmoid(x): log(p) = x - softplus(x), log(1 - p) = -softplus(x)
        return subtract(softplus(output), multiply(target, output))
    p = _clipped(output)
    return negative(add(multiply(target, log(p)), multiply(subtract(1, target), log(subtract(1, p)))))


def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """``-sum(t log(p))`` along the axis of the classes, p divided by its sum and clipped by epsilon from 0 and 1."""
    _check_classes("categorical_crossentropy", shape_of(target), shape_of(output))
    output, from_logits = _back_to_logits(output, from_logits, "softmax", axis)
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
    output, from_logits = _back_to_logits(output, from_logits, "softmax", axis)
    log_p = log_softmax(output if from_logits else log(_clipped(output)), axis)
    places = expand_dims(cast(target, "int32"), axis)
    return negative(squeeze(take_along_axis(log_p, places, axis), axis))


def _back_to_logits(output, from_logits, activation, axis=-1):
    """``(output, from_logits)``: the logits and True, where a symbolic output is known to come out of `activation`."""
    operation = getattr(getattr(output, "node", None), "operation", None)
    if from_logits or operation is None or operation.name != activation:
        return output, from_logits
    same_axis = activation == "sigmoid" or (output.node.options["axis"] - axis) % len(output.shape) == 0
    return (output.node.operands[0], True) if same_axis else (output, False)


def _clipped(p):
    return clip(p, config.epsilon(), 1 - config.epsilon())


def _check_classes(name, target, output):
    """Raise ValueError unless both shapes are the same: cross-entropies do not broadcast."""
    same = len(target) == len(output) and all(n == m or None in (n, m) for n, m in zip(target, output))
    if not same:
        raise ValueError(f"{name}: a target of shape {target} does not belong to an output of shape {output}")
