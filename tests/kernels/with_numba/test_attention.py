"""Scaled dot products by two threads: the bits of one."""

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from scratchnet.kernels.with_numba import attention, team  # noqa: E402
from tests.kernels.test_attention import arrays  # noqa: E402

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="a helper needs compiled code")


def attend(q, k, v, dy):
    y, PT = attention.attention_forward(q, k, v, 0.25)
    return y, PT, *attention.attention_backward(dy, q, k, v, PT, 0.25)


def test_a_team_has_the_same_bits():
    given = arrays(9, 30, 31, 4, 16, 16, "float32")
    alone = attend(*given)
    with team.helper() as helper:
        helper.wake()
        together = attend(*given)
    for a, b in zip(alone, together):
        np.testing.assert_array_equal(a, b)
