"""Sums of products of two arrays: the same as `numpy.einsum`, whichever way they are computed."""

import numpy as np
import pytest

from scratchnet.ops.contraction import contract


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize(
    "equation",
    ["ab,bc->ac", "ab,cb->ca", "abc,cde->aebd", "a,b->ba", "ab,ab->ab", "ab,b->a", "abc,adc->abd", "ab,ba->",
     "abcd,bde->eca", "ab,cd->ad", "aab,bc->abc"],
)  # fmt: skip
def test_it_is_einsum(equation, dtype):
    sizes = dict(zip("abcde", (3, 3, 2, 5, 4)))
    terms, z = equation.split("->")
    a, b = terms.split(",")
    rng = np.random.default_rng(0)
    x1, x2 = (rng.integers(-4, 5, [sizes[c] for c in term]).astype(dtype) for term in (a, b))
    found = contract(a, b, z, x1, x2)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, np.einsum(equation, x1, x2))


def test_axes_of_size_1_are_broadcast():
    a, b = np.ones((2, 1), np.float32), np.arange(12, dtype=np.float32).reshape(3, 4)
    np.testing.assert_array_equal(contract("ab", "bc", "ac", a, b), np.einsum("ab,bc->ac", a, b))
