"""What models, data and compile are told when something does not fit, and a few rare ways to use them."""

import numpy as np
import pytest

import scratchnet
from scratchnet import layers
from scratchnet.callbacks import Callback
from scratchnet.layers import LSTM, Concatenate, Dense, Flatten, Input, InputLayer, Layer
from scratchnet.models import Model, Sequential, clone_model, load_model, save_model
from scratchnet.utils import PyDataset


def small(outputs=1):
    model = Sequential([Input((3,)), Dense(outputs)])
    model.compile("sgd", "mse")
    return model


def two_outputs():
    x = Input((3,))
    model = Model(x, [Dense(1, name="p")(x), Dense(1, name="q")(x)])
    model.compile("sgd", "mse")
    return model


X = np.ones((4, 3))


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: small().fit(None, np.ones(4)), "the training data x is missing"),
        (lambda: small().fit(np.float64(3), np.ones(4)), "needs an axis of samples"),
        (
            lambda: two_outputs().fit(X, np.ones((4, 1))),
            r"list or dict with one array for each of the outputs \['p', 'q'\]",
        ),
        (lambda: two_outputs().fit(X, [np.ones((4, 1))] * 3), "y has 3 entries, the model 2 outputs"),
        (lambda: two_outputs().fit(X, {"r": np.ones((4, 1))}), r"y names the outputs \['r'\]"),
        (lambda: two_outputs().fit(X, [np.ones((4, 1))] * 2, class_weight={0: 1}), "one output only"),
        (lambda: small(2).fit(X, np.ones((4, 2)), class_weight={0: 1}), "one class for each sample"),
        (lambda: small(1).fit(X, np.full((4, 1), 0.5), class_weight={0: 1}), "one class for each sample"),
        (lambda: small().evaluate(X), "needs targets: the test data have no y"),
        (lambda: Model([Input((2,))] * 2, Dense(1)(Input((2,)))), "given as an input twice"),
        (lambda: Sequential([Dense(1), InputLayer((2,))]), "an Input must be the first entry"),
        (lambda: Sequential().build((None, 3)), "has no layers"),
        (lambda: Sequential([Dense(1)]).build([(None, 3)]), "expected one input of shape"),
        (lambda: Sequential([Input((4, 2)), LSTM(2, return_state=True)]), "several outputs"),
        (lambda: Sequential([Dense(1)]).save_weights("x"), "before it is built"),
        (lambda: Sequential([Dense(1)]).load_weights("x"), "before it is built"),
        (lambda: small().get_layer(), "either a name or an index"),
    ],
)
def test_a_clear_error(use, message):
    with pytest.raises(ValueError, match=message):
        use()


def test_compile_tells_what_is_wrong_with_losses_weights_and_metrics():
    x = Input((3,))
    model = Model(x, [Dense(1, name="p")(x), Dense(1, name="q")(x)])
    y = [np.ones((4, 1))] * 2
    for arguments, message in (
        ({"loss": {"r": "mse"}}, r"loss names the outputs \['r'\]"),
        ({"loss": ["mse"] * 3}, "loss has 3 entries, the model 2 outputs"),
        ({"loss": "mse", "loss_weights": 3}, "loss_weights must be a list or dict"),
        ({"loss": [None, None]}, "no output has a loss"),
    ):
        model.compile("sgd", **arguments)
        with pytest.raises(ValueError, match=message):
            model.fit(X, y, verbose=0)
    model.compile("sgd", "mse", metrics="mae")
    with pytest.raises(TypeError, match="metrics must be a list or dict"):
        model.fit(X, y, verbose=0)
    model.compile("sgd")
    with pytest.raises(ValueError, match="needs a loss"):
        model.fit(X, y, verbose=0)


def test_an_output_without_a_loss_takes_no_part():
    model = two_outputs()
    model.compile("sgd", {"p": "mse"}, metrics={"q": ["mae"]}, weighted_metrics=[["mse"], None])
    before = model.get_layer("q").get_weights()
    history = model.fit(X, {"p": np.ones((4, 1)), "q": np.ones((4, 1))}, sample_weight=np.ones(4), verbose=0).history
    assert set(history) == {"loss", "p_mse", "q_mae"}
    for a, b in zip(before, model.get_layer("q").get_weights()):
        np.testing.assert_array_equal(a, b)


def test_metrics_for_all_outputs_alike():
    model = two_outputs()
    model.compile("sgd", "mse", metrics=["mae", "mse", "cosine_similarity"])
    logs = model.evaluate(X, [np.ones((4, 1))] * 2, verbose=0, return_dict=True)
    assert {"p_mae", "q_mae", "p_cosine_similarity"} <= set(logs)


def test_callbacks_must_be_callbacks_and_one_may_stand_alone():
    with pytest.raises(TypeError, match="callbacks must be Callback objects"):
        small().fit(X, np.ones(4), callbacks=[print], verbose=0)
    small().fit(X, np.ones(4), callbacks=Callback(), verbose=0)


def test_small_things(tmp_path, capsys):
    model = small()
    assert repr(model).endswith(", 1 layers>")
    assert model.input_shape == (None, 3) and model.output_shape == (None, 1)
    assert model.input is model.inputs[0] and model.output is model.outputs[0]
    save_model(model, tmp_path / "m.npz")
    model.summary(line_length=60)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 60
    model.fit(X, np.ones((4, 1)), verbose=0)
    model.summary()
    frozen = Sequential([Input((3,)), Dense(2)], trainable=False)
    assert frozen.trainable_weights == [] and len(frozen.non_trainable_weights) == 2
    assert Model(model.inputs, model.outputs, trainable=False).trainable_weights == []
    assert "models" in dir(scratchnet)
    with pytest.raises(AttributeError, match="has no 'nothing'"):
        _ = scratchnet.nothing
    assert len(model.predict(X, batch_size=1, steps=2, verbose=0)) == 2


