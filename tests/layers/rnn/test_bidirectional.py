"""Bidirectional: merges of a layer and its mirror image, states, masks, errors; Keras's values: tests/reference."""

import json

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer, check_parts
from scratchnet.layers import GRU, LSTM, Bidirectional, Dense, Input, Masking, SimpleRNN
from scratchnet.models import Model, Sequential

F64 = {"dtype": "float64"}
MERGES = {
    "concat": lambda a, b: np.concatenate([a, b], axis=-1),
    "sum": lambda a, b: a + b,
    "ave": lambda a, b: (a + b) / 2,
    "mul": lambda a, b: a * b,
}


@pytest.mark.parametrize("merge_mode", [*MERGES, None])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_the_second_layer_reads_the_sequence_from_its_end(merge_mode, return_sequences):
    layer = Bidirectional(SimpleRNN(2, return_sequences=return_sequences, **F64), merge_mode, **F64)
    x = np.random.default_rng(0).normal(size=(3, 5, 4))
    y = layer(x)
    a, b = layer.forward_layer(x), layer.backward_layer(x)
    b = b[:, ::-1] if return_sequences else b
    twin = SimpleRNN(2, return_sequences=return_sequences, **F64)
    twin.build(x.shape)
    twin.set_weights(layer.backward_layer.get_weights())
    flipped = twin(x[:, ::-1])
    np.testing.assert_array_equal(b, flipped[:, ::-1] if return_sequences else flipped)
    if merge_mode is None:
        for found, wanted in zip(y, (a, b)):
            np.testing.assert_array_equal(found, wanted)
    else:
        np.testing.assert_array_equal(y, MERGES[merge_mode](a, b))


@pytest.mark.parametrize("merge_mode", [*MERGES, None])
@pytest.mark.parametrize("options", [{}, {"return_sequences": True}, {"return_state": True}])
def test_gradients(merge_mode, options):
    rng = np.random.default_rng(1)
    layer = Bidirectional(LSTM(2, **options, **F64), merge_mode, **F64)
    check_layer(layer, rng.normal(size=(2, 4, 3))).raise_if_failed()


def test_gradients_of_initial_states_and_of_a_mask():
    rng = np.random.default_rng(2)
    x, h, other_h = rng.normal(size=(3, 4, 3)), *rng.normal(size=(2, 3, 2))
    layer = Bidirectional(GRU(2, return_sequences=True, return_state=True, **F64), **F64)
    mask = np.array([[1, 1, 0, 1], [0, 1, 1, 0], [0, 0, 0, 0]], bool)
    check_layer(layer, [x, h, other_h], mask=mask).raise_if_failed()
    np.testing.assert_array_equal(layer(x, initial_state=[h, other_h])[0], layer([x, h, other_h])[0])
    with pytest.raises(ValueError, match="an even number of them, got 1"):
        layer([x, h])


@pytest.mark.parametrize("merge_mode", ["concat", "mul", None])
@pytest.mark.parametrize("options", [{}, {"return_sequences": True, "return_state": True}])
def test_regularizers_of_the_outputs_of_both_layers_are_in_the_loss(merge_mode, options):
    layer = Bidirectional(LSTM(2, activity_regularizer="l2", **options, **F64), merge_mode, **F64)
    x = np.random.default_rng(1).normal(size=(4, 5, 3))
    check_layer(layer, x).raise_if_failed()
    layer(x)
    outputs = [y for one in (layer.forward_layer, layer.backward_layer) for y in _listed(one(x))]
    assert len(layer.losses) == len(outputs)
    assert sum(layer.losses) == pytest.approx(sum(0.01 * (y**2).sum() / 4 for y in outputs))
    check_parts(layer, x).raise_if_failed()


def test_a_regularizer_of_an_output_that_is_the_only_loss_is_trained_on():
    model = Model(x := Input((5, 3)), Bidirectional(LSTM(2, activity_regularizer="l2"))(x))
    model.compile("sgd", None)
    losses = model.fit(np.random.default_rng(1).normal(size=(8, 5, 3)), epochs=3, verbose=0).history["loss"]
    assert losses[0] > losses[1] > losses[2] > 0


