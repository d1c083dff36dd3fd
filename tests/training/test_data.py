"""Data for training: what does not fit is refused before anything changes; layouts make no difference."""

import numpy as np
import pytest

import scratchnet
from scratchnet import ops
from scratchnet.layers import Dense, Dropout, Flatten, Input, Lambda
from scratchnet.models import Model, Sequential
from scratchnet.training import data as data_module
from scratchnet.training import step
from scratchnet.training.data import LateRows
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
    ("x", "y", "message"),
    [
        (np.ones((4, 5)), np.zeros(3, int), "x has 4 samples, y has 3"),
        (np.ones((4, 6)), np.zeros(4, int), r"expects shape \(None, 5\), got \(4, 6\)"),
        (np.ones(5), np.zeros(1, int), "one sample needs a batch axis"),
        (np.ones((0, 5)), np.zeros(0, int), "no samples"),
        (np.full((4, 5), np.nan), np.zeros(4, int), r"NaN or infinity \(first in sample 0\)"),
        (np.ones((4, 5)), np.array([0, 1, 2, 3]), r"label 3 is outside the 3 classes"),
        (np.ones((4, 5)), np.array([0, -1, 2, 1]), "label -1 is outside"),
        (np.ones((4, 5)), np.array([0.5, 1, 2, 1]), "labels must be integers"),
        (np.ones((4, 5)), np.eye(3)[[0, 1, 2, 0]], "one-hot targets need categorical_crossentropy"),
        ([[1.0, 2.0], [1.0]], np.zeros(2, int), "ragged"),
    ],
)
def test_data_that_do_not_fit_are_refused_and_change_nothing(x, y, message):
    model = classifier()
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        model.fit(x, y, verbose=0)
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)


class Sparse:
    """As those of SciPy."""

    shape = (2, 5)

    def __len__(self):
        raise TypeError("sparse array length is ambiguous")

    def __getitem__(self, rows):
        return self

    def toarray(self):
        return np.ones((2, 5))


def test_sparse_matrices_are_made_dense():
    model = classifier()
    np.testing.assert_array_equal(model.predict(Sparse(), verbose=0), model.predict(np.ones((2, 5)), verbose=0))
    model.fit(Sparse(), np.zeros(2), verbose=0)


def test_data_that_are_not_numbers_are_refused():
    model = classifier()
    with pytest.raises(TypeError, match="must be numbers"):
        model.fit(np.array([["a"] * 5]), np.zeros(1), verbose=0)
    with pytest.raises(TypeError, match="must be numbers, got dtype <U1$"):  # of labels a hint is said, not of x
        model.predict(np.array([["a"] * 5]), verbose=0)
    with pytest.raises(TypeError, match="must be arrays, got object"):
        model.predict(object(), verbose=0)
    with pytest.raises(ValueError, match="come in batches, which bring their targets"):
        model.fit((i for i in range(3)), np.zeros(3), verbose=0)


@pytest.mark.parametrize(
    "change",
    [lambda x: x.astype("float64"), lambda x: (x * 10).astype(int) / 10, np.asfortranarray, lambda x: x[::-1][::-1]],
)
def test_harmless_layouts_and_dtypes_give_the_same_result(change):
    x, y = data()
    x = np.round(x, 1)
    expected = classifier().predict(x, verbose=0)
    changed = change(x)
    changed.flags.writeable = False
    np.testing.assert_allclose(classifier().predict(changed, verbose=0), expected, rtol=2e-4)


def test_bytes_are_taken_as_numbers():
    model = Sequential([Input((2, 2)), Flatten(), Dense(1)])
    x = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    np.testing.assert_array_equal(model.predict(x, verbose=0), model.predict(x.astype("float32"), verbose=0))


def test_a_model_for_batches_of_one_size_is_given_such():
    tensor = Input(batch_shape=(4, 5))
    model = Model(tensor, ops.reshape(tensor, (4, 5)) * 2)  # an operation that relies on it
    x = np.ones((8, 5), "float32")
    assert model.predict(x, verbose=0).shape == (8, 5)
    model.compile("sgd", "mse")
    assert model.evaluate(x, 2 * x, verbose=0) == 0


def test_without_x_and_without_the_targets_of_one_output_there_is_nothing_to_train():
    with pytest.raises(ValueError, match="the training data x is missing"):
        classifier().fit(verbose=0)
    with pytest.raises(ValueError, match="the prediction data x is missing"):
        classifier().predict(None, verbose=0)
    x = Input((5,))
    model = Model(x, {"a": Dense(1, name="a")(x), "b": Dense(1, name="b")(x)})
    model.compile("sgd", {"a": "mse", "b": "mse"})
    with pytest.raises(ValueError, match="y has no targets for the output 'b'"):
        model.fit(np.ones((4, 5)), {"a": np.ones(4), "b": None}, verbose=0)


def test_labels_that_are_strings_are_refused_with_a_way_to_number_them():
    with pytest.raises(TypeError, match="y must be numbers, got dtype <U3; labels that are strings become integers"):
        classifier().fit(np.ones((2, 5)), np.array(["cat", "dog"]), verbose=0)


class Nullable:
    """A column as pandas has it, in which numbers may be missing."""

    class dtype:
        kind, na_value = "i", None

    def to_numpy(self, dtype=None, na_value=None):
        return np.array([1, 2, na_value], dtype)

    def __array__(self, dtype=None, copy=None):
        raise AssertionError("it would become an array of objects")


