"""Losses of symbolic tensors: the same formulas in operations, for a loss that is computed within `call`.

    def call(self, x):
        reconstruction = self.decoder(self.encoder(x))
        self.add_loss(losses.mean_squared_error(x, reconstruction))

There both arguments may depend on parameters, so both need a derivative; those of the operations give it. Outside, on
arrays, a loss has its own pair of `values` and `gradient`, which the tests hold against these formulas.
"""

import math

import numpy as np

from scratchnet import config, ops
from scratchnet.losses.traced import TracedLoss
from scratchnet.ops.ctc import ctc_values

FORMULAS = {}  # by the name of a loss: f(loss, t, p) -> the values, without the last axis


def _formula(*names):
    return lambda f: FORMULAS.update(dict.fromkeys(names, f)) or f


def value_of_tensors(loss, y_true, y_pred, sample_weight):
    """The value of a `Loss`, reduced as it says, where one of the two is a symbolic tensor."""
    values = loss.call(y_true, y_pred)
    counts = _counts(loss, y_true, values)
    weights = _weights(counts, sample_weight, len(values.shape))
    if weights is not None:
        values = values * weights
    if loss.reduction == "none":
        return values
    if loss.reduction == "sum":
        return ops.sum(values)
    if weights is not None and loss.reduction == "mean_with_sample_weight":
        return ops.sum(values) / ops.sum(weights)
    return ops.mean(values) if counts is None else ops.sum(values) / ops.sum(counts)


def values_of_tensors(loss, y_true, y_pred):
    """The loss of each sample, of symbolic tensors, as the class of the library says from which `loss` derives."""
    return _formula_of(loss)(loss, *of_same_rank(y_true, y_pred))


def _formula_of(loss):
    """The formula of the class that defines its values."""
    for cls in type(loss).__mro__:
        if cls.__name__ in FORMULAS and cls.__module__.startswith("scratchnet."):
            return FORMULAS[cls.__name__]
        if "values" in vars(cls):
            break
    raise loss.error(
        "cannot be computed from symbolic tensors: write it with call(y_true, y_pred) and the operations of "
        "scratchnet.ops",
        TypeError,
    )


def of_same_rank(a, b):
    """Both with as many axes, if it is an axis of size 1 at the end that one of them has too many."""
    a, b = (x if hasattr(x, "shape") else np.asarray(x, y.dtype) for x, y in ((a, b), (b, a)))  # numbers
    if len(a.shape) == len(b.shape) + 1 and a.shape[-1] == 1:
        return (a, ops.expand_dims(b, -1)) if len(b.shape) == 1 else (ops.squeeze(a, -1), b)
    if len(b.shape) == len(a.shape) + 1 and b.shape[-1] == 1:
        return (ops.expand_dims(a, -1), b) if len(a.shape) == 1 else (a, ops.squeeze(b, -1))
    return a, b


def _weights(counts, sample_weight, ndim):
    """What the values are multiplied by, or None."""
    if sample_weight is None:
        return counts
    if ndim == 0:  # the one value of predictions (N,) meets each of N weights
        return sample_weight
    while len(sample_weight.shape) > ndim:  # (N, 1) for values (N,)
        sample_weight = ops.squeeze(sample_weight, -1)
    while len(sample_weight.shape) < ndim:
        sample_weight = ops.expand_dims(sample_weight, -1)
    return sample_weight if counts is None else sample_weight * counts


def _counts(loss, y_true, values):
    """1 where a value counts, 0 where not; None where all do, as those of a `call` of one's own."""
    if isinstance(loss, TracedLoss):
        return None
    if type(loss).__name__ == "Circle":  # a sample without a partner
        return ops.cast(ops.greater(values, 0), config.floatx())
    if getattr(loss, "ignore_class", None) is None:
        return None
    labels = ops.squeeze(y_true, -1) if len(y_true.shape) > len(values.shape) else y_true
    return ops.cast(ops.not_equal(labels, loss.ignore_class), config.floatx())


def _mean(x, axis=-1):
    return ops.mean(x, axis=axis)


# ---- of real numbers ----


@_formula("MeanSquaredError")
def _mean_squared_error(loss, t, p):
    return _mean(ops.square(p - t))


@_formula("MeanAbsoluteError")
def _mean_absolute_error(loss, t, p):
    return _mean(ops.abs(p - t))


@_formula("Huber")
def _huber(loss, t, p):
    size = ops.abs(p - t)
    cut = ops.minimum(size, loss.delta)
    return _mean(cut * (size - cut / 2))


@_formula("MeanAbsolutePercentageError")
def _mean_absolute_percentage_error(loss, t, p):
    return 100 * _mean(ops.abs((p - t) / ops.maximum(ops.abs(t), config.epsilon())))


@_formula("MeanSquaredLogarithmicError")
def _mean_squared_logarithmic_error(loss, t, p):
    log_p, log_t = (ops.log1p(ops.maximum(x, config.epsilon())) for x in (p, t))
    return _mean(ops.square(log_p - log_t))


@_formula("LogCosh")
def _log_cosh(loss, t, p):
    size = ops.abs(p - t)
    return _mean(size + ops.softplus(-2 * size) - math.log(2))


@_formula("Poisson")
def _poisson(loss, t, p):
    return _mean(p - t * ops.log(p + config.epsilon()))


@_formula("CosineSimilarity")
def _cosine_similarity(loss, t, p):
    return -ops.sum(_unit(t, loss.axis) * _unit(p, loss.axis), axis=loss.axis)


def _unit(x, axis):
    length = ops.sqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), 1e-14))
    return x / length


# ---- of probabilities ----


def _cut(p):
    return ops.clip(p, config.epsilon(), 1 - config.epsilon())


