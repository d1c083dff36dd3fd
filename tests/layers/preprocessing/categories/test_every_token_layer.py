"""Layers of categories: what is refused, encodings, gradients of weights, configurations, lists and bytes."""

import numpy as np
import pytest

from scratchnet import layers
from scratchnet.gradient_check import check_layer
from scratchnet.layers import CategoryEncoding, Discretization, HashedCrossing, Hashing, Input
from scratchnet.models import Model

TOKENS = np.array([[0, 1, 1], [3, 0, 2]])


def test_encodings():
    np.testing.assert_array_equal(CategoryEncoding(4, "one_hot")(TOKENS[:, :1]), [[1, 0, 0, 0], [0, 0, 0, 1]])
    np.testing.assert_array_equal(CategoryEncoding(4)(TOKENS), [[1, 1, 0, 0], [1, 0, 1, 1]])
    np.testing.assert_array_equal(CategoryEncoding(4, "count")(TOKENS), [[1, 2, 0, 0], [1, 0, 1, 1]])
    weighted = CategoryEncoding(4, "count")(TOKENS, count_weights=[[1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(weighted, [[1, 5, 0, 0], [5, 0, 6, 4]])
    assert CategoryEncoding(4, "binary").output_mode == "multi_hot"


@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
def test_further_axes_and_single_samples(mode):
    layer = CategoryEncoding(4, mode)
    deep = np.stack([TOKENS, TOKENS[::-1]], axis=2)  # (2, 3, 2)
    y = layer(deep)
    assert y.shape == layer.compute_output_shape(deep.shape)
    if mode == "one_hot":
        np.testing.assert_array_equal(y, np.eye(4)[deep])
    else:
        np.testing.assert_array_equal(y[:, 0], layer(TOKENS))
        np.testing.assert_array_equal(layer(TOKENS[0]), layer(TOKENS)[0])
    assert layer(np.array(3)).shape == layer.compute_output_shape(())


@pytest.mark.parametrize("tokens", [TOKENS, TOKENS[0], np.stack([TOKENS, TOKENS], axis=2)])
def test_gradients_of_the_weights_of_counts(tokens):
    layer = CategoryEncoding(4, "count", dtype="float64")
    check_layer(layer, [tokens, np.random.default_rng(0).random(tokens.shape)], linear=("x",)).raise_if_failed()
    assert layer.backward(np.ones((2, 4)), layer.forward(TOKENS)[1]) == (None, {})


def test_weights_of_counts_in_a_model():
    tokens, weights = Input((3,), dtype="int32"), Input((3,))
    model = Model([tokens, weights], CategoryEncoding(4, "count")(tokens, count_weights=weights))
    found = model.predict([TOKENS, np.ones((2, 3))], verbose=0)
    np.testing.assert_array_equal(found, [[1, 2, 0, 0], [1, 0, 1, 1]])
    copy = Model.from_config(model.get_config())
    np.testing.assert_array_equal(copy.predict([TOKENS, np.ones((2, 3))], verbose=0), found)


@pytest.mark.parametrize(
    ("name", "options", "x", "message"),
    [
        ("CategoryEncoding", {}, None, "needs num_tokens"),
        ("CategoryEncoding", {"num_tokens": 0}, None, "num_tokens must be a positive integer"),
        ("CategoryEncoding", {"num_tokens": 3, "output_mode": "int"}, None, "output_mode must be one of"),
        ("CategoryEncoding", {"num_tokens": 3}, [[3]], "3 is no category: they are 0 to 2"),
        ("CategoryEncoding", {"num_tokens": 3}, [[0.5]], "expected integers, got 0.5"),
        ("Discretization", {}, None, "needs either bin_boundaries, or num_bins"),
        ("Discretization", {"bin_boundaries": [1, 0]}, None, "must ascend"),
        ("Discretization", {"num_bins": 3}, [[1.0]], r"no boundaries yet: adapt\(data\)"),
        ("Hashing", {"num_bins": 0}, None, "num_bins must be a positive integer"),
        ("Hashing", {"num_bins": 3, "salt": "x"}, None, "salt must be an integer, or two"),
        ("HashedCrossing", {"num_bins": 3}, [[1, 2]], "a list of at least two inputs"),
        ("HashedCrossing", {"num_bins": 3}, [[[1, 2]], [[1, 2]]], r"all have the shape \(N,\) or \(N, 1\)"),
        ("HashedCrossing", {"num_bins": 3}, [[1.0, 2.0], [1.0, 2.0]], "expected integers or strings, got float"),
        ("HashedCrossing", {"num_bins": 3, "output_mode": "count"}, None, "output_mode must be one of int, one_hot"),
        ("IntegerLookup", {"max_tokens": 1}, None, "max_tokens must be None or an integer of at least 2"),
        ("IntegerLookup", {"salt": 3}, None, 'salt needs oov_method="farmhash"'),
        ("IntegerLookup", {"oov_method": "x"}, None, "oov_method must be"),
        ("IntegerLookup", {"vocabulary_dtype": "int32"}, None, 'vocabulary_dtype must be "int64"'),
        ("IntegerLookup", {"vocabulary": [1, 1]}, None, "the vocabulary has 1 twice"),
        ("StringLookup", {"vocabulary": []}, None, "the vocabulary has no tokens"),
        ("StringLookup", {"vocabulary": ["a", "m"], "mask_token": "m"}, None, "may only stand in front"),
        ("StringLookup", {"vocabulary": ["a", "b"], "max_tokens": 2}, None, "has 3 tokens, max_tokens is 2"),
        ("StringLookup", {"vocabulary": ["a"], "idf_weights": [1]}, None, 'idf_weights belong to output_mode="tf_idf"'),
        ("StringLookup", {"vocabulary": ["a"], "output_mode": "tf_idf"}, None, "idf_weights belong to"),
        (
            "StringLookup",
            {"vocabulary": ["a"], "output_mode": "tf_idf", "idf_weights": [1, 2]},
            None,
            "must be 1 numbers",
        ),
        ("StringLookup", {"idf_weights": [1]}, None, "idf_weights need a vocabulary"),
        ("StringLookup", {"invert": True, "output_mode": "count"}, None, 'invert needs output_mode="int"'),
        ("StringLookup", {"pad_to_max_tokens": True}, None, "pad_to_max_tokens needs max_tokens"),
        ("StringLookup", {"vocabulary": ["a"], "num_oov_indices": 0}, [["z"]], "'z' is not in the vocabulary"),
        ("StringLookup", {"output_mode": "count"}, [["z"]], r"no vocabulary yet: adapt\(data\)"),
        ("TextVectorization", {"standardize": "upper"}, None, "standardize must be one of"),
        ("TextVectorization", {"split": "comma"}, None, "split must be"),
        ("TextVectorization", {"ngrams": "2"}, None, "ngrams must be"),
        (
            "TextVectorization",
            {"output_mode": "count", "output_sequence_length": 3},
            None,
            "output_sequence_length needs",
        ),
        ("TextVectorization", {"vocabulary": ["a"]}, [["a", "b"]], r"shape \(N,\) or \(N, 1\)"),
    ],
)
def test_what_is_none_is_refused(name, options, x, message):
    with pytest.raises(ValueError, match=message):
        layer = getattr(layers, name)(**options)
        layer([np.array(entry) for entry in x] if name == "HashedCrossing" else np.array(x))


@pytest.mark.parametrize(
    ("name", "options"), [("StringLookup", {}), ("TextVectorization", {}), ("Hashing", {"num_bins": 3})]
)
def test_sparse_outputs_are_not_supported(name, options):
    with pytest.raises(TypeError, match="'sparse' is not implemented"):
        getattr(layers, name)(**options, sparse=True)


@pytest.mark.parametrize(
    "layer",
    [
        CategoryEncoding(3, "count"),
        Discretization([0.0, 1.0], output_mode="one_hot"),
        Hashing(5, mask_value="", salt=[1, 2], dtype="int32"),
        Hashing(5, output_mode="count", dtype="float64"),
        HashedCrossing(4, output_mode="one_hot"),
        layers.StringLookup(vocabulary=["a", "b"], output_mode="tf_idf", idf_weights=[1.0, 2.0]),
        layers.IntegerLookup(vocabulary=[4, 5], oov_method="farmhash", salt=3),
        layers.TextVectorization(ngrams=(1, 3), vocabulary=["a b", "b"]),
    ],
    ids=lambda layer: layer.name,
)
def test_configuration(layer):
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


def test_what_adapt_has_found_is_in_the_configuration():
    layer = Discretization(num_bins=3)
    layer.adapt(np.arange(90.0))
    copy = Discretization.from_config(layer.get_config())
    assert copy.bin_boundaries == layer.bin_boundaries and copy.num_bins == 3
    with pytest.raises(ValueError, match="nothing to adapt"):
        Discretization([0.0]).adapt(np.ones(3))


@pytest.mark.parametrize("data", ["array", "batches"])
def test_bins_of_adapt_hold_as_many_numbers(data):
    x = np.random.default_rng(0).exponential(size=4000)
    layer = Discretization(num_bins=5)
    layer.adapt(x if data == "array" else np.split(x, 8))
    counts = np.bincount(layer(x), minlength=5)
    np.testing.assert_allclose(counts / 4000, 0.2, atol=0.03)


def test_words_come_as_str_as_bytes_and_in_lists():
    expected = Hashing(100)(np.array(["a", "bc"]))
    for words in (["a", "bc"], np.array([b"a", b"bc"]), np.array(["a", "bc"], dtype=object)):
        np.testing.assert_array_equal(Hashing(100)(words), expected)
    np.testing.assert_array_equal(Hashing(100)(np.array([1.0, 22])), Hashing(100)(["1", "22"]))


def test_a_mask_has_a_bin_of_its_own():
    words = ["", *(f"w{k}" for k in range(300))]
    bins = np.asarray(Hashing(4, mask_value="")(words))
    assert bins[0] == 0
    assert set(bins[1:].tolist()) == {1, 2, 3}


def test_weights_of_counts_are_for_counts_and_of_the_shape_of_the_tokens():
    with pytest.raises(ValueError, match="count_weights need output_mode=\"count\", not 'multi_hot'"):
        CategoryEncoding(4, "multi_hot")(TOKENS, count_weights=np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"count_weights need the shape \(2, 3\), got \(2,\)"):
        CategoryEncoding(4, "count")(TOKENS, count_weights=[1, 2])
