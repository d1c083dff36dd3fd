"""A penalty on activities: its value and derivative, by hand and in fit, whatever the parts."""

import numpy as np
import pytest

from scratchnet.layers import ActivityRegularization, Dense, Input
from scratchnet.models import Sequential
from scratchnet.parallel import set_num_threads
from scratchnet.utils import set_random_seed

X = np.random.default_rng(5).standard_normal((40, 3))


def test_the_gradient_contains_the_derivative_of_the_added_loss():
    layer = ActivityRegularization(0.3, 0.2, dtype="float64")
    y, cache = layer.forward(X)
    assert y is X
    assert layer.added_loss(cache) == pytest.approx((0.3 * np.abs(X) + 0.2 * X**2).sum() / 40)
    dx, _ = layer.backward(np.ones_like(X), cache)
    np.testing.assert_allclose(dx, 1 + (0.3 * np.sign(X) + 0.4 * X) / 40)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_it_counts_in_fit_and_in_evaluate_whatever_the_parts(threads):
    set_num_threads(threads)
    set_random_seed(3)
    model = Sequential([Input((3,)), Dense(2), ActivityRegularization(0.1, 0.01), Dense(1)])
    model.compile("sgd", "mse")
    y = X[:, :1] * 2
    activity = X.astype("float32") @ model.layers[0].params["kernel"]
    added = (0.1 * np.abs(activity) + 0.01 * activity**2).sum() / 40
    plain = float(np.mean((model.predict(X, verbose=0) - y) ** 2))
    assert model.evaluate(X, y, batch_size=40, verbose=0) == pytest.approx(plain + added, rel=1e-5)
    assert model.fit(X, y, batch_size=40, verbose=0).history["loss"][0] == pytest.approx(plain + added, rel=1e-5)
    set_num_threads(None)
