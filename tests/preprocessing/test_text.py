"""The old Tokenizer: the numbers that Keras gives to the same texts."""

import numpy as np
import pytest

from scratchnet.preprocessing import text
from scratchnet.preprocessing.text import Tokenizer, text_to_word_sequence

TEXTS = ["The cat sat, the cat ran.", "A dog ran!", "The dog"]


def test_words_stand_between_punctuation():
    assert text_to_word_sequence("Hi, you -- Two_words") == ["hi", "you", "two", "words"]
    assert text_to_word_sequence("A,b", filters="", lower=False, split=",") == ["A", "b"]


def test_the_most_frequent_word_is_number_one():
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(TEXTS)
    assert tokenizer.word_index == {"the": 1, "cat": 2, "ran": 3, "dog": 4, "sat": 5, "a": 6}
    assert tokenizer.word_docs == {"the": 2, "cat": 1, "ran": 2, "dog": 2, "sat": 1, "a": 1}
    assert tokenizer.document_count == 3
    assert tokenizer.texts_to_sequences(["the dog flew", ["Cat", "A"]]) == [[1, 4], [2, 6]]
    assert tokenizer.sequences_to_texts([[1, 4], [9, 5]]) == ["the dog", "sat"]


def test_rare_and_unknown_words_are_left_out_or_have_a_word_of_their_own():
    few = Tokenizer(num_words=3)
    few.fit_on_texts(TEXTS)
    assert few.texts_to_sequences(["the cat sat"]) == [[1, 2]]
    named = Tokenizer(num_words=3, oov_token="?")
    named.fit_on_texts(TEXTS)
    assert named.word_index["?"] == 1
    assert named.texts_to_sequences(["the cat flew"]) == [[2, 1, 1]]
    assert named.sequences_to_texts([[2, 3, 99]]) == ["the ? ?"]


def test_letters_and_ways_of_ones_own():
    letters = Tokenizer(char_level=True)
    letters.fit_on_texts(["aAb"])
    assert letters.word_index == {"a": 1, "b": 2}
    own = Tokenizer(analyzer=lambda text: text.split("-"))
    own.fit_on_texts(["x-y-x"])
    assert own.word_index == {"x": 1, "y": 2}
    case = Tokenizer(lower=False)
    case.fit_on_texts([["A", "a", "A"]])
    assert case.word_index == {"A": 1, "a": 2}


def test_a_matrix_of_texts_and_words():
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(TEXTS)
    assert tokenizer.texts_to_matrix(["the the dog"]).tolist() == [[0, 1, 0, 0, 1, 0, 0]]
    assert tokenizer.texts_to_matrix(["the the dog"], "count").tolist() == [[0, 2, 0, 0, 1, 0, 0]]
    np.testing.assert_allclose(tokenizer.texts_to_matrix(["the the dog"], "freq")[0, [1, 4]], [2 / 3, 1 / 3])
    expected = [(1 + np.log(2)) * np.log(2), np.log(2)]
    np.testing.assert_allclose(tokenizer.texts_to_matrix(["the the dog"], "tfidf")[0, [1, 4]], expected)
    few = Tokenizer(num_words=3)
    few.fit_on_sequences([[1, 2], [2, 9]])
    assert few.sequences_to_matrix([[2, 9, 2], []], "count").tolist() == [[0, 0, 2], [0, 0, 0]]
    assert few.index_docs == {1: 1, 2: 2, 9: 1}


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="give num_words, or call fit_on_texts first"):
        Tokenizer().texts_to_matrix(["a"])
    with pytest.raises(ValueError, match="call fit_on_texts before"):
        Tokenizer(num_words=3).sequences_to_matrix([[1]], "tfidf")
    with pytest.raises(ValueError, match='mode must be "binary"'):
        Tokenizer(num_words=3).sequences_to_matrix([[1]], "length")


def test_hashes_of_words():
    numbers = text.hashing_trick("The cat, the dog.", 50, "md5")
    assert len(numbers) == 4 and numbers[0] == numbers[2] and all(1 <= n < 50 for n in numbers)
    assert numbers == text.hashing_trick("the CAT the dog", 50, "md5")
    assert text.hashing_trick("a bb", 10, hash_function=len) == [2, 3]
    assert text.one_hot("to be or not to be", 20)[:2] == text.one_hot("To be", 20)
