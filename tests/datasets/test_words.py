"""Texts as numbers: shifted, shortened, restricted; and the index of words."""

import numpy as np
import pytest

from scratchnet.datasets import words

TEXTS = [[1, 5, 2], [7], [], [3, 3, 9, 1]]


def test_shift_adds_to_every_word_and_begins_every_text():
    assert words.shift(TEXTS, 1, 3) == [[1, 4, 8, 5], [1, 10], [1], [1, 6, 6, 12, 4]]
    assert words.shift(TEXTS, None, 3) == [[4, 8, 5], [10], [], [6, 6, 12, 4]]
    assert words.shift(TEXTS, 0, None) == [[0, 1, 5, 2], [0, 7], [0], [0, 3, 3, 9, 1]]


def test_only_shorter_texts_than_maxlen_are_kept():
    labels = np.arange(4)
    assert words.drop_long(TEXTS, labels, None, "f") == (TEXTS, labels)
    kept, labels = words.drop_long(TEXTS, labels, 3, "f")
    assert kept == [[7], []] and labels.tolist() == [1, 2]
    with pytest.raises(ValueError, match="f: no text is shorter than maxlen=1; the shortest has 1 words"):
        words.drop_long([[1], [2, 3]], np.arange(2), 1, "f")


@pytest.mark.parametrize(
    "num_words, skip_top, oov_char, expected",
    [
        (6, 0, 0, [[1, 5, 2], [0], [], [3, 3, 0, 1]]),
        (6, 2, 0, [[0, 5, 2], [0], [], [3, 3, 0, 0]]),
        (6, 2, None, [[5, 2], [], [], [3, 3]]),
        (None, 0, 0, [[1, 5, 2], [7], [], [3, 3, 0, 1]]),
        (0, 0, None, [[1, 5, 2], [7], [], [3, 3, 1]]),
    ],
)
def test_only_frequent_words_are_kept(num_words, skip_top, oov_char, expected):
    array = words.keep_frequent(TEXTS, num_words, skip_top, oov_char)
    assert array.dtype == object and array.shape == (4,) and array.tolist() == expected


def test_texts_of_one_length_are_lists_too():
    array = words.keep_frequent([[1, 2], [3, 4]], 9, 0, 2)
    assert array.shape == (2,) and array[0] == [1, 2]


def objects(*items):
    array = np.empty(len(items), object)
    array[:] = items
    return array


def read(tmp_path, x, y=(0, 1), most_words=100):
    np.savez(tmp_path / "a.npz", x=x, y=np.array(y))
    return words.read_texts(tmp_path / "a.npz", [("x", "y")], 10_000, most_words)


def test_texts_are_read_with_their_labels(tmp_path):
    [(texts, labels)] = read(tmp_path, objects([1, 2], []))
    assert texts == [[1, 2], []] and labels.tolist() == [0, 1]


@pytest.mark.parametrize(
    "x, y, message",
    [
        (objects([1], [2], [3]), (0, 1), "3 texts x, 2 labels y"),
        (objects([1], [2.0]), (0, 1), "x holds something else than lists of integers"),
        (objects([1], [True]), (0, 1), "x holds something else"),
        (objects([1], (2,)), (0, 1), "x holds something else"),
        (objects([1], [[2]]), (0, 1), "x holds something else"),
        (np.arange(2), (0, 1), "expected .* and object"),
        (objects([1], [2]), (0.0, 1.0), "expected .* and integer"),
        (objects([1] * 300, [2]), (0, 1), "more than 200 opcodes"),
    ],
)
def test_what_are_no_texts_is_refused(tmp_path, x, y, message):
    with pytest.raises(ValueError, match=f"a.npz: .*{message}"):
        read(tmp_path, x, y)


def index(tmp_path, content):
    path = tmp_path / "index.json"
    path.write_bytes(content)
    return words._read_index(path)


def test_an_index_is_read_as_utf_8(tmp_path):
    assert index(tmp_path, '{"the": 1, "café": 2}'.encode()) == {"the": 1, "café": 2}


@pytest.mark.parametrize(
    "content, message",
    [
        (b'{"the": 1', "damaged, or no JSON file"),
        (b'{"the\xff": 1}', "damaged, or no JSON file"),
        (b"[" * 200_000, "damaged, or no JSON file"),
        (b"[1]", "no index of words"),
        (b'{"the": 1.5}', "no index of words"),
        (b'{"the": true}', "no index of words"),
        (b'{"the": [1]}', "no index of words"),
    ],
)
def test_what_is_no_index_is_refused(tmp_path, content, message):
    with pytest.raises(ValueError, match=f"index.json: {message}"):
        index(tmp_path, content)


def test_an_index_without_end_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(words, "MOST_INDEX_BYTES", 100)
    with pytest.raises(ValueError, match="index.json: refused: more than the 100 bytes"):
        index(tmp_path, b" " * 101)
