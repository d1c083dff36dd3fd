"""Compiled random numbers: the bits are those of NumPy's Philox, and float32 normals are right from end to end."""

import numpy as np
import pytest

from scratchnet.kernels import numba_is_installed

pytestmark = pytest.mark.skipif(not numba_is_installed(), reason="of the compiled kernels")

KEY = np.random.SeedSequence(5).generate_state(2, np.uint64)
SIZES = [(1, 1), (2, 2), (3, 7), (2, 256), (2, 257), (1, 1026)]


def uniforms(first_row, rows, size):
    counters = -(-size // 4)
    philox = np.random.Philox(key=KEY)
    philox.advance(first_row * counters)
    return np.random.Generator(philox).random((rows, 4 * counters))[:, :size]


def normals(u, v):
    return np.sqrt(-2 * np.log1p(-u)) * np.cos(2 * np.pi * v)


@pytest.mark.parametrize("first_row", [0, 5, 1 << 40])
@pytest.mark.parametrize("rows, size", SIZES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_mask_has_the_bits_of_numpy(first_row, rows, size, dtype):
    from scratchnet.kernels.with_numba.philox import mask_rows

    u = uniforms(first_row, rows, size)
    for rate in (0.25, float(u[0, 0])):  # what is the rate stays
        mask = mask_rows(KEY, first_row, rows, size, rate, dtype(3))
        np.testing.assert_array_equal(mask, np.where(u >= rate, dtype(3), 0))
        assert mask.dtype == dtype


@pytest.mark.parametrize("first_row", [0, 5, 1 << 40])
@pytest.mark.parametrize("rows, size", SIZES)
def test_normals_are_those_of_numpy(first_row, rows, size):
    from scratchnet.kernels.with_numba.philox import normal_rows

    u = uniforms(first_row, rows, 2 * size)
    exact = normals(u[:, :size], u[:, size:])
    np.testing.assert_allclose(normal_rows(KEY, first_row, rows, size, 0, 1), exact, rtol=5e-7, atol=0)
    np.testing.assert_allclose(normal_rows(KEY, first_row, rows, size, 2, 0.5), 2 + exact / 2, rtol=0, atol=1e-6)


def test_normals_of_extreme_uniforms():
    from scratchnet.kernels.with_numba import philox
    from scratchnet.kernels.with_numba.compile import njit

    @njit
    def box_muller(u, v, y):
        philox._box_muller(u, v, np.float32(0), np.float32(1), y)

    unit = 2.0**-53  # all uniforms are multiples of it
    near = np.array([0, 1, 2, 3, 5, 1 << 20, 1 << 40]) * unit
    edges = np.array([0.25, 0.5, 0.75, 1 - np.sqrt(0.5), np.sqrt(0.5)])
    edges = np.concatenate([edges - (1 << 20) * unit, edges - unit, edges, edges + unit, edges + (1 << 20) * unit])
    extreme = np.concatenate([near, edges, 1 - near[1:], np.linspace(0, 1, 97, endpoint=False)])
    u, v = (a.ravel() for a in np.meshgrid(np.round(extreme / unit) * unit, np.round(extreme / unit) * unit))
    y = np.empty(u.size, np.float32)
    box_muller(u, v, y)
    cosine = np.sin(2 * np.pi * (abs(v - 0.5) - 0.25))  # which NumPy's cos is not near its zeros
    np.testing.assert_allclose(y, np.sqrt(-2 * np.log1p(-u)) * cosine, rtol=5e-7, atol=0)
    assert y.max() > 8.5  # sqrt(2 ln 2^53)
