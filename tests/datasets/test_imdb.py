"""imdb.load_data from a small file in the place of IMDB's; the numbers are those that Keras makes of the same file."""

import hashlib
import json

import numpy as np
import pytest

from scratchnet.datasets import imdb


def objects(*items):
    array = np.empty(len(items), object)
    array[:] = items
    return array


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "small.npz"
    np.savez(
        path,
        x_train=objects([1, 5, 2], [7], [3, 3, 9, 1], [2, 8]),
        y_train=np.array([0, 1, 1, 0]),
        x_test=objects([4], [1, 6, 2, 20], [5, 1]),
        y_test=np.array([1, 0, 1]),
    )
    return path


@pytest.mark.parametrize(
    "options, x_train, y_train, x_test, y_test",
    [
        (
            {},
            *([[1, 5, 11], [1, 6, 6, 12, 4], [1, 4, 8, 5], [1, 10]], [0, 1, 0, 1]),
            *([[1, 4, 9, 5, 2], [1, 7], [1, 8, 4]], [0, 1, 1]),
        ),
        (
            {"num_words": 9},
            *([[1, 5, 2], [1, 6, 6, 2, 4], [1, 4, 8, 5], [1, 2]], [0, 1, 0, 1]),
            *([[1, 4, 2, 5, 2], [1, 7], [1, 8, 4]], [0, 1, 1]),
        ),
        (
            {"num_words": 9, "oov_char": None},
            *([[1, 5], [1, 6, 6, 4], [1, 4, 8, 5], [1]], [0, 1, 0, 1]),
            *([[1, 4, 5], [1, 7], [1, 8, 4]], [0, 1, 1]),
        ),
        (
            {"skip_top": 5},
            *([[2, 5, 11], [2, 6, 6, 12, 2], [2, 2, 8, 5], [2, 10]], [0, 1, 0, 1]),
            *([[2, 2, 9, 5, 2], [2, 7], [2, 8, 2]], [0, 1, 1]),
        ),
        ({"maxlen": 4}, [[1, 5, 2], [1, 10]], [0, 1], [[1, 7], [1, 8, 4]], [1, 1]),
        (
            {"start_char": None, "index_from": 0},
            *([[2, 8], [3, 3, 9, 1], [1, 5, 2], [7]], [0, 1, 0, 1]),
            *([[1, 6, 2, 2], [4], [5, 1]], [0, 1, 1]),
        ),
        (
            {"seed": 7},
            *([[1, 6, 6, 12, 4], [1, 10], [1, 4, 8, 5], [1, 5, 11]], [1, 1, 0, 0]),
            *([[1, 7], [1, 4, 9, 5, 2], [1, 8, 4]], [1, 0, 1]),
        ),
    ],
    ids=str,
)
def test_texts_and_labels_are_those_of_keras(path, options, x_train, y_train, x_test, y_test):
    for (x, y), x_expected, y_expected in zip(imdb.load_data(path, **options), (x_train, x_test), (y_train, y_test)):
        assert x.dtype == object and x.tolist() == x_expected
        assert y.dtype == np.int64 and y.tolist() == y_expected


def test_no_text_below_maxlen_is_an_error(path):
    with pytest.raises(ValueError, match="imdb.load_data: no text is shorter than maxlen=2; the shortest has 2 words"):
        imdb.load_data(path, maxlen=2)


def test_unknown_arguments_are_refused(path):
    with pytest.raises(TypeError, match="imdb.load_data: unknown arguments nb_words"):
        imdb.load_data(path, nb_words=5)


def publish(monkeypatch, name, path, urls=()):
    """Makes a file the published one."""
    content = path.read_bytes()
    known = {"known_hash": hashlib.sha256(content).hexdigest(), "size": len(content)}
    monkeypatch.setattr(imdb, name, getattr(imdb, name)._replace(urls=urls, **known))
    return content


@pytest.mark.parametrize("place", ["imdb.npz", "imdb/imdb.npz"])
def test_reads_the_published_file_from_the_users_folder(path, tmp_path, monkeypatch, place):
    content = publish(monkeypatch, "TEXTS", path)
    file = tmp_path / "data" / place
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path / "data"))
    assert imdb.load_data()[0][1].tolist() == [0, 1, 0, 1]
    file.write_bytes(content[:-1] + b"!")
    with pytest.raises(ValueError, match="imdb.npz: the content is not the published one"):
        imdb.load_data()


def test_downloads_both_files_once(path, tmp_path, monkeypatch, mirror_of):
    index = tmp_path / "index.json"
    index.write_text(json.dumps({"the": 1, "and": 2}))
    mirrors = [mirror_of(path.read_bytes()), mirror_of(index.read_bytes())]
    publish(monkeypatch, "TEXTS", path, (mirrors[0].url,))
    publish(monkeypatch, "INDEX", index, (mirrors[1].url,))
    for _ in range(2):
        assert imdb.load_data("imdb.npz")[0][1].tolist() == [0, 1, 0, 1]
        assert imdb.get_word_index() == {"the": 1, "and": 2}
    assert [mirror.requested for mirror in mirrors] == [1, 1]
    assert sorted(file.name for file in (tmp_path / "cache" / "imdb").iterdir()) == ["imdb.npz", "imdb_word_index.json"]


def test_path_names_an_index_of_the_users_own(tmp_path):
    (tmp_path / "mine.json").write_text('{"a": 1}')
    assert imdb.get_word_index(tmp_path / "mine.json") == {"a": 1}
    with pytest.raises(
        ValueError, match="imdb.get_word_index: path='nowhere.json' is not an existing file. Leave path"
    ):
        imdb.get_word_index("nowhere.json")


def test_offline_the_error_says_where_to_put_which_file(monkeypatch):
    for name, call in (("TEXTS", imdb.load_data), ("INDEX", imdb.get_word_index)):
        source = getattr(imdb, name)
        monkeypatch.setattr(imdb, name, source._replace(urls=("http://127.0.0.1:1/",)))
        file = source.places[0]
        with pytest.raises(FileNotFoundError, match=f"(?s)IMDB.*get the file {file} elsewhere.*SCRATCHNET_DATA"):
            call()
