"""Symbolic tensors: operators become operations, and what asks for values is told what to do instead."""

import numpy as np
import pytest

from scratchnet import get_num_threads, ops, random, set_num_threads
from scratchnet.graph.symbolic import KerasTensor, Size
from scratchnet.layers import Dense, Input, Layer, StringLookup
from scratchnet.models import Model


@pytest.fixture
def x():
    return Input((4,), name="x")


@pytest.mark.parametrize(
    "build",
    [
        lambda x: x + 1,
        lambda x: 2 - x,
        lambda x: x * np.arange(4.0),
        lambda x: np.arange(4.0) * x,
        lambda x: np.float64(2) / x,
        lambda x: x // 2,
        lambda x: 7 % x,
        lambda x: x**2,
        lambda x: 2**x,
        lambda x: -abs(x) + +x,
        lambda x: x @ np.eye(4),
        lambda x: np.ones((2, 4)) @ x[..., None],
        lambda x: round(x * 1.37, 1),
        lambda x: x[:, 1:3],
        lambda x: x[..., None] * x[:, None, ::-1],
        lambda x: ops.where((x < 1) | (x >= 2) & ~(x == 1.5), x, 0),
        lambda x: ops.cast((x > 1) ^ (x != 2), "float32"),
        lambda x: x.reshape((-1, 2, 2)).squeeze(),
    ],
)
def test_an_operator_computes_what_numpy_computes(build, x):
    values = np.random.default_rng(0).uniform(0.5, 3.0, (5, 4)).astype(np.float32)
    y = build(x)
    expected = np.asarray(build(_Like(values)))
    model = Model(x, y)
    result = model.predict(values, verbose=0)
    assert result.dtype == np.float32
    assert y.shape[1:] == result.shape[1:]
    np.testing.assert_allclose(result, expected, rtol=2e-6)


class _Like(np.ndarray):
    """An array on which the same lines run."""

    def __new__(cls, values):
        return np.asarray(values, np.float64).view(cls)

    def __round__(self, ndigits):
        return np.round(self, ndigits)


def test_the_dtype_is_that_of_the_tensors(x):
    assert (x * np.ones(4)).dtype == (x + np.float64(1)).dtype == (x / 3).dtype == "float32"
    tokens = Input((4,), dtype="int32")
    assert tokens.dtype == (tokens * 2).dtype == "int32"
    assert (tokens / 2).dtype == (tokens * 1.5).dtype == (x + tokens).dtype == "float32"


def test_comparisons_with_nothing_and_with_text_are_pythons(x):
    assert (x == None) is False and (x != None) is True  # noqa: E711
    assert (x == "x") is False
    assert {x: 1}[x] == 1


def test_a_tensor_says_its_shape(x):
    assert x.shape == (None, 4) and x.ndim == 2 and x.size is None
    assert isinstance(x, KerasTensor)
    rows, columns = ops.shape(x)
    assert columns == 4 and isinstance(rows, Size)
    assert repr(rows * 2 + 1) == "((shape(x)[0] * 2) + 1)"


def test_a_known_axis_can_be_looped_over(x):
    a, b, c, d = ops.transpose(x)
    model = Model(x, a * b + c - d)
    np.testing.assert_array_equal(model.predict(np.array([[1.0, 2, 3, 4]]), verbose=0), [1.0])
    assert len(ops.transpose(x)) == 4


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda x: bool(x), r"<KerasTensor.*has no value.*if, while, and, not.*use ops.where"),
        (lambda x: 1 < x < 3, "ops.logical_and"),
        (lambda x: float(x), "has no value"),
        (lambda x: range(x), "has no value"),
        (lambda x: x.numpy(), "has no value"),
        (lambda x: np.asarray(x), "use scratchnet.ops instead of NumPy"),
        (lambda x: np.exp(x), "np.exp cannot be traced: use scratchnet.ops.exp"),
        (lambda x: np.mean(x), "np.mean cannot be traced: use scratchnet.ops.mean"),
        (lambda x: np.add.reduce(x), "np.add.reduce cannot be traced"),
        (lambda x: np.fft.hfft(x), "np.hfft cannot be traced: use the operations of scratchnet.ops"),
        (lambda x: list(x), "a loop over the samples of a batch cannot be traced"),
        (lambda x: len(x), r"ops.shape\(x\)\[0\]"),
        (lambda x: x.__setitem__(0, 1), "assignment to parts of a tensor cannot be traced; use ops.where"),
        (lambda x: x[ops.cast(x[:, 0], "int32"), 0], "key depends on values"),
        (lambda x: ops.reshape(x, (ops.sum(x), 1)), "newshape depends on values"),
        (lambda x: range(ops.shape(x)[0]), "a loop over the samples of a batch"),
        (lambda x: ops.shape(x)[0] > 3, "decision by their number"),
    ],
)
def test_what_needs_values_is_refused_in_a_sentence(wrong, message, x):
    with pytest.raises(TypeError, match=message):
        wrong(x)


