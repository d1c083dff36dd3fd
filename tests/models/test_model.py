"""The functional Model: graphs of layers, shared layers, several inputs and outputs, models as layers."""

import threading

import numpy as np
import pytest

from scratchnet.layers import (
    LSTM,
    Add,
    BatchNormalization,
    Concatenate,
    Dense,
    Embedding,
    Flatten,
    Identity,
    Input,
    Masking,
    RepeatVector,
    Reshape,
    TimeDistributed,
)
from scratchnet.models import Model, Sequential, clone_model, model_from_json


def two_headed():
    a, b = Input((3,), name="a"), Input((2,), name="b")
    h = Concatenate()([Dense(4, activation="relu")(a), Dense(4, activation="relu")(b)])
    return Model({"a": a, "b": b}, {"p": Dense(2, activation="softmax", name="p_layer")(h), "q": Dense(1)(h)})


def test_a_layer_that_is_called_twice_has_one_set_of_weights_and_gets_both_gradients():
    shared = Dense(2, dtype="float64")
    a, b = Input((3,)), Input((3,))
    model = Model([a, b], Add()([shared(a), shared(b)]))
    assert list(model.params) == [f"{shared.name}/kernel", f"{shared.name}/bias"]
    xa, xb, dy = np.random.default_rng(0).standard_normal((3, 4, 3))
    dy = dy[:, :2]
    _, cache = model.forward([xa, xb])
    _, grads = model.backward(dy, cache)
    np.testing.assert_allclose(grads[f"{shared.name}/kernel"], xa.T @ dy + xb.T @ dy)


def test_a_tensor_that_is_read_twice_receives_both_adjoints():
    x = Input((2,))
    model = Model(x, Add()([x, x]))
    values = np.ones((1, 2))
    y, cache = model.forward(values)
    dx, grads = model.backward(np.array([[1.0, 2.0]]), cache)
    np.testing.assert_array_equal(y, 2 * values)
    np.testing.assert_array_equal(dx, [[2.0, 4.0]])
    assert grads == {}


def test_autoencoder_encoder_and_decoder_share_their_weights():
    image = Input((4,))
    encoder = Model(image, Dense(2)(image), name="encoder")
    code = Input((2,))
    decoder = Model(code, Dense(4)(code), name="decoder")
    autoencoder = Sequential([Input((4,)), encoder, decoder])
    autoencoder.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
    before = encoder.get_weights()[0]
    autoencoder.fit(x, x, epochs=1, verbose=0)
    assert not np.array_equal(before, encoder.get_weights()[0])
    np.testing.assert_allclose(
        decoder.predict(encoder.predict(x, verbose=0), verbose=0), autoencoder.predict(x, verbose=0), rtol=1e-6
    )


def test_a_parameter_that_is_reached_on_two_ways_is_listed_and_updated_once():
    image = Input((3,))
    dense = Dense(3)
    inner = Model(image, dense(image), name="inner")
    x = Input((3,))
    model = Model(x, Add()([dense(x), inner(x)]))
    assert len(model.params) == 2
    assert model.count_params() == 12


def test_inputs_and_outputs_as_dicts():
    model = two_headed()
    model.compile("adam", {"p": "categorical_crossentropy", "q": "mse"}, loss_weights={"p": 1.0, "q": 0.5})
    rng = np.random.default_rng(0)
    x = {"a": rng.normal(size=(20, 3)), "b": rng.normal(size=(20, 2))}
    y = {"p": np.eye(2)[rng.integers(0, 2, 20)], "q": rng.normal(size=(20, 1))}
    history = model.fit(x, y, epochs=2, verbose=0).history
    assert set(history) == {"loss", "p_loss", "q_loss"}
    assert history["loss"][0] == pytest.approx(history["p_loss"][0] + 0.5 * history["q_loss"][0])
    predictions = model.predict(x, verbose=0)
    assert {key: value.shape for key, value in predictions.items()} == {"p": (20, 2), "q": (20, 1)}


def test_several_outputs_as_a_list_with_a_metric_for_each():
    x = Input((3,))
    model = Model(x, [Dense(1, name="first")(x), Dense(2, activation="softmax", name="second")(x)])
    model.compile("adam", ["mse", "sparse_categorical_crossentropy"], metrics=[["mae"], ["accuracy"]])
    data = np.random.default_rng(0).normal(size=(10, 3)), [np.zeros((10, 1)), np.zeros(10, int)]
    logs = model.evaluate(*data, verbose=0, return_dict=True)
    assert list(logs) == ["first_loss", "first_mae", "loss", "second_accuracy", "second_loss"]
    assert len(model.evaluate(*data, verbose=0)) == 5


