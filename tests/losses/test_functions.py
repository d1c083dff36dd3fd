"""The functions are the classes without a reduction: same defaults, same arguments, the loss of each sample."""

import numpy as np
import pytest

from scratchnet import losses

rng = np.random.default_rng(0)


ONE_HOT, LABELS, P = np.eye(3)[[0, 2, 1, 1]], np.array([0, 2, 1, 1]), rng.uniform(0.1, 0.9, (4, 3))


CASES = [
    (losses.mean_squared_error, losses.MeanSquaredError, ONE_HOT, {}),
    (losses.mean_absolute_error, losses.MeanAbsoluteError, ONE_HOT, {}),
    (losses.huber, losses.Huber, 3 * ONE_HOT, {}),
    (losses.huber, losses.Huber, ONE_HOT, {"delta": 0.2}),
    (losses.binary_crossentropy, losses.BinaryCrossentropy, ONE_HOT, {}),
    (losses.binary_crossentropy, losses.BinaryCrossentropy, ONE_HOT, {"from_logits": True, "label_smoothing": 0.2}),
    (losses.categorical_crossentropy, losses.CategoricalCrossentropy, ONE_HOT, {}),
    (
        losses.categorical_crossentropy,
        losses.CategoricalCrossentropy,
        ONE_HOT,
        {"from_logits": True, "label_smoothing": 0.2},
    ),
    (losses.sparse_categorical_crossentropy, losses.SparseCategoricalCrossentropy, LABELS, {}),
    (
        losses.sparse_categorical_crossentropy,
        losses.SparseCategoricalCrossentropy,
        LABELS,
        {"from_logits": True, "ignore_class": 1},
    ),
    (losses.kl_divergence, losses.KLDivergence, ONE_HOT, {}),
    (losses.cosine_similarity, losses.CosineSimilarity, ONE_HOT, {}),
]


@pytest.mark.parametrize(("function", "cls", "y_true", "options"), CASES)
def test_a_function_gives_the_values_of_its_class(function, cls, y_true, options):
    values = function(y_true, P, **options)
    assert values.shape == (4,)
    np.testing.assert_array_equal(values, cls(reduction=None, **options)(y_true, P))
    weights = np.ones(4) if "ignore_class" not in options else LABELS != 1
    assert cls(**options)(y_true, P) == pytest.approx(values.sum() / weights.sum())


@pytest.mark.parametrize("name", ["binary_crossentropy", "categorical_crossentropy"])
def test_a_function_takes_another_axis(name):
    function = getattr(losses, name)
    np.testing.assert_allclose(function(ONE_HOT, P, axis=0), function(ONE_HOT.T, P.T))
    labels = np.array([3, 0, 1])
    sparse = losses.sparse_categorical_crossentropy
    np.testing.assert_allclose(sparse(labels, P, axis=0), sparse(labels, P.T))


def test_a_loss_names_its_function():
    for function, cls, _, options in CASES:
        assert cls(**options).fn is function
    assert losses.KLDivergence().fn is losses.kl_divergence and losses.CTC().fn is losses.ctc

    class Own(losses.Huber):
        def call(self, y_true, y_pred):
            return super().call(y_true, y_pred) / 2

    assert Own().fn is losses.huber
    with pytest.raises(AttributeError, match="MarginLoss is not a function of the library"):
        _ = losses.MarginLoss().fn
