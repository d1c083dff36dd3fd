"""Convolution, relu and pooling in one pass, there and back: what the three say one after the other."""

import itertools

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from scratchnet.kernels import operations  # noqa: E402
from scratchnet.kernels.with_numba import pooled_windows, windows  # noqa: E402
from scratchnet.kernels.with_numba.pooled_tile import make_pooled_tile  # noqa: E402
from scratchnet.kernels.with_numba.tile import VECTOR_BYTES  # noqa: E402
from scratchnet.kernels.with_numba.window_tile import make_window_tile  # noqa: E402
from tests.kernels.every_backend import convolution  # noqa: E402

with_numba, with_numpy = operations("numba"), operations("numpy")
LANES = VECTOR_BYTES // 4
PAD, NONE = ((1, 0), (2, 1)), ((0, 0), (0, 0))
POOL = (2, 2), (2, 2), NONE


def check(x, kernel, bias, strides=(1, 1), padding=PAD, dilation=(1, 1)):
    """y and dx, dkernel, dbias are those of the kernels one after the other; also where somebody wants dx."""
    geometry = strides, padding, dilation
    y, places = with_numba.conv2d_relu_max_pool_places(x, kernel, bias, *geometry)
    z = with_numba.conv2d_relu_forward(x, kernel, bias, *geometry)
    expected, argmax = with_numba.max_pool2d_forward(z, *POOL)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(places, np.where(y > 0, argmax + 1, 0))
    assert places.dtype == np.uint8 and {1, 2, 3, 4} <= set(np.unique(places)) <= {0, 1, 2, 3, 4}
    dy = np.random.default_rng(4).normal(size=y.shape).astype(x.dtype)
    dz = with_numpy.max_pool2d_backward(dy, argmax, z.shape, *POOL) * (z > 0)
    wanted = (
        with_numpy.conv2d_dx(dz, kernel, x.shape, *geometry),
        with_numpy.conv2d_dkernel(dz, x, kernel.shape, *geometry),
        dz.sum(axis=(0, 1, 2)),
    )
    rounding = 1e-5 if x.dtype == "float32" else 1e-13
    for needs_dx in (True, False):
        dx, *grads = with_numba.conv2d_relu_max_pool_backward(dy, places, x, kernel, *geometry, needs_dx)
        assert (dx is not None) == needs_dx
        for found, right in zip((dx, *grads) if needs_dx else grads, wanted[not needs_dx :]):
            assert found.shape == right.shape and found.dtype == x.dtype
            np.testing.assert_allclose(found, right, rtol=0, atol=rounding * np.abs(right).max())


@pytest.mark.parametrize("F", [1, LANES - 1, LANES, LANES + 3, 2 * LANES, 2 * LANES + 1, 3 * LANES])
def test_every_number_of_filters(F):
    check(*convolution(3, (6, 5), 1, F))


@pytest.mark.parametrize("size", [(4, 3), (5, 7), (13, 9)])
@pytest.mark.parametrize("C, KH, KW", [(1, 1, 1), (1, 3, 3), (3, 2, 2), (2, 3, 1)])
def test_every_number_of_windows_and_of_elements_in_them(size, C, KH, KW):
    check(*convolution(5, size, C, LANES, KH, KW))


def test_in_float64():
    check(*convolution(3, (7, 6), 2, LANES, dtype="float64"))


def test_a_batch_of_several_pieces_the_last_one_smaller(monkeypatch):
    def forget():  # what is kept says how large a piece is
        windows.view.cache_clear()
        pooled_windows._view_back.cache_clear()

    monkeypatch.setattr(windows, "_CACHE", 4096)
    forget()
    for padding, F in itertools.product((PAD, NONE), (LANES, 3)):
        check(*convolution(7, (8, 6), 2, F), padding=padding)
    forget()


@pytest.mark.parametrize("padding", [PAD, NONE])
@pytest.mark.parametrize("strides, dilation", [((2, 3), (1, 1)), ((1, 1), (2, 2)), ((2, 1), (1, 3))])
def test_windows_outside_apart_and_with_holes(strides, dilation, padding):
    check(*convolution(3, (13, 12), 3, LANES), strides, padding, dilation)
    if max(strides) > 1:  # else few filters of many channels are computed pixel by pixel
        check(*convolution(3, (13, 12), 8, 2), strides, padding, dilation)


def test_what_others_do_better_is_left_to_them():
    check(*convolution(2, (8, 8), 16, 16, 3, 3), padding=((1, 1), (1, 1)))  # Winograd's
    x, kernel, bias = convolution(2, (8, 8), 4, LANES)
    check(x, kernel[:, :, :2], bias)  # of two groups
    check(*convolution(2, (8, 8), 6, 2))  # of few filters


