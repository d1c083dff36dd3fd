"""Winograd's convolution: the same numbers as by patches, and when it is chosen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

numba = pytest.importorskip("numba")

from scratchnet.kernels import operations  # noqa: E402
from scratchnet.kernels.with_numba import winograd  # noqa: E402

with_numba, with_numpy = operations("numba"), operations("numpy")
ONE = (1, 1)
SAME = (ONE, ONE)


def made(seed, N, size, C, F, padding, dtype="float64"):
    rng = np.random.default_rng(seed)
    (top, bottom), (left, right) = padding
    x = rng.normal(size=(N, *size, C)).astype(dtype)
    dy = rng.normal(size=(N, size[0] + top + bottom - 2, size[1] + left + right - 2, F)).astype(dtype)
    return x, rng.normal(size=(3, 3, C, F)).astype(dtype), rng.normal(size=F).astype(dtype), dy


def by_patches(x, kernel, bias, padding, relu):
    z = with_numpy.conv2d_forward(x, kernel, bias, ONE, padding, ONE)
    return np.maximum(z, 0) if relu else z


def derivatives_by_patches(dy, x, kernel, padding, y=None):
    """dx, dkernel and dbias; through relu if its output is given."""
    dz = dy if y is None else dy * (y > 0)
    geometry = ONE, padding, ONE
    dx, dkernel = (
        with_numpy.conv2d_dx(dz, kernel, x.shape, *geometry),
        with_numpy.conv2d_dkernel(dz, x, kernel.shape, *geometry),
    )
    return dx, dkernel, dz.sum((0, 1, 2))


def check(found, expected, dtype):
    scale = max(np.abs(expected).max(), 1)
    assert found.dtype == dtype and found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=scale * (1e-12 if dtype == "float64" else 1e-5))


pads = st.tuples(*(st.tuples(st.integers(0, 1), st.integers(0, 1)),) * 2)  # what `applies` admits


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(
    st.integers(0, 1000),
    st.integers(1, 4),
    st.tuples(st.integers(3, 9), st.integers(3, 9)),
    st.integers(1, 6),
    st.integers(1, 6),
    pads,
    st.booleans(),
    st.booleans(),
    st.integers(1, 4),
)
def test_forward_and_backward_are_those_by_patches(dtype, seed, N, size, C, F, padding, relu, needs_dx, images):
    x, kernel, bias, dy = made(seed, N, size, C, F, padding, dtype)
    expected = by_patches(x, kernel, bias, padding, relu)
    derivatives = derivatives_by_patches(dy, x, kernel, padding, expected if relu else None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(winograd, "images_at_a_time", lambda *_: min(images, N))
        check(winograd.conv2d_forward(x, kernel, bias, padding, relu), expected, dtype)
        found = winograd.conv2d_backward(dy, x, kernel, padding, needs_dx, relu, expected if relu else dy)
    assert needs_dx or found[0] is None
    for one, other in list(zip(found, derivatives))[not needs_dx :]:
        check(one, other, dtype)


def test_products_of_the_transforms_are_convolutions():
    """F(2, 3) in one dimension, by the formulas at the head of the file, with numbers that are exact."""
    kernel = np.zeros((3, 3, 1, 1))
    kernel[:, 1, 0, 0] = g = np.array([2.0, -3.0, 5.0])
    d = np.array([7.0, 1.0, -4.0, 6.0])
    y = winograd.conv2d_forward(d.reshape(1, 4, 1, 1), kernel, np.zeros(1), ((0, 0), ONE), False)
    assert y.ravel().tolist() == [d[:3] @ g, d[1:] @ g]


@pytest.mark.parametrize(
    ("change", "chosen"),
    [
        ({}, True),
        ({"kernel": (3, 3, 16, 16)}, True),
        ({"kernel": (3, 3, 15, 32)}, False),
        ({"kernel": (3, 3, 32, 15)}, False),
        ({"kernel": (3, 1, 32, 32)}, False),
        ({"kernel": (5, 5, 32, 32)}, False),
        ({"strides": (1, 2)}, False),
        ({"dilation": (2, 1)}, False),
        ({"padding": ((0, 0), (0, 0))}, True),
        ({"padding": ((0, 1), (1, 0))}, True),
        ({"padding": ((1, 2), (1, 1))}, False),
        ({"padding": ((1, 1), (-1, 1))}, False),
        ({"output_size": (4, 4)}, True),
        ({"output_size": (3, 9)}, False),
    ],
)
def test_when_it_is_chosen(change, chosen):
    case = {"kernel": (3, 3, 32, 32), "strides": ONE, "padding": SAME, "dilation": ONE, "output_size": (8, 8), **change}
    assert winograd.applies(case.pop("kernel"), **case) == chosen


@pytest.mark.parametrize("images", [1, 2, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_images_that_are_left_over(images, dtype, monkeypatch):
    monkeypatch.setattr(winograd, "images_at_a_time", lambda *_: images)
    x, kernel, bias, dy = made(3, 3, (5, 4), 16, 16, SAME, dtype)
    y = by_patches(x, kernel, bias, SAME, True)
    check(winograd.conv2d_forward(x, kernel, bias, SAME, True), y, dtype)
    expected = derivatives_by_patches(dy, x, kernel, SAME, y)
    for found, wanted in zip(winograd.conv2d_backward(dy, x, kernel, SAME, True, True, y), expected):
        check(found, wanted, dtype)


def test_at_least_one_image_at_a_time_and_at_most_all(monkeypatch):
    y = np.empty((3, 6, 4, 2))  # 3 x 2 tiles of 16 numbers
    for cache, images in ((1, 1), (2 * 16 * 6 * 7 * 8, 2), (10**9, 3)):
        monkeypatch.setattr(winograd, "_CACHE", cache)
        found = winograd.images_at_a_time(y, 5, 2)
        assert isinstance(found, int) and found == images


def test_of_many_channels_so_many_images_that_their_matrices_are_not_read_for_a_few_tiles():
    y = np.empty((20, 7, 7, 512), np.float32)  # 16 tiles of an image
    assert winograd.images_at_a_time(y, 512, 512) * 16 == 128
    assert winograd.images_at_a_time(y[:3], 512, 512) == 3
    assert winograd.images_at_a_time(y[:0], 512, 512) == 1  # a step in a loop
    assert winograd.images_at_a_time(y, 100, 100) == 100 // 16  # rows of U, which are fewer


def test_the_backend_computes_with_it(monkeypatch):
    x, kernel, bias, dy = made(0, 3, (6, 7), 16, 17, SAME)
    calls, geometry = [], (ONE, SAME, ONE)
    for name in ("conv2d_forward", "conv2d_backward"):
        function = getattr(winograd, name)
        monkeypatch.setattr(winograd, name, lambda *args, f=function: calls.append(f.__name__) or f(*args))
    check(with_numba.conv2d_forward(x, kernel, bias, *geometry), by_patches(x, kernel, bias, SAME, False), "float64")
    y = with_numba.conv2d_relu_forward(x, kernel, bias, *geometry)
    check(y, by_patches(x, kernel, bias, SAME, True), "float64")
    dx, dkernel, dbias = derivatives_by_patches(dy, x, kernel, SAME)
    check(with_numba.conv2d_dx(dy, kernel, x.shape, *geometry), dx, "float64")
    check(with_numba.conv2d_dkernel(dy, x, kernel.shape, *geometry), dkernel, "float64")
    results = with_numba.conv2d_backward(dy, x, kernel, *geometry, relu_output=y)
    for found, expected in zip(results, derivatives_by_patches(dy, x, kernel, SAME, y)):
        check(found, expected, "float64")
    assert calls == ["conv2d_forward"] * 3 + ["conv2d_backward"] * 2


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="of compiled products; in plain Python NumPy multiplies")
def test_an_image_does_not_depend_on_the_others():
    # so that a batch gives the same bits, however it is divided among threads
    x, kernel, bias, dy = made(1, 7, (5, 6), 16, 16, SAME, "float32")
    whole = winograd.conv2d_forward(x, kernel, bias, SAME, True)
    dx = winograd.conv2d_backward(dy, x, kernel, SAME, True, True, whole)[0]
    for rows in (slice(0, 1), slice(2, 5)):
        part = winograd.conv2d_forward(x[rows], kernel, bias, SAME, True)
        np.testing.assert_array_equal(part, whole[rows])
        part_dx = winograd.conv2d_backward(dy[rows], x[rows], kernel, SAME, True, True, part)[0]
        np.testing.assert_array_equal(part_dx, dx[rows])


def test_what_is_not_a_number_stays_in_its_tiles():
    x, kernel, bias, _ = made(2, 2, (8, 8), 3, 2, SAME)
    x[1, 4, 4, 0] = np.nan
    y = winograd.conv2d_forward(x, kernel, bias, SAME, False)
    finite = np.isfinite(y).all(axis=-1)
    assert finite[0].all()
    assert not finite[1, 3:6, 3:6].any() and finite[1, :2].all() and finite[1, :, :2].all()


def test_of_no_images_there_are_no_outputs_and_no_gradient():
    x, kernel, bias, dy = made(0, 0, (6, 5), 16, 16, SAME)
    assert winograd.conv2d_forward(x, kernel, bias, SAME, False).shape == (0, 6, 5, 16)
    dx, dkernel, dbias = winograd.conv2d_backward(dy, x, kernel, SAME, True, False, dy)
    assert dx.shape == x.shape and not dkernel.any() and not dbias.any()
