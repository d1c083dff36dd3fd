"""Clones and models from JSON: the same architecture, weights of their own, compiled alike."""

import json

import numpy as np
import pytest

from scratchnet import ops, optimizers
from scratchnet.layers import Add, Dense, Dropout, Input, Lambda
from scratchnet.models import Model, Sequential, clone_model, load_model, model_from_json

X = np.random.default_rng(0).standard_normal((6, 3)).astype("float32")


def functional():
    x = Input((3,), name="x")
    shared = Dense(3, name="shared")
    return Model(x, Add(name="sum")([shared(x), shared(shared(x))]), name="twice")


@pytest.mark.parametrize("make", [functional, lambda: Sequential([Input((3,)), Dense(2, activation="relu")])])
def test_a_clone_has_the_same_architecture_and_its_own_weights(make):
    model = make()
    clone = clone_model(model)
    assert type(clone) is type(model) and clone.output_shape == model.output_shape
    assert not np.array_equal(clone.get_weights()[0], model.get_weights()[0])
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone.predict(X, verbose=0), model.predict(X, verbose=0))
    assert not clone.compiled


def test_a_clone_of_a_compiled_model_is_compiled_with_an_optimizer_of_its_own():
    model = functional()
    model.compile(optimizers.SGD(0.3), "mse", metrics=["mae"])
    clone = clone_model(model)
    assert clone.optimizer is not model.optimizer and clone.optimizer.learning_rate == 0.3
    model.fit(X, X, verbose=0)
    assert len(clone.evaluate(X, X, verbose=0)) == 2 and clone.optimizer.iterations == 0


def test_layers_can_be_exchanged_and_inputs_given():
    model = Sequential([Input((3,)), Dense(4), Dropout(0.5)])
    clone = clone_model(model, clone_function=lambda layer: Dense(5) if isinstance(layer, Dense) else Dropout(0.1))
    assert clone.layers[0].units == 5 and clone.layers[1].rate == 0.1
    x = Input((3,), name="mine")
    clone = clone_model(functional(), input_tensors=x)
    assert clone.inputs == [x] and len(clone.layers) == 3
    called = []
    clone_model(functional(), call_function=lambda layer, inputs: called.append(layer.name) or layer(inputs))
    assert called == ["shared", "shared", "shared", "sum"]


def test_json_holds_the_architecture():
    model = functional()
    text = model.to_json(indent=1)
    assert json.loads(text)["config"]["name"] == "twice"
    again = model_from_json(text)
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    with pytest.raises(ValueError, match="the text is no JSON"):
        model_from_json("{")


def test_operations_are_cloned_onto_other_tensors_and_by_functions():
    x, y = Input((3,)), Input((3,))
    z = x + 2 * y
    model = Model({"x": x, "y": y}, {"z": z, "out": Dense(5, name="out")(z)})
    given = {"x": Input((3,), name="a"), "y": Input((3,), name="b")}
    clone = clone_model(model, input_tensors=given)
    assert clone.input == given and set(clone.output) == {"z", "out"}
    clone.set_weights(model.get_weights())
    data = {"x": np.ones((2, 3), "float32"), "y": np.full((2, 3), 3, "float32")}
    for key, value in model(data).items():
        np.testing.assert_array_equal(clone(data)[key], value)
    assert clone_model(model, clone_function=lambda layer: Dense(4)).output["out"].shape == (None, 4)


@pytest.mark.parametrize("given", [(Input((3,)), Input((3,))), {"x": Input((3,))}])
def test_input_tensors_have_the_structure_of_the_inputs(given):
    x, y = Input((3,)), Input((3,))
    with pytest.raises(ValueError, match="input_tensors must have the structure of model.input"):
        clone_model(Model({"x": x, "y": y}, x + y), input_tensors=given)


def test_functions_without_a_name_are_cloned_though_they_cannot_be_loaded(tmp_path):
    twice, plus = (lambda t: 2 * t), (lambda t: t + 1)
    model = Sequential([Input((3,)), Lambda(twice), Lambda(plus), Dense(2, activation=lambda t: t * t)])
    model.compile("sgd", lambda t, p: ops.square(t - p), metrics=[lambda t, p: t - p, lambda t, p: t + p])
    x, y = np.ones((4, 3), "float32"), np.ones((4, 2), "float32")
    clone = clone_model(model)
    clone.set_weights(model.get_weights())
    assert clone.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
    with pytest.warns(UserWarning, match="is saved without what compile was told"):
        model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="the code of a lambda"):
        load_model(tmp_path / "m.keras")
