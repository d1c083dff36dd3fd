"""Losses, metrics, optimizers, schedules and initializers against Keras."""

import re

import numpy as np
import pytest

from scratchnet import initializers, losses, metrics, optimizers

pytestmark = [pytest.mark.reference, pytest.mark.filterwarnings("ignore")]

RNG = np.random.default_rng(0)
REAL, PREDICTED = RNG.normal(size=(2, 6, 4, 5)).astype("float32")
PROBABLE = RNG.uniform(0.01, 0.99, (6, 4, 5)).astype("float32")
TARGET = RNG.uniform(0, 1, (6, 4, 5)).astype("float32")
ONE_HOT = np.eye(5, dtype="float32")[RNG.integers(0, 5, (6, 4))]
LABELS = RNG.integers(0, 5, (6, 4))

LOSSES = [
    ("MeanSquaredError", {}, REAL, PREDICTED),
    ("MeanAbsoluteError", {}, REAL, PREDICTED),
    ("Huber", {"delta": 0.7}, REAL, PREDICTED),
    ("BinaryCrossentropy", {}, TARGET, PROBABLE),
    ("BinaryCrossentropy", {"from_logits": True}, TARGET, PREDICTED),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}, TARGET, PROBABLE),
    ("CategoricalCrossentropy", {}, ONE_HOT, PROBABLE),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, ONE_HOT, PREDICTED),
    ("SparseCategoricalCrossentropy", {}, LABELS, PROBABLE),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, LABELS, PREDICTED),
    ("SparseCategoricalCrossentropy", {"ignore_class": 2}, LABELS, PROBABLE),
    ("KLDivergence", {}, TARGET, PROBABLE),
    ("CosineSimilarity", {}, REAL, PREDICTED),
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize(
    ("name", "options", "y_true", "y_pred"), LOSSES, ids=lambda v: v if isinstance(v, str) else None
)
def test_loss_and_its_gradient(keras, tf, name, options, y_true, y_pred, reduction, weighted):
    weights = np.random.default_rng(5).uniform(0.5, 2, (6, 4)).astype("float32") if weighted else None
    mine, theirs = (getattr(m, name)(reduction=reduction, **options) for m in (losses, keras.losses))
    value, cache = mine.forward(y_true, y_pred, weights)
    variable = tf.Variable(y_pred)
    with tf.GradientTape() as tape:
        expected = theirs(y_true, variable, sample_weight=weights)
    np.testing.assert_allclose(value, expected, rtol=3e-6)
    gradient = tape.gradient(expected, variable).numpy()
    np.testing.assert_allclose(mine.backward(cache), gradient, rtol=0, atol=2e-5 * np.abs(gradient).max())


def test_clipped_probabilities_have_kerass_gradient(keras, tf):
    y_pred = np.array([[0.0, 1.0, 1e-8, 0.5, 1 - 1e-8]], "float32")
    y_true = np.array([[0.0, 0.0, 1.0, 1.0, 0.0]], "float32")
    variable = tf.Variable(y_pred)
    with tf.GradientTape() as tape:
        expected = keras.losses.BinaryCrossentropy()(y_true, variable)
    value, cache = losses.BinaryCrossentropy().forward(y_true, y_pred)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(
        losses.BinaryCrossentropy().backward(cache), tape.gradient(expected, variable), rtol=1e-5
    )


METRICS = [
    ("BinaryAccuracy", {}, (TARGET > 0.5), PROBABLE),
    ("CategoricalAccuracy", {}, ONE_HOT, PROBABLE),
    ("SparseCategoricalAccuracy", {}, LABELS, PROBABLE),
    ("TopKCategoricalAccuracy", {"k": 2}, ONE_HOT[:, 0], PROBABLE[:, 0]),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, LABELS[:, 0], PROBABLE[:, 0]),
    ("MeanSquaredError", {}, REAL, PREDICTED),
    ("RootMeanSquaredError", {}, REAL, PREDICTED),
    ("MeanAbsoluteError", {}, REAL, PREDICTED),
    ("BinaryCrossentropy", {}, TARGET, PROBABLE),
    ("CategoricalCrossentropy", {}, ONE_HOT, PROBABLE),
    ("SparseCategoricalCrossentropy", {}, LABELS, PROBABLE),
    ("KLDivergence", {}, TARGET, PROBABLE),
    ("CosineSimilarity", {}, REAL, PREDICTED),
    ("Precision", {}, TARGET > 0.4, PROBABLE),
    ("Recall", {}, TARGET > 0.4, PROBABLE),
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("name", "options", "y_true", "y_pred"), METRICS, ids=lambda v: v if isinstance(v, str) else None
)
def test_metric(keras, name, options, y_true, y_pred, weighted):
    mine, theirs = getattr(metrics, name)(**options), getattr(keras.metrics, name)(**options)
    assert re.sub(r"_\d+$", "", theirs.name) == re.sub(r"_\d+$", "", mine.name)  # some are counted up
    for rows in (slice(0, 4), slice(4, 6)):
        weights = np.random.default_rng(5).uniform(0.5, 2, len(y_true[rows])).astype("float32") if weighted else None
        if weighted and name in ("RootMeanSquaredError", "Precision", "Recall", "BinaryAccuracy"):
            weights = np.broadcast_to(weights[:, None, None], y_true[rows].shape)
            if name == "RootMeanSquaredError":
                weights = None
        mine.update_state(y_true[rows], y_pred[rows], sample_weight=weights)
        theirs.update_state(y_true[rows], y_pred[rows], sample_weight=weights)
    assert mine.result() == pytest.approx(float(theirs.result()), rel=1e-5)


