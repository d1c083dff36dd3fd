"""RepeatVector: a view forward, a sum over time backward."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.graph.symbolic import KerasTensor
from scratchnet.layers import Input
from scratchnet.layers.reshaping.repeat_vector import RepeatVector
from scratchnet.layers.rnn.lstm import LSTM
from scratchnet.models import Model


@given(N=st.integers(1, 4), T=st.integers(1, 5), D=st.integers(1, 4), seed=st.integers(0, 1000))
def test_forward_repeats_and_backward_is_its_adjoint(N, T, D, seed):
    rng = np.random.default_rng(seed)
    layer = RepeatVector(T)
    layer.ensure_built((None, D))
    x, dy = rng.normal(size=(N, D)), rng.normal(size=(N, T, D))
    y, cache = layer.forward(x)
    np.testing.assert_array_equal(y, np.stack([x] * T, axis=1))
    dx, grads = layer.backward(dy, cache)
    assert grads == {} and dx.shape == x.shape
    assert abs(np.sum(y * dy) - np.sum(x * dx)) < 1e-12 * max(1, np.sum(np.abs(y * dy)))


def test_output_is_a_view_that_cannot_be_written():
    layer, x = RepeatVector(5), np.ones((2, 3), np.float32)
    y, _ = layer.forward(x)
    assert y.strides[1] == 0 and np.shares_memory(x, y) and not y.flags.writeable and y.dtype == np.float32
    assert layer.backward(np.ones_like(y), None)[0].dtype == np.float32


def test_gradient_arrives_through_a_recurrent_layer():
    rng = np.random.default_rng(0)
    repeat, lstm = RepeatVector(4), LSTM(3, return_sequences=True, dtype="float64")
    x, dy = rng.normal(size=(2, 5)), rng.normal(size=(2, 4, 3))
    repeat.ensure_built(x.shape)
    lstm.ensure_built((2, 4, 5))
    (steps, cache), direction = repeat.forward(x), rng.normal(size=x.shape)
    dx = repeat.backward(lstm.backward(dy, lstm.forward(steps)[1])[0], cache)[0]

    def loss(x):
        return np.sum(lstm.forward(repeat.forward(x)[0])[0] * dy)

    numeric = (loss(x + 1e-5 * direction) - loss(x - 1e-5 * direction)) / 2e-5
    assert abs(numeric - np.sum(dx * direction)) < 1e-8


def test_shapes_configuration_and_errors():
    layer = RepeatVector(5, name="mine")
    assert layer(KerasTensor((None, 3), "float32", "x")).shape == (None, 5, 3)
    assert RepeatVector.from_config(layer.get_config()).n == 5
    with pytest.raises(ValueError, match='RepeatVector "mine": expected an input of shape .*got 3 axes'):
        layer(np.zeros((2, 3, 4)))
    for n in (0, -1, True):
        with pytest.raises(ValueError, match="n must be a positive integer"):
            RepeatVector(n)


@pytest.mark.parametrize("go_backwards", [False, True])
def test_a_model_tells_a_recurrent_layer_behind_it_that_its_steps_are_equal(go_backwards, monkeypatch):
    told, forward = [], LSTM.forward
    monkeypatch.setattr(LSTM, "forward", lambda self, x, **options: told.append(options) or forward(self, x, **options))
    x = Input((3,), dtype="float64")
    repeated = RepeatVector(5)(x)
    lstm = LSTM(2, go_backwards=go_backwards, dtype="float64")
    alone, read_twice = Model(x, lstm(repeated)), Model(x, [lstm(repeated), repeated])
    vectors, dy = np.random.default_rng(0).normal(size=(4, 3)), np.ones((4, 2))
    (y, cache), ((wanted, _), wanted_cache) = alone.forward(vectors), read_twice.forward(vectors)
    assert [options.get("repeat") for options in told] == [5, None]
    np.testing.assert_allclose(y, wanted, rtol=0, atol=1e-14)
    (dx, grads), (wanted_dx, wanted_grads) = alone.backward(dy, cache), read_twice.backward([dy, None], wanted_cache)
    np.testing.assert_allclose(dx, wanted_dx, rtol=0, atol=1e-14)
    for name in grads:
        np.testing.assert_allclose(grads[name], wanted_grads[name], rtol=0, atol=1e-14)


@pytest.mark.parametrize("n", ["3", 1.5, None])
def test_the_number_of_steps_is_an_integer(n):
    with pytest.raises(TypeError, match=f"n must be an integer, got {n!r}"):
        RepeatVector(n)