def test_nullable_columns_become_numbers_and_what_is_missing_is_named():
    model = Sequential([Input((1,)), Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"NaN or infinity \(first in sample 2\)"):
        model.fit(np.ones((3, 1)), Nullable(), verbose=0)


class CountsPixels(Model):
    """A model that reads the inputs of the whole batch."""

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        self.seen.append(np.asarray(x).sum())
        return super().compute_metrics(x, y, y_pred, sample_weight)


def _images(dtype, order):
    x = (np.random.default_rng(0).random((40, 6, 5)) * 9).astype(dtype)
    return x if order == "C" else np.ascontiguousarray(x.T).T


@pytest.mark.parametrize("dtype, order", [("float32", "C"), ("float64", "C"), ("uint8", "C"), ("float32", "F")])
@pytest.mark.parametrize("parts", [1, 2])
def test_large_batches_are_copied_by_the_threads_that_compute_them_with_the_same_result(
    monkeypatch, dtype, order, parts
):
    monkeypatch.setattr(step, "parts_worth", lambda work, weights: parts)
    scratchnet.set_num_threads(2)
    x, found, late = _images(dtype, order), [], []
    monkeypatch.setattr(LateRows, "__init__", lambda mine, *a, f=LateRows.__init__: late.append(a) or f(mine, *a))
    for bytes_of_batch in (0, 1 << 40):
        monkeypatch.setattr(data_module, "_MUCH_TO_COPY", bytes_of_batch)
        set_random_seed(3)
        inputs = Input((6, 5))
        model = CountsPixels(inputs, Dense(2)(Flatten()(inputs)))
        model.seen = []
        model.compile("sgd", "mse", metrics=["mae"])
        late.clear()
        history = model.fit(x, np.ones((40, 2)), batch_size=16, epochs=2, verbose=0).history
        assert bool(late) == (bytes_of_batch == 0)
        found.append((history, model.seen, *model.get_weights()))
    assert found[0][:2] == found[1][:2]
    for with_late, without in zip(found[0][2:], found[1][2:]):
        np.testing.assert_array_equal(with_late, without)


def test_what_is_also_a_target_or_in_order_is_not_copied_late(monkeypatch):
    monkeypatch.setattr(data_module, "_MUCH_TO_COPY", 0)
    monkeypatch.delattr(LateRows, "__init__")  # nobody makes any
    x = _images("float32", "C").reshape(40, 30)
    model = Sequential([Input((30,)), Dense(30)])
    model.compile("sgd", "mse")
    model.fit(x, x, batch_size=16, verbose=0)
    model.fit(x, np.ones_like(x), batch_size=16, shuffle=False, verbose=0)


def test_a_large_batch_that_makes_the_loss_infinite_is_looked_through(monkeypatch):
    monkeypatch.setattr(data_module, "_MUCH_TO_COPY", 0)
    x = np.full((8, 30), 1e30, "float32")
    model = Sequential([Input((30,)), Dense(30, kernel_initializer="ones", name="grows")])
    model.compile("sgd", "mse")
    with pytest.raises(
        FloatingPointError, match="the loss became NaN or infinite in epoch 1, batch 1; .* the loss itself"
    ):
        model.fit(x, np.zeros((8, 30)), batch_size=4, verbose=0)


def without_nan(x):
    return ops.where(ops.isnan(x), ops.zeros_like(x), x)


def where_known(y_true, y_pred):
    known = ops.logical_not(ops.isnan(y_true))
    error = ops.where(known, without_nan(y_true) - y_pred, 0.0)
    return ops.sum(ops.square(error)) / ops.sum(ops.cast(known, "float32"))


def data_with_nan():
    x, y = np.random.default_rng(0).normal(size=(2, 12, 3)).astype("float32")
    x[[2, 7], 1], y[[4, 9], 0] = np.nan, np.nan
    return x, y


@pytest.mark.parametrize("in_batches", [False, True])
def test_nan_that_the_model_and_its_loss_look_after_are_trained_on(in_batches):
    x, y = data_with_nan()
    model = Sequential([Input((3,)), Lambda(without_nan), Dropout(0.2), Dense(3)])
    model.compile("sgd", where_known)
    if in_batches:
        batches = iter([(x[:6], y[:6]), (x[6:], y[6:])] * 2)
        history = model.fit(batches, steps_per_epoch=2, epochs=2, verbose=0).history
    else:
        history = model.fit(x, y, epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all() and np.isfinite(model.evaluate(x, y, verbose=0))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["x", "y"])
def test_nan_and_infinity_that_would_reach_the_loss_or_a_gradient_are_refused_before_anything_is_trained(name, value):
    x, y = np.ones((2, 6, 3), "float32")
    (x if name == "x" else y)[4, 1] = value
    model = Sequential([Input((3,)), Dense(3, activation="tanh"), Dense(3)])  # tanh of infinity is finite
    model.compile("sgd", "mse" if name == "x" else "mae")
    before = model.get_weights()
    with pytest.raises(ValueError, match=rf"the training data {name} hold NaN or infinity \(first in sample 4\)"):
        model.fit(x, y, batch_size=2, verbose=0)
    for w, old in zip(model.get_weights(), before):
        np.testing.assert_array_equal(w, old)


def test_nan_in_targets_are_refused_though_the_model_looks_after_those_in_inputs():
    x, y = data_with_nan()
    model = Sequential([Input((3,)), Lambda(without_nan), Dense(3)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"the training data y hold NaN or infinity \(first in sample 4\)"):
        model.fit(x, y, batch_size=2, verbose=0)
