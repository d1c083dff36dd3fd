"""fit: what a step computes, repeatability, backends, progress, and what happens when it goes wrong."""

import numpy as np
import pytest

import scratchnet
from scratchnet import callbacks, metrics, ops, optimizers
from scratchnet.callbacks import LambdaCallback, TerminateOnNaN
from scratchnet.layers import Dense, Dropout, GaussianNoise, Input
from scratchnet.models import Model, Sequential
from scratchnet.utils import set_random_seed


@pytest.fixture(autouse=True)
def default_threads():
    yield
    scratchnet.set_num_threads(None)


def classifier(*, seed=0, extra=(), loss="sparse_categorical_crossentropy", optimizer="adam"):
    set_random_seed(seed)
    model = Sequential([Input((5,)), Dense(8, activation="tanh"), *extra, Dense(3, activation="softmax")])
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def data(count=90, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, count)
    return (rng.normal(size=(count, 5)) + y[:, None]).astype("float32"), y


def test_a_step_is_gradient_descent_on_the_mean_loss():
    model = Sequential([Input((2,), dtype="float64"), Dense(1, use_bias=False, dtype="float64")])
    model.compile(optimizers.SGD(0.1), "mse")
    model.set_weights([np.array([[1.0], [2.0]])])
    x, y = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), np.zeros((3, 1))
    # predictions 1, 2, 3; dL/dw = 2/3 sum(p x) = 2/3 (4, 5)
    assert model.train_on_batch(x, y) == pytest.approx((1 + 4 + 9) / 3)
    np.testing.assert_allclose(model.get_weights()[0].ravel(), [1 - 0.1 * 8 / 3, 2 - 0.1 * 10 / 3])


def test_the_losses_of_an_epoch_are_weighted_by_the_size_of_the_batches():
    model = Sequential([Input((1,)), Dense(1, kernel_initializer="ones")])
    model.compile(optimizers.SGD(0.0), "mse", metrics=["mse"])
    x = np.arange(5.0)[:, None]
    history = model.fit(x, np.zeros(5), batch_size=3, epochs=1, verbose=0).history
    assert history["loss"][0] == pytest.approx(np.mean(x**2))
    assert history["mse"][0] == pytest.approx(np.mean(x**2))
    assert model.evaluate(x, np.zeros(5), batch_size=2, verbose=0)[0] == pytest.approx(np.mean(x**2))


def test_validation_split_takes_the_last_samples_before_shuffling():
    model = Sequential([Input((1,)), Dense(1, kernel_initializer="ones")])
    model.compile(optimizers.SGD(0.0), "mse")
    x = np.arange(10.0)[:, None]
    history = model.fit(x, np.zeros((10, 1)), validation_split=0.2, verbose=0).history
    assert history["val_loss"][0] == pytest.approx((64 + 81) / 2)
    assert history["loss"][0] == pytest.approx(np.mean(x[:8] ** 2))


def test_training_learns_and_evaluate_agrees_with_predict():
    x, y = data()
    model = classifier(optimizer=optimizers.Adam(0.03))
    history = model.fit(x, y, epochs=30, batch_size=32, verbose=0).history
    assert history["accuracy"][-1] > 0.8
    loss, accuracy = model.evaluate(x, y, verbose=0)
    p = model.predict(x, verbose=0)
    assert accuracy == pytest.approx(np.mean(p.argmax(axis=1) == y))
    assert loss == pytest.approx(-np.log(p[np.arange(len(y)), y]).mean(), rel=1e-5)


@pytest.mark.parametrize("extra", [(), (Dropout(0.5),), (GaussianNoise(0.3),)], ids=["plain", "dropout", "noise"])
def test_the_number_of_threads_changes_the_result_by_rounding_only(extra):
    results = []
    for threads in (1, 2, 3):
        scratchnet.set_num_threads(threads)
        set_random_seed(0)  # which layers that draw ask for a seed when they are made
        model = classifier(extra=[type(layer).from_config(layer.get_config()) for layer in extra])
        history = model.fit(*data(), epochs=3, batch_size=64, verbose=0).history
        results.append((history["loss"], model.get_weights()))
    for losses_, weights in results[1:]:
        np.testing.assert_allclose(losses_, results[0][0], rtol=1e-5)
        for a, b in zip(weights, results[0][1]):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_seed_gives_the_same_bits(threads):
    scratchnet.set_num_threads(threads)
    runs = []
    for _ in range(2):
        set_random_seed(0)  # the dropout takes its seed from it, too
        model = classifier(extra=[Dropout(0.3)])
        model.fit(*data(), epochs=2, verbose=0)
        runs.append(model.get_weights())
    for a, b in zip(*runs):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("backend", ["loops", "numpy"])
def test_every_backend_trains_to_the_same_result(backend):
    weights = []
    for name in (None, backend):
        scratchnet.set_backend(name)
        try:
            model = classifier()
            model.fit(*data(30), epochs=2, verbose=0)
        finally:
            scratchnet.set_backend(None)
        weights.append(model.get_weights())
    for a, b in zip(*weights):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_progress_lines_have_kerass_form(capsys):
    x, y = data()
    model = classifier()
    model.fit(x, y, epochs=2, batch_size=30, validation_split=0.1, verbose=1)
    lines = [line for line in capsys.readouterr().out.splitlines() if line]
    assert lines[0] == "Epoch 1/2" and lines[2] == "Epoch 2/2"
    assert lines[1].startswith("3/3 ━") and "/step - accuracy: " in lines[1] and " - val_accuracy: " in lines[1]
    model.fit(x, y, epochs=1, verbose=2)
    assert "3/3 - " in capsys.readouterr().out
    model.fit(x, y, epochs=1, verbose=0)
    assert capsys.readouterr().out == ""


