"""Losses against numbers from Keras 3.15.1 on TensorFlow 2.21, in float32; some of the probabilities are cut."""

import numpy as np
import pytest

from scratchnet import losses

SOFT = np.array([[[1, 0], [0.25, 0.75]], [[0.5, 0.5], [0, 1]], [[0.125, 0.875], [1, 1]]], "float32")


PROBABLE = np.array(
    [[[0.8, 0.3], [0.1, 0.6]], [[0.5, 0.9], [0, 0.7]], [[0.4, 1], [0.2, 0.05]]], "float32"
)  # some are cut


LOGITS = PROBABLE * 8 - 4


LABELS = np.array([[0, 1], [1, 0], [1, 1]])


ONE_HOT = np.eye(2, dtype="float32")[LABELS]


WEIGHTS = np.array([[1, 2], [0.5, 0], [3, 1.5]], "float32")


# Values: "sum_over_batch_size" without and with weights, "mean_with_sample_weight", "sum"; the gradient of the last.
EXPECTED = [
    (
        "MeanSquaredError",
        {},
        SOFT,
        PROBABLE,
        [0.1715625, 0.240625, 0.1804688, 1.44375],
        [-0.2, 0.3, -0.3, -0.3, 0.0, 0.2, 0.0, 0.0, 0.825, 0.375, -1.2, -1.425],
    ),
    (
        "MeanAbsoluteError",
        {},
        SOFT,
        PROBABLE,
        [0.3041667, 0.4270833, 0.3203125, 2.5625],
        [-0.5, 0.5, -1.0, -1.0, 0.0, 0.25, 0.0, 0.0, 1.5, 1.5, -0.75, -0.75],
    ),
    (
        "Huber",
        {"delta": 0.3},
        SOFT,
        PROBABLE,
        [0.05734375, 0.07807292, 0.05855469, 0.4684375],
        [-0.1, 0.15, -0.15, -0.15, 0.0, 0.075, 0.0, 0.0, 0.4125, 0.1875, -0.225, -0.225],
    ),
    (
        "BinaryCrossentropy",
        {},
        SOFT,
        PROBABLE,
        [0.938329, 1.552731, 1.164548, 9.316386],
        [-0.625, 0.71429, -1.6667, -0.625, 0.0, 1.1111, 0.0, 0.0, 1.7188, 0.0, -3.75, -15.0],
    ),
    (
        "BinaryCrossentropy",
        {"label_smoothing": 0.2},
        SOFT,
        PROBABLE,
        [1.17525, 1.845421, 1.384066, 11.07253],
        [-0.3125, 0.47619, -2.2222, -0.41667, 0.0, 1.1111, 0.0, 0.0, 1.25, 0.0, -3.2812, -13.421],
    ),
    (
        "BinaryCrossentropy",
        {"from_logits": True},
        SOFT,
        LOGITS,
        [0.9433322, 1.366486, 1.024865, 8.198918],
        [-0.041586, 0.083991, -0.21083, -0.060025, 7.4506e-09, 0.11521, 0.0, 0.0, 0.27754, 0.16052, -0.68762, -0.73005],
    ),
    (
        "CategoricalCrossentropy",
        {},
        ONE_HOT,
        PROBABLE,
        [3.163074, 0.7118742, 0.5339056, 4.271245],
        [-0.34091, 0.90909, 2.8571, -0.47619, 0.35714, -0.19841, 0.0, 0.0, 2.1429, -0.85714, 6.0, -24.0],
    ),
    (
        "CategoricalCrossentropy",
        {"label_smoothing": 0.2},
        ONE_HOT,
        PROBABLE,
        [2.942612, 0.8040021, 0.6030016, 4.824013],
        [-0.21591, 0.57576, 0.85714, -0.14286, 0.25714, -0.14286, 0.0, 0.0, 1.3929, -0.55714, 5.25, -21.0],
    ),
    (
        "CategoricalCrossentropy",
        {"from_logits": True},
        ONE_HOT,
        LOGITS,
        [1.191904, 0.382323, 0.2867423, 2.293938],
        [-0.017986, 0.017986, 0.035972, -0.035972, 0.019583, -0.019583, 0.0, 0.0, 0.024488, -0.024488, 1.1528, -1.1528],
    ),
    (
        "SparseCategoricalCrossentropy",
        {},
        LABELS,
        PROBABLE,
        [3.103628, 0.7118742, 0.5339056, 4.271245],
        [-0.34091, 0.90909, 2.8571, -0.47619, 0.35714, -0.19841, 0.0, 0.0, 2.1429, 0.0, 6.0, -24.0],
    ),
    (
        "SparseCategoricalCrossentropy",
        {"from_logits": True},
        LABELS,
        LOGITS,
        [1.191904, 0.382323, 0.2867423, 2.293938],
        [-0.017986, 0.017986, 0.035972, -0.035972, 0.019583, -0.019583, 0.0, 0.0, 0.024488, -0.024488, 1.1528, -1.1528],
    ),
    (
        "SparseCategoricalCrossentropy",
        {"ignore_class": 0},
        LABELS,
        PROBABLE,
        [0.6354734, 0.9881979, 0.5646845, 3.952792],
        [0.0, 0.0, 2.8571, -0.47619, 0.35714, -0.19841, 0.0, 0.0, 2.1429, 0.0, 6.0, -24.0],
    ),
    (
        "KLDivergence",
        {},
        SOFT,
        PROBABLE,
        [0.8375484, 1.165018, 0.8737637, 6.99011],
        [-1.25, -3.3333e-07, -5.0, -2.5, -0.5, -0.27778, 0.0, 0.0, -0.9375, -2.625, -7.5, -30.0],
    ),
    (
        "CosineSimilarity",
        {},
        SOFT,
        PROBABLE,
        [-0.9524629, -1.265643, -0.9492325, -7.59386],
        [-0.1443, 0.38479, -0.50582, 0.084304, -0.11663, 0.064793, 0.0, 0.0, 0.61125, -0.2445, 0.90793, -3.6317],
    ),
]