def test_history_keys_are_kerass(keras):
    import scratchnet

    keys = []
    for library in (keras, scratchnet):
        L = library.layers
        model = library.models.Sequential([L.Input((3,)), L.Dense(2, activation="softmax")])
        model.compile(
            "adam",
            "sparse_categorical_crossentropy",
            metrics=[
                "acc",
                "accuracy",
                "sparse_top_k_categorical_accuracy",
                library.metrics.SparseCategoricalAccuracy(),
            ],
        )
        keys.append(list(model.fit(np.ones((4, 3)), np.zeros(4), verbose=0).history))
        model = library.models.Sequential([L.Input((3,)), L.Dense(2)])
        model.compile("adam", "mse", metrics=["mse", "mae", "mean_squared_error"])
        keys[-1] += list(model.fit(np.ones((4, 3)), np.zeros((4, 2)), verbose=0, validation_split=0.5).history)
    assert keys[0] == keys[1]


OPTIMIZERS = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.5, "centered": True}),
    ("Adagrad", {"learning_rate": 0.1}),
    ("Adam", {}),
    ("Adam", {"amsgrad": True, "beta_1": 0.8, "beta_2": 0.9}),
    ("Adam", {"clipnorm": 0.5}),
    ("Adam", {"clipvalue": 0.1}),
    ("Adam", {"global_clipnorm": 0.5}),
    ("AdamW", {"weight_decay": 0.05}),
    ("Nadam", {}),
]


@pytest.mark.parametrize(("name", "options"), OPTIMIZERS, ids=lambda v: v if isinstance(v, str) else None)
def test_fifty_steps_of_an_optimizer(keras, tf, name, options):
    rng = np.random.default_rng(2)
    start = {"a": rng.normal(size=(3, 4)).astype("float32"), "b": rng.normal(size=5).astype("float32")}
    params = {key: value.copy() for key, value in start.items()}
    variables = [keras.Variable(value) for value in start.values()]
    mine, theirs = getattr(optimizers, name)(**options), getattr(keras.optimizers, name)(**options)
    for _ in range(50):
        grads = {key: (rng.normal(size=v.shape) * rng.uniform(0.1, 3)).astype("float32") for key, v in start.items()}
        mine.update(params, grads)
        theirs.apply([tf.constant(g) for g in grads.values()], variables)
    for found, wanted, began in zip(params.values(), variables, start.values()):
        moved = np.abs(np.asarray(wanted) - began).max()
        np.testing.assert_allclose(found, np.asarray(wanted), rtol=0, atol=2e-5 * moved + 1e-6)


SCHEDULES = [
    ("ExponentialDecay", (0.1, 10, 0.5), {}),
    ("ExponentialDecay", (0.1, 10, 0.5), {"staircase": True}),
    ("PiecewiseConstantDecay", ([5, 12], [0.1, 0.05, 0.01]), {}),
    ("PolynomialDecay", (0.1, 15), {"power": 2.0}),
    ("PolynomialDecay", (0.1, 15), {"cycle": True}),
    ("InverseTimeDecay", (0.1, 10, 0.5), {}),
    ("InverseTimeDecay", (0.1, 10, 0.5), {"staircase": True}),
    ("CosineDecay", (0.1, 20), {"alpha": 0.1}),
    ("CosineDecay", (0.0, 20), {"warmup_target": 0.1, "warmup_steps": 5}),
    ("CosineDecayRestarts", (0.1, 7), {"m_mul": 0.8, "alpha": 0.05}),
    ("CosineDecayRestarts", (0.1, 7), {"t_mul": 1.0}),
]


@pytest.mark.parametrize(("name", "args", "options"), SCHEDULES, ids=lambda v: v if isinstance(v, str) else None)
def test_schedule(keras, name, args, options):
    mine = getattr(optimizers.schedules, name)(*args, **options)
    theirs = getattr(keras.optimizers.schedules, name)(*args, **options)
    for step in range(40):
        assert mine(step) == pytest.approx(float(theirs(step)), rel=1e-5, abs=1e-8), f"step {step}"


@pytest.mark.parametrize(
    "name",
    [
        "zeros",
        "ones",
        "random_normal",
        "random_uniform",
        "truncated_normal",
        "glorot_uniform",
        "glorot_normal",
        "he_uniform",
        "he_normal",
        "lecun_uniform",
        "lecun_normal",
        "orthogonal",
    ],
)
@pytest.mark.parametrize("shape", [(300, 200), (3, 3, 40, 60)])
def test_initializers_draw_from_the_same_distribution(keras, name, shape):
    mine, theirs = initializers.get(name)(shape), np.asarray(keras.initializers.get(name)(shape))
    assert mine.dtype == theirs.dtype
    assert mine.mean() == pytest.approx(theirs.mean(), abs=6 * theirs.std() / np.sqrt(theirs.size) + 1e-7)
    assert mine.std() == pytest.approx(theirs.std(), rel=0.03)
    assert np.abs(mine).max() == pytest.approx(
        np.abs(theirs).max(), rel=0.02 if "normal" not in name and name != "orthogonal" else 0.3
    )
