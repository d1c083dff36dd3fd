"""Zero padding and cropping undo each other; their adjoints are one another's forward passes."""

import numpy as np
import pytest

from scratchnet import layers
from scratchnet.gradient_check import check_layer

RNG = np.random.default_rng(21)
INPUTS = {1: (2, 5, 3), 2: (2, 5, 6, 3), 3: (2, 4, 5, 4, 2)}
MARGINS = {1: (1, 2), 2: ((1, 0), (2, 1)), 3: ((1, 0), (0, 2), (1, 1))}


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_cropping_takes_away_what_padding_adds(rank):
    x = RNG.standard_normal(INPUTS[rank])
    pad = getattr(layers, f"ZeroPadding{rank}D")(MARGINS[rank], dtype="float64")
    crop = getattr(layers, f"Cropping{rank}D")(MARGINS[rank], dtype="float64")
    np.testing.assert_array_equal(crop(pad(x)), x)
    assert pad(x).sum() == pytest.approx(x.sum()) and pad.compute_output_shape(x.shape) == pad(x).shape
    for layer in (pad, crop):
        check_layer(layer, x, linear=("x",)).raise_if_failed()
    dy = RNG.standard_normal(crop(x).shape)
    np.testing.assert_array_equal(crop.backward(dy, crop.forward(x)[1])[0], pad(dy))


def test_one_number_means_every_side_and_integers_stay_integers():
    assert layers.ZeroPadding1D()(np.ones((1, 2, 1))).shape == (1, 4, 1)
    assert layers.ZeroPadding2D(2)(np.ones((1, 2, 3, 1))).shape == (1, 6, 7, 1)
    assert layers.ZeroPadding2D((1, 2)).padding == ((1, 1), (2, 2))
    assert layers.Cropping1D(2).cropping == (2, 2)
    tokens = layers.ZeroPadding1D()(np.ones((1, 2, 1), "int64"))
    assert tokens.dtype == np.int64


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="leaves nothing"):
        layers.Cropping1D(2)(np.ones((1, 4, 1)))
    with pytest.raises(ValueError, match="integers of at least 0"):
        layers.ZeroPadding2D(((1, -1), (0, 0)))
    with pytest.raises(ValueError, match="padding must be one integer, or 2"):
        layers.ZeroPadding2D((1, 2, 3))
    with pytest.raises(ValueError, match="channels_first"):
        layers.ZeroPadding2D(data_format="channels")


def test_unknown_sizes_stay_unknown():
    x = layers.Input((None, 4, 1))
    assert layers.ZeroPadding2D(1)(x).shape == (None, None, 6, 1)
    assert layers.Cropping2D(1)(x).shape == (None, None, 2, 1)


@pytest.mark.parametrize("cls", [layers.Cropping1D, layers.ZeroPadding1D])
@pytest.mark.parametrize("margins", [(1,), (1, 2, 3), "1", ()])
def test_along_one_axis_there_are_two_margins(cls, margins):
    with pytest.raises(ValueError, match="must be one"):
        cls(margins)
