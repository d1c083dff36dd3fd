"""Minimal filtering along sequences: the same numbers as by windows, when it is chosen, and the bits of a team."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

numba = pytest.importorskip("numba")

from scratchnet.gradient_check import check_layer  # noqa: E402
from scratchnet.kernels import operations, using_backend  # noqa: E402
from scratchnet.kernels.with_numba import sequences, team  # noqa: E402
from scratchnet.layers import Conv1D  # noqa: E402

with_numba, with_numpy = operations("numba"), operations("numpy")
ONE = (1, 1)


def made(seed, N, T, C, F, K, before, after, dtype="float64"):
    rng = np.random.default_rng(seed)
    x, dy = rng.normal(size=(N, T, 1, C)), rng.normal(size=(N, T + before + after - K + 1, 1, F))
    kernel, bias = rng.normal(size=(K, 1, C, F)), rng.normal(size=F)
    return [array.astype(dtype) for array in (x, kernel, bias, dy)]


def by_windows(x, kernel, bias, padding, relu):
    z = with_numpy.conv2d_forward(x, kernel, bias, ONE, padding, ONE)
    return np.maximum(z, 0) if relu else z


def check(found, expected, dtype):
    scale = max(np.abs(expected).max(initial=0), 1)
    assert found.dtype == dtype and found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=scale * (1e-12 if dtype == "float64" else 1e-5))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(
    st.integers(0, 1000),
    st.integers(0, 5),
    st.integers(5, 14),
    st.integers(1, 6),
    st.integers(1, 6),
    st.sampled_from([(3, 1, 1), (3, 2, 0), (4, 1, 2), (4, 0, 0), (5, 2, 2), (5, 0, 4), (5, 0, 0)]),  # K and padding
    st.booleans(),
    st.booleans(),
    st.sampled_from([1, 1 << 20]),  # room for one sequence at a time, or for all
)
def test_it_is_the_convolution_and_its_derivatives(dtype, seed, N, T, C, F, window, relu, needs_dx, cache):
    x, kernel, bias, dy = made(seed, N, T, C, F, *window, dtype)
    padding = window[1:], (0, 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sequences, "_CACHE", cache)
        y = sequences.conv2d_forward(x, kernel, bias, padding, relu)
        check(y, by_windows(x, kernel, bias, padding, relu), dtype)
        given = dy.copy()
        dx, dkernel, dbias = sequences.conv2d_backward(dy, x, kernel, padding, needs_dx, relu, y)
    np.testing.assert_array_equal(dy, given)
    dz, geometry = dy * (y > 0) if relu else dy, (ONE, padding, ONE)
    check(dkernel, with_numpy.conv2d_dkernel(dz, x, kernel.shape, *geometry), dtype)
    check(dbias, dz.sum((0, 1, 2)), dtype)
    if needs_dx:
        check(dx, with_numpy.conv2d_dx(dz, kernel, x.shape, *geometry), dtype)
    else:
        assert dx is None


def test_more_channels_and_filters_than_fill_a_block_of_columns():
    x, kernel, bias, dy = made(1, 2, 9, 37, 41, 3, 1, 1)
    padding = (1, 1), (0, 0)
    y = sequences.conv2d_forward(x, kernel, bias, padding, False)
    check(y, by_windows(x, kernel, bias, padding, False), "float64")
    dx, dkernel, _ = sequences.conv2d_backward(dy, x, kernel, padding, True, False, y)
    check(dx, with_numpy.conv2d_dx(dy, kernel, x.shape, ONE, padding, ONE), "float64")
    check(dkernel, with_numpy.conv2d_dkernel(dy, x, kernel.shape, ONE, padding, ONE), "float64")


def applies(T=20, W=1, C=20, F=20, K=5, KW=1, strides=ONE, padding=((2, 2), (0, 0)), dilation=ONE):
    OT = T + sum(padding[0]) - K + 1
    return sequences.applies((2, T, W, C), (K, KW, C, F), strides, padding, dilation, (OT, W))


def test_it_is_chosen_where_it_is_quicker():
    assert applies() and applies(K=3, C=32, F=32) and applies(K=4, C=24, F=99, padding=((3, 0), (0, 0)))
    others = [
        {"K": 2, "C": 60, "F": 60},
        {"K": 6},
        {"C": 19},
        {"F": 19},
        {"K": 3},
        {"T": 7},
        {"W": 2},
        {"KW": 2},
        {"padding": ((5, 0), (0, 0))},
    ]
    others += [{"padding": ((2, 2), (1, 0))}, {"strides": (2, 1)}, {"dilation": (2, 1)}, {"padding": ((-1, 2), (0, 0))}]
    for other in others:
        assert not applies(**other), other


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("padding", ["same", "valid", "causal"])
def test_the_layer_has_right_gradients(padding, activation, monkeypatch):
    monkeypatch.setattr(sequences, "is_filter_of_sequences", lambda *given: True)
    called, forward = [], sequences.conv2d_forward
    monkeypatch.setattr(sequences, "conv2d_forward", lambda *given: called.append(given) or forward(*given))
    with using_backend("numba"):
        layer = Conv1D(3, 5, padding=padding, activation=activation, dtype="float64")
        check_layer(layer, np.random.default_rng(4).normal(size=(2, 13, 2))).raise_if_failed()
    assert called


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="a helper needs compiled code")
def test_a_team_has_the_same_bits():
    x, kernel, bias, dy = made(3, 37, 30, 32, 16, 5, 2, 2, "float32")
    padding = (2, 2), (0, 0)

    def computed():
        y = sequences.conv2d_forward(x, kernel, bias, padding, True)
        return y, *sequences.conv2d_backward(dy, x, kernel, padding, True, True, y)

    alone = computed()
    with team.helper() as helper:
        helper.wake()
        together = computed()
    for a, b in zip(alone, together):
        np.testing.assert_array_equal(a, b)
