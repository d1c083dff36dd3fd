"""The reparametrisation and the divergence: gradients, values, parts; and a small autoencoder that learns."""

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer
from scratchnet.layers import Dense, GaussianKL, Input, Sampling
from scratchnet.layers.variational.gaussian_kl import divergence
from scratchnet.models import Model
from scratchnet.parallel import set_num_threads
from scratchnet.parallel.batch import drawing_rows
from scratchnet.utils import set_random_seed

RNG = np.random.default_rng(61)
MEAN, LOG_VARIANCE = RNG.standard_normal((2, 5, 3))


def test_gradients_of_a_draw():
    check_layer(Sampling(seed=1, dtype="float64"), [MEAN, LOG_VARIANCE]).raise_if_failed()


def test_codes_have_the_mean_and_the_variance_that_were_asked_for():
    mean, log_variance = np.full((20_000, 1), 3.0), np.full((20_000, 1), np.log(0.25))
    z = Sampling(seed=2, dtype="float64")([mean, log_variance])
    assert z.mean() == pytest.approx(3, abs=0.02) and z.var() == pytest.approx(0.25, abs=0.01)


def test_a_row_draws_the_same_in_any_part():
    layer = Sampling(seed=3, dtype="float64")
    with drawing_rows(0, 0, 5):
        whole, _ = layer.forward([MEAN, LOG_VARIANCE])
    with drawing_rows(0, 2, 3):
        part, _ = layer.forward([MEAN[2:], LOG_VARIANCE[2:]])
    np.testing.assert_array_equal(part, whole[2:])


def test_the_divergence_and_its_gradient():
    assert divergence(np.zeros((1, 4)), np.zeros((1, 4))) == [0]
    layer = GaussianKL(0.5, dtype="float64")
    _, cache = layer.forward([MEAN, LOG_VARIANCE])
    by_integration = []
    grid = np.linspace(-12, 12, 200_001)
    for m, lv in zip(MEAN[0], LOG_VARIANCE[0]):
        log_q = -((grid - m) ** 2) / (2 * np.exp(lv)) - 0.5 * (lv + np.log(2 * np.pi))
        log_p = -(grid**2) / 2 - 0.5 * np.log(2 * np.pi)
        by_integration.append(np.sum(np.exp(log_q) * (log_q - log_p)) * (grid[1] - grid[0]))
    assert divergence(MEAN, LOG_VARIANCE)[0] == pytest.approx(sum(by_integration), rel=1e-6)
    assert layer.added_loss(cache) == pytest.approx(0.5 * divergence(MEAN, LOG_VARIANCE).mean())
    dmean, dlog = layer.backward([None, None], cache)[0]
    step = 1e-6
    for array, d in ((MEAN, dmean), (LOG_VARIANCE, dlog)):
        kept = array[1, 2]
        array[1, 2] = kept + step
        above = layer.added_loss(layer.forward([MEAN, LOG_VARIANCE])[1])
        array[1, 2] = kept - step
        below = layer.added_loss(layer.forward([MEAN, LOG_VARIANCE])[1])
        array[1, 2] = kept
        assert d[1, 2] == pytest.approx((above - below) / (2 * step), rel=1e-6)


def autoencoder():
    set_random_seed(5)
    x = Input((8,))
    h = Dense(16, activation="tanh")(x)
    mean, log_variance = GaussianKL(0.01)([Dense(2)(h), Dense(2)(h)])
    y = Dense(8)(Dense(16, activation="tanh")(Sampling(seed=7)([mean, log_variance])))
    model = Model(x, y)
    model.compile("adam", "mse")
    return model


def test_a_small_one_learns_and_does_not_depend_on_the_parts():
    data = np.repeat(RNG.standard_normal((150, 2)), 4, axis=1).astype("float32")
    losses = []
    for threads in (1, 2, 3):
        set_num_threads(threads)
        losses.append(autoencoder().fit(data, data, epochs=6, batch_size=50, verbose=0).history["loss"])
    set_num_threads(None)
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)
    np.testing.assert_allclose(losses[2], losses[0], rtol=1e-5)
    assert losses[0][-1] < losses[0][0]


def test_other_inputs_are_refused():
    for layer in (Sampling(), GaussianKL()):
        with pytest.raises(ValueError, match="the mean and the log-variance"):
            layer([np.ones((2, 3)), np.ones((2, 4))])
