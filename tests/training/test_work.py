"""Into how many parts a batch goes: by what there is to compute, counted from the shapes."""

import math

import numpy as np
import pytest

import scratchnet
from scratchnet.layers import GRU, LSTM, Activation, Conv2D, Dense, Embedding, Flatten, Input, TimeDistributed
from scratchnet.models import Model, Sequential
from scratchnet.training import step, work
from scratchnet.training.work import multiply_adds


def elements(*counts):
    return work._OF_AN_ELEMENT * sum(counts)


@pytest.mark.parametrize(
    "layers, expected",
    [
        ((Input((7,)), Dense(5)), 7 * 5 + elements(5)),
        ((Input((6, 7)), Dense(5)), 6 * 7 * 5 + elements(30)),
        ((Input((6, 7)), TimeDistributed(Dense(5))), 6 * 7 * 5 + elements(30)),
        ((Input((6, 7)), LSTM(5)), 6 * (7 + 5) * 20 + elements(5)),
        ((Input((6, 7)), GRU(5, return_sequences=True)), 6 * ((7 + 5) * 15 + 2 * 15) + elements(30)),
        ((Input((8, 8, 3)), Conv2D(4, 3, padding="same")), 64 * 27 * 4 + elements(256)),
        ((Input((8, 8, 3)), Flatten(), Activation("relu")), elements(192, 192)),
        ((Input((9,)), Embedding(1000, 4)), elements(36)),
        ((Input((None, 7)), Dense(5)), work._UNKNOWN * (7 * 5 + elements(5))),
    ],
)
def test_multiply_adds_are_those_of_the_matrices_at_every_position(layers, expected):
    assert multiply_adds(Sequential(layers)) == expected


def test_of_a_nested_model_they_are_those_of_its_layers():
    inner = Sequential([Input((7,)), Dense(5)])
    x = Input((7,))
    assert multiply_adds(Model(x, Dense(2)(inner(x) + 1))) == 35 + 10 + elements(5, 5, 2)


def test_where_nothing_is_known_nothing_is_small():
    assert multiply_adds(Sequential([Dense(3)])) == math.inf


@pytest.mark.parametrize("rows, parts", [(63, 1), (64, 2), (96, 3), (128, 4), (1024, 4)])
def test_a_part_is_made_where_there_is_enough_to_compute(monkeypatch, rows, parts):
    model = Sequential([Input((100,)), Dense(50, activation="relu"), Dense(3)])
    model.compile("sgd", "mse")
    made = []
    monkeypatch.setattr(step, "LEAST_WORK", 32 * multiply_adds(model))
    monkeypatch.setattr(
        step,
        "gradients",
        lambda objective, batch, counts, whole=step.gradients: (
            made.append(batch.size) or whole(objective, batch, counts)
        ),
    )
    scratchnet.set_num_threads(4)
    try:
        model.fit(np.ones((rows, 100)), np.ones((rows, 3)), batch_size=rows, verbose=0)
    finally:
        scratchnet.set_num_threads(None)
    assert len(made) == parts and sum(made) == rows
