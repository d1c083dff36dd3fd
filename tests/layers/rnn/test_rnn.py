"""RNN: a layer of any cell, the library's, stacked ones, and one's own."""

import json

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer
from scratchnet.layers import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Dense,
    GRUCell,
    Input,
    Layer,
    LSTMCell,
    SimpleRNN,
    SimpleRNNCell,
    StackedRNNCells,
)
from scratchnet.models import Sequential

F64 = {"dtype": "float64"}
PAIRS = [(SimpleRNNCell, SimpleRNN, 1), (GRUCell, GRU, 1), (LSTMCell, LSTM, 2)]
MASK = np.array([[1, 0, 1, 1, 0], [0, 1, 1, 0, 0], [0, 0, 0, 0, 0]], bool)


class Mixing(Layer):
    """The cell of Keras's own example."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="uniform", name="kernel")
        self.mixing = self.add_weight(shape=(self.units, self.units), initializer="uniform", name="mixing")

    def call(self, inputs, states):
        output = inputs @ self.kernel + states[0] @ self.mixing
        return output, [output]


def as_list(values):
    return values if isinstance(values, list) else [values]


@pytest.mark.parametrize(("cell_class", "layer_class", "states"), PAIRS)
@pytest.mark.parametrize("mask", [None, MASK], ids=["all steps", "masked"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"return_sequences": True, "return_state": True},
        {"go_backwards": True, "return_sequences": True},
        {"return_sequences": True, "zero_output_for_mask": True},
    ],
)
def test_with_a_cell_of_a_layer_it_is_that_layer(cell_class, layer_class, states, mask, options):
    rng = np.random.default_rng(0)
    rnn, layer = RNN(cell_class(2, **F64), **options, **F64), layer_class(2, **options, **F64)
    x, given = rng.normal(size=(3, 5, 4)), [rng.normal(size=(3, 2)) for _ in range(states)]
    rnn.build([x.shape, *[(3, 2)] * states])
    layer.build(x.shape)
    layer.set_weights(rnn.get_weights())
    (y, cache), (wanted, wanted_cache) = (
        which.forward([x, *given], **({} if mask is None else {"mask": mask})) for which in (rnn, layer)
    )
    dy = [rng.normal(size=part.shape) for part in as_list(wanted)]
    dy = dy if isinstance(wanted, list) else dy[0]
    (dx, grads), (wanted_dx, wanted_grads) = rnn.backward(dy, cache), layer.backward(dy, wanted_cache)
    for found, expected in zip([*as_list(y), *dx], [*as_list(wanted), *wanted_dx]):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
    for name, expected in wanted_grads.items():
        np.testing.assert_allclose(grads[f"cell/{name}"], expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("options", [{}, {"return_sequences": True}, {"go_backwards": True, "return_state": True}])
def test_gradients_with_a_cell_of_ones_own(options):
    rng = np.random.default_rng(1)
    layer = RNN(Mixing(3, **F64), **options, **F64)
    check_layer(layer, rng.normal(size=(3, 5, 2)), mask=MASK).raise_if_failed()


def test_gradients_of_stacked_cells_with_dropout():
    rng = np.random.default_rng(2)
    cells = [
        LSTMCell(3, dropout=0.3, seed=1, **F64),
        Mixing(2, **F64),
        GRUCell(2, recurrent_dropout=0.4, seed=2, **F64),
    ]
    layer = RNN(cells, return_state=True, **F64)
    check_layer(layer, rng.normal(size=(2, 4, 3)), training=True).raise_if_failed()
    y, lstm_states, mixing_state, gru_state = layer(rng.normal(size=(2, 4, 3)))  # cell by cell, as in Keras
    assert [state.shape for state in lstm_states] == [(2, 3), (2, 3)]
    assert y.shape == mixing_state.shape == gru_state.shape == (2, 2)
    again = layer(rng.normal(size=(2, 4, 3)), initial_state=[lstm_states, mixing_state, gru_state])
    assert len(again) == 4


def test_stacked_cells_are_layers_one_behind_the_other():
    rng = np.random.default_rng(3)
    rnn = RNN([LSTMCell(3, **F64), GRUCell(2, **F64)], **F64)
    x = rng.normal(size=(2, 4, 3))
    y = rnn(x)
    first, second = LSTM(3, return_sequences=True, **F64), GRU(2, **F64)
    second(first(x))
    weights = rnn.get_weights()
    first.set_weights(weights[:3])
    second.set_weights(weights[3:])
    np.testing.assert_allclose(y, second(first(x)), rtol=0, atol=1e-14)
    cell = rnn.cell
    states = cell.get_initial_state(2)
    _, new_states = cell(x[:, 0], states)
    assert [[state.shape for state in own] for own in new_states] == [[(2, 3), (2, 3)], [(2, 2)]]


class Stepwise(StackedRNNCells):
    """A stack of one's own: what it does at a step may be anything, so it is done step by step."""


