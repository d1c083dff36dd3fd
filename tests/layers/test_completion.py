"""What editors list: Keras's names and those of the contract, the weights, and no modules among functions."""

import importlib
import types

import numpy as np
import pytest

from scratchnet.layers import Dense, Input
from scratchnet.layers.completion import BETWEEN_OURSELVES
from scratchnet.models import Model, Sequential

ROOMS = {  # and the modules that Keras's have as well
    "activations": [],
    "callbacks": [],
    "constraints": [],
    "datasets.mnist": [],
    "evaluation": [],
    "initializers": [],
    "kernels": [],
    "layers": [],
    "losses": [],
    "metrics": [],
    "models": [],
    "optimizers": ["schedules"],
    "optimizers.schedules": [],
    "preprocessing.sequence": [],
    "preprocessing.text": [],
    "regularizers": [],
    "utils": [],
    "wrappers": [],
}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_lists_what_is_in_it(room):
    module = importlib.import_module(f"scratchnet.{room}")
    listed = {name: getattr(module, name, None) for name in dir(module)}
    modules = [name for name, value in listed.items() if isinstance(value, types.ModuleType)]
    assert modules == ROOMS[room]
    assert listed and not {"np", "math", "Any", "Callable", "register", "refusal"} & listed.keys()


def test_rooms_list_their_functions():
    from scratchnet import activations, evaluation, initializers
    from scratchnet.preprocessing import sequence, text

    assert {"relu", "swish", "get", "Activation"} <= set(dir(activations))
    assert {"glorot_uniform", "HeNormal", "get"} <= set(dir(initializers))
    assert {"plot_curves", "evaluate_classifiers"} <= set(dir(evaluation))
    assert set(dir(sequence)) == {"PyDataset", "TimeseriesGenerator", "pad_sequences"}
    assert {"Tokenizer", "text_to_word_sequence"} <= set(dir(text))


def test_a_layer_lists_its_weights_and_a_model_what_one_does_with_it():
    layer = Dense(2)
    assert "kernel" not in dir(layer)
    layer(np.ones((1, 3), "float32"))
    assert {"kernel", "bias", "units", "forward", "backward", "get_weights"} <= set(dir(layer))
    public = {name for name in dir(Sequential([Input((3,)), layer])) if not name.startswith("_")}
    assert {"fit", "evaluate", "predict", "summary", "layers", "save", "explain"} <= public
    assert not {"own", "nodes", "graph", "build_on", "takes_strings", "flatten_inputs", "loss_values"} & public
    assert len(public) < 90


X = Input((3,))
MODELS = (Sequential([Input((3,)), Dense(2)]), Model(X, Dense(2)(X)))


def test_what_the_parts_of_the_library_ask_one_another_is_not_listed():
    for thing in (*MODELS, MODELS[0].layers[0]):
        assert not BETWEEN_OURSELVES & set(dir(thing))


def test_what_users_look_for_is():
    for name in ("fit", "predict", "summary", "layers", "get_weights", "params", "forward", "backward", "penalty"):
        assert all(name in dir(model) for model in MODELS)


def test_each_hidden_name_exists():
    names = set()
    for thing in (*MODELS, MODELS[0].layers[0]):
        names |= set(vars(thing)).union(*(vars(cls) for cls in type(thing).__mro__))
    assert names >= BETWEEN_OURSELVES, BETWEEN_OURSELVES - names