def test_states_of_an_encoder_start_a_decoder():
    x = Input((5, 3))
    _, h, c = LSTM(4, return_state=True)(x)
    decoded = LSTM(4, return_sequences=True)(x, initial_state=[h, c])
    model = Model(x, decoded)
    model.compile("adam", "mse")
    data = np.random.default_rng(0).normal(size=(16, 5, 3)).astype("float32")
    losses = model.fit(data, np.zeros((16, 5, 4)), epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_a_model_can_end_at_an_inner_layer():
    model = Sequential([Input((4,)), Dense(3, name="code"), Dense(4)])
    x = np.ones((2, 4), "float32")
    part = Model(model.inputs, model.get_layer("code").output)
    np.testing.assert_array_equal(part.predict(x, verbose=0), model.get_layer("code")(x))


def test_a_model_can_end_at_every_layer_and_at_its_input():
    model = Sequential([Input((4,)), Dense(3), Dense(2)])
    functional = Model(model.inputs, model.outputs)
    x = np.ones((2, 4), "float32")
    found = Model(functional.inputs, [layer.output for layer in functional.layers])(x)
    np.testing.assert_array_equal(found[0], x)
    np.testing.assert_array_equal(found[2], model(x))


def test_a_disconnected_graph_is_refused_by_name():
    a, b = Input((3,), name="here"), Input((3,), name="missing")
    with pytest.raises(ValueError, match="disconnected.*'missing'"):
        Model(a, Add()([a, b]))


def test_an_input_may_reach_no_output():
    a, b = Input((3,), name="here"), Input((2,), name="unused")
    model = Model([a, b], Dense(2)(a))
    model.compile("sgd", "mse")
    x = [np.ones((4, 3), "float32"), np.ones((4, 2), "float32")]
    model.fit(x, np.ones((4, 2)), verbose=0)
    assert [layer.name for layer in model.layers[:2]] == ["here", "unused"]
    y, cache = model.forward(x)
    assert [dx.any() for dx in model.backward(np.ones_like(y), cache)[0]] == [True, False]
    again = Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_entries_of_a_dict_that_are_no_inputs_are_left_out_with_a_warning():
    model = Model({"a": (a := Input((3,), name="a"))}, Dense(2)(a))
    with pytest.warns(UserWarning, match=r"of the dict of inputs \['b'\] are not used"):
        model.predict({"a": np.ones((4, 3)), "b": np.ones(4)}, verbose=0)


def test_an_axis_of_size_1_is_added_or_left_out():
    model = Model(x := Input((3, 1)), Dense(2)(x))
    assert model(np.ones((4, 3))).shape == (4, 3, 2)
    model = Model(x := Input((3,)), Dense(2)(x))
    assert model(np.ones((4, 3, 1))).shape == (4, 2)


def test_names_must_be_unique():
    x = Input((3,))
    with pytest.raises(ValueError, match="two layers are named 'same'"):
        Model(x, Dense(2, name="same")(Dense(3, name="same")(x)))
    with pytest.raises(ValueError, match="two layers are named 'same'"):
        Sequential([Dense(2, name="same"), Dense(2, name="same")])


def test_values_in_place_of_tensors_are_refused():
    with pytest.raises(TypeError, match="symbolic tensors"):
        Model(np.ones(3), np.ones(3))
    with pytest.raises(TypeError, match="inputs and outputs"):
        Model()


def test_wrong_inputs_are_named():
    model = two_headed()
    with pytest.raises(ValueError, match=r"inputs \['a', 'b'\]"):
        model.predict({"a": np.ones((2, 3))}, verbose=0)
    with pytest.raises(ValueError, match="'b' expects shape"):
        model.predict({"a": np.ones((2, 3)), "b": np.ones((2, 7))}, verbose=0)


def test_freezing_a_model_freezes_its_layers():
    inner = Sequential([Input((3,)), Dense(3)])
    model = Sequential([Input((3,)), inner, Dense(1)])
    inner.trainable = False
    assert [key.split("/")[0] for key in model.trainable_params] == [model.layers[1].name] * 2
    model.compile("sgd", "mse")
    before = inner.get_weights()[0]
    model.fit(np.ones((4, 3)), np.zeros((4, 1)), verbose=0)
    np.testing.assert_array_equal(before, inner.get_weights()[0])
    assert len(model.non_trainable_weights) == 2


@pytest.mark.parametrize("model_is_trained, first_is_trained", [(True, True), (True, False), (False, True)])
def test_gradients_are_those_of_the_parameters_that_are_trained_in_their_order(model_is_trained, first_is_trained):
    model = Sequential([Input((3,)), Dense(3), Sequential([Input((3,)), BatchNormalization(), Dense(2)])])
    model.trainable = model_is_trained
    model.layers[0].trainable = first_is_trained  # also where the model around it is frozen
    y, cache = model.forward(np.ones((4, 3), "float32"), training=True)
    _, grads = model.backward(np.ones_like(y), cache)
    assert list(grads) == list(model.trainable_params)
    assert len(grads) == (0 if not model_is_trained else 6 if first_is_trained else 4)


def test_a_frozen_model_has_no_gradients_though_all_its_layers_are_trained_elsewhere():
    model = Sequential([Input((3,)), Dense(3), Dense(2)])
    model.trainable = False
    for layer in model.layers:
        layer.trainable = True
    y, cache = model.forward(np.ones((4, 3), "float32"), training=True)
    assert model.backward(np.ones_like(y), cache)[1] == {}


def test_a_layer_that_is_trained_again_has_a_gradient_in_the_next_step():
    model = Sequential([Input((3,)), Dense(3), Dense(2)])
    model.layers[0].trainable = False
    for trained in (False, True):
        model.layers[0].trainable = trained
        y, cache = model.forward(np.ones((4, 3), "float32"), training=True)
        _, grads = model.backward(np.ones_like(y), cache, needs_dx=False)
        assert list(grads) == list(model.trainable_params)
    assert all(d.any() for d in grads.values())


def test_sequential_is_built_by_the_first_data_it_sees(capsys):
    model = Sequential([Flatten(), Dense(3)])
    assert not model.built
    model.summary()
    assert "0 (unbuilt)" in capsys.readouterr().out
    assert model.predict(np.ones((2, 2, 2)), verbose=0).shape == (2, 3)
    assert model.input_shape == (None, 2, 2)


def test_add_and_pop_keep_the_weights_of_the_other_layers():
    model = Sequential([Input((4,)), Dense(3)])
    kernel = model.layers[0].params["kernel"]
    model.add(Dense(2))
    assert model.output_shape == (None, 2)
    assert model.pop().units == 2
    assert model.output_shape == (None, 3)
    assert model.layers[0].params["kernel"] is kernel
    model.pop()
    assert model.layers == []
    with pytest.raises(ValueError, match="no layer to pop"):
        model.pop()


def test_a_layer_that_does_not_fit_leaves_the_stack_unchanged():
    model = Sequential([Input((5, 5, 2)), Flatten()])
    with pytest.raises(
        ValueError, match=r"cannot reshape 50 values per sample into \(7, -1\): 50 is not divisible by 7"
    ):
        model.add(Reshape((7, -1)))
    assert len(model.layers) == 1


def test_only_layers_can_be_added():
    with pytest.raises(TypeError, match="expected a layer"):
        Sequential([lambda x: x])


def test_get_layer_by_name_and_index():
    model = Sequential([Input((4,)), Dense(3, name="first"), Dense(2)])
    assert model.get_layer("first") is model.get_layer(index=0)
    with pytest.raises(ValueError, match="there are first"):
        model.get_layer("second")
    with pytest.raises(ValueError, match="there is no layer 9"):
        model.get_layer(index=9)


def test_summary_of_a_graph_says_what_is_connected_to_what(capsys):
    two_headed().summary()
    printed = capsys.readouterr().out
    assert "Connected to" in printed
    assert max(map(len, printed.splitlines())) <= 80
    assert "p_layer" in printed


def test_one_output_is_an_array_and_a_tuple_stays_one():
    x, data = Input((3,)), np.ones((2, 3), "float32")
    y, z = Dense(2)(x), Dense(1)(x)
    for inputs, outputs in (([x], [y]), (x, [y]), ((x,), (y,)), (x, (y,))):
        model = Model(inputs, outputs)
        for found in (model, Model.from_config(model.get_config()), clone_model(model)):
            assert found.predict(data, verbose=0).shape == found(data).shape == (2, 2)
        assert Sequential([Input((3,)), model]).predict(data, verbose=0).shape == (2, 2)
    model = Model(x, (y, z))
    again = model_from_json(model.to_json())
    for found in (model, Model.from_config(model.get_config()), clone_model(model), clone_model(model, x), again):
        assert type(found.predict(data, verbose=0)) is type(found(data)) is tuple
    assert type(Model(x, [y, z]).predict(data, verbose=0)) is list


def test_a_stack_that_is_a_layer_of_another_model_is_not_changed():
    inner = Sequential([Input((3,)), Dense(4)])
    inner.add(Dense(2))
    Sequential([Input((3,)), inner, Dense(1)])
    for change in (inner.pop, lambda: inner.add(Dense(5))):
        with pytest.raises(ValueError, match="is a layer of another model, in which its shapes"):
            change()
    assert len(inner.layers) == 2


def test_outputs_in_a_dict_are_gone_through_in_the_order_of_their_keys_as_in_keras():
    x = Input((3,))
    model = Model(x, {"b": Dense(1, name="first")(x), "a": Dense(2, name="second")(x)})
    assert [layer.name for layer in model.layers[1:]] == ["second", "first"] and list(model(np.ones((1, 3)))) == [
        "b",
        "a",
    ]


@pytest.mark.parametrize("layer", [Flatten(), Identity(), RepeatVector(2), Reshape((3, 1))])
def test_what_a_call_returns_is_the_caller_s_own(layer):
    x = np.ones((2, 3), "float32")
    model = Sequential([Input((3,)), layer])
    for found in (model(x), model.predict_on_batch(x), model.predict(x, verbose=0)):
        found[...] = 7
    assert (x == 1).all()


def test_its_mask_comes_along():
    x = np.ones((2, 3, 1), "float32")
    assert Sequential([Input((3, 1)), Masking()])(x)._keras_mask.all()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda model: model.predict([np.ones((1, 3))], verbose=0), "expected 2 inputs, got 1"),
        (lambda model: model.compute_output_shape([(None, 3)]), "expected 2 inputs, got 1"),
        (
            lambda model: model.compute_output_shape([(None, 3), (None, 2, 2)]),
            r"the input 'b' expects shape \(None, 2\)",
        ),
    ],
)
def test_inputs_that_are_too_few_or_of_another_rank_are_named(call, message):
    a, b = Input((3,), name="a"), Input((2,), name="b")
    with pytest.raises(ValueError, match=message):
        call(Model([a, b], Concatenate()([a, b])))


