"""Cells: each is one step of its layer."""

import json

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer
from scratchnet.layers import GRU, LSTM, GRUCell, Input, LSTMCell, SimpleRNN, SimpleRNNCell
from scratchnet.models import Model

F64 = {"dtype": "float64"}
EVERY_CELL = pytest.mark.parametrize(
    ("cls", "layer_class", "states"), [(SimpleRNNCell, SimpleRNN, 1), (GRUCell, GRU, 1), (LSTMCell, LSTM, 2)]
)


def made(cls, rng, D=4, **options):
    cell = cls(3, **options, **F64)
    cell.build((None, D))
    cell.set_weights([rng.normal(size=w.shape) for w in cell.get_weights()])
    return cell


@EVERY_CELL
def test_a_cell_is_one_step_of_its_layer(cls, layer_class, states):
    rng = np.random.default_rng(0)
    cell, layer = made(cls, rng), layer_class(3, return_state=True, **F64)
    x, given = rng.normal(size=(2, 4)), [rng.normal(size=(2, 3)) for _ in range(states)]
    layer.build((None, None, 4))
    layer.set_weights(cell.get_weights())
    y, new_states = cell(x, given)
    wanted, *wanted_states = layer([x[:, None], *given])
    for found, expected in zip([y, *new_states], [wanted, *wanted_states]):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)
    assert list(cell.params) == list(layer.params) and cell.output_size == 3


@EVERY_CELL
@pytest.mark.parametrize("options", [{}, {"use_bias": False}, {"dropout": 0.3, "recurrent_dropout": 0.3, "seed": 1}])
def test_gradients(cls, layer_class, states, options):
    rng = np.random.default_rng(1)
    cell = made(cls, rng, **options)
    check_layer(
        cell, [rng.normal(size=(2, 4)), *(rng.normal(size=(2, 3)) for _ in range(states))], training=True
    ).raise_if_failed()


def test_gradients_of_the_gru_that_resets_before_the_product():
    rng = np.random.default_rng(2)
    cell = made(GRUCell, rng, reset_after=False)
    check_layer(cell, [rng.normal(size=(2, 4)), rng.normal(size=(2, 3))]).raise_if_failed()


@EVERY_CELL
def test_states_are_taken_and_given_as_keras_does(cls, layer_class, states):
    cell = made(cls, np.random.default_rng(3))
    first = cell.get_initial_state(batch_size=2)
    assert [state.shape for state in first] == [(2, 3)] * states
    assert cell.state_size == (3 if states == 1 else [3, 3])
    y, new_states = cell(np.ones((2, 4)), first)
    assert isinstance(new_states, list) and len(new_states) == states
    np.testing.assert_array_equal(new_states[0], y)
    if states == 1:
        np.testing.assert_array_equal(cell(np.ones((2, 4)), first[0])[1], y)  # one state without a list


@EVERY_CELL
def test_the_same_masks_may_be_used_at_every_step(cls, layer_class, states):
    cell = made(cls, np.random.default_rng(4), dropout=0.5, recurrent_dropout=0.5)
    values = [np.ones((2, 4)), *cell.get_initial_state(2)]
    drops = cell.draw_masks(2)
    once, again = (cell.forward(values, training=True, drops=drops)[0][0] for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(cell.forward(values, training=True)[0][0], once)


@EVERY_CELL
def test_a_cell_stands_in_a_model(cls, layer_class, states):
    x, given = Input((4,)), [Input((3,)) for _ in range(states)]
    y, new_states = cls(3)(x, given)
    model = Model([x, *given], [y, *new_states])
    again = Model.from_config(json.loads(json.dumps(model.get_config())))
    again.set_weights(model.get_weights())
    values = [np.ones((2, 4), "float32"), *(np.ones((2, 3), "float32") for _ in range(states))]
    for found, wanted in zip(again.predict(values, verbose=0), model.predict(values, verbose=0)):
        np.testing.assert_array_equal(found, wanted)


@EVERY_CELL
def test_inputs_that_do_not_fit_are_refused(cls, layer_class, states):
    cell = made(cls, np.random.default_rng(5), name="mine")
    names = ", ".join(cell.state_names)
    with pytest.raises(ValueError, match=f'{cls.__name__} "mine": expected \\[x, {names}\\]'):
        cell(np.ones((2, 4)))
    with pytest.raises(ValueError, match=f'{cls.__name__} "mine": expected an input of shape \\(N, 3\\)'):
        cell(np.ones((2, 4)), [np.ones((2, 5))] * states)
    with pytest.raises(ValueError, match="the last axis of its input must have a size"):
        cls(3).build((None, None))
