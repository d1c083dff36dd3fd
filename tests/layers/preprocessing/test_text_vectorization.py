"""TextVectorization: own functions, lengths, models that take strings, files."""

import re

import numpy as np
import pytest

from scratchnet.layers import (
    Concatenate,
    Dense,
    Embedding,
    GlobalAveragePooling1D,
    Input,
    IntegerLookup,
    Normalization,
    StringLookup,
    TextVectorization,
)
from scratchnet.models import Model, Sequential, load_model
from scratchnet.utils import Dataset

TEXTS = np.array(["good film", "bad film", "very good", "very bad, bad!", "good good", "BAD"] * 8)
LABELS = np.array([1, 0, 1, 0, 1, 0] * 8)


def test_functions_of_ones_own():
    layer = TextVectorization(
        standardize=lambda x: np.char.replace(x, "<br>", " "),
        split=lambda x: [re.split("[ ,]+", text) for text in x.tolist()],
        vocabulary=["a", "b"],
    )
    np.testing.assert_array_equal(layer(np.array(["a<br>b", "b,b,x"])), [[2, 3, 0], [3, 3, 1]])
    with pytest.raises(ValueError, match="it must keep the shape"):
        TextVectorization(standardize=lambda x: x[:1])(np.array(["a", "b"]))


def test_rows_are_as_long_as_the_longest_or_as_is_asked_for():
    layer = TextVectorization(vocabulary=["a"])
    assert layer(["a a a", "a"]).shape == (2, 3)
    assert layer(["", ""]).shape == (2, 0)
    layer = TextVectorization(vocabulary=["a"], output_sequence_length=2)
    np.testing.assert_array_equal(layer(["a a a", "a", ""]), [[2, 2], [2, 0], [0, 0]])
    assert layer.compute_output_shape((None, 1)) == (None, 2)


def test_a_vocabulary_is_made_of_batches_too():
    whole, batched = TextVectorization(max_tokens=5), TextVectorization(max_tokens=5)
    whole.adapt(TEXTS)
    batched.adapt((batch, None) for batch in np.split(TEXTS, 4))
    assert whole.get_vocabulary() == batched.get_vocabulary() == ["", "[UNK]", "good", "bad", "very"]


def classifier():
    vectorize = TextVectorization(output_sequence_length=4)
    vectorize.adapt(TEXTS)
    texts = Input((1,), dtype="string")
    x = Embedding(vectorize.vocabulary_size(), 4, mask_zero=True)(vectorize(texts))
    return Model(texts, Dense(1, activation="sigmoid")(GlobalAveragePooling1D()(x)))


def test_a_model_takes_strings_learns_and_is_saved_with_its_vocabulary(tmp_path):
    model = classifier()
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.optimizer.learning_rate = 0.1
    model.fit(TEXTS, LABELS, epochs=8, batch_size=16, verbose=0)
    assert model.evaluate(TEXTS, LABELS, verbose=0)[1] == 1
    expected = model.predict(TEXTS[:6], verbose=0)
    np.testing.assert_allclose(model(TEXTS[:6, None]), expected, rtol=1e-6)
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(load_model(tmp_path / "model.keras").predict(TEXTS[:6], verbose=0), expected)


@pytest.mark.parametrize("mode", ["count", "multi_hot", "tf_idf"])
def test_bags_of_words_in_a_sequential_model(mode, tmp_path):
    vectorize = TextVectorization(output_mode=mode)
    vectorize.adapt(TEXTS)
    model = Sequential([Input((1,), dtype="string"), vectorize, Dense(1)])
    assert model.output_shape == (None, 1)
    model.compile("sgd", "mse")
    model.fit(TEXTS, LABELS, verbose=0)
    model.save(tmp_path / "model.keras")
    expected = model.predict(TEXTS[:6], verbose=0)
    np.testing.assert_array_equal(load_model(tmp_path / "model.keras").predict(TEXTS[:6], verbose=0), expected)


def test_words_beside_numbers():
    inputs = {"kind": Input((1,), dtype="string", name="kind"), "size": Input((1,), name="size")}
    kind = StringLookup(vocabulary=["x", "y"], output_mode="one_hot")(inputs["kind"])
    model = Model(inputs, Dense(1)(Concatenate()([kind, Normalization(mean=0, variance=4)(inputs["size"])])))
    model.compile("sgd", "mse")
    data = {"kind": np.array(["x", "z"]), "size": np.array([1.0, 2.0])}
    model.fit(data, np.zeros(2), verbose=0)
    assert model.predict(data, verbose=0).shape == (2, 1)


def test_strings_are_refused_where_numbers_are_wanted():
    model = Sequential([Input((1,)), Dense(1)])
    with pytest.raises(TypeError, match="must be numbers, got dtype <U"):
        model.predict(np.array(["a"]), verbose=0)


def test_a_stack_that_begins_with_it_takes_strings_without_an_input():
    vectorize = TextVectorization(output_sequence_length=3)
    vectorize.adapt(["a b", "b c"])
    texts = np.array(["b", "c a"])
    for data in (texts, Dataset.from_tensor_slices(texts).batch(2)):
        model = Sequential([vectorize])
        assert model.takes_strings
        assert model.predict(data, verbose=0).tolist() == [[2, 0, 0], [3, 4, 0]]
        assert model.inputs[0].dtype == "string" and model.takes_strings
    assert not Sequential().takes_strings and not Sequential([IntegerLookup(vocabulary=[1])]).built
    numbers = Sequential([IntegerLookup(vocabulary=[7])])
    assert numbers.predict(np.array([[7], [8]]), verbose=0).tolist() == [[1], [0]]
    assert numbers.inputs[0].dtype == "float32"


@pytest.mark.parametrize("options", [{}, {"output_sequence_length": 4}, {"output_mode": "count"}])
def test_one_text_is_one_row(options):
    layer = TextVectorization(vocabulary=["good", "film"], **options)
    np.testing.assert_array_equal(layer("Good film, good"), layer(["Good film, good"])[0])
    assert layer.compute_output_shape(()) == layer.compute_output_shape((None,))[1:]


def test_words_are_printed_as_numpy_does():
    words = StringLookup(vocabulary=["good", "film"], invert=True)([[1, 2]])
    assert str(words) == str(words.numpy()) and repr(words) == f"Array{repr(words.numpy())[5:]}"
