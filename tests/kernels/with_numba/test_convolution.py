"""Convolutions by two threads: every way of computing one has the bits of one thread."""

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from scratchnet.kernels import operations  # noqa: E402
from scratchnet.kernels.with_numba import convolution as compiled  # noqa: E402
from scratchnet.kernels.with_numba import pooled_windows, team, windows, winograd  # noqa: E402
from tests.kernels.every_backend import convolution  # noqa: E402

with_numba, with_numpy = operations("numba"), operations("numpy")
AROUND = ((1, 1), (1, 1))
WAYS = {
    "windows": (3, 6),
    "pixels by the kernel": (6, 2),
    "Winograd": (16, 16),
    "apart": (6, 7, (2, 2)),
    "gradients by windows": (3, 16, (2, 1)),
}


def every_way(C, F, strides=(1, 1)):
    """``name, arrays`` of all that can be asked of a convolution, for a batch whose pieces leave a rest."""
    x, kernel, bias = convolution(7, (8, 6), C, F, 3, 3)
    geometry = strides, AROUND, (1, 1)
    y = with_numba.conv2d_relu_forward(x, kernel, bias, *geometry)
    dy = np.random.default_rng(4).normal(size=y.shape).astype("float32")
    yield "forward", [y]
    yield "pooled", [with_numba.conv2d_relu_max_pool_forward(x, kernel, bias, *geometry)]
    for needs_dx in (True, False):
        dx, *grads = with_numba.conv2d_backward(dy, x, kernel, *geometry, needs_dx, relu_output=y)
        yield "backward", grads + [dx] * needs_dx
    yield "dx", [with_numba.conv2d_dx(dy, kernel, x.shape, *geometry)]
    pooled, places = with_numba.conv2d_relu_max_pool_places(x, kernel, bias, *geometry)
    back = with_numba.conv2d_relu_max_pool_backward(pooled, places, x, kernel, *geometry, needs_dx=False)
    yield "pooled, there and back", [pooled, places, *back[1:]]


@pytest.fixture(params=[1, 1 << 20], ids=["two sums", "one sum"])
def sums(request, monkeypatch):
    monkeypatch.setattr(team, "_MANY", request.param)
    for module in (compiled, windows, winograd):
        monkeypatch.setattr(module, "_CACHE", 20_000)  # bytes: a piece is an image or two
    windows.view.cache_clear()  # which keeps how large a piece is
    yield
    windows.view.cache_clear()


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="a helper needs compiled code")
@pytest.mark.parametrize("way", WAYS)
def test_two_threads_have_the_bits_of_one(sums, monkeypatch, way):
    alone = list(every_way(*WAYS[way]))
    monkeypatch.setattr(team, "_LEAST", 0)
    with team.helper() as helper:
        for _ in range(3):
            helper.wake()
            for (name, found), (_, expected) in zip(every_way(*WAYS[way]), alone, strict=True):
                for one, other in zip(found, expected, strict=True):
                    np.testing.assert_array_equal(one, other, err_msg=name)


@pytest.mark.parametrize("way", WAYS)
def test_gradients_of_pieces_and_of_several_sums_are_those_of_the_batch(sums, way):
    C, F, *strides = WAYS[way]
    x, kernel, bias = convolution(7, (8, 6), C, F, 3, 3)
    geometry = *(strides or [(1, 1)]), AROUND, (1, 1)
    y = with_numba.conv2d_relu_forward(x, kernel, bias, *geometry)
    dy = np.random.default_rng(4).normal(size=y.shape).astype("float32")
    dz = dy * (y > 0)
    expected = (
        with_numpy.conv2d_dx(dz, kernel, x.shape, *geometry),
        with_numpy.conv2d_dkernel(dz, x, kernel.shape, *geometry),
        dz.sum(axis=(0, 1, 2)),
    )
    found = with_numba.conv2d_backward(dy, x, kernel, *geometry, relu_output=y)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * np.abs(other).max())


@pytest.mark.parametrize("way", WAYS)
def test_what_is_computed_once_more_after_a_failure_is_not_counted_twice(sums, monkeypatch, way):
    def twice(kernel, rows, work, *arguments, multiple=1):
        for _ in range(2):
            kernel(0, rows, *arguments)

    once = list(every_way(*WAYS[way]))
    for module in (compiled, windows, winograd, pooled_windows):
        monkeypatch.setattr(module, "by_rows", twice)
    for (name, found), (_, expected) in zip(every_way(*WAYS[way]), once, strict=True):
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other, err_msg=name)


def test_a_batch_of_no_images_has_gradients_of_zero():
    x, kernel, bias = convolution(0, (8, 6), 3, 6, 3, 3)
    y = with_numba.conv2d_relu_forward(x, kernel, bias, (1, 1), AROUND, (1, 1))
    dx, dkernel, dbias = with_numba.conv2d_backward(y, x, kernel, (1, 1), AROUND, (1, 1), relu_output=y)
    assert dx.shape == x.shape and not dkernel.any() and not dbias.any()


def test_a_kernel_that_comes_from_afar_meets_many_rows_at_a_time():
    large, small = np.empty((3, 3, 512, 512), "float32"), np.empty((3, 3, 16, 16), "float32")
    assert compiled._images(64, compiled._CACHE, 49, large) * 49 >= compiled._ENOUGH - 49
    assert compiled._images(64, compiled._CACHE, 49, small) == compiled._images(64, 1 << 30) == 1
    assert compiled._images(2, compiled._CACHE, 49, large) == 2
    assert compiled._images(0, 1, 49, large) == 1  # a step in a loop
