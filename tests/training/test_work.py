"""Into how many parts a batch goes: by what there is to compute, counted from the shapes."""

import math

import numpy as np
import pytest

import scratchnet
from scratchnet import ops
from scratchnet.callbacks import Callback
from scratchnet.layers import (
    GRU,
    LSTM,
    Activation,
    ActivityRegularization,
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Dense,
    DepthwiseConv1D,
    Dropout,
    Embedding,
    Flatten,
    Input,
    Lambda,
    Layer,
    SeparableConv1D,
    TimeDistributed,
)
from scratchnet.models import Model, Sequential
from scratchnet.training import step, work
from scratchnet.training.work import multiply_adds, shared_of


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
    assert multiply_adds(Sequential([Dense(3)])) == shared_of(Sequential([Dense(3)])) == math.inf


@pytest.mark.parametrize(
    "layer, shared",
    [
        (LSTM(5, activation="relu"), 6 * (7 + 5) * 20),
        (LSTM(5, recurrent_activation="gelu"), 0),
        (GRU(5, dropout=0.1, recurrent_dropout=0.1), 0),
        (TimeDistributed(Dense(5, activation="gelu")), 6 * 7 * 5),
        (TimeDistributed(Dense(5, dtype="float64")), 0),
    ],
)
def test_threads_share_what_is_compiled_and_of_float32(layer, shared):
    assert shared_of(Sequential([Input((6, 7)), layer])) == shared


@pytest.mark.parametrize("total, shared, helped", [(10, 9, True), (10, 8, False), (4.9, 4.9, False), (151, 151, False)])
def test_a_helper_is_for_what_is_nearly_all_shared_and_neither_small_nor_large(total, shared, helped):
    assert work.is_helped(total * 10**6, shared * 10**6) == helped


@pytest.mark.parametrize(
    "layer, shared",
    [
        (Conv1D(40, 5, padding="causal"), 20 * 40 * 5 * 40),
        (Conv1DTranspose(50, 3, padding="same"), 20 * 40 * 3 * 50),
        (Conv1D(40, 5, strides=2), 0),
        (Conv1D(40, 3, dilation_rate=2), 0),
        (Conv1D(60, 2), 0),
        (Conv1D(39, 3), 0),
        (Conv1D(80, 5, groups=2), 0),
        (DepthwiseConv1D(3, depth_multiplier=40), 0),
        (SeparableConv1D(40, 3), 0),
    ],
)
def test_of_convolutions_they_share_those_of_sequences_that_are_filtered_by_fewest_products(layer, shared):
    assert shared_of(Sequential([Input((20, 40)), layer])) == shared


def test_products_that_threads_can_share_are_not_those_of_other_convolutions():
    inner = Sequential([Input((6, 7)), Conv1D(5, 3), LSTM(4)])
    x = Input((6, 7))
    assert shared_of(Model(x, Dense(2)(inner(x) + 1))) == 4 * (5 + 4) * 16 + 4 * 2


@pytest.mark.parametrize("attributes, shared", [({"activation": lambda z: z}, 70), ({"kernel_size": 3}, 0)])
def test_of_classes_of_ones_own_nothing_is_asked_but_their_weights(attributes, shared):
    class Own(Layer):
        def build(self, input_shape):
            for name, value in attributes.items():
                setattr(self, name, value)
            self.add_weight(shape=(7, 5), name="recurrent_kernel", initializer="ones")
            self.add_weight(shape=(1, 7, 5), name="kernel", initializer="ones")
            self.built = True

        def compute_output_shape(self, input_shape):
            return (*input_shape[:-1], 5)

        def forward(self, x, training=False):
            return x @ self.params["recurrent_kernel"], None

    model = Sequential([Input((7,)), Own()])
    assert shared_of(model) == shared
    np.testing.assert_array_equal(model.predict(np.ones((40, 7)), batch_size=20, verbose=0), np.full((40, 5), 7))


