"""Every loss and its options, with sample weights."""

import numpy as np

from scratchnet import losses
from scratchnet.gradient_check.catalogue.inputs import named, separated
from scratchnet.gradient_check.check import check_loss
from scratchnet.gradient_check.parts import check_loss_parts


def check_losses(rng):
    """Every loss and its options, with sample weights."""
    probabilities, soft = rng.uniform(0.1, 0.9, (5, 4)), rng.uniform(0.05, 0.95, (5, 4))
    logits, one_hot, labels = rng.normal(size=(5, 4)), np.eye(4)[[0, 1, 2, 3, 1]], np.array([0, 1, 2, 3, 1])
    real, weights = separated(rng, (5, 4)), rng.uniform(0.5, 2.0, 5)
    cases = [
        (losses.MeanSquaredError(), real, logits),
        (losses.MeanAbsoluteError(), real, real + separated(rng, (5, 4))),
        (losses.Huber(delta=0.53), real, real + separated(rng, (5, 4))),
        (losses.BinaryCrossentropy(), soft, probabilities),
        (losses.BinaryCrossentropy(from_logits=True), soft, logits),
        (losses.BinaryCrossentropy(label_smoothing=0.2), soft, probabilities),
        (losses.CategoricalCrossentropy(), one_hot, probabilities),
        (losses.CategoricalCrossentropy(from_logits=True), one_hot, logits),
        (losses.CategoricalCrossentropy(label_smoothing=0.2), one_hot, probabilities),
        (losses.SparseCategoricalCrossentropy(), labels, probabilities),
        (losses.SparseCategoricalCrossentropy(from_logits=True), labels, logits),
        (losses.SparseCategoricalCrossentropy(ignore_class=1), labels, probabilities),
        (losses.KLDivergence(), soft, probabilities),
        (losses.CosineSimilarity(), real, logits),
    ]
    for loss, y_true, y_pred in cases:
        for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight"):
            variant = type(loss).from_config({**loss.get_config(), "reduction": reduction})
            options = {k: v for k, v in variant.get_config().items() if k not in ("name", "dtype", "axis")}
            changed = ", ".join(f"{k}={v}" for k, v in options.items() if v and v != "sum_over_batch_size")
            subject = f"{type(loss).__name__}({changed})"
            yield named(subject, check_loss(variant, y_true, y_pred, sample_weight=weights))
            yield named(subject, check_loss_parts(variant, y_true, y_pred, sample_weight=weights))
