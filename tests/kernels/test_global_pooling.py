"""Mean and largest value of all places: every backend computes the definition, and backward is its derivative."""

import numpy as np
import pytest

from scratchnet.gradient_check import numeric_gradient, relative_error
from tests.kernels.every_backend import EVERY, EVERY_FAST, loops


@EVERY_FAST
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(0, 3, 2), (1, 1, 1), (3, 5, 2), (2, 28, 70), (1, 700, 1), (2, 130, 64)])
@pytest.mark.parametrize("layout", ["C", "Fortran", "readonly"])
def test_backends_agree_about_the_mean(backend, dtype, shape, layout):
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=shape).astype(dtype), rng.normal(size=(shape[0], shape[2])).astype(dtype)
    if layout == "Fortran":
        x, dy = np.asfortranarray(x), np.asfortranarray(dy)
    x.flags.writeable = dy.flags.writeable = layout != "readonly"
    y, found = loops.global_average_forward(x.astype("float64")), backend.global_average_forward(x)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, y, rtol=1e-6, atol=1e-7)
    found = backend.global_average_backward(dy, shape[1])
    assert found.dtype == dtype
    np.testing.assert_allclose(found, loops.global_average_backward(dy, shape[1]), rtol=1e-6)


@EVERY_FAST
def test_the_mean_of_many_places_loses_no_digits(backend):
    x = np.full((1, 200_000, 3), 0.1, "float32")  # added up one after the other they are wrong by 2e-3
    np.testing.assert_allclose(backend.global_average_forward(x), x.mean(axis=1, dtype="float64"), rtol=2e-5)


@EVERY
def test_backward_of_the_mean_is_the_derivative(backend):
    rng = np.random.default_rng(1)
    x, dy = rng.normal(size=(2, 4, 3)), rng.normal(size=(2, 3))
    dx = backend.global_average_backward(dy, 4)
    assert relative_error(numeric_gradient(lambda: float((backend.global_average_forward(x) * dy).sum()), x), dx) < 1e-8


@EVERY_FAST
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(0, 3, 2), (1, 1, 1), (3, 5, 2), (2, 28, 70)])
@pytest.mark.parametrize("layout", ["C", "Fortran", "readonly"])
def test_backends_agree(backend, dtype, shape, layout):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 4, shape).astype(dtype)  # several are the largest
    if x.size > 1:
        x[0, 1, 0] = np.nan
        x[-1, :, -1] = -np.inf
    dy = rng.normal(size=(shape[0], shape[2])).astype(dtype)
    if layout == "Fortran":
        x, dy = np.asfortranarray(x), np.asfortranarray(dy)
    x.flags.writeable = dy.flags.writeable = layout != "readonly"
    y, found = loops.global_max_forward(x), backend.global_max_forward(x)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, y)
    dx, found = loops.global_max_backward(dy, x, y), backend.global_max_backward(dy, x, y)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, dx, rtol=1e-6)


@EVERY
def test_backward_is_the_derivative(backend):
    rng = np.random.default_rng(1)
    x, dy = rng.permutation(24).reshape(2, 4, 3) / 4, rng.normal(size=(2, 3))
    dx = backend.global_max_backward(dy, x, backend.global_max_forward(x))
    assert relative_error(numeric_gradient(lambda: float((backend.global_max_forward(x) * dy).sum()), x), dx) < 1e-8


@EVERY
def test_equal_values_share(backend):
    x = np.array([[[1.0], [3], [3]]])
    np.testing.assert_array_equal(
        backend.global_max_backward(np.array([[4.0]]), x, np.array([[3.0]])), [[[0], [2], [2]]]
    )
