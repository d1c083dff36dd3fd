"""Batch normalization: over the whole batch whatever its parts; averages at inference; frozen, saved, loaded."""

import numpy as np
import pytest

from scratchnet import models
from scratchnet.callbacks import BackupAndRestore, LambdaCallback
from scratchnet.gradient_check import check_layer
from scratchnet.layers import BatchNormalization, Conv2D, Dense, Flatten, Input
from scratchnet.models import Sequential
from scratchnet.parallel import Workers, set_num_threads
from scratchnet.parallel.batch import map_parts
from scratchnet.utils import set_random_seed

RNG = np.random.default_rng(11)
X = RNG.standard_normal((7, 4, 3, 5))


def layer(**options):
    made = BatchNormalization(dtype="float64", **options)
    made.ensure_built(X.shape)
    for w in made.named_arrays().values():
        w[...] = RNG.random(w.shape) + 0.5
    return made


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    "options",
    [{}, {"axis": 1}, {"axis": -2}, {"center": False}, {"scale": False}, {"epsilon": 0.5}, {"trainable": False}],
)
def test_gradients(options, training):
    report = check_layer(layer(**options), X, training=training)
    assert report.passed, report


def test_renormalized_batches_are_seen_as_running_averages_see_them():
    made = layer(renorm=True, renorm_momentum=0.8, momentum=0.9)
    names = ("moving_mean", "moving_variance", "moving_stddev", "renorm_mean", "renorm_stddev")
    assert tuple(made.state) == names
    before = {name: array.copy() for name, array in made.state.items()}
    m, t = before["renorm_mean"], before["renorm_stddev"]
    expected = made.params["gamma"] * (X - m) / t + made.params["beta"]  # with nothing clipped, as at inference
    y, cache = made.forward(X, training=True)
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-14)
    made.remember(cache)
    mean, s = X.mean(axis=(0, 1, 2)), np.sqrt(X.var(axis=(0, 1, 2)) + made.epsilon)
    np.testing.assert_allclose(made.state["renorm_mean"], 0.8 * m + 0.2 * mean)
    np.testing.assert_allclose(made.state["renorm_stddev"], 0.8 * t + 0.2 * s)
    np.testing.assert_allclose(made.state["moving_mean"], 0.9 * before["moving_mean"] + 0.1 * mean)
    moving_s = 0.9 * before["moving_stddev"] + 0.1 * s
    np.testing.assert_allclose(made.state["moving_variance"], moving_s**2 - made.epsilon)


