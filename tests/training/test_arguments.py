"""What fit is given: numbers and words that make no sense."""

import numpy as np
import pytest

import scratchnet
from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential
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
        ({"validation_split": 0.999}, "leaves one part empty"),
        ({"verbose": 3}, "verbose"),
        ({"validation_data": np.ones(3)}, r"validation_data must be \(x, y\)"),
        ({"sample_weight": np.ones(3)}, "sample_weight has 3"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        classifier().fit(*data(), **{"verbose": 0, **arguments})
