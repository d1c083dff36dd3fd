"""reuters.load_data from a small file in the place of Reuters'; the numbers are those that Keras makes of the same."""

import hashlib

import numpy as np
import pytest

from scratchnet.datasets import reuters


@pytest.fixture
def path(tmp_path):
    x = np.empty(7, object)
    x[:] = [[1, 5, 2], [7], [3, 3, 9, 1], [2, 8], [4], [1, 6, 2, 20], [5, 1]]
    np.savez(tmp_path / "small.npz", x=x, y=np.arange(7))
    return tmp_path / "small.npz"


@pytest.mark.parametrize(
    "options, x_train, y_train, x_test, y_test",
    [
        (
            {},
            *([[1, 10], [1, 5, 11], [1, 4, 8, 5], [1, 8, 4], [1, 6, 6, 12, 4]], [1, 3, 0, 6, 2]),
            *([[1, 7], [1, 4, 9, 5, 2]], [4, 5]),
        ),
        (
            {"test_split": 0.5},
            *([[1, 10], [1, 5, 11], [1, 4, 8, 5]], [1, 3, 0]),
            *([[1, 8, 4], [1, 6, 6, 12, 4], [1, 7], [1, 4, 9, 5, 2]], [6, 2, 4, 5]),
        ),
        ({"num_words": 9, "maxlen": 4}, [[1, 2], [1, 5, 2], [1, 8, 4]], [1, 3, 6], [[1, 7]], [4]),
    ],
    ids=str,
)
def test_texts_and_labels_are_those_of_keras(path, options, x_train, y_train, x_test, y_test):
    for (x, y), x_expected, y_expected in zip(reuters.load_data(path, **options), (x_train, x_test), (y_train, y_test)):
        assert x.dtype == object and x.tolist() == x_expected
        assert y.dtype == np.int64 and y.tolist() == y_expected


def test_wrong_arguments_are_refused(path):
    with pytest.raises(ValueError, match="reuters.load_data: test_split=1, expected"):
        reuters.load_data(path, test_split=1)
    with pytest.raises(ValueError, match="reuters.load_data: no text is shorter than maxlen=2"):
        reuters.load_data(path, maxlen=2)


def test_reads_the_published_files_from_the_users_folder(path, tmp_path, monkeypatch):
    (tmp_path / "reuters.npz").write_bytes(path.read_bytes())
    (tmp_path / "reuters_word_index.json").write_text('{"the": 1}')
    for name in ("TEXTS", "INDEX"):
        content = (tmp_path / getattr(reuters, name).places[0]).read_bytes()
        known = {"known_hash": f"md5:{hashlib.md5(content).hexdigest()}", "size": len(content)}
        monkeypatch.setattr(reuters, name, getattr(reuters, name)._replace(**known))
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path))
    assert reuters.load_data()[0][1].tolist() == [1, 3, 0, 6, 2]
    assert reuters.get_word_index() == {"the": 1}


def test_every_label_has_a_name():
    names = reuters.get_label_names()
    assert isinstance(names, tuple) and len(set(names)) == 46
    assert (names[0], names[3], names[4], names[45]) == ("cocoa", "earn", "acq", "lead")


def test_offline_the_error_says_where_to_put_which_file(monkeypatch):
    for name, call in (("TEXTS", reuters.load_data), ("INDEX", reuters.get_word_index)):
        source = getattr(reuters, name)
        monkeypatch.setattr(reuters, name, source._replace(urls=("http://127.0.0.1:1/",)))
        file = source.places[0]
        with pytest.raises(FileNotFoundError, match=f"(?s)Reuters.*get the file {file} elsewhere.*SCRATCHNET_DATA"):
            call()