def test_initial_epoch_and_validation_frequency():
    x, y = data()
    history = classifier().fit(x, y, epochs=6, initial_epoch=2, validation_split=0.5, validation_freq=2, verbose=0)
    assert history.epoch == [2, 3, 4, 5]
    assert len(history.history["val_loss"]) == 2


def test_training_that_becomes_nan_stops_and_says_where():
    model = Sequential([Input((2,)), Dense(4, name="wild"), Dense(1)])
    model.compile(optimizers.SGD(1e20), "mse")
    with pytest.raises(FloatingPointError, match=r"epoch 1, batch \d.*(parameter wild/|output of layer)"):
        model.fit(np.ones((64, 2)), np.ones(64), epochs=3, batch_size=16, verbose=0)


def test_a_loss_that_overflows_by_itself_is_told_too():
    model = Sequential([Input((2,)), Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(FloatingPointError, match="epoch 1, batch 1; the first non-finite value is in the loss itself"):
        model.fit(np.ones((64, 2)), np.full(64, 1e30), batch_size=16, verbose=0)


def test_parameters_that_become_nan_in_the_last_step_are_told_too():
    model = Sequential([Input((2,)), Dense(1, name="wild")])
    model.compile(optimizers.SGD(1e38), "mse")
    with pytest.raises(
        FloatingPointError, match="last batch of epoch 1 made the parameter wild/kernel NaN or infinite"
    ):
        model.fit(np.full((4, 2), 1e3), np.full(4, -1e3), batch_size=4, verbose=0)


def test_terminate_on_nan_ends_fit_without_an_error():
    model = Sequential([Input((2,)), Dense(4), Dense(1)])
    model.compile(optimizers.SGD(1e20), "mse")
    with np.errstate(all="ignore"):
        history = model.fit(
            np.ones((64, 2)), np.ones(64), epochs=3, batch_size=16, verbose=0, callbacks=[TerminateOnNaN()]
        )
    assert len(history.epoch) == 1


def test_an_interrupted_fit_leaves_a_usable_model():
    x, y = data()
    model = classifier()

    def interrupt(batch, logs):
        if batch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, verbose=0, callbacks=[LambdaCallback(on_train_batch_end=interrupt)])
    assert np.isfinite(model.predict(x, verbose=0)).all()
    assert np.isfinite(model.fit(x, y, verbose=0).history["loss"][0])


def test_evaluate_leaves_its_figures_in_the_metrics_that_compile_was_given():
    metric = metrics.MeanAbsoluteError()
    model = Sequential([Input((2,)), Dense(1)])
    model.compile("sgd", "mse", metrics=[metric])
    x = np.ones((4, 2), "float32")
    _, mae = model.evaluate(x, np.zeros((4, 1)), verbose=0)
    assert float(metric.result()) == pytest.approx(mae) and model.metrics_names == ["loss", metric.name]


def test_evaluate_within_a_fit_does_not_touch_the_figures_of_the_fit():
    x, y = data()
    plain, watched = classifier(), classifier()
    watched.set_weights(plain.get_weights())

    class Evaluates(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.evaluate(x[:3], y[:3], verbose=0)

    expected = plain.fit(x, y, shuffle=False, verbose=0).history
    found = watched.fit(x, y, shuffle=False, verbose=0, callbacks=[Evaluates()]).history
    assert found == expected


def test_what_the_optimizer_keeps_is_made_before_the_first_step():
    model, found = classifier(), []
    model.fit(
        *data(),
        verbose=0,
        callbacks=[LambdaCallback(on_train_batch_begin=lambda *_: found.append(len(model.optimizer.state)))],
    )
    assert found[0] == found[-1] == 2 * len(model.params)


class OneNumber(Model):
    """Its predictions are (N,), a row to every loss."""

    def __init__(self):
        super().__init__()
        self.dense = Dense(1, kernel_initializer="ones", bias_initializer="ones")

    def call(self, x):
        return ops.squeeze(self.dense(x), -1)


@pytest.mark.parametrize(
    ("given", "loss", "after"),
    [
        ({"sample_weight": np.array([1.0, 2, 3, 4])}, 10.234375, 8.619176864624023),
        ({"sample_weight": np.array([[1.0], [2], [3], [4]])}, 10.234375, 8.619176864624023),
        ({"class_weight": {0: 1.0, 1: 3.0}}, 8.1875, None),
    ],
)
def test_predictions_of_one_number_for_a_sample_are_weighted_as_in_keras(given, loss, after):
    x, y = np.arange(12).reshape(4, 3) / 12, np.array([0.0, 1, 0, 1])
    model = OneNumber()
    model.compile("sgd", "mse")
    assert model.fit(x, y, batch_size=4, verbose=0, **given).history["loss"] == [pytest.approx(loss)]
    if after is not None:
        assert model.evaluate(x, y, verbose=0, **given) == pytest.approx(after, rel=1e-6)
