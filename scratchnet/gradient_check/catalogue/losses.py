"""Every loss and its options, with sample weights; whole, and in parts of a batch.

Whoever adds a loss adds a case: a test asks for them.
"""

import inspect

import numpy as np

from scratchnet import losses
from scratchnet.gradient_check.catalogue.inputs import named, separated
from scratchnet.gradient_check.check import check_loss
from scratchnet.gradient_check.parts import check_loss_parts


def check_losses(rng):
    """Yield a report for every case, whole and in parts."""
    weights = rng.uniform(0.5, 2.0, 5)
    for loss, y_true, y_pred in cases(rng):
        for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight"):
            variant = type(loss).from_config({**loss.get_config(), "reduction": reduction})
            options = {k: v for k, v in variant.get_config().items() if k not in ("name", "dtype", "axis")}
            changed = ", ".join(f"{k}={v}" for k, v in options.items() if v and v != "sum_over_batch_size")
            subject = f"{type(loss).__name__}({changed})"
            yield named(subject, check_loss(variant, y_true, y_pred, sample_weight=weights))
            yield named(subject, check_loss_parts(variant, y_true, y_pred, sample_weight=weights))
    for loss, y_true, y_pred in cases_across_samples(rng):
        subject = type(loss).__name__
        yield named(subject, check_loss(loss, y_true, y_pred))
        yield named(subject, check_loss_parts(loss, y_true, y_pred))


def without_a_case():
    """The names of public losses that are in no case."""
    rng = np.random.default_rng(0)
    found = {type(loss) for loss, _, _ in [*cases(rng), *cases_across_samples(rng)]}
    public = {name: getattr(losses, name) for name in losses.__all__ if name != "Loss"}
    return [name for name, cls in public.items() if inspect.isclass(cls) and cls not in found]


def cases(rng):
    """``(loss, y_true, y_pred)`` for every loss."""
    probabilities, soft = rng.uniform(0.1, 0.9, (5, 4)), rng.uniform(0.05, 0.95, (5, 4))
    logits, one_hot, labels = rng.normal(size=(5, 4)), np.eye(4)[[0, 1, 2, 3, 1]], np.array([0, 1, 2, 3, 1])
    real, apart = separated(rng, (5, 4)), separated(rng, (5, 4))
    signs = np.where(apart > 0, 1.0, -1.0)  # scores near 0.5 and 1.5 times these: away from the margin
    unit = logits / np.linalg.norm(logits, axis=-1, keepdims=True)
    soft3, p3 = rng.uniform(0.05, 0.95, (5, 3, 2)), rng.uniform(0.1, 0.9, (5, 3, 2))
    labels3 = np.array([[0, 1], [2, 0], [1, 1], [2, 2], [0, 2]])  # along axis 1
    return [
        (losses.MeanSquaredError(), real, logits),
        (losses.MeanAbsoluteError(), real, real + apart),
        (losses.MeanAbsolutePercentageError(), real, real + apart),
        (losses.MeanSquaredLogarithmicError(), soft, probabilities),
        (losses.Huber(delta=0.53), real, real + apart),
        (losses.LogCosh(), real, logits),
        (losses.Poisson(), np.arange(20.0).reshape(5, 4) % 3, probabilities),
        (losses.Hinge(), signs, signs * (1 + np.sign(apart) * 0.5)),
        (losses.SquaredHinge(), signs, signs * (1 + np.sign(apart) * 0.5)),
        (losses.CategoricalHinge(), one_hot, probabilities),
        (losses.BinaryCrossentropy(), soft, probabilities),
        (losses.BinaryCrossentropy(from_logits=True), soft, logits),
        (losses.BinaryCrossentropy(label_smoothing=0.2), soft, probabilities),
        (losses.BinaryFocalCrossentropy(apply_class_balancing=True), one_hot, probabilities),
        (losses.BinaryFocalCrossentropy(gamma=1.5, from_logits=True, label_smoothing=0.2), one_hot, logits),
        (losses.CategoricalCrossentropy(), one_hot, probabilities),
        (losses.CategoricalCrossentropy(from_logits=True), one_hot, logits),
        (losses.CategoricalCrossentropy(label_smoothing=0.2), one_hot, probabilities),
        (losses.CategoricalFocalCrossentropy(), one_hot, probabilities),
        (losses.CategoricalFocalCrossentropy(from_logits=True, label_smoothing=0.2), one_hot, logits),
        (losses.SparseCategoricalCrossentropy(), labels, probabilities),
        (losses.SparseCategoricalCrossentropy(from_logits=True), labels, logits),
        (losses.SparseCategoricalCrossentropy(ignore_class=1), labels, probabilities),
        (losses.BinaryCrossentropy(axis=1), soft3, p3),
        (losses.BinaryFocalCrossentropy(axis=(1, 2)), soft3, p3),
        (losses.CategoricalCrossentropy(axis=1), soft3, p3),
        (losses.CategoricalFocalCrossentropy(alpha=[0.2, 0.3, 0.5], from_logits=True, axis=-2), soft3, p3),
        (losses.SparseCategoricalCrossentropy(ignore_class=1, axis=1), labels3, p3),
        (losses.CosineSimilarity(axis=1), soft3, p3),
        (losses.CategoricalGeneralizedCrossEntropy(q=0.7), labels, probabilities),
        (losses.KLDivergence(), soft, probabilities),
        (losses.CosineSimilarity(), real, logits),
        (losses.Dice(axis=(1,)), one_hot, probabilities),
        (losses.Tversky(alpha=0.3, beta=0.7, axis=(1,)), one_hot, probabilities),
        (losses.MarginLoss(), one_hot, probabilities),
        (losses.CTC(), np.array([[1, 2], [3, 0], [1, 1], [2, 3], [0, 0]]), rng.normal(size=(5, 6, 4))),
        (losses.Circle(gamma=2.0), np.array([0, 1, 0, 1, 1]), unit),
    ]


def cases_across_samples(rng):
    """Those that look across the batch: they are no weighted sum over samples, and take no weights."""
    return [(losses.NTXent(), np.zeros(5), rng.normal(size=(5, 2, 4)))]
