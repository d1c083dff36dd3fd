import numpy as np
import pytest

from scratchnet import layers

RNG = np.random.default_rng(3)


def test_windows_meet_or_share_a_place():
    x = np.arange(5.0).reshape(1, 5, 1)
    mean, largest = (getattr(layers, f"Adaptive{kind}Pooling1D") for kind in ("Average", "Max"))
    np.testing.assert_array_equal(mean(3)(x).ravel(), [0.5, 2, 3.5])  # of places 0-1, 1-3 and 3-4
    np.testing.assert_array_equal(largest(3)(x).ravel(), [1, 3, 4])
    np.testing.assert_array_equal(largest(5)(x), x)
    np.testing.assert_array_equal(mean(10)(x).ravel(), np.repeat(np.arange(5.0), 2))


def test_a_place_that_is_the_largest_of_two_windows_gets_from_both():
    layer = layers.AdaptiveMaxPooling1D(2, dtype="float64")
    _, cache = layer.forward(np.array([[[0.0], [5.0], [5.0]]]))
    dx, grads = layer.backward(np.array([[[1.0], [10.0]]]), cache)
    np.testing.assert_array_equal(dx.ravel(), [0, 11, 0])  # of equal ones the first
    assert grads == {}


def test_any_size_comes_out_as_the_same():
    layer = layers.AdaptiveAveragePooling2D((2, 3))
    assert layer.compute_output_shape((None, None, None, 4)) == (None, 2, 3, 4)
    for size in ((4, 6), (7, 5), (2, 3)):
        assert layer(RNG.standard_normal((1, *size, 4))).shape == (1, 2, 3, 4)
    np.testing.assert_allclose(
        layers.AdaptiveAveragePooling2D(1, dtype="float64")(x := RNG.standard_normal((2, 4, 5, 3))),
        layers.GlobalAveragePooling2D(keepdims=True, dtype="float64")(x),
    )


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="output_size must be one or 2 positive integers, got"):
        layers.AdaptiveMaxPooling2D((1, 2, 3))
    with pytest.raises(ValueError, match="output_size must be one positive integer, got 0"):
        layers.AdaptiveAveragePooling1D(0)
    with pytest.raises(ValueError, match="got 3 axes"):
        layers.AdaptiveMaxPooling2D(2)(np.ones((1, 4, 2)))
