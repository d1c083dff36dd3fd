"""Backward is the adjoint of forward: ``<A v, w> = <v, A^T w>``, in float64, with random v and w and no differences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import kernels
from scratchnet.gradient_check.differences import numeric_gradient, relative_error
from scratchnet.kernels.geometry import paddings

CASES = [  # size, window, strides, padding, dilation
    pytest.param((6, 5), (3, 3), (1, 1), "same", (1, 1), id="same"),
    pytest.param((6, 5), (2, 4), (1, 1), "same", (1, 1), id="even-window"),
    pytest.param((7, 8), (3, 2), (2, 3), "same", (1, 1), id="strides"),
    pytest.param((7, 8), (2, 1), (3, 2), "valid", (1, 1), id="stride-above-window"),
    pytest.param((9, 8), (3, 2), (1, 1), "same", (2, 3), id="dilation"),
    pytest.param((4, 3), (4, 3), (1, 1), "valid", (1, 1), id="one-window"),
    pytest.param((2, 1), (3, 3), (1, 1), "same", (1, 1), id="window-above-image"),
]


@pytest.fixture(params=list(kernels.BACKENDS), autouse=True)
def backend(request):
    if request.param == "numba" and not kernels.numba_is_installed():
        pytest.skip("Numba is not installed")
    kernels.set_backend(request.param)
    yield request.param
    kernels.set_backend(None)


def assert_adjoint(left, right, terms):
    """Equal to 1e-12 of what the sums could at most have come to."""
    assert abs(left - right) <= 1e-12 * max(terms, 1.0), (left, right)


@pytest.mark.parametrize(("size", "window", "strides", "padding", "dilation"), CASES)
@pytest.mark.parametrize(("C", "F"), [(1, 1), (1, 9), (7, 1), (3, 2), (6, 7)])
def test_convolution_is_linear_in_the_image_and_in_the_kernel(size, window, strides, padding, dilation, C, F):
    rng = np.random.default_rng(C * 10 + F)
    x, kernel, bias = rng.normal(size=(2, *size, C)), rng.normal(size=(*window, C, F)), rng.normal(size=F)
    args = strides, paddings(size, window, strides, padding, dilation), dilation
    y = kernels.conv2d_forward(x, kernel, None, *args)
    dy = rng.normal(size=y.shape)
    dx, dkernel = kernels.conv2d_dx(dy, kernel, x.shape, *args), kernels.conv2d_dkernel(dy, x, kernel.shape, *args)
    terms = np.sum(np.abs(y * dy))
    assert_adjoint(np.sum(y * dy), np.sum(x * dx), terms)
    assert_adjoint(np.sum(y * dy), np.sum(kernel * dkernel), terms)
    with_bias = kernels.conv2d_forward(x, kernel, bias, *args)
    np.testing.assert_allclose(with_bias, y + bias, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("size", "window", "strides", "padding", "dilation"), CASES)
def test_average_pooling_is_linear(size, window, strides, padding, dilation):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, *size, 3))
    args = window, strides, paddings(size, window, strides, padding, (1, 1))
    y = kernels.average_pool2d_forward(x, *args)
    dy = rng.normal(size=y.shape)
    assert_adjoint(
        np.sum(y * dy), np.sum(x * kernels.average_pool2d_backward(dy, x.shape, *args)), np.sum(np.abs(y * dy))
    )


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 1)])
def test_upsampling_is_linear(size):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 3, 4, 5))
    y = kernels.upsample2d_forward(x, size)
    dy = rng.normal(size=y.shape)
    assert_adjoint(np.sum(y * dy), np.sum(x * kernels.upsample2d_backward(dy, size)), np.sum(np.abs(y * dy)))


@pytest.mark.parametrize(("size", "window", "strides", "padding", "dilation"), CASES)
def test_gradient_of_max_pooling_is_that_of_differences(size, window, strides, padding, dilation):
    rng = np.random.default_rng(0)
    count = 2 * size[0] * size[1] * 2
    x = -1.0 - 0.1 * rng.permutation(count).reshape(2, *size, 2)  # separated values, all of them below a zero padding
    args = window, strides, paddings(size, window, strides, padding, (1, 1))
    y, argmax = kernels.max_pool2d_forward(x, *args)
    dy = rng.normal(size=y.shape)
    dx = kernels.max_pool2d_backward(dy, argmax, x.shape, *args)
    numeric = numeric_gradient(lambda: np.sum(kernels.max_pool2d_forward(x, *args)[0] * dy), x)
    assert y.max() < 0
    assert relative_error(numeric, dx) < 1e-7


def test_nothing_given_is_changed_and_results_are_contiguous():
    rng = np.random.default_rng(0)
    x, kernel, bias = rng.normal(size=(2, 5, 6, 3)), rng.normal(size=(3, 3, 3, 4)), rng.normal(size=4)
    conv = (1, 1), ((1, 1), (1, 1)), (1, 1)
    pool = (3, 3), (2, 2), ((1, 1), (0, 1))
    dy_conv = rng.normal(size=(2, 5, 6, 4))
    y, argmax = kernels.max_pool2d_forward(x, *pool)
    dy_pool, dy_up = rng.normal(size=y.shape), rng.normal(size=(2, 10, 18, 3))
    given_arrays = x, kernel, bias, dy_conv, argmax, dy_pool, dy_up
    for array in given_arrays:
        array.flags.writeable = False  # a kernel that writes to what it was given now fails
    kept = [array.copy() for array in given_arrays]
    for _ in range(2):
        results = [
            kernels.conv2d_forward(x, kernel, bias, *conv),
            kernels.conv2d_dx(dy_conv, kernel, x.shape, *conv),
            kernels.conv2d_dkernel(dy_conv, x, kernel.shape, *conv),
            *kernels.max_pool2d_forward(x, *pool),
            kernels.max_pool2d_backward(dy_pool, argmax, x.shape, *pool),
            kernels.average_pool2d_forward(x, *pool),
            kernels.average_pool2d_backward(dy_pool, x.shape, *pool),
            kernels.upsample2d_forward(x, (2, 3)),
            kernels.upsample2d_backward(dy_up, (2, 3)),
        ]
        assert all(result.flags.c_contiguous for result in results)
    for array, copy in zip(given_arrays, kept):
        np.testing.assert_array_equal(array, copy)


def test_an_infinite_gradient_stays_where_the_maximum_was():
    x = np.array([[1.0, 2.0], [3.0, 0.0]]).reshape(1, 2, 2, 1)
    args = (2, 2), (2, 2), ((0, 0), (0, 0))
    _, argmax = kernels.max_pool2d_forward(x, *args)
    dx = kernels.max_pool2d_backward(np.full((1, 1, 1, 1), np.inf), argmax, x.shape, *args)
    np.testing.assert_array_equal(dx.ravel(), [0, 0, np.inf, 0])


@given(C=st.sampled_from([1, 2, 6]), F=st.sampled_from([1, 2, 6]), seed=st.integers(0, 99))
def test_a_missing_number_reaches_only_the_windows_that_saw_it(C, F, seed):
    rng = np.random.default_rng(seed)
    x, kernel = rng.normal(size=(1, 5, 5, C)), rng.normal(size=(3, 3, C, F))
    x[0, 0, 0, 0] = np.nan
    y = kernels.conv2d_forward(x, kernel, None, (1, 1), ((1, 1), (1, 1)), (1, 1))
    expected = np.zeros((5, 5), bool)
    expected[:2, :2] = True
    np.testing.assert_array_equal(np.isnan(y[0]), np.broadcast_to(expected[:, :, None], (5, 5, F)))


def test_a_batch_of_none_gives_none():
    x, kernel = np.empty((0, 4, 4, 2)), np.ones((3, 3, 2, 3))
    args = (1, 1), ((0, 0), (0, 0)), (1, 1)
    y = kernels.conv2d_forward(x, kernel, None, *args)
    assert y.shape == (0, 2, 2, 3)
    assert kernels.conv2d_dx(y, kernel, x.shape, *args).shape == x.shape
    assert not kernels.conv2d_dkernel(y, x, kernel.shape, *args).any()
