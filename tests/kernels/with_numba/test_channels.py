"""What is scaled by channels is what NumPy makes of it."""

import numpy as np
import pytest

pytest.importorskip("numba")

from scratchnet.kernels.with_numba import channels  # noqa: E402


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "N, M, C", [(1, 1, 1), (3, 7, 2), (2, 600, 3), (5, 40, 64), (2, 3, 2000), (0, 4, 3), (2, 0, 3)]
)
def test_each_channel_of_a_sample_has_a_factor(N, M, C, dtype):
    rng = np.random.default_rng(0)
    x, factors = rng.normal(size=(N, M, C)).astype(dtype), rng.normal(size=(N, C)).astype(dtype)
    y = channels.scale_channels(x, factors)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, x * factors[:, None])


def test_arrays_may_lie_in_memory_as_they_like():
    rng = np.random.default_rng(1)
    x, factors = rng.normal(size=(4, 3, 5)), rng.normal(size=(5, 3))
    turned, spread = x.transpose(1, 2, 0), factors.T[:, :4]
    np.testing.assert_array_equal(channels.scale_channels(turned, spread), turned * spread[:, None])