def _listed(outputs):
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def test_missing_adjoints_count_as_zeros():
    rng = np.random.default_rng(3)
    layer = Bidirectional(GRU(2, return_state=True, **F64), None, **F64)
    layer.build((3, 4, 3))
    y, cache = layer.forward(rng.normal(size=(3, 4, 3)))
    dy = [rng.normal(size=part.shape) for part in y]
    for missing in ({0}, {1}, {0, 2}, {1, 3}):
        without = [None if k in missing else d for k, d in enumerate(dy)]
        zeros = [np.zeros_like(d) if k in missing else d for k, d in enumerate(dy)]
        (dx, grads), (wanted, wanted_grads) = layer.backward(without, cache), layer.backward(zeros, cache)
        np.testing.assert_array_equal(dx, wanted)
        for name in wanted_grads:
            np.testing.assert_array_equal(grads[name], wanted_grads[name])


def test_weights_are_those_of_both_layers_one_after_the_other():
    weights = [np.full(shape, k, "float32") for k, shape in enumerate([(3, 8), (2, 8), (8,)] * 2)]
    layer = Bidirectional(LSTM(2, name="mine"), weights=weights)
    layer.build((None, 5, 3))
    assert list(layer.params) == [
        f"{which}_layer/{name}" for which in ("forward", "backward") for name in ("kernel", "recurrent_kernel", "bias")
    ]
    assert [w.max() for w in layer.get_weights()] == list(range(6))
    assert (layer.forward_layer.name, layer.backward_layer.name) == ("forward_mine", "backward_mine")


def test_what_stands_in_a_model_is_saved_and_built_back(tmp_path):
    x = Input((4, 3))
    layer = Bidirectional(
        LSTM(2, return_sequences=True), backward_layer=GRU(2, return_sequences=True, go_backwards=True)
    )
    model = Model(x, Dense(1)(layer(Masking()(x))))
    values = np.random.default_rng(4).normal(size=(2, 4, 3)).astype("float32")
    again = type(model).from_config(json.loads(json.dumps(model.get_config())))
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(values, verbose=0), model.predict(values, verbose=0))
    assert isinstance(again.layers[-2].backward_layer, GRU) and again.layers[-2].backward_layer.go_backwards


def test_states_stay_in_both_directions():
    layer = Bidirectional(LSTM(2, stateful=True))
    x = np.random.default_rng(5).normal(size=(2, 4, 3)).astype("float32")
    first, second = layer(x), layer(x)
    assert not np.array_equal(first, second)
    layer.reset_state()
    np.testing.assert_array_equal(layer(x), first)


def test_it_trains_behind_a_mask():
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(16, 5, 3)).astype("float32"), rng.normal(size=(16, 1)).astype("float32")
    x[8:, 3:] = 0
    model = Sequential([Input((5, 3)), Masking(), Bidirectional(GRU(4)), Dense(1)])
    model.compile("adam", "mse")
    losses = model.fit(x, y, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_layers_that_do_not_fit_are_refused():
    with pytest.raises(TypeError, match='Bidirectional "mine": expected a recurrent layer, such as LSTM'):
        Bidirectional(Dense(2), name="mine")
    with pytest.raises(ValueError, match="merge_mode must be one of 'sum', 'mul', 'concat', 'ave', None, got 'max'"):
        Bidirectional(LSTM(2), merge_mode="max")
    with pytest.raises(ValueError, match="both layers have go_backwards=False"):
        Bidirectional(LSTM(2), backward_layer=LSTM(2))
    with pytest.raises(ValueError, match="the same return_sequences, got False and True"):
        Bidirectional(LSTM(2), backward_layer=LSTM(2, return_sequences=True, go_backwards=True))
    with pytest.raises(ValueError, match=r"'sum' needs outputs of one shape, got \(None, 2\) and \(None, 3\)"):
        Bidirectional(LSTM(2), "sum", backward_layer=LSTM(3, go_backwards=True)).build((None, 4, 3))
