"""Texts as lists of numbers, one for each word: what the data sets IMDB and Reuters have in common.

A word's number is its rank: 1 is the most frequent word. A loaded text has the numbers shifted by ``index_from``, to
make room for some that mean no word: 0 fills a text up, ``start_char`` begins it, ``oov_char`` stands for a word that
was left out (out of vocabulary).
"""

import json

import numpy as np

from scratchnet.datasets import npz, sources

MOST_INDEX_BYTES = 16 << 20


def read_texts(path, names, most_bytes, most_words):
    """Texts and labels from an .npz file.

    Args:
        path: the file.
        names: pairs of the names of texts and labels, such as ``[("x", "y")]``.
        most_bytes: how many bytes each array may unfold to.
        most_words: how many words the texts of one array may have together.

    Returns:
        for each pair: a list of lists of numbers, and an array of integers.

    Raises:
        ValueError: damaged, refused, or of another form; names the file.
    """
    wanted = {x: ((None,), np.object_) for x, _ in names} | {y: ((None,), np.integer) for _, y in names}
    arrays = npz.read_npz(path, wanted, most_bytes, most_opcodes=2 * most_words)
    for x, y in names:
        if len(arrays[x]) != len(arrays[y]):
            raise ValueError(f"{path}: {len(arrays[x])} texts {x}, {len(arrays[y])} labels {y}")
        if not all(isinstance(text, list) and set(map(type, text)) <= {int} for text in arrays[x]):
            raise ValueError(f"{path}: {x} holds something else than lists of integers")
    return [(arrays[x], arrays[y]) for x, y in names]


def shift(texts, start_char, index_from):
    """The texts with the numbers of their words shifted, and begun by ``start_char`` unless it is None."""
    start = [] if start_char is None else [start_char]
    return [start + [word + (index_from or 0) for word in text] for text in texts]


def drop_long(texts, labels, maxlen, call):
    """Only the texts shorter than ``maxlen``, with their labels; all of them if it is None."""
    if not maxlen:
        return texts, labels
    kept = [i for i, text in enumerate(texts) if len(text) < maxlen]
    if not kept:
        shortest = min(map(len, texts), default=0)
        raise ValueError(f"{call}: no text is shorter than maxlen={maxlen}; the shortest has {shortest} words")
    return [texts[i] for i in kept], labels[kept]


def keep_frequent(texts, num_words, skip_top, oov_char):
    """An array of texts in which only the numbers from ``skip_top`` to below ``num_words`` are left.

    The others become ``oov_char``, or are left out if it is None.
    """
    # Without num_words Keras takes the largest number, so that this one itself, the rarest word of all, is left out.
    num_words = num_words or max(max(text, default=0) for text in texts)
    if oov_char is None:
        texts = [[word for word in text if skip_top <= word < num_words] for text in texts]
    else:
        texts = [[word if skip_top <= word < num_words else oov_char for word in text] for text in texts]
    array = np.empty(len(texts), object)
    array[:] = texts
    return array


def load_index(source, path, call):
    """The dict from words to their numbers, of which 1 is the most frequent word."""
    return sources.fetch_or_open(source, path, call, _read_index)


def _read_index(path):
    with open(path, "rb") as file:
        content = file.read(MOST_INDEX_BYTES + 1)
    if len(content) > MOST_INDEX_BYTES:
        raise ValueError(f"{path}: refused: more than the {MOST_INDEX_BYTES} bytes that an index of words can have")
    try:
        index = json.loads(content)
    except (ValueError, RecursionError) as error:  # no JSON, no UTF-8, or brackets in brackets without end
        raise ValueError(f"{path}: damaged, or no JSON file: {error}") from error
    if not (isinstance(index, dict) and set(map(type, index.values())) <= {int}):
        raise ValueError(f"{path}: no index of words: expected an object whose values are integers")
    return index