def test_inputs_in_lists_of_lists_must_come_in_such():
    a, b, c = Input((1,)), Input((1,)), Input((1,))
    model = Model([a, [b, c]], Add()([a, b, c]))
    one = np.ones((2, 1), "float32")
    np.testing.assert_array_equal(model.predict([one, [one, one]], verbose=0), 3 * one)
    with pytest.raises(ValueError, match="expected a list of 2 inputs, got list"):
        model.predict([one, [one]], verbose=0)


def test_a_stack_is_built_on_what_its_first_layer_takes():
    model = Sequential([Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="expected one input of shape .*, got 2 inputs"):
        model.fit([np.ones((2, 1)), np.ones((2, 1))], np.ones(2), verbose=0)


def test_a_parameter_that_is_not_finite_is_found_first():
    model = Sequential([Input((2,)), Dense(2, name="broken")])
    x = np.ones((1, 2), "float32")
    assert model.first_non_finite(x) is None
    model.layers[0].params["kernel"][0, 0] = np.nan
    assert model.first_non_finite(x) == "the parameter broken/kernel"


def test_a_part_of_the_first_batch_comes_back_while_another_is_still_asking_for_the_keys(monkeypatch):
    model = Sequential([Input((3,)), Dense(2)])
    _, cache = model.forward(np.ones((4, 3), "float32"))
    model._keys = None  # as in a new model
    vars(model).pop("_parameter_keys", None)
    gathered, is_asking, may_go_on = model._gathered, threading.Event(), threading.Event()

    def slowly(*given):
        if threading.current_thread() is other:
            is_asking.set()
            may_go_on.wait(10)
        return gathered(*given)

    monkeypatch.setattr(type(model), "_gathered", lambda self, *given: slowly(*given))
    other = threading.Thread(target=lambda: model.weight_keys)
    other.start()
    try:
        assert is_asking.wait(10)
        _, grads = model.backward(np.ones((4, 2), "float32"), cache)
    finally:
        may_go_on.set()
        other.join()
    assert list(grads) == list(model.params)


def test_a_model_of_tokens_within_a_model_promises_floating_point_numbers():
    tokens = Input((5,), dtype="int32")
    words = Model(tokens, LSTM(2)(Embedding(6, 3)(tokens)))
    assert words(Input((5,), dtype="int32")).dtype == "float32"
    assert TimeDistributed(words)(Input((4, 5), dtype="int32")).dtype == "float32"
