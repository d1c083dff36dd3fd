"""Correlations and powers are NumPy's."""

import numpy as np
import pytest

from scratchnet import ops

A, B = np.random.default_rng(0).normal(size=7), np.array([1.0, -2.0, 0.5, 3.0])


@pytest.mark.parametrize("mode", ["valid", "same", "full"])
def test_correlate(mode):
    for a, b in ((A, B), (B, A), (A, B[:3]), (B[:1], A), (A, A)):
        np.testing.assert_allclose(ops.correlate(a, b, mode), np.correlate(a, b, mode), atol=1e-14)


def test_correlate_knows_its_modes():
    with pytest.raises(ValueError, match="mode must be"):
        ops.correlate(A, B, "half")


def test_vander():
    for N in (None, 2, 6):
        for increasing in (False, True):
            np.testing.assert_allclose(ops.vander(B, N, increasing), np.vander(B, N, increasing))


def test_the_usual_arguments():
    np.testing.assert_array_equal(ops.correlate(A, B), ops.correlate(A, B, "valid"))
    assert ops.vander(B).shape == (4, 4) and ops.vander(B)[1, 0] == -8
