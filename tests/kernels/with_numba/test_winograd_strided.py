"""Kernels of 4 x 4 under stride 2 by Winograd's filtering: the same numbers as by patches, and when it is chosen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numba")

from scratchnet.gradient_check import check_layer  # noqa: E402
from scratchnet.kernels import operations, using_backend  # noqa: E402
from scratchnet.kernels.with_numba import convolution, team, winograd_strided  # noqa: E402
from scratchnet.layers import Conv2D, Conv2DTranspose  # noqa: E402
from scratchnet.utils import set_random_seed  # noqa: E402

with_numba, with_numpy = operations("numba"), operations("numpy")
GEOMETRY = (2, 2), ((1, 1), (1, 1)), (1, 1)


def made(seed, N, small, C, F, dtype):
    """The large image, the small one, the kernel and a bias."""
    rng = np.random.default_rng(seed)
    large = N, 2 * small[0], 2 * small[1], C
    return [rng.normal(size=shape).astype(dtype) for shape in (large, (N, *small, F), (4, 4, C, F), (F,))]


def check(found, expected, dtype):
    assert found.dtype == dtype and found.shape == expected.shape and found.flags.c_contiguous
    scale = max(np.abs(expected).max(initial=0), 1)
    np.testing.assert_allclose(found, expected, rtol=0, atol=scale * (1e-12 if dtype == "float64" else 1e-5))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(
    st.integers(0, 1000),
    st.integers(0, 4),  # images, also none
    st.tuples(st.integers(1, 7), st.integers(1, 7)),
    st.integers(1, 6),
    st.integers(1, 6),
    st.booleans(),
)
def test_it_is_what_patches_give(dtype, seed, N, small, C, F, relu):
    x, dz, kernel, bias = made(seed, N, small, C, F, dtype)
    z = with_numpy.conv2d_forward(x, kernel, bias, *GEOMETRY)
    check(winograd_strided.conv2d_forward(x, kernel, bias, relu), np.maximum(z, 0) if relu else z, dtype)
    check(winograd_strided.conv2d_dx(dz, kernel), with_numpy.conv2d_dx(dz, kernel, x.shape, *GEOMETRY), dtype)
    check(winograd_strided.kernel_gradient(dz, x), with_numpy.conv2d_dkernel(dz, x, kernel.shape, *GEOMETRY), dtype)


def test_many_images_go_piece_by_piece_and_in_two_sums():
    x, dz, kernel, bias = made(0, 30, (12, 10), 40, 33, "float64")
    assert winograd_strided.images_at_a_time(dz, 40, 33) < 30 // 2
    check(
        winograd_strided.conv2d_forward(x, kernel, bias, False),
        with_numpy.conv2d_forward(x, kernel, bias, *GEOMETRY),
        "float64",
    )
    check(winograd_strided.conv2d_dx(dz, kernel), with_numpy.conv2d_dx(dz, kernel, x.shape, *GEOMETRY), "float64")
    found = winograd_strided.kernel_gradient(dz, x)
    check(found, with_numpy.conv2d_dkernel(dz, x, kernel.shape, *GEOMETRY), "float64")


def test_forward_and_dx_are_adjoints():
    x, dz, kernel, _ = made(1, 3, (5, 4), 7, 6, "float64")
    y = winograd_strided.conv2d_forward(x, kernel, np.zeros(6), False)
    assert np.sum(y * dz) == pytest.approx(np.sum(x * winograd_strided.conv2d_dx(dz, kernel)), rel=1e-12)
    assert np.sum(y * dz) == pytest.approx(np.sum(kernel * winograd_strided.kernel_gradient(dz, x)), rel=1e-12)


@pytest.mark.parametrize(
    "kernel, strides, padding, dilation, large, small, expected",
    [
        ((4, 4, 32, 32), (2, 2), ((1, 1), (1, 1)), (1, 1), (8, 10), (4, 5), True),
        ((4, 4, 31, 32), (2, 2), ((1, 1), (1, 1)), (1, 1), (8, 10), (4, 5), False),  # too few channels
        ((4, 4, 32, 31), (2, 2), ((1, 1), (1, 1)), (1, 1), (8, 10), (4, 5), False),
        ((3, 3, 32, 32), (2, 2), ((1, 1), (1, 1)), (1, 1), (8, 10), (4, 5), False),
        ((4, 4, 32, 32), (1, 1), ((1, 1), (1, 1)), (1, 1), (8, 10), (4, 5), False),
        ((4, 4, 32, 32), (2, 2), ((1, 1), (1, 1)), (2, 1), (8, 10), (4, 5), False),
        ((4, 4, 32, 32), (2, 2), ((0, 0), (0, 0)), (1, 1), (8, 10), (3, 4), False),
        ((4, 4, 32, 32), (2, 2), ((1, 1), (1, 1)), (1, 1), (9, 10), (4, 5), False),  # a row nobody sees
        ((4, 4, 32, 32), (2, 2), ((1, 1), (1, 1)), (1, 1), (6, 10), (3, 5), False),  # too small
    ],
)
def test_when_it_is_chosen(kernel, strides, padding, dilation, large, small, expected):
    assert winograd_strided.applies(kernel, strides, padding, dilation, large, small) == expected


@pytest.fixture
def few(monkeypatch):
    """It is chosen for few channels, too."""
    monkeypatch.setattr(winograd_strided, "_FEWEST", 1)
    convolution._way_of.cache_clear()
    yield
    convolution._way_of.cache_clear()


@pytest.mark.parametrize("cls", [Conv2D, Conv2DTranspose])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_layers_that_go_this_way_have_the_right_gradients(cls, activation, few, monkeypatch):
    used = []
    for name in ("conv2d_forward", "conv2d_dx", "kernel_gradient"):
        function = getattr(winograd_strided, name)
        monkeypatch.setattr(winograd_strided, name, lambda *a, f=function, n=name: used.append(n) or f(*a))
    set_random_seed(1)  # no output is so near to 0 that a difference reaches beyond it
    with using_backend("numba"):
        layer = cls(3, 4, strides=2, padding="same", activation=activation, dtype="float64")
        x = np.random.default_rng(2).normal(size=(2, 8, 10, 2) if cls is Conv2D else (2, 4, 5, 2))
        check_layer(layer, x).raise_if_failed()
    assert set(used) == {"conv2d_forward", "conv2d_dx", "kernel_gradient"}


def test_convolutions_of_all_kinds_use_it_where_it_is_chosen(few):
    x, dz, kernel, bias = made(3, 2, (4, 5), 3, 5, "float64")
    z = with_numpy.conv2d_forward(x, kernel, bias, *GEOMETRY)
    y = with_numba.conv2d_relu_forward(x, kernel, bias, *GEOMETRY, 0.7)
    check(y, np.clip(z, 0, 0.7), "float64")
    pooled = with_numba.conv2d_relu_max_pool_forward(x, kernel, bias, *GEOMETRY)
    check(pooled, np.maximum(z, 0)[:, :4, :4].reshape(2, 2, 2, 2, 2, 5).max(axis=(2, 4)), "float64")
    y = np.maximum(z, 0)
    dx, dkernel, dbias = with_numba.conv2d_backward(dz, x, kernel, *GEOMETRY, relu_output=y)
    through = dz * (y > 0)
    check(dx, with_numpy.conv2d_dx(through, kernel, x.shape, *GEOMETRY), "float64")
    check(dkernel, with_numpy.conv2d_dkernel(through, x, kernel.shape, *GEOMETRY), "float64")
    check(dbias, through.sum(axis=(0, 1, 2)), "float64")
    assert with_numba.conv2d_backward(dz, x, kernel, *GEOMETRY, needs_dx=False)[0] is None


def test_two_threads_find_the_same_bits():
    x, dz, kernel, bias = made(4, 9, (12, 10), 40, 33, "float32")
    calls = (
        lambda: winograd_strided.conv2d_forward(x, kernel, bias, True),
        lambda: winograd_strided.conv2d_dx(dz, kernel),
        lambda: winograd_strided.kernel_gradient(dz, x),
    )
    expected = [call() for call in calls]
    if (helper := team.helper()) is None:
        pytest.skip("without the compiler there is no team")
    with helper:
        for call, bits in zip(calls, expected):
            np.testing.assert_array_equal(call(), bits)
