"""Into how many parts a batch goes: by what there is to compute, counted from the shapes."""

import math

import numpy as np
import pytest

import scratchnet
from scratchnet import kernels, ops
from scratchnet.callbacks import Callback
from scratchnet.layers import (
    GRU,
    LSTM,
    Activation,
    ActivityRegularization,
    AdditiveAttention,
    Attention,
    AveragePooling1D,
    BatchNormalization,
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Dense,
    DepthwiseConv1D,
    DepthwiseConv2D,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GroupedQueryAttention,
    Input,
    Lambda,
    Layer,
    LayerNormalization,
    LeakyReLU,
    MaxPooling2D,
    MultiHeadAttention,
    PReLU,
    SeparableConv1D,
    TimeDistributed,
    UnitNormalization,
    UpSampling2D,
    ZeroPadding2D,
)
from scratchnet.models import Model, Sequential
from scratchnet.parallel import Workers
from scratchnet.training import step, work
from scratchnet.training.in_use import in_use
from scratchnet.training.work import multiply_adds, shared_in_use, shared_of, shared_of_tables, weights_of


def elements(*counts):
    return work._OF_AN_ELEMENT * sum(counts)


def beside_step(numbers):
    return work._OF_A_STEP * numbers


@pytest.mark.parametrize(
    "layers, expected",
    [
        ((Input((7,)), Dense(20)), 7 * 20 + elements(20)),
        ((Input((6, 7)), Dense(20)), 6 * 7 * 20 + elements(120)),
        ((Input((6, 7)), TimeDistributed(Dense(20))), 6 * 7 * 20 + elements(120)),
        ((Input((6, 7)), LSTM(5)), 6 * (7 + 5) * 20 + elements(5)),
        ((Input((6, 7)), GRU(6, return_sequences=True)), 6 * ((7 + 6) * 18 + 2 * 18) + elements(36)),
        ((Input((8, 8, 3)), Conv2D(20, 3, padding="same")), 64 * 27 * 20 + elements(1280)),
        ((Input((8, 8, 3)), Conv2D(4, 3, padding="same")), 64 * 27 * work._FEWEST + elements(256)),
        ((Input((8, 8, 3)), DepthwiseConv2D(3, padding="same")), 64 * 27 + elements(192)),
        ((Input((8, 8, 3)), Flatten(), Activation("relu")), elements(192, 192)),
        ((Input((9,)), Embedding(1000, 4)), elements(36)),
        ((Input((None, 7)), Dense(20)), work._UNKNOWN * (7 * 20 + elements(20))),
    ],
)
def test_multiply_adds_are_those_of_the_matrices_at_every_position(layers, expected):
    assert multiply_adds(Sequential(layers)) == expected


def test_of_a_nested_model_they_are_those_of_its_layers():
    inner = Sequential([Input((7,)), Dense(20)])
    x = Input((7,))
    assert multiply_adds(Model(x, Dense(30)(inner(x) + 1))) == 140 + 600 + elements(20, 20, 30)


def test_in_attention_every_query_meets_every_key_and_every_weight_a_value():
    q, v = Input((6, 7)), Input((5, 7))
    dot, additive, looked_up = 6 * 5 * (7 + 7), elements(6 * 5 * 7) + 6 * 5 * 7, elements(6 * 7)
    for layer, there, shared in (
        (Attention(), dot, dot),
        (Attention(use_scale=True), dot, 0),
        (AdditiveAttention(), additive, additive),  # P v is little beside the scores
    ):
        model = Model([q, v], layer([q, v]))
        assert multiply_adds(model) == there + looked_up
        assert shared_of(model) == shared
    for layer, there in (
        (MultiHeadAttention(3, 4, 2), 3 * 6 * 5 * (4 + 2)),
        (GroupedQueryAttention(4, 6, 2), 6 * 6 * 5 * (4 + 4)),
    ):
        model = Model([q, v], layer(q, v))
        (node,) = model.graph.nodes
        assert work._in_scores(node) == there
        assert multiply_adds(model) == shared_of(model) + looked_up == work._in_products(node) + there + looked_up


def test_where_nothing_is_known_nothing_is_small():
    assert multiply_adds(Sequential([Dense(3)])) == shared_of(Sequential([Dense(3)])) == math.inf


@pytest.mark.parametrize(
    "layer, shared",
    [
        (LSTM(40, activation="relu"), 6 * (7 + 40) * 160 + elements(40) - 6 * beside_step(7 + 160)),
        (LSTM(40, recurrent_activation="gelu"), 0),
        (GRU(40, dropout=0.1), 6 * ((7 + 40) * 120 + 2 * 120) + elements(40) - 12 * beside_step(7 + 120)),
        (LSTM(1), 0),
        (TimeDistributed(Dense(20, activation="gelu")), 6 * 7 * 20),
        (TimeDistributed(Dense(5, dtype="float64")), 0),
        (LayerNormalization(), elements(42)),
        (BatchNormalization(), 0),
        (UnitNormalization(), 0),
        (Dropout(0.5), 0),
        (Flatten(), elements(42)),
        (Activation("relu"), elements(42)),
        (AveragePooling1D(2), elements(21)),
    ],
)
def test_threads_share_what_is_compiled_and_of_float32(layer, shared):
    assert shared_of(Sequential([Input((6, 7)), layer])) == shared


