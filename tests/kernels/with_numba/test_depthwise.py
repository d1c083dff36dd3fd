"""A depthwise convolution, in tiles where the channels fill vectors: the definition's numbers, there and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

numba = pytest.importorskip("numba")

from scratchnet.kernels import operations  # noqa: E402
from scratchnet.kernels.geometry import window_counts  # noqa: E402
from scratchnet.kernels.with_numba import depthwise  # noqa: E402
from scratchnet.kernels.with_numba.channel_tile import make_channel_sums, make_channel_tile  # noqa: E402
from scratchnet.kernels.with_numba.tile import TALLEST, VECTOR_BYTES  # noqa: E402

with_numba, with_numpy = operations("numba"), operations("numpy")
LANES = VECTOR_BYTES // 4
RNG = np.random.default_rng(5)


def check(N, size, C, window, strides=(1, 1), padding=((1, 1), (1, 1)), dilation=(1, 1), dtype="float32", M=1):
    geometry = strides, padding, dilation
    x, kernel = RNG.normal(size=(N, *size, C)).astype(dtype), RNG.normal(size=(*window, 1, C * M)).astype(dtype)
    bias, rounding = RNG.normal(size=C * M).astype(dtype), 2e-5 if dtype == "float32" else 1e-12
    z = with_numpy.conv2d_forward(x, kernel, bias, *geometry)
    y = with_numba.conv2d_relu_forward(x, kernel, bias, *geometry)
    np.testing.assert_allclose(with_numba.conv2d_forward(x, kernel, bias, *geometry), z, rtol=0, atol=10 * rounding)
    np.testing.assert_allclose(y, np.maximum(z, 0), rtol=0, atol=10 * rounding)
    dy = RNG.normal(size=z.shape).astype(dtype)
    for relu_output in (None, y):
        dz = dy if relu_output is None else dy * (y > 0)
        wanted = (
            with_numpy.conv2d_dx(dz, kernel, x.shape, *geometry),
            with_numpy.conv2d_dkernel(dz, x, kernel.shape, *geometry),
            dz.sum(axis=(0, 1, 2)),
        )
        for needs_dx in (True, False):
            found = with_numba.conv2d_backward(dy, x, kernel, *geometry, needs_dx, relu_output)
            assert (found[0] is not None) == needs_dx
            for one, other in zip(found if needs_dx else found[1:], wanted[not needs_dx :]):
                assert one.shape == other.shape and one.dtype == dtype
                np.testing.assert_allclose(one, other, rtol=0, atol=rounding * max(1, np.abs(other).max(initial=0)))
    np.testing.assert_allclose(
        with_numba.conv2d_dx(dy, kernel, x.shape, *geometry),
        with_numpy.conv2d_dx(dy, kernel, x.shape, *geometry),
        rtol=0,
        atol=50 * rounding,
    )
    np.testing.assert_allclose(
        with_numba.conv2d_dkernel(dy, x, kernel.shape, *geometry),
        dkernel := with_numpy.conv2d_dkernel(dy, x, kernel.shape, *geometry),
        rtol=0,
        atol=rounding * max(1, np.abs(dkernel).max(initial=0)),
    )


@pytest.mark.parametrize("C", [2, 3, LANES, LANES + 1, 2 * LANES, 3 * LANES, 4 * LANES])
def test_every_number_of_channels(C):
    check(3, (6, 5), C, (3, 3))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(
    size=st.tuples(st.integers(4, 9), st.integers(4, 9)),
    window=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    strides=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    amounts=st.tuples(*[st.integers(0, 4)] * 4),
    dilation=st.sampled_from([(1, 1), (1, 1), (2, 1), (1, 2)]),
)
def test_every_geometry(dtype, size, window, strides, amounts, dilation):
    strides = strides if dilation == (1, 1) else (1, 1)
    padding = amounts[:2], amounts[2:]
    if min(window_counts(size, window, strides, padding, dilation)) > 0:
        check(2, size, 2 * LANES, window, strides, padding, dilation, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("C", [1, 3, LANES // 2 + 1, LANES + 1, 4 * LANES + 3])
@pytest.mark.parametrize("strides", [(1, 2), (2, 1), (2, 3)])
def test_channels_that_fill_no_vector_whatever_the_strides(strides, C, dtype):
    check(2, (7, 6), C, (3, 2), strides, ((1, 1), (0, 1)), dtype=dtype)


@pytest.mark.parametrize("C", [1, 3, LANES + 1])
@pytest.mark.parametrize("columns", [1, 2, 70])
def test_runs_of_columns_short_and_long(columns, C):
    check(2, (4, columns), C, (3, 1))


@pytest.mark.parametrize("left", [0, 4, 9])
def test_columns_that_meet_nothing_of_the_image(left):
    check(1, (3, 2), 3, (2, 3), padding=((0, 1), (left, 4)))


def test_several_filters_of_a_channel():
    check(2, (5, 6), LANES, (3, 2), M=3)
    check(2, (5, 6), 2, (3, 2), strides=(2, 2), M=3)


def test_images_in_several_pieces_and_windows_of_more_elements_than_registers(monkeypatch):
    monkeypatch.setattr(depthwise, "_CACHE", 3 * 13 * 13 * LANES * 4)
    check(7, (9, 9), LANES, (5, 5), padding=((2, 2), (2, 2)))


def test_pixels_a_power_of_two_apart_are_moved():
    C = depthwise._APART // 4
    x = np.empty((2, 3, 3, C), "float32")
    _, (_, _, apart), _, _, steps = depthwise._in_frames(x, (2, 2, 1, C), (1, 1, 1, 1, 0, 0), (2, 2))
    assert apart > C and steps.tolist() == [0, apart, 3 * apart, 4 * apart]
    check(2, (4, 4), C, (3, 3))


def test_no_images_are_no_numbers_and_no_gradient():
    x, kernel = np.empty((0, 4, 4, LANES), "float32"), np.ones((3, 3, 1, LANES), "float32")
    geometry = (1, 1), ((1, 1), (1, 1)), (1, 1)
    y = with_numba.conv2d_forward(x, kernel, None, *geometry)
    dx, dkernel, dbias = with_numba.conv2d_backward(y, x, kernel, *geometry)
    assert y.shape == dx.shape == x.shape and not dkernel.any() and not dbias.any()


def test_nan_stays_nan():
    x, kernel = np.ones((1, 3, 3, LANES), "float32"), np.ones((1, 1, 1, LANES), "float32")
    x[0, 1, 2, 3] = np.nan
    y = with_numba.conv2d_relu_forward(x, kernel, None, (1, 1), ((0, 0), (0, 0)), (1, 1))
    np.testing.assert_array_equal(np.isnan(y), np.isnan(x))


@pytest.mark.skipif(not numba.config.DISABLE_JIT, reason="compiled tiles trust their caller")
def test_a_tile_that_would_leave_its_arrays_is_refused():
    tile, sums = make_channel_tile(TALLEST, 1), make_channel_sums(2)
    x, starts, steps = np.ones(200, "float32"), np.arange(TALLEST) * LANES, np.arange(2) * LANES
    weights, y = np.ones((3, LANES), "float32"), np.ones((TALLEST, LANES), "float32")
    tile(x, starts, 0, steps, weights, 0, np.float32(0), np.float32(9), y, 0)
    sums(x, starts, TALLEST, steps, 0, y, 0, weights)
    for wrong in (
        lambda: tile(x, starts, 1, steps, weights, 0, np.float32(0), np.float32(9), y, 0),
        lambda: tile(x, starts, 0, steps, weights[:2], 0, np.float32(0), np.float32(9), y, 0),
        lambda: tile(x, starts - 1, 0, steps, weights, 0, np.float32(0), np.float32(9), y, 0),
        lambda: sums(x, starts, TALLEST + 1, steps, 0, y, 0, weights),
        lambda: sums(x, starts, TALLEST, steps, 0, y, 1, weights),
    ):
        with pytest.raises(IndexError):
            wrong()
    with pytest.raises(TypeError):
        tile(x, starts, 0, steps, weights.astype("float64"), 0, np.float32(0), np.float32(9), y, 0)
    with pytest.raises(TypeError):
        sums(x, starts, TALLEST, steps, 0, y.astype("float64"), 0, weights)
