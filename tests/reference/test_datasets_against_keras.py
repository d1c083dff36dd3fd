"""The loaders of data sets against Keras's, on the same small files; and their signatures."""

import inspect
import itertools

import numpy as np
import pytest

from scratchnet import datasets
from scratchnet.datasets.get_file import get_file

pytestmark = [pytest.mark.reference, pytest.mark.filterwarnings("ignore")]

RNG = np.random.default_rng(0)


def texts(n):
    array = np.empty(n, object)
    array[:] = [(RNG.zipf(1.5, RNG.integers(1, 12)) % 400 + 1).tolist() for _ in range(n)]
    return array


FILES = {
    "imdb": {
        "x_train": texts(30),
        "y_train": RNG.integers(0, 2, 30),
        "x_test": texts(20),
        "y_test": RNG.integers(0, 2, 20),
    },
    "reuters": {"x": texts(40), "y": RNG.integers(0, 46, 40)},
    "boston_housing": {"x": RNG.random((31, 13)), "y": RNG.random(31)},
    "california_housing": {"x": RNG.random((700, 8), np.float32), "y": RNG.random(700, np.float32)},
}
WORDS = [
    dict(zip(("num_words", "skip_top", "maxlen", "seed", "start_char", "oov_char", "index_from"), values))
    for values in itertools.product((None, 0, 50), (0, 5), (None, 6), (113, 7), (1, None), (2, None), (3, 0))
]
SPLITS = [{"test_split": split, "seed": seed} for split in (0.2, 0, 0.77) for seed in (113, 1)]
OPTIONS = {
    "imdb": WORDS,
    "reuters": [options | {"test_split": 0.3} for options in WORDS],
    "boston_housing": SPLITS,
    "california_housing": [options | {"version": v} for options in SPLITS for v in ("small", "large")],
}


@pytest.mark.parametrize("name", FILES)
def test_arrays_are_those_of_keras(keras, name, tmp_path, monkeypatch):
    path = tmp_path / "small.npz"
    np.savez(path, **FILES[name])
    theirs = inspect.getmodule(getattr(keras.datasets, name).load_data)
    monkeypatch.setattr(theirs, "get_file", lambda *args, **kwargs: str(path))
    for options in OPTIONS[name]:
        ours = getattr(datasets, name).load_data(path=path, **options)
        for found, expected in zip(itertools.chain(*ours), itertools.chain(*theirs.load_data(**options))):
            assert found.dtype == expected.dtype
            if found.dtype == object:
                assert found.tolist() == [list(text) for text in expected]
            else:
                np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", datasets.__all__)
def test_signatures_are_those_of_keras(keras, name):
    for function in ("load_data", "get_word_index", "get_label_names"):
        expected = getattr(getattr(keras.datasets, name), function, None)
        if expected:
            assert inspect.signature(getattr(getattr(datasets, name), function)) == inspect.signature(expected)


def test_names_of_labels_are_those_of_keras(keras):
    assert datasets.reuters.get_label_names() == keras.datasets.reuters.get_label_names()


def test_signature_of_get_file_is_that_of_keras(keras):
    assert inspect.signature(get_file) == inspect.signature(keras.utils.get_file)