@pytest.mark.parametrize("rows, parts", [(63, 1), (64, 2), (96, 3), (128, 4), (1024, 4)])
def test_a_part_is_made_where_there_is_enough_to_compute(monkeypatch, rows, parts):
    model = Sequential([Input((100,)), Dense(50, activation="relu"), Dense(3)])
    model.compile("sgd", "mse")
    made = []
    monkeypatch.setattr(work, "LEAST", 32 * multiply_adds(model))
    monkeypatch.setattr(work, "_WEIGHTS", math.inf)
    monkeypatch.setattr(
        step,
        "gradients",
        lambda objective, batch, *given, whole=step.gradients: (
            made.append(batch.size) or whole(objective, batch, *given)
        ),
    )
    scratchnet.set_num_threads(4)
    try:
        model.fit(np.ones((rows, 100)), np.ones((rows, 3)), batch_size=rows, verbose=0)
    finally:
        scratchnet.set_num_threads(None)
    assert len(made) == parts and sum(made) == rows


def test_the_more_weights_a_part_has_to_read_the_more_it_should_have_to_compute():
    assert work.parts_worth(4 * work.LEAST, 0) == 4
    assert work.parts_worth(4 * work.LEAST, work._WEIGHTS) == 2
    assert work.parts_worth(4 * work.LEAST, 9 * work._WEIGHTS) == 1  # one there is always


def test_the_weights_are_those_of_all_layers():
    model = Sequential([Input((7,)), Dense(5), Dense(3, use_bias=False)])
    model.compile("sgd", "mse")
    model._prepare("fit")
    assert model._objective.weights == 7 * 5 + 5 + 5 * 3


def spied_on(monkeypatch, model):
    """The rows of each call of forward from now on."""
    rows, forward = [], model.forward
    monkeypatch.setattr(model, "forward", lambda x, **options: rows.append(len(x)) or forward(x, **options))
    return rows


class Batches(Callback):
    def __init__(self):
        super().__init__()
        self.seen = []

    def on_predict_batch_end(self, batch, logs=None):
        self.seen.append(batch)

    on_test_batch_end = on_predict_batch_end


def regression(*extra):
    model = Sequential([Input((3,)), Dense(4, activation="tanh"), *extra, Dense(2)])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def test_small_batches_are_computed_as_one_and_still_told_one_by_one(monkeypatch):
    scratchnet.set_num_threads(1)
    try:
        model, rng = regression(), np.random.default_rng(0)
        x, y = rng.normal(size=(100, 3)), rng.normal(size=(100, 2))
        alone = model.predict(x, batch_size=8, verbose=0), model.evaluate(x, y, batch_size=8, verbose=0)
        monkeypatch.setattr(work, "LEAST", 24 * multiply_adds(model))
        rows, told = spied_on(monkeypatch, model), Batches()
        together = (
            model.predict(x, batch_size=8, verbose=0, callbacks=[told]),
            model.evaluate(x, y, batch_size=8, verbose=0, callbacks=[told]),
        )
        assert rows == 2 * [8, 24, 24, 24, 20] and told.seen == 2 * list(range(13))
        np.testing.assert_allclose(together[0], alone[0], rtol=1e-6)
        assert together[1] == pytest.approx(alone[1], rel=1e-6)
        rows.clear()
        model.predict(x, batch_size=8, steps=4, verbose=0)
        assert rows == [8, 24]
    finally:
        scratchnet.set_num_threads(None)


class Always(Dropout):
    def forward(self, x, training=False):
        return super().forward(x, training=True)


@pytest.mark.parametrize(
    "layer, expected",
    [
        (Dropout(0.5), [8, 24, 3]),
        (Always(0.5), [8, 8, 8, 8, 3]),
        (ActivityRegularization(0.1), [8, 8, 8, 8, 3]),
        (Lambda(lambda x: x - ops.mean(x)), [8, 8, 8, 8, 3]),
    ],
)
def test_rows_that_are_not_computed_by_themselves_stay_in_their_batch(monkeypatch, layer, expected):
    model = regression(layer)
    monkeypatch.setattr(work, "LEAST", 24 * multiply_adds(model))
    rows = spied_on(monkeypatch, model)
    scratchnet.set_num_threads(1)
    try:
        model.predict(np.ones((35, 3)), batch_size=8, verbose=0)
    finally:
        scratchnet.set_num_threads(None)
    assert rows == expected


def test_no_more_rows_are_joined_than_fit_into_memory(monkeypatch):
    monkeypatch.setattr(work, "LEAST", 10**6)
    assert work.batches_worth(32, 0) == work._MOST_ROWS // 32
    assert work.batches_worth(10_000, 1) == 1
    assert work.batches_worth(32, work.LEAST / 100) == 3
    assert work.batches_worth(32, work.MOST_HELPED / 100, helped=True) == 3
