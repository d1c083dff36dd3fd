"""Dropout: which numbers it drops, and that nothing depends on how a batch is split."""

import numpy as np
import pytest

from scratchnet.layers import (
    AlphaDropout,
    Dense,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    Input,
    SpatialDropout1D,
    TimeDistributed,
)
from scratchnet.models import Sequential
from scratchnet.parallel.batch import drawing_rows
from scratchnet.streams import RandomStream

F64 = {"dtype": "float64"}


def test_dropout_keeps_the_expected_value_and_scales_what_is_left():
    x = np.ones((2000, 10))
    y = Dropout(0.25, seed=1, **F64)(x, training=True)
    assert set(np.unique(y)) == {0.0, 1 / 0.75}
    assert y.mean() == pytest.approx(1, abs=0.02)
    for wrong in (1.1, -0.1, "a", True, float("nan")):
        with pytest.raises(ValueError, match=r"rate must be a number in \[0, 1\]"):
            Dropout(wrong)
    with pytest.raises(ValueError, match="stddev"):
        GaussianNoise(-1)


@pytest.mark.parametrize("cls", [Dropout, SpatialDropout1D])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_at_a_rate_of_1_nothing_is_left_and_nothing_goes_back(cls, dtype):
    x, layer = np.full((4, 3, 2), -2.0, dtype), cls(1.0, dtype=dtype)
    y, cache = layer.forward(x, training=True)
    assert y.dtype == dtype and (y == 0).all() and (layer.backward(x, cache)[0] == 0).all()
    np.testing.assert_array_equal(cls.from_config(layer.get_config())(x), x)


@pytest.mark.parametrize("cls", [AlphaDropout, GaussianDropout])
def test_what_makes_up_for_what_is_dropped_needs_a_rate_below_1(cls):
    with pytest.raises(ValueError, match=r"rate must be a number in \[0, 1\), got 1.0"):
        cls(1.0)
    assert cls(0.999999).rate == 0.999999


def test_a_network_that_drops_everything_trains_its_bias_alone():
    x, y = np.random.default_rng(0).standard_normal((40, 3)), np.ones((40, 1))
    model = Sequential([Input((3,)), Dropout(1.0), Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0, epochs=2)
    kernel, bias = model.get_weights()
    assert (kernel == 1).all() and 0 < bias[0] < 1


def test_dropout_drops_the_numbers_below_its_rate():
    u = RandomStream(5).uniform((2, 7))
    rate = float(np.median(u))  # a number that is the rate stays
    y = Dropout(rate, seed=5, **F64)(np.ones((2, 7)), training=True)
    np.testing.assert_array_equal(y, np.where(u >= rate, 1 / (1 - rate), 0))


def test_dropout_within_time_distributed_does_not_depend_on_how_the_batch_is_split():
    layer, x = TimeDistributed(Dropout(0.5, seed=1)), np.ones((6, 3, 4), "float32")
    with drawing_rows(0, 0, rows=6):
        whole, _ = layer.forward(x, training=True)
    with drawing_rows(0, 4, rows=2):
        part, _ = layer.forward(x[4:], training=True)
    np.testing.assert_array_equal(part, whole[4:])


@pytest.mark.parametrize("shape", ["none", 3, (20, 1.5, 10), (20, -1, 10), (20, 0, 10)])
def test_a_noise_shape_that_is_none_is_refused_at_once(shape):
    with pytest.raises(ValueError, match="noise_shape must be positive integers or None, in a tuple"):
        Dropout(0.5, noise_shape=shape)


def test_a_noise_shape_becomes_a_tuple():
    assert Dropout(0.5, noise_shape=[20, None, 10]).noise_shape == (20, None, 10)
