"""evaluate and predict: what they return."""

import gc
import weakref

import numpy as np
import pytest

import scratchnet
from scratchnet import callbacks, kernels, layers
from scratchnet.layers import Dense, Input
from scratchnet.models import Model, Sequential
from scratchnet.parallel import sum_over_batch
from scratchnet.parallel.threads import Workers
from scratchnet.training import evaluator
from scratchnet.training.collected import Collected
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


def test_evaluate_returns_what_keras_returns():
    x, y = data()
    model = classifier()
    assert list(model.evaluate(x, y, verbose=0, return_dict=True)) == ["accuracy", "loss"]
    assert len(model.evaluate(x, y, verbose=0)) == 2
    model.compile("adam", "sparse_categorical_crossentropy")
    assert isinstance(model.evaluate(x, y, verbose=0), float)


def test_single_batches():
    x, y = data()
    model = classifier()
    assert model.test_on_batch(x, y, return_dict=True)["loss"] == pytest.approx(model.evaluate(x, y, verbose=0)[0])
    before = model.test_on_batch(x, y)[0]
    for _ in range(20):
        model.train_on_batch(x, y)
    assert model.test_on_batch(x, y)[0] < before
    assert model.predict_on_batch(x).shape == (90, 3)


def test_callbacks_of_predict_are_told_the_outputs():
    seen = []
    inputs = layers.Input((3,))
    model = Model(inputs, {"a": layers.Dense(2)(inputs), "b": layers.Dense(1)(inputs)})
    told = callbacks.LambdaCallback()
    told.on_predict_batch_end = lambda batch, logs=None: seen.append((batch, logs["outputs"]))
    y = model.predict(np.ones((5, 3)), batch_size=2, verbose=0, callbacks=[told])
    assert [(k, out["a"].shape, out["b"].shape) for k, out in seen] == [
        (k, (n, 2), (n, 1)) for k, n in enumerate((2, 2, 1))
    ]
    np.testing.assert_array_equal(np.concatenate([out["a"] for _, out in seen]), y["a"])


class StopsAt(callbacks.Callback):
    """Asks for no more once `count` batches are done."""

    def __init__(self, count):
        super().__init__()
        self.count, self.seen = count, []

    def on_test_batch_end(self, batch, logs=None):
        self.seen.append(batch)
        self.model.stop_evaluating = batch + 1 == self.count

    def on_predict_batch_end(self, batch, logs=None):
        self.seen.append(batch)
        self.model.stop_predicting = batch + 1 == self.count


@pytest.mark.parametrize("threads", [1, 2])
def test_a_callback_ends_an_evaluation_or_a_prediction(threads):
    scratchnet.set_num_threads(threads)
    x, y = data(10)
    model, stops = classifier(), StopsAt(3)
    assert model.evaluate(x, y, 2, 0, callbacks=[stops]) == model.evaluate(x[:6], y[:6], 2, 0)
    np.testing.assert_array_equal(model.predict(x, 2, 0, callbacks=[stops]), model.predict(x[:6], 2, 0))
    assert stops.seen == [0, 1, 2] * 2
    without = classifier().fit(x, y, validation_data=(x[:4], y[:4]), validation_batch_size=2, verbose=0).history
    told = classifier().fit(x, y, validation_data=(x, y), validation_batch_size=2, verbose=0, callbacks=[StopsAt(2)])
    assert told.history == without
    assert len(model.predict(x, 2, 0)) == 10  # the next one goes to its end


def test_data_without_an_end_end_where_a_callback_says_so():
    model, stops = classifier(), StopsAt(2)

    def batches():
        while True:
            yield data(4)

    assert model.evaluate(batches(), verbose=0, callbacks=[stops]) == model.evaluate(*data(4), verbose=0)
    assert len(model.predict((x for x, _ in batches()), verbose=0, callbacks=[StopsAt(2)])) == 8


@pytest.mark.parametrize(
    "told, room, first, later", [([], 1 << 26, 2, 1), ([], 0, 5, 5), ([callbacks.Callback()], 1 << 26, 5, 5)]
)
def test_threads_go_on_by_themselves_where_nobody_wants_to_know(monkeypatch, told, room, first, later):
    x, y = data(20)
    model, counts = classifier(), []
    expected = classifier().evaluate(x, y, 2, 0), classifier().predict(x, 2, 0)
    scratchnet.set_num_threads(2)
    monkeypatch.setattr(evaluator, "batches_worth", lambda *args, **kwargs: 1)
    monkeypatch.setattr(evaluator, "is_helped", lambda *args: False)
    monkeypatch.setattr(evaluator, "way_in_use", lambda *args: (False, False))
    monkeypatch.setattr(evaluator, "_ROOM", room)
    in_turn = Workers.map
    monkeypatch.setattr(Workers, "map", lambda self, f, items: counts.append(len(items)) or in_turn(self, f, items))
    for meetings in (first, later):  # what a row takes is known from then on
        counts.clear()
        np.testing.assert_allclose(model.evaluate(x, y, 2, 0, callbacks=told), expected[0], rtol=1e-6)
        assert counts == [2] * meetings
        counts.clear()
        np.testing.assert_allclose(model.predict(x, 2, 0, callbacks=told), expected[1], rtol=1e-6)
        assert counts == [2] * meetings
    np.testing.assert_allclose(model.predict(x, 2, 0, steps=7), expected[1][:14], rtol=1e-6)