def test_a_nested_sequential_gives_the_outer_one_its_input():
    inner = Sequential([Input((2, 2)), Flatten()])
    assert Sequential([inner, Dense(3)]).output_shape == (None, 3)


def test_a_deferred_model_that_cannot_be_built_can_be_tried_again():
    model = Sequential([Flatten(), Dense(2), Concatenate()])
    with pytest.raises(ValueError, match="a list of inputs"):
        model.predict(np.ones((2, 3)), verbose=0)
    assert not model.built


def test_float64_models(monkeypatch):
    scratchnet.config.set_floatx("float64")
    try:
        model = small()
        assert scratchnet.config.floatx() == "float64" and scratchnet.config.epsilon() == 1e-7
    finally:
        scratchnet.config.set_floatx("float32")
    assert model.predict(X, verbose=0).dtype == np.float64
    with pytest.raises(ValueError, match="dtype 'float16' is not supported"):
        scratchnet.config.set_floatx("float16")
    with pytest.raises(ValueError, match="not supported"):
        scratchnet.config.set_floatx("wide")


class Bucketed(PyDataset):
    """Sequences of another length in each batch."""

    def __len__(self):
        return 3

    def __getitem__(self, k):
        return np.ones((4, 5 + k), "int32"), np.ones((4, 1))


def of_tokens(*first):
    model = Sequential([*first, layers.Embedding(10, 4), layers.LSTM(3), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def test_a_stack_without_an_input_is_fitted_on_batches_of_different_lengths():
    for data in (Bucketed(), (Bucketed()[k] for k in range(3))):
        model = of_tokens()
        assert len(model.fit(data, steps_per_epoch=3, verbose=0).history["loss"]) == 1
        assert model.input_shape == (None, None) and len(model.layers[0].inbound_nodes) == 1


def test_a_stack_takes_what_its_layers_take_whatever_its_input_says():
    """So it is in Keras, also of a stack that was loaded."""
    fixed, free = of_tokens(layers.Input((5,), dtype="int32")), of_tokens()
    free.build((None, None))
    free.set_weights(fixed.get_weights())
    histories = [model.fit(Bucketed(), shuffle=False, epochs=2, verbose=0).history["loss"] for model in (fixed, free)]
    assert histories[0] == pytest.approx(histories[1], rel=1e-6)
    tokens = np.arange(18).reshape(2, 9) % 10
    for model in (fixed, Sequential.from_config(fixed.get_config()), clone_model(fixed)):
        model.set_weights(free.get_weights())
        np.testing.assert_allclose(model.predict(tokens, verbose=0), free.predict(tokens, verbose=0), rtol=1e-6)
        assert model.input_shape == (None, 5)
    flat = Sequential([layers.Input((4, 3)), layers.Flatten(), Dense(1)])
    assert flat.predict(np.ones((2, 3, 4)), verbose=0).shape == (2, 1)
    for wrong in ((2, 5, 3), (2, 3)):
        with pytest.raises(ValueError, match=r"expects shape \(None, 4, 3\), got"):
            flat.predict(np.ones(wrong), verbose=0)


@pytest.mark.parametrize("kind", [dict, list])
def test_a_stack_whose_first_layer_takes_several_arrays(kind, tmp_path):
    class Sum(Layer):
        def call(self, xs):
            a, b = (xs["a"], xs["b"]) if isinstance(xs, dict) else xs
            return a + 2 * b

    a, b = np.ones((4, 3), "float32"), np.full((4, 3), 2, "float32")
    x = {"a": a, "b": b} if kind is dict else [a, b]
    model = Sequential([Sum(), Dense(1)])
    np.testing.assert_allclose(model(x), model.predict(x, verbose=0))
    model.compile("sgd", "mse")
    model.fit(x, np.ones(4), verbose=0)
    np.testing.assert_allclose(model.predict(x, verbose=0), Sequential([model.layers[1]]).predict(a + 2 * b, verbose=0))
    model.save(tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz", custom_objects={"Sum": Sum})
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


def test_what_was_built_for_data_takes_data_of_other_sizes():
    model = of_tokens()
    x = np.arange(8).reshape(2, 4)
    expected = model.predict(np.tile(x, (1, 2)), verbose=0)
    model.fit(x, np.ones((2, 1)), verbose=0)
    model.optimizer.learning_rate = 0.0
    model.fit(np.tile(x, (1, 3)), np.ones((2, 1)), verbose=0)
    assert model.predict(np.tile(x, (1, 2)), verbose=0).shape == expected.shape == (2, 1)
    images = Sequential([layers.Conv2D(2, 3), layers.GlobalAveragePooling2D()])
    assert (
        images.predict(np.ones((1, 8, 8, 3)), verbose=0).shape == images.predict(np.ones((1, 5, 9, 3)), verbose=0).shape
    )
    assert images.input_shape == (None, None, None, 3)
    with pytest.raises(ValueError, match=r"expects shape \(None, None, None, 3\), got \(1, 8, 8, 1\)"):
        images.predict(np.ones((1, 8, 8, 1)), verbose=0)
    assert images.input_shape == (None, None, None, 3) and len(images.layers[0].inbound_nodes) == 1


def test_called_by_hand_a_model_takes_other_lengths_and_blames_no_layer_for_them():
    model = of_tokens(layers.Input((5,), dtype="int32"))
    assert model(np.ones((2, 3), "int32")).shape == model(np.ones((2, 5), "int32")).shape == (2, 1)
