"""Scaled dot products by two threads, or some queries at a time: the same bits."""

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from scratchnet.kernels.with_numba import attention, team  # noqa: E402
from scratchnet.kernels.with_numba.tile import VECTOR_BYTES  # noqa: E402
from tests.kernels.test_attention import arrays, masks  # noqa: E402

needs_compiler = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="a helper needs compiled code")


def attend(q, k, v, dy):
    y, PT = attention.attention_forward(q, k, v, 0.25)
    return y, PT, *attention.attention_backward(dy, q, k, v, PT, 0.25)


def attend_alone(q, k, v, may=None):
    y, PT = attention.attention_forward(q, k, v, 0.25, may, keeps=False)
    assert PT is None
    return y


def attend_again(q, k, v, dy, may=None, blind_sees_nothing=False):
    return attention.attention_backward(dy, q, k, v, None, 0.25, may, blind_sees_nothing)


@needs_compiler
def test_a_team_has_the_same_bits():
    given = arrays(9, 30, 31, 4, 16, 16, "float32")
    alone = *attend(*given), attend_alone(*given[:3]), *attend_again(*given)
    with team.helper() as helper:
        helper.wake()
        together = *attend(*given), attend_alone(*given[:3]), *attend_again(*given)
    for a, b in zip(alone, together):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("sizes", [(2, 70, 31, 2, 16, 8), (1, 3, 5, 2, 3, 4), (0, 3, 2, 2, 4, 4), (2, 0, 3, 2, 4, 4)])
@pytest.mark.parametrize("cache", [1 << 12, 1 << 18])
def test_no_bit_depends_on_how_many_queries_look_at_a_time(monkeypatch, sizes, cache):
    monkeypatch.setattr(attention, "_CACHE", cache)
    q, k, v, _ = arrays(*sizes, "float32")
    for _, may in [("everything", None), *masks(*sizes[:4])]:
        expected, _ = attention.attention_forward(q, k, v, 0.25, may)
        np.testing.assert_array_equal(attend_alone(q, k, v, may), expected)


@pytest.mark.parametrize("sizes", [(2, 70, 31, 2, 16, 8), (1, 3, 5, 2, 3, 4), (0, 3, 2, 2, 4, 4), (2, 0, 3, 2, 4, 4)])
@pytest.mark.parametrize("cache", [1 << 12, 1 << 18])
@pytest.mark.parametrize("blind_sees_nothing", [True, False])
def test_scores_that_are_computed_again_have_the_same_adjoints(monkeypatch, sizes, cache, blind_sees_nothing):
    monkeypatch.setattr(attention, "_CACHE", cache)
    q, k, v, dy = arrays(*sizes, "float32")
    for name, may in [("everything", None), *masks(*sizes[:4])]:
        _, PT = attention.attention_forward(q, k, v, 0.25, may, blind_sees_nothing)
        expected = attention.attention_backward(dy, q, k, v, PT, 0.25, may)
        for found, want in zip(attend_again(q, k, v, dy, may, blind_sees_nothing), expected, strict=True):
            np.testing.assert_allclose(found, want, rtol=0, atol=2e-6, err_msg=name)


@pytest.mark.parametrize("T, S", [(1, 1), (28, 28), (512, 512), (300, 1000), (1000, 300), (7, 1 << 20)])
def test_as_many_queries_look_at_a_time_as_the_cache_has_room_for(T, S):
    lanes = VECTOR_BYTES // 4
    columns = attention.queries_at_a_time(T, S, np.empty(0, "float32"))
    assert columns % lanes == 0 and columns < T + lanes
    assert columns == lanes or (columns - lanes) * S * 4 < attention._CACHE
    assert -(-T // columns) * columns < T + -(-T // columns) * lanes  # none of them is nearly empty