def test_an_array_cannot_take_up_a_tensor(x):
    array = np.zeros(4)
    with pytest.raises(TypeError, match="y = y \\+ x"):
        array += x


def test_shapes_that_do_not_fit_are_told_with_the_batch_as_none(x):
    with pytest.raises(ValueError, match=r"^add cannot be applied to shapes \(None, 4\) and \(3,\)$"):
        x + np.ones(3)


def test_a_place_in_a_table_may_be_a_tensor():
    places = Input((), dtype="int32")
    table = Input(batch_shape=(3, 2))
    model = Model([places, table], table[places])
    np.testing.assert_array_equal(
        model.predict_on_batch([np.array([2, 0, 2]), np.arange(6.0).reshape(3, 2)]), [[4, 5], [0, 1], [4, 5]]
    )


def test_strings_change_their_shape_on_the_way_to_a_layer_that_reads_them():
    inputs = Input((), dtype="string")
    column = ops.expand_dims(inputs, -1)
    assert column.dtype == "string" and column.shape == (None, 1)
    model = Model(inputs, StringLookup(vocabulary=["a", "b"], mask_token=None, num_oov_indices=0)(column))
    np.testing.assert_array_equal(model.predict(np.array(["b", "a", "b"]), verbose=0), [[1], [0], [1]])


def test_a_tensor_of_sizes_may_say_how_often_or_in_which_shape():
    x = Input((4,))
    batch = ops.shape(x)[0]
    repeats = ops.concatenate([ops.expand_dims(batch, -1), ops.convert_to_tensor([1, 1])], axis=0)
    mask = ops.tile(ops.reshape(ops.arange(6.0), (1, 2, 3)), repeats)
    again = ops.reshape(x, (ops.cast(batch, "int32"), 2, 2))
    model = Model(x, [mask + 0 * again[:, :, :1], ops.reshape(again, ops.stack([batch * 2, 2]))])
    values = np.arange(12.0).reshape(3, 4)
    tiled, pairs = model.predict(values, verbose=0)
    np.testing.assert_array_equal(tiled, np.tile(np.arange(6.0).reshape(1, 2, 3), (3, 1, 1)))
    np.testing.assert_array_equal(pairs, values.reshape(6, 2))
    with pytest.raises(TypeError, match="tile: repeats depends on values"):
        ops.tile(x, ops.cast(x[0], "int32"))


def joined(batch_size=None):
    x = Input((4,), batch_size=batch_size)
    noise = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
    z = Dense(3, kernel_initializer="ones")(x) + ops.exp(Dense(3, kernel_initializer="ones")(x)) * noise
    z = ops.concatenate([z, np.ones((6, 1), "float32")], axis=-1)
    return Model(x, Dense(2, kernel_initializer="ones")(z))


@pytest.mark.parametrize("threads", [1, 2])
def test_a_batch_that_meets_fixed_rows_is_computed_as_a_whole(threads):
    x, y = np.random.default_rng(1).normal(size=(2, 12, 4)).astype("float32")
    losses = []
    with_threads = get_num_threads()
    set_num_threads(threads)
    try:
        for model in (joined(), joined(batch_size=6)):
            model.compile("sgd", "mse")
            losses.append(model.fit(x, y[:, :2], batch_size=6, epochs=3, shuffle=False, verbose=0).history["loss"])
            assert model.predict(x, batch_size=6, verbose=0).shape == (12, 2)
    finally:
        set_num_threads(with_threads)
    assert losses[0] == losses[1]
    copy = Model.from_config(joined().get_config())
    np.testing.assert_array_equal(copy(x[:6]), joined()(x[:6]))


def test_a_batch_that_meets_fixed_rows_must_have_as_many():
    model = joined()
    for rows in (1, 5, 12):
        with pytest.raises(ValueError, match=f"joins the batch with 6 rows, .* batches of 6 samples .* got {rows}"):
            model(np.zeros((rows, 4), "float32"))
    with pytest.raises(ValueError, match=r"add cannot be applied to shapes \(None, 4\) and \(3, 5\)"):
        Input((4,)) + np.ones((3, 5))


def test_a_layer_may_draw_for_a_fixed_batch():
    class Noisy(Layer):
        def call(self, x):
            return x + random.normal((6, 1), seed=0)

    x = Input((4,))
    model = Model(x, Noisy()(x))
    assert model.predict(np.zeros((12, 4)), batch_size=6, verbose=0).shape == (12, 4)
    with pytest.raises(ValueError, match="joins the batch with 6 rows"):
        model.predict(np.zeros((3, 4)), verbose=0)


def test_numpy_tells_the_shape_of_a_symbolic_tensor():
    x = Input((3, 4))
    assert np.shape(x) == (None, 3, 4)
    assert np.ndim(x) == 3
