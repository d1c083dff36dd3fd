"""Convolution where the windows lie: every width and number of windows, and what its tiles refuse."""

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from scratchnet.kernels import operations  # noqa: E402
from scratchnet.kernels.with_numba import windows  # noqa: E402
from scratchnet.kernels.with_numba.tile import VECTOR_BYTES  # noqa: E402
from scratchnet.kernels.with_numba.window_tile import make_window_tile  # noqa: E402
from tests.kernels.every_backend import convolution  # noqa: E402

with_numba, with_numpy = operations("numba"), operations("numpy")
LANES = VECTOR_BYTES // 4
PAD = ((1, 0), (2, 1))


def check(x, kernel, bias, strides=(1, 1), padding=PAD, dilation=(1, 1)):
    geometry = strides, padding, dilation
    (top, bottom), (left, right) = np.minimum(padding, 0)
    cut = x[:, -top : x.shape[1] + bottom, -left : x.shape[2] + right]
    added = tuple((max(before, 0), max(after, 0)) for before, after in padding)
    z = with_numpy.conv2d_forward(cut, kernel, bias, strides, added, dilation)
    tolerance = {"rtol": 0, "atol": 2e-5}
    np.testing.assert_allclose(with_numba.conv2d_forward(x, kernel, bias, *geometry), z, **tolerance)
    check_gradients(x, kernel, cut, z, strides, padding, added, dilation)
    y = np.maximum(z, 0)
    np.testing.assert_allclose(with_numba.conv2d_relu_forward(x, kernel, bias, *geometry), y, **tolerance)
    pooled, _ = with_numpy.max_pool2d_forward(y, (2, 2), (2, 2), ((0, 0), (0, 0)))
    np.testing.assert_allclose(with_numba.conv2d_relu_max_pool_forward(x, kernel, bias, *geometry), pooled, **tolerance)


def check_gradients(x, kernel, cut, dz, strides, padding, added, dilation):
    geometry = *kernel.shape[:2], *strides, *dilation, padding[0][0], padding[1][0]
    found = windows.kernel_gradient(dz, x, kernel.shape, geometry, padding, dz.shape[1:3])
    wanted = with_numpy.conv2d_dkernel(dz, cut, kernel.shape, strides, added, dilation), dz.sum(axis=(0, 1, 2))
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * np.abs(other).max())


@pytest.mark.parametrize("F", [1, LANES - 1, LANES, LANES + 1, 2 * LANES, 2 * LANES + 3, 3 * LANES, 4 * LANES - 1])
def test_every_number_of_filters(F):
    check(*convolution(3, (6, 5), 1, F))


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 2), (4, 7), (13, 9), (31, 26)])
def test_every_number_of_windows(size):
    check(*convolution(5, size, 2, 4))


def test_a_batch_of_several_pieces_the_last_one_smaller(monkeypatch):
    monkeypatch.setattr(windows, "_CACHE", 4096)
    windows.view.cache_clear()  # which keeps how large a piece is
    for padding in (PAD, ((0, 0), (0, 0))):
        check(*convolution(7, (8, 6), 2, 5), padding=padding)
    windows.view.cache_clear()


@pytest.mark.parametrize("padding", [PAD, ((0, 0), (0, 0)), ((-1, 1), (2, -1)), ((-1, -1), (-2, 0))])
@pytest.mark.parametrize("strides, dilation", [((1, 1), (1, 1)), ((2, 3), (1, 1)), ((1, 1), (2, 2)), ((2, 1), (1, 3))])
def test_windows_outside_apart_and_with_holes(strides, dilation, padding):
    check(*convolution(2, (11, 12), 3, 6), strides, padding, dilation)


def test_the_gradient_of_a_kernel_that_two_tiles_do_not_hold_comes_of_more_windows_than_meet_at_a_time(monkeypatch):
    monkeypatch.setattr(windows, "_CACHE", 1 << 20)
    windows.view.cache_clear()
    for C, F in ((16, LANES), (5, 3 * LANES)):
        x, kernel, _ = convolution(3, (15, 16), C, F, 5, 5)
        assert (
            windows.gains(C, F, x.itemsize) and 3 * 15 * 16 > 2 * windows._WINDOWS and kernel.size // F > windows._ROWS
        )
        check(x, kernel / 8, np.zeros(F, x.dtype), padding=((2, 2), (2, 2)))
    windows.view.cache_clear()


def test_a_row_does_not_depend_on_the_others():
    # so that a batch gives the same bits, however it is divided among threads
    x, kernel, bias = convolution(9, (7, 6), 3, 5)
    whole = with_numba.conv2d_forward(x, kernel, bias, (1, 1), PAD, (1, 1))
    for rows in (slice(0, 1), slice(2, 9)):
        found = with_numba.conv2d_forward(x[rows], kernel, bias, (1, 1), PAD, (1, 1))
        np.testing.assert_array_equal(found, whole[rows])


def test_what_is_not_a_number_stays_in_its_windows_and_relu_lets_it_pass():
    x, kernel, bias = convolution(2, (6, 6), 1, 4, 1, 1)
    x[1, 2, 3] = np.nan
    for z in (
        with_numba.conv2d_forward(x, kernel, bias, (1, 1), ((0, 0), (0, 0)), (1, 1)),
        with_numba.conv2d_relu_forward(x, kernel, bias, (1, 1), ((0, 0), (0, 0)), (1, 1)),
    ):
        assert np.isnan(z[1, 2, 3]).all() and np.isnan(z).sum() == 4


@pytest.mark.skipif(not numba.config.DISABLE_JIT, reason="compiled tiles trust their caller")
@pytest.mark.parametrize(
    "error, change",
    [
        (TypeError, {"x": np.zeros(40)}),
        (IndexError, {"weights": np.zeros((4, LANES), np.float32)}),
        (IndexError, {"m": 3}),
        (IndexError, {"starts": np.array([0, -1, 3, 4])}),
    ],
)
def test_a_tile_in_plain_python_refuses_what_compiled_code_would_read_out_of_bounds(error, change):
    tile = make_window_tile(4, vectors=1)
    right = {
        "x": np.zeros(40, np.float32),
        "starts": np.arange(4),
        "m": 0,
        "steps": np.array([0, 1, 10, 11]),
        "weights": np.ones((5, LANES), np.float32),
        "n": 0,
        "least": np.float32(0),
        "y": np.empty((4, LANES), np.float32),
        "row": 0,
        "column": 0,
    }
    tile(**right)
    assert (right["y"] == 1).all()
    with pytest.raises(error):
        tile(**{**right, **change})