@pytest.mark.parametrize("call", ["predict", "evaluate"])
def test_data_and_results_are_given_up_without_the_garbage_collector(call):
    x, y = data(20)
    model, is_there = classifier(), []
    gc.collect()
    gc.disable()
    try:
        for _ in range(2):
            given = x.copy()
            found = model.predict(given, 2, 0) if call == "predict" else model.evaluate(given, y, 2, 0)
            arrays = [given, found] if call == "predict" else [given]
            is_there += [weakref.ref(array) for array in arrays]
            del given, found, arrays
        assert [reference() for reference in is_there] == [None] * len(is_there)
    finally:
        gc.enable()


class MayLookAcross(layers.Layer):
    """x as it is, or less the mean of its batch: as it is told between two calls."""

    across = False

    def forward(self, x, training=False):
        if not self.across:
            return x, None
        total, count = sum_over_batch(x.sum(axis=0), len(x))
        return x - total / count, None

    def backward(self, dy, cache, needs_dx=True):
        return dy, {}


def test_rows_that_have_been_apart_and_no_longer_are_go_batch_by_batch():
    model = Sequential([Input((5,)), MayLookAcross()])
    x = np.random.default_rng(0).normal(size=(12, 5)).astype("float32")
    for across in (False, True, True, False):
        model.layers[0].across = across
        parts = [x[k : k + 3] for k in range(0, 12, 3)]
        expected = np.concatenate([part - part.mean(axis=0) for part in parts]) if across else x
        np.testing.assert_allclose(model.predict(x, batch_size=3, verbose=0), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_batches_that_are_computed_as_one_have_the_same_data(dtype):
    x = (np.arange(60).reshape(20, 3) % 7).astype(dtype)
    model = Sequential([Input((3,)), Dense(4, activation="tanh"), Dense(2)])
    first = model.predict(x, batch_size=2, verbose=0)
    np.testing.assert_array_equal(model.predict(x, batch_size=2, verbose=0), first)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("ahead", [1 << 26, 0])
def test_whoever_has_computed_rows_copies_them_to_their_place(monkeypatch, threads, ahead):
    monkeypatch.setattr(evaluator, "way_in_use", lambda *args: (False, False))
    monkeypatch.setattr(evaluator, "_ROOM", ahead)
    wholes, hand_over = [], Collected.hand_over
    monkeypatch.setattr(Collected, "hand_over", lambda self, rows: wholes.append(hand_over(self, rows)) or wholes[-1])
    scratchnet.set_num_threads(threads)
    x = np.random.default_rng(0).normal(size=(50, 40)).astype("float32")
    inputs = Input((40,))
    model = Model(inputs, [layers.Activation("relu")(inputs), inputs])
    for _ in range(2):
        for steps, rows in ((None, 50), (13, 50), (3, 12), (1, 4)):
            y, same = model.predict(x, batch_size=4, verbose=0, steps=steps)
            np.testing.assert_array_equal(y, np.maximum(x[:rows], 0))
            np.testing.assert_array_equal(same, x[:rows])
            assert all(a.flags.owndata and not np.may_share_memory(a, x) for a in (y, same))
            assert steps == 1 or wholes[-1][0] is y  # none was put together once more
    y, same = model.predict(x, batch_size=4, verbose=0, callbacks=[StopsAt(5)])
    assert len(y) == len(same) == 20 and y.flags.owndata


@pytest.mark.parametrize(
    "count, threads, expected",
    [(0, 2, []), (1, 2, [1]), (3, 2, [1, 2]), (18, 1, [3] * 6), (18, 2, [3] * 6), (8, 2, [2] * 4), (7, 3, [2, 2, 3])],
)
def test_each_thread_has_as_many_batches_to_compute(count, threads, expected):
    batches = list(range(count))
    pieces = evaluator._in_pieces(batches, 3, threads)
    assert [len(piece) for piece in pieces] == expected
    assert [batch for piece in pieces for batch in piece] == batches


def test_batches_of_sequences_without_a_step_take_no_room():
    model = Sequential([layers.Input((None, 3)), layers.Activation("relu")])
    assert model.predict(np.zeros((9, 0, 3), "float32"), batch_size=2, verbose=0).shape == (9, 0, 3)


def test_batches_of_an_iterator_are_taken_as_many_at_a_time_as_there_are_threads():
    scratchnet.set_num_threads(2)
    model, taken = classifier(), []

    def batches():
        for k in range(6):
            taken.append(k)
            yield data(4)[0]
            assert len(taken) - len(computed) <= 2

    computed = []
    model.layers[-1].forward = lambda x, training=False, f=model.layers[-1].forward: computed.append(0) or f(x)
    assert len(model.predict(batches(), verbose=0)) == 24


@pytest.mark.parametrize("row", [0, 5, 19])
def test_an_error_in_one_of_many_batches_is_told(monkeypatch, row):
    scratchnet.set_num_threads(2)
    monkeypatch.setattr(evaluator, "batches_worth", lambda *args, **kwargs: 1)
    x, y = data(20)
    x[row] = 1e6
    model = classifier()

    def forward(x, training=False, f=model.layers[0].forward):
        if x.max() == 1e6:
            raise ArithmeticError("too large")
        return f(x)

    model.layers[0].forward = forward
    for call in (lambda: model.evaluate(x, y, 2, 0), lambda: model.predict(x, 2, 0)):
        with pytest.raises(ArithmeticError, match="too large"):
            call()


@pytest.mark.skipif(
    not kernels.numba_is_installed(), reason="asked of compiled kernels: BLAS may round a row by how many there are"
)
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_what_is_joined_has_the_bits_of_one_batch_after_the_other(threads, monkeypatch):
    set_random_seed(1)
    model = Sequential([Input((288,)), Dense(20, activation="tanh"), Dense(3, activation="softmax")])
    x = np.random.default_rng(0).normal(size=(150, 288)).astype("float32")
    with kernels.using_backend("numba"):
        scratchnet.set_num_threads(threads)
        together = model.predict(x, batch_size=20, verbose=0)
        monkeypatch.setattr(evaluator, "batches_worth", lambda *args: 1)
        np.testing.assert_array_equal(model.predict(x, batch_size=20, verbose=0), together)


@pytest.mark.parametrize("rows, units, helped", [(16, 3000, True), (15, 3000, False), (16, 30, False)])
def test_a_model_that_is_called_on_enough_has_a_helper(monkeypatch, rows, units, helped):
    asked = []
    monkeypatch.setattr(Workers, "help_one", lambda self, pays=True: asked.append(self.count))
    model = Sequential([Input((300,)), Dense(units)])
    x = np.ones((rows, 300), "float32")
    for count in (1, 2):
        scratchnet.set_num_threads(count)
        assert model(x).shape == (rows, units)
        assert asked == [2] * (helped and count == 2)
    with Workers():  # of a fit, whose callback calls the model
        asked.clear()
        model(x)
        assert not asked


def test_a_model_that_is_called_without_a_graph_or_an_array_asks_for_nobody():
    model = Sequential([Dense(3)])
    assert not model._is_worth_a_helper(np.ones((1000, 1000), "float32"))
    assert model(np.ones((1000, 1000), "float32")).shape == (1000, 3)
    assert not model._is_worth_a_helper(Input((1000,))) and not model._is_worth_a_helper(np.float32(1))


def test_what_is_remembered_of_rows_is_of_rows_as_large(monkeypatch):
    monkeypatch.setattr(evaluator, "way_in_use", lambda *args: (True, False))
    model = Sequential([layers.Input((None, 3)), layers.LSTM(4)])
    x, rows = np.zeros((24, 9, 3), "float32"), []
    forward = Model.forward
    monkeypatch.setattr(Model, "forward", lambda mine, x, **options: rows.append(len(x)) or forward(mine, x, **options))
    for steps, expected in ((9, [2, 22]), (9, [24]), (4, [2, 22]), (9, [2, 22])):
        model.predict(x[:, :steps].copy(), batch_size=2, verbose=0)
        assert rows == expected
        rows.clear()


@pytest.mark.parametrize("call", ["predict", "evaluate"])
def test_each_batch_is_told_to_begin_when_the_one_before_has_ended(call):
    model, told = Sequential([Input((3,)), Dense(1)]), []
    model.compile("sgd", "mse")

    class Told(callbacks.Callback):
        on_predict_batch_begin = on_test_batch_begin = lambda self, batch, logs=None: told.append(("begin", batch))
        on_predict_batch_end = on_test_batch_end = lambda self, batch, logs=None: told.append(("end", batch))

    x = np.ones((9, 3), "float32")
    given = (x,) if call == "predict" else (x, x[:, :1])
    getattr(model, call)(*given, batch_size=2, verbose=0, callbacks=[Told()])
    assert told == [(what, batch) for batch in range(5) for what in ("begin", "end")]
