"""Pooling of sequences, volumes and whole images: gradients, windows, masks, ties."""

import numpy as np
import pytest

from scratchnet import layers
from scratchnet.gradient_check import check_layer
from scratchnet.layers import GlobalAveragePooling1D, GlobalMaxPooling2D, MaxPooling1D, MaxPooling3D

RNG = np.random.default_rng(31)
SHAPES = {1: (2, 7, 3), 2: (2, 4, 5, 3), 3: (2, 4, 5, 3, 2)}


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [None, 1, 3])
@pytest.mark.parametrize("rank", [1, 3])
@pytest.mark.parametrize("kind", ["Max", "Average"])
def test_gradients(kind, rank, strides, padding):
    layer = getattr(layers, f"{kind}Pooling{rank}D")(2, strides, padding, dtype="float64")
    x = RNG.permutation(np.prod(SHAPES[rank])).reshape(SHAPES[rank]) / 10  # no two are equal
    check_layer(layer, x, linear=("x",) if kind == "Average" else ()).raise_if_failed()
    assert layer(x).shape == layer.compute_output_shape(x.shape)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("kind", ["Max", "Average"])
@pytest.mark.parametrize("keepdims", [False, True])
def test_global_gradients(kind, rank, keepdims):
    layer = getattr(layers, f"Global{kind}Pooling{rank}D")(keepdims=keepdims, dtype="float64")
    x = RNG.permutation(np.prod(SHAPES[rank])).reshape(SHAPES[rank]) / 10
    check_layer(layer, x).raise_if_failed()
    assert layer(x).shape == layer.compute_output_shape(x.shape)


def test_of_equal_values_the_first_of_the_box_is_chosen():
    layer = MaxPooling3D(2, dtype="float64")
    x = np.zeros((1, 2, 2, 2, 1))
    dx, _ = layer.backward(np.ones((1, 1, 1, 1, 1)), layer.forward(x)[1])
    assert dx[0, 0, 0, 0, 0] == 1 and dx.sum() == 1


def test_the_largest_values_of_an_image_share_what_comes_back():
    layer = GlobalMaxPooling2D(dtype="float64")
    dx, _ = layer.backward(np.array([[6.0]]), layer.forward(np.array([[[[1.0], [3.0]], [[3.0], [3.0]]]]))[1])
    np.testing.assert_array_equal(dx[0, ..., 0], [[0, 2], [2, 2]])


def test_the_mean_counts_steps_that_are_not_masked():
    x, mask = RNG.standard_normal((2, 3, 2)), np.array([[1, 0, 1], [0, 0, 0]], bool)
    layer = GlobalAveragePooling1D(dtype="float64")
    y, cache = layer.forward(x, mask=mask)
    np.testing.assert_allclose(y, [x[0, [0, 2]].mean(axis=0), [0, 0]])
    dx, _ = layer.backward(np.ones((2, 2)), cache)
    np.testing.assert_array_equal(dx[..., 0], [[0.5, 0, 0.5], [0, 0, 0]])


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="smaller than the window"):
        MaxPooling1D(4)(np.ones((1, 3, 1)))
    with pytest.raises(ValueError, match="pool_size must be one or 3 positive integers"):
        MaxPooling3D((1, 2))
