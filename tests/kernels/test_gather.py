"""Rows from a table, and back to it: every backend adds those that name the same row."""

import numpy as np
import pytest

from scratchnet import kernels

BACKENDS = ["loops", "numpy", *["numba"] * kernels.numba_is_installed()]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_of_a_table_in_any_layout(backend, dtype):
    take_rows = kernels.operations(backend).take_rows
    W, index = np.random.default_rng(0).standard_normal((7, 5)).astype(dtype), np.array([6, 0, 0, 3])
    for table in (W, np.asfortranarray(W), W[::-1], np.repeat(W, 2, axis=1)[:, ::2]):
        for places in (index, np.repeat(index, 2)[::2], index[:0]):
            np.testing.assert_array_equal(take_rows(table, places), table[places])
            assert take_rows(table, places).dtype == dtype


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_of_the_same_index_add_up(backend, dtype):
    dy = np.arange(15, dtype=dtype).reshape(5, 3)
    dW = kernels.operations(backend).add_rows(dy, np.array([2, 0, 2, 3, 2]), 5)
    assert dW.dtype == dtype
    np.testing.assert_array_equal(dW, [dy[1], 0 * dy[0], dy[0] + dy[2] + dy[4], dy[3], 0 * dy[0]])


@pytest.mark.parametrize("backend", BACKENDS)
def test_any_layout_and_no_rows_at_all(backend):
    add_rows = kernels.operations(backend).add_rows
    dy = np.random.default_rng(0).standard_normal((3, 8))[:, ::2].T  # (4, 3)
    index = np.arange(8)[::2] % 3
    expected = np.zeros((3, 3))
    np.add.at(expected, index, dy)
    np.testing.assert_allclose(add_rows(dy, index, 3), expected, rtol=1e-14)
    assert (add_rows(np.ones((0, 3)), np.zeros(0, int), 2) == 0).all()


@pytest.mark.skipif(not kernels.numba_is_installed(), reason="of the compiled kernels")
@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-6), ("float64", 1e-15)])
@pytest.mark.parametrize("T", [1, 5, 200])
def test_the_mean_of_rows_and_its_adjoint_are_those_of_the_rows_one_by_one(T, dtype, tolerance):
    numba, rng = kernels.operations("numba"), np.random.default_rng(T)
    W, dy, index = (
        rng.normal(size=(9, 6)).astype(dtype),
        rng.normal(size=(4, 6)).astype(dtype),
        rng.integers(0, 9, (4, T)),
    )
    y, dW = numba.mean_of_rows(np.asfortranarray(W), index.T.copy().T), numba.add_mean_rows(dy[::-1], index[::-1], 9)
    expected = np.zeros((9, 6))
    np.add.at(expected, index, dy[:, None] / T)
    assert y.dtype == dW.dtype == dtype
    np.testing.assert_allclose(y, W[index].mean(axis=1), rtol=0, atol=10 * tolerance)
    np.testing.assert_allclose(dW, expected, rtol=0, atol=10 * tolerance)


@pytest.mark.skipif(not kernels.numba_is_installed(), reason="of the compiled kernels")
def test_of_a_text_without_words_there_is_no_mean_and_no_gradient():
    numba, W, nothing = kernels.operations("numba"), np.ones((3, 2)), np.zeros((4, 0), int)
    with np.errstate(invalid="ignore", divide="ignore"):  # the compiled code as plain Python says it
        y, dW = numba.mean_of_rows(W, nothing), numba.add_mean_rows(np.ones((4, 2)), nothing, 3)
    np.testing.assert_array_equal(y, np.full((4, 2), np.nan))
    np.testing.assert_array_equal(dW, np.zeros((3, 2)))
