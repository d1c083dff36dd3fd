"""Softmax of rows: every backend computes the definition, and backward is its derivative."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.gradient_check import numeric_gradient, relative_error
from scratchnet.kernels import operations
from tests.kernels.every_backend import EVERY, EVERY_FAST, FAST, loops


@EVERY_FAST
@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-6), ("float64", 1e-14)])
@given(
    M=st.integers(0, 6),
    S=st.sampled_from([1, 2, 28, 70]),
    layout=st.sampled_from(["C", "Fortran", "strided", "readonly"]),
    masked=st.booleans(),
    seed=st.integers(0, 99),
)
def test_backends_agree(backend, dtype, tolerance, M, S, layout, masked, seed):
    rng = np.random.default_rng(seed)
    z, dy = (8 * rng.normal(size=(2, M, S))).astype(dtype)
    may = rng.random((M, S)) > 0.3 if masked else None
    if layout == "Fortran":
        z, may = np.asfortranarray(z), None if may is None else np.asfortranarray(may)
    elif layout == "strided":
        z, dy = np.repeat(z, 2, axis=1)[:, ::2], np.repeat(dy, 2, axis=1)[:, ::2]
    elif layout == "readonly" and masked:
        may = np.broadcast_to(may[:1], may.shape)
    z.flags.writeable = layout != "readonly"
    kept = z.copy(), dy.copy()
    y = loops.softmax_forward(z, 0.5, may)
    found = backend.softmax_forward(z, 0.5, may)
    assert found.dtype == dtype and found.shape == z.shape
    np.testing.assert_allclose(found, y, rtol=0, atol=tolerance)
    found, dz = (b.softmax_backward(dy, y, 0.5) for b in (backend, loops))
    assert found.dtype == dtype and found.shape == z.shape
    np.testing.assert_allclose(found, dz, rtol=0, atol=10 * tolerance)
    np.testing.assert_array_equal(z, kept[0])
    np.testing.assert_array_equal(dy, kept[1])


@EVERY
def test_backward_is_the_derivative(backend):
    rng = np.random.default_rng(2)
    z, dy, may = *rng.normal(size=(2, 5, 4)), rng.random((5, 4)) > 0.3
    may[:, 0] = True

    def loss():
        return float((backend.softmax_forward(z, 0.7, may) * dy).sum())

    analytic = backend.softmax_backward(dy, backend.softmax_forward(z, 0.7, may), 0.7)
    assert relative_error(numeric_gradient(loss, z), analytic) < 1e-8


@EVERY
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_hidden_is_0_unless_all_of_a_row_is(backend, dtype):
    z = np.array([[1, 2, 1000], [3, 4, 5], [-1000, 0, -1000], [500, 500, -500]], dtype)
    may = np.array([[1, 1, 0], [0, 0, 0], [1, 1, 1], [1, 1, 1]], bool)
    y = backend.softmax_forward(z, 1.0, may)
    e = 1 / (1 + np.exp(-1.0))
    np.testing.assert_allclose(y, [[1 - e, e, 0], [1 / 3] * 3, [0, 1, 0], [0.5, 0.5, 0]], rtol=1e-6)
    assert y[0, 2] == y[2, 0] == y[3, 2] == 0


@EVERY
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_row_with_nan_is_nan_and_no_other_is(backend, dtype):
    z = np.zeros((3, 4), dtype)
    z[1, 2] = np.nan
    np.testing.assert_array_equal(np.isnan(backend.softmax_forward(z, 1.0)), [[False] * 4, [True] * 4, [False] * 4])


def test_powers_are_right_to_a_few_units_in_the_last_place():
    z = np.linspace(-90, 0, 4001, dtype="float32")[:, None] * np.array([1, 0], "float32")  # against 0
    exact = 1 / (1 + np.exp(-z[:, 0].astype("float64")))
    for name in FAST:
        found = operations(name).softmax_forward(z, 1.0)[:, 0]
        normal = z[:, 0] > -87
        np.testing.assert_allclose(found[normal], exact[normal], rtol=1e-6)
        np.testing.assert_allclose(found[~normal], 0, atol=1e-37)
