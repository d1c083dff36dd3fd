"""Scores of additive attention, compiled: the sums over tanh of the definition, and what goes back."""

import numpy as np
import pytest

pytest.importorskip("numba", reason="compiled kernels need Numba: pip install numba")

from scratchnet.kernels.with_numba import team
from scratchnet.kernels.with_numba.additive_scores import additive_scores_backward, additive_scores_forward

SHAPES = [(2, 3, 5, 4), (1, 1, 1, 1), (3, 2, 16, 7), (2, 5, 33, 20), (0, 3, 4, 5), (2, 0, 3, 4), (2, 3, 0, 4)]


def arrays(N, T, S, D, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype("float32") for shape in ((N, T, S), (N, T, D), (N, S, D), (D,))]


def in_double(dA, q, k, w):
    """``A, dq, dk, dw`` by the formulas."""
    dA, q, k, w = (a.astype("float64") for a in (dA, q, k, w))
    u = np.tanh(q[:, :, None] + k[:, None])
    dz = dA[..., None] * w * (1 - u * u)
    return u @ w, dz.sum(axis=2), dz.sum(axis=1), np.tensordot(dA, u, 3)


@pytest.mark.parametrize("shape", SHAPES)
def test_scores_and_what_goes_back(shape):
    dA, q, k, w = arrays(*shape)
    found = additive_scores_forward(q, k, w), *additive_scores_backward(dA, q, k, w)
    for array, expected in zip(found, in_double(dA, q, k, w)):
        assert array.dtype == np.float32 and array.flags.c_contiguous
        np.testing.assert_allclose(array, expected, rtol=1e-5, atol=1e-5)


def test_arrays_may_lie_in_any_way():
    dA, q, k, w = arrays(2, 3, 5, 4)
    lay_out = lambda a: np.asfortranarray(np.concatenate([a, a], axis=-1))[..., : a.shape[-1]]  # noqa: E731
    found = additive_scores_forward(lay_out(q), lay_out(k), w), *additive_scores_backward(*map(lay_out, (dA, q, k, w)))
    for array, expected in zip(found, (additive_scores_forward(q, k, w), *additive_scores_backward(dA, q, k, w))):
        np.testing.assert_array_equal(array, expected)


def test_large_numbers_and_nan():
    q, k = np.float32([[[1e30, 0], [0, np.nan]]]), np.float32([[[-10, 1e30], [0, -1e30]]])
    np.testing.assert_array_equal(additive_scores_forward(q, k, np.float32([2, 1])), [[[3, 1], [np.nan, np.nan]]])


def test_two_threads_find_the_same_bits():
    dA, q, k, w = arrays(5, 20, 40, 60)
    expected = additive_scores_forward(q, k, w), *additive_scores_backward(dA, q, k, w)
    if (helper := team.helper()) is None:
        pytest.skip("without the compiler there is no team")
    with helper:
        found = additive_scores_forward(q, k, w), *additive_scores_backward(dA, q, k, w)
    for array, right in zip(found, expected):
        np.testing.assert_array_equal(array, right)