@pytest.mark.parametrize("mask", [None, MASK], ids=["all steps", "masked"])
@pytest.mark.parametrize("training", [False, True], ids=["in use", "in training"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"return_sequences": True, "return_state": True},
        {"go_backwards": True, "return_sequences": True, "zero_output_for_mask": True},
        {"go_backwards": True, "return_state": True},
    ],
)
def test_with_stacked_cells_it_computes_what_it_would_step_by_step(options, training, mask):
    def made(stack):
        inner = stack([GRUCell(2, recurrent_dropout=0.4, seed=1, **F64), SimpleRNNCell(4, dropout=0.3, seed=2, **F64)])
        return RNN(stack([LSTMCell(3, dropout=0.3, recurrent_dropout=0.3, seed=3, **F64), inner]), **options, **F64)

    rng, at_once, step_by_step = np.random.default_rng(6), made(StackedRNNCells), made(Stepwise)
    x, given = rng.normal(size=(3, 5, 2)), [rng.normal(size=(3, size)) for size in (3, 3, 2, 4)]
    for rnn in (at_once, step_by_step):
        rnn.build([x.shape, *(state.shape for state in given)])
    step_by_step.set_weights(at_once.get_weights())
    results = []
    for rnn in (at_once, step_by_step):
        y, cache = rnn.forward([x, *given], training=training, mask=mask)
        dy = [np.cos(np.arange(part.size)).reshape(part.shape) for part in as_list(y)]
        dx, grads = rnn.backward(dy if isinstance(y, list) else dy[0], cache)
        frozen_dx, same_grads = rnn.backward(dy if isinstance(y, list) else dy[0], cache, needs_dx=False)
        assert frozen_dx is None and list(same_grads) == list(grads)
        results.append([*as_list(y), *dx, *(grads[name] for name in rnn.params)])
    for found, expected in zip(*results, strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


def test_its_cell_is_taken_as_it_is_when_it_is_used():
    rng = np.random.default_rng(7)
    cell, layer = LSTMCell(3, **F64), LSTM(3, **F64)
    rnn, x = RNN(cell, **F64), rng.normal(size=(2, 4, 3))
    before = rnn(x)
    cell.set_weights([rng.normal(size=weight.shape) for weight in cell.get_weights()])
    layer.build(x.shape)
    layer.set_weights(cell.get_weights())
    np.testing.assert_array_equal(rnn(x), layer(x))
    cell.params["bias"] += 1
    layer.params["bias"] += 1
    np.testing.assert_array_equal(rnn(x), layer(x))
    assert not np.allclose(rnn(x), before)
    cell.trainable = False
    assert rnn.backward(np.ones((2, 3)), rnn.forward(x)[1])[1] == {}


@pytest.mark.parametrize("stacked", [False, True])
def test_whoever_looks_at_a_cell_sees_every_step(stacked, monkeypatch):
    cell, seen = GRUCell(3), []
    rnn, x = RNN([cell] if stacked else cell), np.ones((2, 5, 3), "float32")
    expected = rnn(x)
    written = rnn.cell.forward
    monkeypatch.setattr(rnn.cell, "forward", lambda *args, **options: seen.append(args) or written(*args, **options))
    np.testing.assert_allclose(rnn(x), expected, rtol=1e-6)
    assert len(seen) == 5


def test_it_is_trained_saved_and_built_back():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(16, 5, 3)).astype("float32"), rng.normal(size=(16, 1)).astype("float32")
    model = Sequential([Input((5, 3)), Bidirectional(RNN(LSTMCell(3))), Dense(1)])
    model.compile("adam", "mse")
    losses = model.fit(x, y, epochs=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    again = Sequential.from_config(json.loads(json.dumps(model.get_config())))
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_states_stay_until_they_are_reset():
    layer = RNN(GRUCell(2), stateful=True)
    x = np.ones((2, 3, 2), "float32")
    first, second = layer(x), layer(x)
    assert not np.array_equal(first, second)
    layer.reset_state()
    np.testing.assert_array_equal(layer(x), first)
    with pytest.raises(ValueError, match="as many samples as the one before, 2, not 3"):
        layer(np.ones((3, 3, 2), "float32"))


def test_what_is_no_cell_is_refused():
    with pytest.raises(TypeError, match='RNN "mine": expected a cell'):
        RNN(Dense(2), name="mine")
    with pytest.raises(TypeError, match="expected cells"):
        RNN([LSTMCell(2), Dense(2)])
    with pytest.raises(ValueError, match='RNN "mine": expected a sequence'):
        RNN(LSTMCell(2), name="mine").build((None, 3))
    with pytest.raises(ValueError, match="expected 2 initial states, got 1"):
        RNN(LSTMCell(2)).build([(None, 4, 3), (None, 2)])