@pytest.mark.parametrize(
    "layer, all_of_it",
    [
        (Conv2D(20, 1), True),
        (Conv2D(20, 3, groups=2), False),
        (Conv2D(20, 1, dtype="float64"), False),
        (DepthwiseConv2D(3), True),
        (BatchNormalization(), True),
        (Activation("sigmoid"), True),
        (Activation(lambda z: z * z), False),
        (LeakyReLU(), True),
        (PReLU(), True),
        (MaxPooling2D(), True),
        (GlobalAveragePooling2D(), True),
        (UpSampling2D(interpolation="bilinear"), True),
        (Dropout(0.5), True),
        (Flatten(), True),
        (ZeroPadding2D(), False),
    ],
)
def test_where_nobody_goes_back_threads_share_more(layer, all_of_it):
    model = Sequential([Input((8, 8, 4)), layer])
    assert shared_in_use(model) == all_of_it * multiply_adds(model)
    assert shared_in_use(Sequential([Input((8, 8, 4)), model])) == shared_in_use(model)


def test_nothing_is_known_of_what_is_shared_before_there_are_shapes():
    assert shared_in_use(Sequential([Flatten()])) == math.inf


def test_what_is_shared_in_training_is_so_in_use():
    model = Sequential([Input((6, 7)), Dense(20), LSTM(40)])
    shared = 6 * (7 * 20 + (20 + 40) * 160) + elements(40)
    assert shared_in_use(model) == shared
    assert shared_of(model) == shared - 6 * beside_step(20 + 160)


@pytest.mark.parametrize(
    "shared, alone, weights, helped",
    [
        (work.LEAST_HELPED, 0, 0, True),
        (work.LEAST_HELPED - 1, 0, 0, False),
        (work.LEAST_HELPED, work._MOST_ALONE, 0, True),
        (work.LEAST_HELPED, work._MOST_ALONE + 1, 0, False),
        (work.MOST_HELPED - 1, 1, 0, True),
        (work.MOST_HELPED, 1, 0, False),
        (2 * work.MOST_HELPED, 0, work._WEIGHTS, True),  # which each of two parts would read
        (2 * work.MOST_HELPED + 1, 0, work._WEIGHTS, False),
    ],
)
def test_a_helper_is_for_what_is_all_shared_but_a_little_and_neither_small_nor_large(shared, alone, weights, helped):
    assert work.is_helped(shared + alone, shared, weights) == helped


@pytest.mark.parametrize(
    "shared, alone, weights, can_help, expected",
    [
        (work.LEAST_HELPED - 1, 0, 0, True, (True, False)),
        (work.LEAST_HELPED, work._MOST_ALONE, 0, True, (True, True)),
        (work.LEAST_HELPED, work._LEAST_APART, 0, True, (False, False)),
        (work.LEAST_HELPED, 0, 0, False, (True, False)),
        (work._LEAST_APART, 0, 0, False, (False, False)),
        (work._MUCH, 0, 0, True, (True, True)),
        (work._MUCH + 1, 0, 0, True, (False, False)),
        (2 * work._MUCH, 0, work._WEIGHTS, True, (True, True)),  # which two threads read once, and not twice
        (math.inf, math.inf, 0, True, (False, False)),
    ],
)
def test_in_use_one_thread_takes_what_is_little_and_has_a_helper_for_what_is_neither(
    shared, alone, weights, can_help, expected
):
    assert work.way_in_use(shared + alone, shared, weights, can_help) == expected


@pytest.mark.parametrize("count", [1, 2])
def test_few_small_batches_in_use_go_to_one_thread(monkeypatch, count):
    scratchnet.set_num_threads(count)
    model, items = Sequential([Input((7,)), Dense(20)]), []
    in_turn = Workers.map
    monkeypatch.setattr(Workers, "map", lambda self, f, those: items.append(len(those)) or in_turn(self, f, those))
    try:
        model.predict(np.zeros((320, 7), "float32"), verbose=0)
    finally:
        scratchnet.set_num_threads(None)
    assert set(items) == {1}


@pytest.mark.parametrize(
    "layer, shared",
    [
        (Conv1D(40, 5, padding="causal"), 20 * 40 * 5 * 40 + elements(800)),
        (Conv1DTranspose(50, 3, padding="same"), 20 * 40 * 3 * 50 + elements(1000)),
        (Conv1D(40, 3, strides=2, padding="same"), 20 * 40 * 3 * 40 + elements(400)),
        (Conv1D(40, 1), 20 * 40 * 40 + elements(800)),
        (Conv1D(80, 5, groups=2), 0),
        (Conv1D(40, 5, dtype="float64"), 0),
        (DepthwiseConv1D(3, depth_multiplier=2, padding="same"), 20 * 3 * 80 + elements(1600)),
        (SeparableConv1D(40, 3, padding="same"), 20 * (3 * 40 + 40 * 40) + elements(800)),
    ],
)
def test_of_convolutions_they_share_all_but_those_of_groups(layer, shared):
    assert shared_of(Sequential([Input((20, 40)), layer])) == shared


