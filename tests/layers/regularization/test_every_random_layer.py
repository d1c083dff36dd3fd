"""What all layers that draw random numbers have in common."""

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer
from scratchnet.layers import AlphaDropout, Dropout, GaussianDropout, GaussianNoise, SpatialDropout1D, SpatialDropout2D
from scratchnet.parallel.batch import drawing_rows


@pytest.mark.parametrize(
    "make",
    [
        lambda: Dropout(0.4, seed=3),
        lambda: Dropout(0.4, (None, 1), seed=3),
        lambda: GaussianNoise(0.5, seed=3),
        lambda: GaussianDropout(0.3, seed=3),
        lambda: AlphaDropout(0.3, seed=3),
    ],
    ids=["Dropout", "Dropout of rows", "GaussianNoise", "GaussianDropout", "AlphaDropout"],
)
def test_random_layers_do_nothing_outside_of_training(make):
    x = np.ones((4, 5), "float32")
    np.testing.assert_array_equal(make()(x), x)
    y, cache = make().forward(x)
    assert y is x and make().backward(x, cache)[0] is x
    assert not np.array_equal(make()(x, training=True), x)
    assert make().forward(x, training=True)[0].dtype == np.float32
    check_layer(make(), x.astype("float64"), training=True, linear=("x",)).raise_if_failed()


@pytest.mark.parametrize("shape", [(50,), (5, 0, 3), (4, 1, 6), (3, 20, 2), (2, 3, 4, 5)])
@pytest.mark.parametrize("noise", [None, 1])
def test_what_is_dropped_is_a_factor_there_and_back_whatever_the_shape(shape, noise):
    x, dy = np.random.default_rng(0).normal(size=(2, *shape)).astype("float32")
    places = max(len(shape) - 2, 0)
    layer = Dropout(0.5, noise and (None,) + (1,) * places + (None,) * (len(shape) > 1), seed=1)
    y, cache = layer.forward(x, training=True)
    np.testing.assert_array_equal(y, x * cache.scaled_mask)
    np.testing.assert_array_equal(layer.backward(dy, cache)[0], dy * cache.scaled_mask)


@pytest.mark.parametrize("layer", [Dropout(0), GaussianNoise(0)], ids=["Dropout", "GaussianNoise"])
def test_at_a_rate_or_deviation_of_0_nothing_is_computed(layer):
    x = np.ones((2, 3), "float32")
    assert layer.forward(x, training=True)[0] is x


@pytest.mark.parametrize("layer", [Dropout(0.5), GaussianNoise(0.5)], ids=["Dropout", "GaussianNoise"])
def test_a_random_layer_s_stream_has_the_name_under_which_it_is_saved(layer):
    assert layer.random_streams() == {"random": layer.random}


def test_alpha_dropout_keeps_mean_and_variance():
    x = np.random.default_rng(0).standard_normal((4000, 20))
    y = AlphaDropout(0.2, seed=1, dtype="float64")(x, training=True)
    assert y.mean() == pytest.approx(0, abs=0.02) and y.var() == pytest.approx(1, abs=0.02)
    y = GaussianDropout(0.2, seed=1, dtype="float64")(np.ones((4000, 20)), training=True)
    assert y.mean() == pytest.approx(1, abs=0.02) and y.var() == pytest.approx(0.25, abs=0.02)


def test_spatial_dropout_drops_whole_maps():
    y = SpatialDropout2D(0.5, seed=1)(np.ones((8, 3, 4, 5), "float32"), training=True)
    assert set(np.unique(y)) == {0.0, 2.0} and (y == y[:, :1, :1]).all() and 0 < y.mean() < 2
    y = SpatialDropout1D(0.5, seed=1)(np.ones((8, 3, 5), "float32"), training=True)
    assert (y == y[:, :1]).all() and 0 < y.mean() < 2
    with pytest.raises(ValueError, match=r"shape \(N, T, C\)"):
        SpatialDropout1D(0.5)(np.ones((2, 3)), training=True)


def test_a_mask_for_all_samples_is_the_same_in_every_part():
    layer, x = Dropout(0.5, (1, 6), seed=2), np.ones((4, 6), "float32")
    for first, rows in ((0, 4), (1, 1), (2, 2)):
        with drawing_rows(3, first, rows):
            y, _ = layer.forward(x[:rows], training=True)
        with drawing_rows(3, 0, 4):
            np.testing.assert_array_equal(y[0], layer.forward(x, training=True)[0][0])
    with pytest.raises(ValueError, match="noise_shape"):
        Dropout(0.5, (None, 5))(x, training=True)