def test_without_a_bias_and_without_a_batch():
    x, kernel, _ = convolution(2, (6, 6), 1, LANES)
    y, places = with_numba.conv2d_relu_max_pool_places(x, kernel, None, (1, 1), PAD, (1, 1))
    zeros = np.zeros(LANES, "float32")
    expected, _ = with_numba.conv2d_relu_max_pool_places(x, kernel, zeros, (1, 1), PAD, (1, 1))
    np.testing.assert_array_equal(y, expected)
    y, places = with_numba.conv2d_relu_max_pool_places(x[:0], kernel, None, (1, 1), PAD, (1, 1))
    assert y.shape == places.shape == (0, *expected.shape[1:])
    _, *grads = with_numba.conv2d_relu_max_pool_backward(y, places, x[:0], kernel, (1, 1), PAD, (1, 1), False)
    assert not any(grad.any() for grad in grads)


@pytest.mark.parametrize("F", [LANES, 3])
def test_of_equal_numbers_the_first_has_the_gradient_and_nan_and_zero_have_none(F):
    square = np.array([[1, 3], [3, 2]])
    missing = np.array([[1, np.nan], [3, 2]])
    below = np.array([[-1, -3], [0, -2]])
    x = np.concatenate([square, missing, below], axis=1).astype("float32").reshape(1, 2, 6, 1)
    kernel = np.ones((1, 1, 1, F), "float32")
    y, places = with_numba.conv2d_relu_max_pool_places(x, kernel, None, (1, 1), NONE, (1, 1))
    np.testing.assert_array_equal(y[0, 0, :, 0], [3, np.nan, 0])
    np.testing.assert_array_equal(places[0, 0, :, 0], [2, 0, 0])
    dy = np.full(y.shape, 2, "float32")
    dx, _, dbias = with_numba.conv2d_relu_max_pool_backward(dy, places, x, kernel, (1, 1), NONE, (1, 1))
    np.testing.assert_array_equal(dx[0, :, :, 0], [[0, 2 * F, 0, 0, 0, 0], [0] * 6])
    np.testing.assert_array_equal(dbias, np.full(F, 2))


def test_the_same_every_time():
    x, kernel, bias = convolution(9, (12, 12), 1, 2 * LANES, 3, 3)
    y, places = with_numba.conv2d_relu_max_pool_places(x, kernel, bias, (1, 1), PAD, (1, 1))
    first, second = (
        with_numba.conv2d_relu_max_pool_backward(y, places, x, kernel, (1, 1), PAD, (1, 1), False) for _ in range(2)
    )
    for one, other in zip(first[1:], second[1:]):
        np.testing.assert_array_equal(one, other)


@pytest.mark.skipif(not numba.config.DISABLE_JIT, reason="compiled tiles trust their caller")
@pytest.mark.parametrize(
    "error, change",
    [
        (TypeError, {"quads": np.zeros(160)}),
        (TypeError, {"places": np.ones((2, LANES), np.int32)}),
        (IndexError, {"count": 3}),
        (IndexError, {"k": 1}),
        (IndexError, {"n": 1}),
        (IndexError, {"starts": np.array([0, 1, 2, 3, -1, 5, 6, 7])}),
    ],
)
def test_a_tile_in_plain_python_refuses_what_compiled_code_would_read_out_of_bounds(error, change):
    tile = make_pooled_tile(3, vectors=1)
    right = {
        "quads": np.arange(160, dtype=np.float32),
        "starts": np.arange(8),
        "count": 2,
        "steps": np.array([0, 10, 20]),
        "k": 0,
        "dy": np.ones((2, LANES), np.float32),
        "places": np.full((2, LANES), [[2], [0]], np.uint8),
        "n": 0,
        "total": np.ones((3, LANES), np.float32),
    }
    tile(**right)
    np.testing.assert_array_equal(right["total"], np.full((3, LANES), [[3], [43], [83]]))
    with pytest.raises(error):
        tile(**{**right, **change})


@pytest.mark.skipif(not numba.config.DISABLE_JIT, reason="compiled code alone calls a compiled tile")
def test_a_tile_that_tells_places_in_plain_python():
    tile = make_window_tile(4, vectors=1, pool=4, tells_places=True)
    y, places = np.empty((1, LANES), np.float32), np.empty((1, LANES), np.uint8)
    x, weights = np.array([1, 3, 3, 2], np.float32), np.array([[1] * LANES, [0] * LANES], np.float32)
    tile(x, np.arange(4), 0, np.array([0]), weights, 0, np.float32(0), y, 0, 0, places)
    assert (y == 3).all() and (places == 2).all()
