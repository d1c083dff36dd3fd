"""What fit is given: numbers and words that make no sense."""

import warnings

import numpy as np
import pytest

import scratchnet
from scratchnet import ops
from scratchnet.layers import Dense, Input
from scratchnet.models import Model, Sequential
from scratchnet.utils import set_random_seed


@pytest.fixture(autouse=True)
def default_threads():
    yield
    scratchnet.set_num_threads(None)


def classifier(*, seed=0, extra=(), loss="sparse_categorical_crossentropy", optimizer="adam"):
    set_random_seed(seed)
    model = Sequential([Input((5,)), Dense(8, activation="tanh"), *extra, Dense(3, activation="softmax")])
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def data(count=90, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, count)
    return (rng.normal(size=(count, 5)) + y[:, None]).astype("float32"), y


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size must be a positive integer, got 0"),
        ({"batch_size": 2.5}, "batch_size"),
        ({"validation_split": 1.5}, "validation_split must be between 0 and 1"),
        ({"validation_split": "half"}, "validation_split must be between 0 and 1, got 'half'"),
        ({"class_weight": {0: -1.0}}, "gives the class 0 the weight -1.0"),
        ({"class_weight": {0: float("nan")}}, "the weight nan"),
        ({"class_weight": {0: "heavy"}}, "the weight 'heavy'"),
        ({"validation_split": 0.999}, "leaves one part empty"),
        ({"verbose": 3}, "verbose"),
        ({"validation_data": np.ones(3)}, r"validation_data must be \(x, y\)"),
        ({"sample_weight": np.ones(3)}, "sample_weight has 3"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        classifier().fit(*data(), **{"verbose": 0, **arguments})


def test_weights_of_classes_need_classes():
    model = Sequential([Input((5,)), Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="needs one class for each sample, got the target 0.5"):
        model.fit(np.ones((2, 5)), np.array([0.0, 0.5]), class_weight={0: 2.0}, verbose=0)


def unseen(head, loss, y):
    model = Sequential([Input((5,)), head])
    model.compile("sgd", loss)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model.fit(np.ones((len(y), 5)), y, validation_split=0.25, verbose=0)
    return [str(warning.message) for warning in told]


def test_classes_that_only_the_validation_has_are_told_whatever_the_targets_look_like():
    labels = np.repeat([0, 1, 2, 3], 2)
    for y, loss, head in (
        (labels, "sparse_categorical_crossentropy", Dense(4, activation="softmax")),
        (np.eye(4)[labels], "categorical_crossentropy", Dense(4, activation="softmax")),
        (labels // 3, "binary_crossentropy", Dense(1, activation="sigmoid")),
    ):
        (message,) = unseen(head, loss, y)
        assert "training never sees class " in message and "shuffle the data" in message
        assert unseen(head, loss, y[[0, 6, 2, 4, 1, 3, 5, 7]]) == []
    assert unseen(Dense(1, activation="sigmoid"), "binary_crossentropy", labels / 4) == []
    assert unseen(Dense(1), "mse", labels) == []


def test_a_softmax_of_one_unit_is_told_also_where_it_is_an_operation():
    tensor = Input((5,))
    model = Model(tensor, ops.softmax(Dense(1)(tensor)))
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="a softmax of one unit is always 1"):
        model.fit(np.ones((2, 5)), np.ones((2, 1)), verbose=0)