def _smoothed(loss, t, classes):
    return t * (1 - loss.label_smoothing) + loss.label_smoothing / classes if loss.label_smoothing else t


@_formula("KLDivergence")
def _kl_divergence(loss, t, p):
    t, p = ops.clip(t, config.epsilon(), 1), ops.clip(p, config.epsilon(), 1)
    return ops.sum(t * ops.log(t / p), axis=-1)


@_formula("BinaryCrossentropy")
def _binary_crossentropy(loss, t, p):
    return _mean(ops.binary_crossentropy(_smoothed(loss, t, 2), p, loss.from_logits), loss.axis)


@_formula("CategoricalCrossentropy")
def _categorical_crossentropy(loss, t, p):
    return ops.categorical_crossentropy(_smoothed(loss, t, p.shape[loss.axis]), p, loss.from_logits, loss.axis)


@_formula("SparseCategoricalCrossentropy")
def _sparse_categorical_crossentropy(loss, t, p):
    if loss.ignore_class is None:
        return ops.sparse_categorical_crossentropy(t, p, loss.from_logits, loss.axis)
    t = ops.squeeze(t, -1) if len(t.shape) == len(p.shape) else t
    counts = ops.not_equal(t, loss.ignore_class)
    t = ops.where(counts, t, 0)  # a label that may be outside the classes
    return ops.where(counts, ops.sparse_categorical_crossentropy(t, p, loss.from_logits, loss.axis), 0)


@_formula("BinaryFocalCrossentropy")
def _binary_focal_crossentropy(loss, t, p):
    t = _smoothed(loss, t, 2)
    p = ops.sigmoid(p) if loss.from_logits else p
    right = t * p + (1 - t) * (1 - p)
    w = t * loss.alpha + (1 - t) * (1 - loss.alpha) if loss.apply_class_balancing else 1.0
    return _mean(w * ops.power(1 - right, loss.gamma) * ops.binary_crossentropy(t, p), loss.axis)


@_formula("CategoricalFocalCrossentropy")
def _categorical_focal_crossentropy(loss, t, p):
    t, axis = _smoothed(loss, t, p.shape[loss.axis]), loss.axis
    p = ops.softmax(p, axis) if loss.from_logits else p
    c = _cut(p / ops.sum(p, axis=axis, keepdims=True))
    v = t * ops.power(1 - c, loss.gamma) * ops.log(c)
    return -ops.sum(ops.moveaxis(v, axis, -1) * np.asarray(loss.alpha), axis=-1)


@_formula("CategoricalGeneralizedCrossEntropy")
def _categorical_generalized_cross_entropy(loss, t, p):
    labels = t if len(t.shape) == len(p.shape) else ops.expand_dims(t, -1)
    p = ops.take_along_axis(p, ops.cast(labels, "int32"), axis=-1)
    return ops.squeeze((1 - ops.power(p, loss.q)) / loss.q, -1)


# ---- of scores, and of overlaps ----


@_formula("Hinge")
def _hinge(loss, t, p):
    return _mean(_short(t, p))


@_formula("SquaredHinge")
def _squared_hinge(loss, t, p):
    return _mean(ops.square(_short(t, p)))


def _short(t, p):
    """What is missing to the margin."""
    only_0_and_1 = ops.all(ops.logical_or(ops.equal(t, 0), ops.equal(t, 1)))
    return ops.maximum(1 - ops.where(only_0_and_1, 2 * t - 1, t) * p, 0)


@_formula("CategoricalHinge")
def _categorical_hinge(loss, t, p):
    right = ops.sum(t * p, axis=-1)
    return ops.maximum(ops.max((1 - t) * p, axis=-1) - right + 1, 0)


@_formula("MarginLoss")
def _margin_loss(loss, t, p):
    short, long = ops.maximum(loss.present - p, 0), ops.maximum(p - loss.absent, 0)
    return ops.sum(t * ops.square(short) + loss.down_weight * (1 - t) * ops.square(long), axis=-1)


@_formula("CTC")
def _ctc(loss, t, p):
    return ctc_values(ops.cast(t, "int32"), p)


@_formula("Circle")
def _circle(loss, t, p):
    labels = ops.squeeze(t, -1) if len(t.shape) == 2 else t
    d = ops.maximum(1 - ops.matmul(p, ops.transpose(p)), 0)  # (N, N)
    alike = ops.equal(ops.expand_dims(labels, 1), ops.expand_dims(labels, 0))
    partners, others = alike, ops.logical_not(alike)
    if loss.remove_diagonal:
        number = ops.cumsum(ops.ones_like(labels))
        partners = ops.logical_and(alike, ops.not_equal(ops.expand_dims(number, 1), ops.expand_dims(number, 0)))
    s = loss.gamma * (ops.square(d) - loss.margin**2)
    r = loss.gamma * ops.maximum(1 + loss.margin - d, 0) * (1 - loss.margin - d)
    nobody = -1e30  # of which the softplus is 0, and so is its derivative
    s, r = (ops.logsumexp(ops.where(these, x, nobody), axis=1) for these, x in ((partners, s), (others, r)))
    return ops.softplus(s + r)


@_formula("Dice")
def _dice(loss, t, p):
    A, B = 2 * ops.sum(t * p, axis=loss.axis), ops.sum(t + p, axis=loss.axis)
    return 1 - A / (B + config.epsilon())


@_formula("Tversky")
def _tversky(loss, t, p):
    found, missed, wrong = (ops.sum(part, axis=loss.axis) for part in (t * p, t * (1 - p), (1 - t) * p))
    return 1 - found / (found + loss.alpha * missed + loss.beta * wrong + config.epsilon())