def test_products_that_threads_can_share_are_those_of_inner_models_too():
    inner = Sequential([Input((6, 8)), Conv1D(80, 1, groups=8), LSTM(40)])
    x = Input((6, 8))
    of_lstm = 6 * (80 + 40) * 160 + elements(40) - 6 * beside_step(80 + 160)
    assert shared_of(Model(x, Dense(20)(inner(x) + 1))) == of_lstm + 40 * 20


def test_rows_are_looked_up_by_two_threads_and_so_are_the_gradients_of_their_tables():
    frozen = Embedding(30, 4, trainable=False)
    model = Sequential([Input((9,)), Sequential([Input((9,)), Embedding(1000, 4)])])
    assert shared_of(model) == elements(36)
    assert shared_of_tables(model) == work._OF_A_GRADIENT * 4000
    assert shared_of_tables(Sequential([Input((9,)), frozen])) == shared_of_tables(Sequential([Embedding(3, 4)])) == 0


def test_of_words_whose_mean_is_taken_at_once_all_are_looked_up():
    layers = Sequential([Input((9,)), Embedding(1000, 4), GlobalAveragePooling1D()])
    with kernels.using_backend("numba" if kernels.numba_is_installed() else "numpy"):
        quicker = in_use(layers)
    of_mean = 0 if kernels.numba_is_installed() else elements(4)
    assert multiply_adds(quicker) == shared_in_use(quicker) == elements(36) + of_mean


@pytest.mark.parametrize("attributes, shared", [({"activation": lambda z: z}, True), ({"kernel_size": (3,)}, False)])
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
    assert shared_of(model) == shared * (multiply_adds(model) - elements(5))
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
    assert model._objective.weights == weights_of(model) == 7 * 5 + 5 + 5 * 3
    assert weights_of(Sequential([Dense(3)])) == 0


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
        monkeypatch.setattr(work, "_JOINED", 24 * multiply_adds(model))
        rows, told = spied_on(monkeypatch, model), Batches()
        together = (
            model.predict(x, batch_size=8, verbose=0, callbacks=[told]),
            model.evaluate(x, y, batch_size=8, verbose=0, callbacks=[told]),
        )
        assert rows == 2 * [24, 24, 24, 24, 4] and told.seen == 2 * list(range(13))
        np.testing.assert_allclose(together[0], alone[0], rtol=1e-6)
        assert together[1] == pytest.approx(alone[1], rel=1e-6)
        rows.clear()
        model.predict(x, batch_size=8, steps=4, verbose=0)
        assert rows == [16, 16]
        rows.clear()
        in_use(model).graph.rows_in_use.clear()  # the first time the first batch shows it
        model.predict(x, batch_size=8, verbose=0)
        assert rows == [8, 24, 24, 24, 20]
    finally:
        scratchnet.set_num_threads(None)


class Always(Dropout):
    def forward(self, x, training=False):
        return super().forward(x, training=True)


@pytest.mark.parametrize(
    "layer, expected",
    [
        (Dropout(0.5), [8, 16, 11]),
        (Always(0.5), [8, 8, 8, 8, 3]),
        (ActivityRegularization(0.1), [8, 8, 8, 8, 3]),
        (Lambda(lambda x: x - ops.mean(x)), [8, 8, 8, 8, 3]),
    ],
)
def test_rows_that_are_not_computed_by_themselves_stay_in_their_batch(monkeypatch, layer, expected):
    model = regression(layer)
    monkeypatch.setattr(work, "_JOINED", 24 * multiply_adds(model))
    rows = spied_on(monkeypatch, model)
    scratchnet.set_num_threads(1)
    try:
        model.predict(np.ones((35, 3)), batch_size=8, verbose=0)
    finally:
        scratchnet.set_num_threads(None)
    assert rows == expected


def test_no_more_rows_are_joined_than_fit_into_memory():
    assert work.batches_worth(32, 0, 0, 0) == work._MOST_ROWS // 32
    assert work.batches_worth(10_000, 1, 1, 0) == 1
    assert work.batches_worth(32, work._JOINED / 100, 10, 0) == 3
    assert work.batches_worth(32, 1, work._MOST_NUMBERS // 64, 0) == 2


def test_of_what_has_many_weights_more_rows_are_joined():
    assert work.batches_worth(32, work._JOINED / 64, 10, 0) == 2
    assert work.batches_worth(32, work._JOINED / 64, 10, work._WEIGHTS) == 4


def test_the_largest_output_counts_also_within_a_model_that_is_a_layer():
    x = Input((6, 4))
    inner = Sequential([Input((6, 4)), Dense(50), Dense(3)])
    assert work.most_numbers(Model(x, Dense(20)(inner(x)))) == 6 * 50
    assert work.most_numbers(Sequential([Dense(3)])) == 0  # not built yet
