"""StringLookup and IntegerLookup: vocabularies, there and back."""

import numpy as np
import pytest

from scratchnet.layers import IntegerLookup, StringLookup


def test_the_most_frequent_come_first_and_of_equals_the_last():
    layer = StringLookup()
    layer.adapt([["b", "a"], ["c", "b"], ["a", "d"]])
    assert layer.get_vocabulary() == ["[UNK]", "b", "a", "d", "c"]
    assert layer.get_vocabulary(include_special_tokens=False) == ["b", "a", "d", "c"]
    assert layer.vocabulary_size() == 5
    np.testing.assert_array_equal(layer([["c", "nobody"]]), [[4, 0]])


def test_there_and_back():
    words = np.array([["", "sun"], ["moon", "sun"]])
    there = StringLookup(mask_token="")
    there.adapt(words)
    back = StringLookup(vocabulary=there.get_vocabulary(), mask_token="", invert=True)
    assert np.asarray(back(there(words))).tolist() == words.tolist()
    numbers = IntegerLookup(vocabulary=[30, 10])
    back = IntegerLookup(vocabulary=[30, 10], invert=True)
    np.testing.assert_array_equal(back(numbers(np.array([10, 30, 5]))), [10, 30, -1])


def test_batches_count_like_the_whole():
    data = np.random.default_rng(0).integers(0, 9, (60, 4))
    whole, batched = IntegerLookup(output_mode="tf_idf"), IntegerLookup(output_mode="tf_idf")
    whole.adapt(data)
    batched.adapt(iter(np.split(data, 6)))
    assert whole.get_vocabulary() == batched.get_vocabulary()
    np.testing.assert_array_equal(whole(data[:5]), batched(data[:5]))
    few = IntegerLookup()
    few.adapt(iter([np.array([[1]]), np.array([[2]])]), steps=1)
    assert few.get_vocabulary() == [-1, 1]


def test_a_rare_word_weighs_more():
    layer = StringLookup(output_mode="tf_idf")
    layer.adapt([["the", "cat"], ["the", "dog"], ["the", "mat"]])
    np.testing.assert_allclose(layer([["the", "the", "cat"]])[0, 1:3], [2 * np.log(1 + 3 / 4), 0], rtol=1e-6)
    assert layer([["cat"]]).max() == pytest.approx(np.log(1 + 3 / 2))


def test_a_vocabulary_from_a_file_of_ones_own_but_not_of_a_saved_layer(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("sun\nmoon\n", encoding="utf-8")
    layer = StringLookup(vocabulary=str(path))
    np.testing.assert_array_equal(layer(["moon", "x"]), [2, 0])
    assert layer.get_config()["vocabulary"] == ["sun", "moon"]
    with pytest.raises(ValueError, match="may not name a file to be read"):
        StringLookup.from_config({**layer.get_config(), "vocabulary": str(path)})
    with pytest.raises(ValueError, match="nothing to adapt"):
        layer.adapt(["x"])


def test_a_vocabulary_as_keras_saves_it():
    layer = StringLookup(mask_token="", vocabulary_size=4)
    layer.load_vocabulary("\n[UNK]\nsun\nmoon")
    assert layer.get_vocabulary() == ["", "[UNK]", "sun", "moon"]
    weighted = IntegerLookup(output_mode="tf_idf", vocabulary_size=3)
    assert weighted.compute_output_shape((None, 2)) == (None, 3)
    weighted.load_vocabulary("-1\n5\n7", np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(weighted(np.array([[5, 8]])), [[1, 2, 0]])
    np.testing.assert_array_equal(weighted.word_weights(), [1, 2, 3])


def test_strangers_share_several_numbers_and_keep_theirs():
    layer = StringLookup(vocabulary=["a"], num_oov_indices=4)
    words = [f"w{k}" for k in range(200)]
    first = np.asarray(layer(words))
    assert set(first.tolist()) == {0, 1, 2, 3}
    np.testing.assert_array_equal(layer(words[::-1]), first[::-1])