@pytest.mark.parametrize(("name", "options", "y_true", "y_pred", "values", "gradient"), EXPECTED)
def test_values_and_gradients_are_kerass(name, options, y_true, y_pred, values, gradient):
    cls = getattr(losses, name)
    found = [
        cls(**options)(y_true, y_pred),
        cls(**options)(y_true, y_pred, WEIGHTS),
        cls(reduction="mean_with_sample_weight", **options)(y_true, y_pred, WEIGHTS),
        cls(reduction="sum", **options)(y_true, y_pred, WEIGHTS),
    ]
    np.testing.assert_allclose(found, values, rtol=2e-6)
    loss = cls(reduction="sum", **options)
    dy = loss.backward(loss.forward(y_true, y_pred, WEIGHTS)[1])
    np.testing.assert_allclose(dy.ravel(), gradient, rtol=6e-5, atol=1e-6)  # five digits are stored


def test_weights_of_fewer_axes():
    y_true, y_pred = np.zeros((3, 2, 1)), np.array([[[1.0], [2]], [[1], [1]], [[2], [3]]])
    column = np.array([[1.0], [2], [3]])
    assert losses.MeanSquaredError()(y_true, y_pred, column) == pytest.approx(48 / 6)
    # The weights are summed as they are given, not as they are broadcast: Keras's 48 / 6, not 48 / 12.
    mean = losses.MeanSquaredError(reduction="mean_with_sample_weight")
    assert mean(y_true, y_pred, column) == mean(y_true, y_pred, column[:, 0]) == pytest.approx(48 / 6)
    assert mean(y_true, y_pred, 2.0) == pytest.approx(20.0)
    np.testing.assert_array_equal(
        losses.MeanSquaredError(reduction="none")(y_true, y_pred, column), [[1, 4], [2, 2], [12, 27]]
    )


def test_functions_take_kerass_arguments_and_average_the_last_axis():
    assert losses.mean_squared_error([1.0, 2, 3], [1.0, 4, 3]) == pytest.approx(4 / 3)  # a single sample
    y_true, y_pred = [[0.0, 1.0]], [[0.6, 0.4]]
    for function, arguments, expected in (
        (losses.mean_absolute_error, (), 0.6),
        (losses.huber, (0.5,), 0.5 * 0.6 - 0.125),
        (losses.binary_crossentropy, (False, 0.5), -0.25 * np.log(0.6) - 0.75 * np.log(0.4)),
        (losses.categorical_crossentropy, (True,), np.log(np.exp(0.6) + np.exp(0.4)) - 0.4),
        (losses.kl_divergence, (), 1e-7 * np.log(1e-7 / 0.6) - np.log(0.4)),
        (losses.cosine_similarity, (-1,), -0.4 / np.sqrt(0.52)),
    ):
        np.testing.assert_allclose(function(y_true, y_pred, *arguments), [expected], rtol=1e-12)
    np.testing.assert_allclose(losses.sparse_categorical_crossentropy([0, 1], y_pred * 2, False, 1), [-np.log(0.6), 0])


def test_names_and_configs_are_kerass():
    names = {cls: losses.get(cls).name for cls in ("Huber", "KLDivergence", "MeanSquaredError", "CosineSimilarity")}
    assert names == {
        "Huber": "huber_loss",
        "KLDivergence": "kl_divergence",
        "MeanSquaredError": "mean_squared_error",
        "CosineSimilarity": "cosine_similarity",
    }
    for loss in (
        losses.MeanSquaredError("sum", "a"),
        losses.Huber(0.2, "sum", "b", "float64"),
        losses.BinaryCrossentropy(True, 0.1, -1, None, "c"),
        losses.CategoricalCrossentropy(True, 0.1, -1, "mean", "d"),
        losses.SparseCategoricalCrossentropy(True, 3, "sum", -1, "e"),
        losses.CosineSimilarity(-1, "sum", "f"),
    ):
        again = losses.get(losses.serialize(loss))
        assert type(again) is type(loss) and again.get_config() == loss.get_config()
        assert repr(again) == repr(loss)
