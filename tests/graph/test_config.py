"""Graphs as JSON: what is written is read, and so is what Keras 3, Keras 2 and version 0.1.0 wrote."""

import json

import numpy as np
import pytest

from scratchnet.layers import LSTM, Add, Dense, Dropout, Input
from scratchnet.models import Model, Sequential


def rebuilt(model):
    return type(model).from_config(json.loads(json.dumps(model.get_config())))


def test_the_words_are_keras_s():
    x = Input((4,), name="x")
    config = Model(x, Dense(2, name="d")(x), name="m").get_config()
    assert config["input_layers"] == ["x", 0, 0] and config["output_layers"] == ["d", 0, 0]
    assert [layer["class_name"] for layer in config["layers"]] == ["InputLayer", "Dense"]
    tensor = {
        "class_name": "__keras_tensor__",
        "config": {"shape": [None, 4], "dtype": "float32", "keras_history": ["x", 0, 0]},
    }
    assert config["layers"][1]["inbound_nodes"] == [{"args": [tensor], "kwargs": {}}]


def test_shared_layers_nested_models_and_structures_come_back():
    x = Input((4, 3))
    encoder = Model(x, LSTM(3)(x), name="encoder")
    tail = Sequential([Input((3,)), Dense(2)], name="tail")
    a, b = Input((4, 3), name="a"), Input((4, 3), name="b")
    states = LSTM(3, return_sequences=True, return_state=True)(a)
    y = LSTM(3)(b, initial_state=states[1:])
    model = Model({"a": a, "b": b}, {"sum": Add()([encoder(a), encoder(b), y]), "tail": [tail(y), tail(encoder(a))]})
    data = {key: np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32") for key in "ab"}
    other = rebuilt(model)
    other.set_weights(model.get_weights())
    one, two = model(data), other(data)
    np.testing.assert_array_equal(one["sum"], two["sum"])
    np.testing.assert_array_equal(one["tail"][0], two["tail"][0])
    np.testing.assert_array_equal(one["tail"][1], two["tail"][1])
    assert [layer.name for layer in other.layers] == [layer.name for layer in model.layers]


def test_training_is_kept_with_a_use():
    x = Input((3,))
    model = Model(x, Dropout(0.5)(x, training=True))
    assert rebuilt(model).nodes[0].training is True


def dense(name, **kwargs):
    return {"class_name": "Dense", "config": {"name": name, "units": 3}, "name": name, **kwargs}


def inputs(name):
    config = {"name": name, "batch_shape": [None, 3], "dtype": "float32"}
    return {"class_name": "InputLayer", "config": config, "name": name, "inbound_nodes": []}


def functional(*layers, outputs):
    return {"name": "m", "layers": list(layers), "input_layers": [["x", 0, 0]], "output_layers": outputs}


def test_keras_2_wrote_uses_as_lists():
    config = functional(
        {"class_name": "Add", "config": {"name": "add"}, "inbound_nodes": [[["d", 0, 0, {}], ["d", 1, 0, {}]]]},
        dense("d", inbound_nodes=[[["x", 0, 0, {}]], [["d", 0, 0, {"training": None}]]]),
        inputs("x"),
        outputs=[["add", 0, 0]],
    )
    model = Model.from_config(config)
    x = np.ones((2, 3), "float32")
    d = model.get_layer("d")
    np.testing.assert_array_equal(model(x), d(x) + d(d(x)))


def test_a_nested_model_s_uses_may_be_counted_from_one():
    x = Input((3,), name="x")
    inner = Model(x, Dense(3, name="d")(x), name="inner")
    y = Input((3,), name="y")
    config = Model(y, inner(inner(y)), name="outer").get_config()
    assert config["output_layers"] == ["inner", 2, 0]  # Keras counts the inner graph itself as use 0, here only
    assert rebuilt(Model.from_config(config)).count_params() == 12


@pytest.mark.parametrize(
    "layers, outputs, message",
    [
        ([dense("d", inbound_nodes=[[["e", 0, 0, {}]]]), inputs("x")], [["d", 0, 0]], "'e', which is not there"),
        ([dense("d", inbound_nodes=[[["x", 0, 7, {}]]]), inputs("x")], [["d", 0, 0]], "no output 7 of use 0 of 'x'"),
        ([dense("d", inbound_nodes=[[["x", 0, 0, {}]]]), inputs("x")], [["d", 0, 1]], "no output 1 of use 0 of 'd'"),
        ([dense("d", inbound_nodes=[[["d", 0, 0, {}]]]), inputs("x")], [["d", 0, 0]], "in a circle"),
        (
            [
                dense("d", inbound_nodes=[[["e", 0, 0, {}]]]),
                dense("e", inbound_nodes=[[["d", 0, 0, {}]]]),
                inputs("x"),
            ],
            [["d", 0, 0]],
            "in a circle",
        ),
        ([dense("d", inbound_nodes=[[["x", 0, 0, {}]]]), inputs("x"), inputs("x")], [["d", 0, 0]], "are named 'x'"),
    ],
)
def test_a_graph_that_makes_no_sense_is_refused(layers, outputs, message):
    with pytest.raises(ValueError, match=message):
        Model.from_config(functional(*layers, outputs=outputs))


def test_a_chain_may_be_longer_than_pythons_stack_and_stand_in_any_order():
    layers = [dense(f"d{k}", inbound_nodes=[[[f"d{k - 1}" if k else "x", 0, 0, {}]]]) for k in range(1500)]
    model = Model.from_config(functional(*reversed(layers), inputs("x"), outputs=[["d1499", 0, 0]]))
    assert len(model.layers) == 1501


def test_the_format_of_version_0_1_0_is_read():
    def tensor(*reference):
        return {"tensor": list(reference)}

    config = {
        "name": "m",
        "trainable": True,
        "inputs": [{"shape": [None, 3], "dtype": "float32", "name": "x"}],
        "layers": [dense("d"), {"class_name": "Add", "config": {"name": "add"}}],
        "nodes": [
            {"layer": "d", "inputs": tensor("input", 0)},
            {"layer": "add", "inputs": {"list": [tensor("node", 0, 0), tensor("input", 0)]}},
        ],
        "input_structure": {"dict": {"x": tensor("input", 0)}},
        "output_structure": {"list": [tensor("node", 1, 0), tensor("node", 0, 0)]},
    }
    model = Model.from_config(config)
    x = np.ones((2, 3), "float32")
    sum_, d = model({"x": x})
    np.testing.assert_array_equal(sum_, d + x)