@pytest.mark.parametrize("clipping", [{}, {"rmin": 0.95, "rmax": 1.05, "dmax": 0.1}, {"rmax": None}])
def test_gradients_of_renormalized_batches(clipping):
    """r and d are constants: so the derivative is that of the function with the r and d of this x."""
    made = layer(renorm=True, renorm_clipping=clipping)
    y, cache = made.forward(X, training=True)
    r, d = cache.r.reshape(-1), cache.d.reshape(-1)
    assert r.max() <= (clipping.get("rmax") or np.inf) and np.abs(d).max() <= clipping.get("dmax", np.inf)
    fixed = layer()
    fixed.set_weights(
        [made.params["gamma"] * r, made.params["gamma"] * d + made.params["beta"], *fixed.get_weights()[2:]]
    )
    expected, fixed_cache = fixed.forward(X, training=True)
    np.testing.assert_allclose(y, expected, rtol=1e-9, atol=1e-12)
    dy = RNG.standard_normal(X.shape)
    dx, grads = made.backward(dy, cache)
    fixed_dx, fixed_grads = fixed.backward(dy, fixed_cache)
    np.testing.assert_allclose(dx, fixed_dx, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(grads["beta"], fixed_grads["beta"], rtol=1e-12)
    # y = gamma (r x_hat + d) + beta
    np.testing.assert_allclose(grads["gamma"], r * fixed_grads["gamma"] + d * fixed_grads["beta"], rtol=1e-9)


def test_renormalization_is_configured():
    made = BatchNormalization(
        renorm=True, renorm_clipping={"rmax": 3.0, "dmax": 5.0}, moving_variance_initializer="ones"
    )
    assert BatchNormalization.from_config(made.get_config()).get_config() == made.get_config()
    with pytest.raises(ValueError, match="renorm_clipping takes rmin, rmax and dmax, got other"):
        BatchNormalization(renorm=True, renorm_clipping={"other": 1.0})
    with pytest.raises(ValueError, match="rmin 1.0 is above rmax 0.0"):
        BatchNormalization(renorm=True, renorm_clipping={"rmax": 0.0, "rmin": 1.0})
    with pytest.raises(ValueError, match="dmax must be a finite number of at least 0"):
        BatchNormalization(renorm=True, renorm_clipping={"dmax": -1.0})
    again = BatchNormalization(renorm=True, dtype="float64")
    again(X, training=True)
    np.testing.assert_allclose(again(X), again(X, training=False))


def test_gradients_with_a_mask():
    x, made = RNG.standard_normal((3, 4, 2)), BatchNormalization(dtype="float64")
    made.ensure_built(x.shape)
    mask = np.array([[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1]], bool)
    dy = RNG.standard_normal(x.shape)

    def loss(values):
        return float((made.forward(values, training=True, mask=mask)[0] * dy).sum())

    dx, _ = made.backward(dy, made.forward(x, training=True, mask=mask)[1])
    for index in np.ndindex(*x.shape):
        step = np.zeros_like(x)
        step[index] = 1e-5
        assert dx[index] == pytest.approx((loss(x + step) - loss(x - step)) / 2e-5, abs=1e-8)


def test_training_normalizes_what_counts_over_the_batch():
    made = BatchNormalization(dtype="float64", epsilon=0)
    y = made(X, training=True)
    np.testing.assert_allclose(y.mean(axis=(0, 1, 2)), 0, atol=1e-14)
    np.testing.assert_allclose(y.var(axis=(0, 1, 2)), 1, rtol=1e-12)
    mask = np.arange(4) < np.array([[4], [2], [1], [3], [4], [1], [2]])
    y, cache = made.forward(X.reshape(7, 4, 15)[:, :, :5].copy(), training=True, mask=mask)
    np.testing.assert_allclose(y[mask].mean(axis=0), 0, atol=1e-14)
    assert cache.M == mask.sum()


@pytest.mark.parametrize("edges", [(0, 3, 7), (0, 2, 4, 7), (0, 1, 2, 4, 5, 7)])
def test_parts_of_a_batch_are_normalized_as_a_whole(edges):
    made, dy = layer(), RNG.standard_normal(X.shape)
    y, cache = made.forward(X, training=True)
    dx, grads = made.backward(dy, cache)

    def part(rows):
        y, cache = made.forward(X[rows], training=True)
        return y, *made.backward(dy[rows], cache), cache

    with Workers(len(edges) - 1) as workers:
        parts = map_parts(part, [slice(a, b) for a, b in zip(edges, edges[1:])], 0, workers)
    ys, dxs, all_grads, caches = zip(*parts)
    np.testing.assert_allclose(np.concatenate(ys), y, atol=1e-14)
    np.testing.assert_allclose(np.concatenate(dxs), dx, atol=1e-14)
    for key, gradient in grads.items():
        np.testing.assert_allclose(sum(g[key] for g in all_grads), gradient, atol=1e-12)
    assert all(np.array_equal(c.mean, caches[0].mean) and c.M == cache.M for c in caches)


def test_running_averages_move_once_a_step_and_only_in_training():
    made = layer(momentum=0.9)
    mean, variance = made.state["moving_mean"].copy(), made.state["moving_variance"].copy()
    made(X), made(X, training=False), made.forward(X, training=True)
    np.testing.assert_array_equal(made.state["moving_mean"], mean)
    made(X, training=True)  # a step by hand
    np.testing.assert_allclose(made.state["moving_mean"], 0.9 * mean + 0.1 * X.mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(made.state["moving_variance"], 0.9 * variance + 0.1 * X.var(axis=(0, 1, 2)))
    frozen = made.state["moving_mean"].copy()
    made.trainable = False
    made.remember(made.forward(X, training=True)[1])
    np.testing.assert_array_equal(made.state["moving_mean"], frozen)
    np.testing.assert_array_equal(made(X, training=True), made(X))


def model(threads=1):
    set_random_seed(4)
    set_num_threads(threads)
    made = Sequential(
        [
            Input((6, 6, 1)),
            Conv2D(4, 3, use_bias=False),
            BatchNormalization(),
            Flatten(),
            Dense(3, activation="softmax"),
        ]
    )
    made.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made


@pytest.fixture
def data():
    yield RNG.standard_normal((170, 6, 6, 1)).astype("float32"), RNG.integers(0, 3, 170)
    set_num_threads(None)


def test_fit_does_not_depend_on_how_many_threads_there_are(data):
    one = model()
    history = one.fit(*data, epochs=2, batch_size=80, verbose=0).history
    for threads in (2, 3, 5):
        other = model(threads)
        found = other.fit(*data, epochs=2, batch_size=80, verbose=0).history
        np.testing.assert_allclose(found["loss"], history["loss"], rtol=1e-5)
        for a, b in zip(one.get_weights(), other.get_weights()):
            np.testing.assert_allclose(a, b, atol=2e-5)
        again = model(threads)
        again.fit(*data, epochs=2, batch_size=80, verbose=0)
        assert all(np.array_equal(a, b) for a, b in zip(other.get_weights(), again.get_weights()))


def test_saved_and_loaded_it_predicts_the_same_and_goes_on(data, tmp_path):
    made = model()
    made.fit(*data, epochs=1, verbose=0)
    made.save(tmp_path / "m.npz")
    loaded = models.load_model(tmp_path / "m.npz")
    np.testing.assert_array_equal(loaded.predict(data[0], verbose=0), made.predict(data[0], verbose=0))
    assert [w.name for w in loaded.layers[1].weights] == ["gamma", "beta", "moving_mean", "moving_variance"]


def test_counts_and_lists():
    made = model()
    normalization = made.layers[1]
    assert normalization.count_params() == 16
    assert [w.name for w in normalization.trainable_weights] == ["gamma", "beta"]
    assert [w.name for w in normalization.non_trainable_weights] == ["moving_mean", "moving_variance"]
    assert normalization.moving_mean.shape == (4,) and not normalization.moving_mean.trainable


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="not an axis of inputs with 2 axes"):
        BatchNormalization(axis=3)(np.ones((2, 3)))
    with pytest.raises(ValueError, match="must have a size"):
        BatchNormalization()(Input((3, None)))
    made = layer()
    with pytest.raises(ValueError, match=r"was built for sizes \(5,\)"):
        made(np.ones((2, 4, 3, 6)))


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_killed_and_resumed_it_ends_with_the_same_bits(data, tmp_path, threads):
    class Killed(Exception):
        pass

    def kill(epoch, logs):
        if epoch == 2:
            raise Killed

    def fit(made, *callbacks):
        made.fit(*data, epochs=4, batch_size=80, verbose=0, callbacks=[BackupAndRestore(tmp_path), *callbacks])
        return made.get_weights()

    whole = model(threads)
    whole.fit(*data, epochs=4, batch_size=80, verbose=0)
    with pytest.raises(Killed):
        fit(model(threads), LambdaCallback(on_epoch_begin=kill))
    assert all(np.array_equal(a, b) for a, b in zip(whole.get_weights(), fit(model(threads))))


def test_a_batch_of_which_nothing_counts_has_mean_0():
    y = BatchNormalization(scale=False, center=False)(np.zeros((4, 5)), mask=np.zeros(4), training=True)
    np.testing.assert_array_equal(y, np.zeros((4, 5)))
