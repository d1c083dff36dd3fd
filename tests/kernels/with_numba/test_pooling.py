"""Compiled pooling beside plain loops: strides, edges, places of what is not finite, and two threads."""

import numpy as np
import pytest

pytest.importorskip("numba")

from scratchnet.kernels.loops import pooling as loops
from scratchnet.kernels.with_numba import pooling
from scratchnet.kernels.with_numba.team import helper

GEOMETRIES = {  # (window, strides, padding)
    "overlapping": ((3, 3), (1, 1), ((1, 1), (1, 1))),
    "overlapping, two steps": ((3, 3), (2, 2), ((0, 1), (1, 1))),
    "columns side by side": ((2, 3), (3, 1), ((1, 0), (2, 1))),
    "rows side by side": ((3, 2), (1, 3), ((2, 2), (0, 1))),
    "2 x 2": ((2, 2), (2, 2), ((0, 0), (0, 0))),
    "the whole image": ((7, 9), (1, 1), ((0, 0), (0, 0))),
    "with pixels in no window": ((2, 2), (3, 4), ((0, 0), (0, 0))),
    "of more elements than a byte counts": ((17, 17), (1, 2), ((8, 8), (8, 8))),
}


@pytest.fixture(params=GEOMETRIES.values(), ids=GEOMETRIES)
def geometry(request):
    return request.param


def image(rng, dtype=np.float32, N=2, C=3):
    return rng.integers(-3, 4, (N, 7, 9, C)).astype(dtype)  # with equal ones, of which the first is the place


def not_finite(x, rng):
    x[rng.random(x.shape) < 0.3] = -np.inf
    x[rng.random(x.shape) < 0.1] = np.nan
    x[rng.random(x.shape) < 0.1] = np.inf
    x[0, :, :, 0] = -np.inf
    return x


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("finite", [True, False], ids=["finite", "not finite"])
def test_the_largest_and_its_place_are_those_of_the_loops(geometry, dtype, finite):
    rng = np.random.default_rng(0)
    x = image(rng, dtype) if finite else not_finite(image(rng, dtype), rng)
    (y, places), (wanted, of_loops) = (k.max_pool2d_forward(x, *geometry) for k in (pooling, loops))
    np.testing.assert_array_equal(y, wanted)
    np.testing.assert_array_equal(places, of_loops)
    dy = rng.standard_normal(y.shape).astype(dtype)
    dxs = [k.max_pool2d_backward(dy, places, x.shape, *geometry) for k in (pooling, loops)]
    np.testing.assert_array_equal(*dxs)  # added up in the same order


@pytest.mark.parametrize("C", [2, 3, 4, 8, 16, 24])
def test_2_x_2_is_2_x_2_whatever_the_number_of_channels(C):
    rng = np.random.default_rng(0)
    x, geometry = not_finite(image(rng, C=C), rng), GEOMETRIES["2 x 2"]
    for found, wanted in zip(*(k.max_pool2d_forward(x, *geometry) for k in (pooling, loops))):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("C", [1, 3, 8])
@pytest.mark.parametrize("finite", [True, False], ids=["finite", "not finite"])
def test_without_its_place_the_largest_is_the_same(geometry, finite, C):
    rng = np.random.default_rng(0)
    x = image(rng, C=C) if finite else not_finite(image(rng, C=C), rng)
    np.testing.assert_array_equal(pooling.max_pool2d(x, *geometry), loops.max_pool2d_forward(x, *geometry)[0])


@pytest.mark.parametrize(("C", "dtype"), [(1, np.float32), (3, np.float32), (8, np.float32), (3, np.float64)])
def test_averages_are_those_of_the_loops(geometry, C, dtype):
    rng = np.random.default_rng(0)
    x = image(rng, dtype, C=C) + rng.random((2, 7, 9, C)).astype(dtype)
    bound = 100 * np.finfo(dtype).eps
    ys = [k.average_pool2d_forward(x, *geometry) for k in (pooling, loops)]
    np.testing.assert_allclose(*ys, rtol=0, atol=bound)
    dy = rng.standard_normal(ys[0].shape).astype(dtype)
    dxs = [k.average_pool2d_backward(dy, x.shape, *geometry) for k in (pooling, loops)]
    np.testing.assert_allclose(*dxs, rtol=0, atol=bound)


def test_an_average_of_what_is_not_finite_is_that_of_the_loops(geometry):
    rng = np.random.default_rng(0)
    x = not_finite(image(rng), rng)
    with np.errstate(invalid="ignore"):
        ys = [k.average_pool2d_forward(x, *geometry) for k in (pooling, loops)]
    np.testing.assert_allclose(*ys, rtol=1e-6, atol=1e-6)


@pytest.mark.skipif(helper() is None, reason="without the compiler there is no team")
def test_two_threads_come_to_the_same_bits(geometry):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((256, 7, 9, 32)).astype(np.float32)

    def everything():
        y, places = pooling.max_pool2d_forward(x, *geometry)
        average = pooling.average_pool2d_forward(x, *geometry)
        dxs = pooling.max_pool2d_backward(y, places, x.shape, *geometry)
        return (
            pooling.max_pool2d(x, *geometry),
            y,
            places,
            average,
            dxs,
            pooling.average_pool2d_backward(y, x.shape, *geometry),
        )

    alone = everything()
    with helper():
        together = everything()
    for one, two in zip(alone, together):
        np.testing.assert_array_equal(one, two)
