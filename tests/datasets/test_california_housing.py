"""california_housing.load_data from a small file in the place of the published one."""

import hashlib

import numpy as np
import pytest

from scratchnet.datasets import california_housing


def write(path, n=5, x_columns=8):
    x = np.repeat(np.arange(n, dtype=np.float32)[:, None], x_columns, axis=1)
    np.savez(path, x=x, y=np.arange(n, dtype=np.float32) * 10)
    return path


# The orders are those that Keras gives.
@pytest.mark.parametrize(
    "options, train, test", [({}, [1, 0, 3, 2], [4]), ({"test_split": 0.5, "seed": 1}, [2, 1], [4, 0, 3])], ids=str
)
def test_rows_come_in_the_order_of_keras(tmp_path, options, train, test):
    path = write(tmp_path / "small.npz")
    for (x, y), expected in zip(california_housing.load_data(path=path, **options), (train, test)):
        assert x.dtype == y.dtype == np.float32 and x.shape == (len(expected), 8)
        assert x[:, 0].tolist() == expected and y.tolist() == [10 * row for row in expected]


def test_wrong_arguments_are_refused(tmp_path):
    with pytest.raises(ValueError, match="california_housing.load_data: test_split=1.5, expected"):
        california_housing.load_data(path=write(tmp_path / "small.npz"), test_split=1.5)
    with pytest.raises(ValueError, match=r"small.npz: x: .*expected \(N, 8\) and number"):
        california_housing.load_data(path=write(tmp_path / "small.npz", x_columns=2))
    with pytest.raises(ValueError, match="california_housing.load_data: path='nowhere.npz' is not an existing file"):
        california_housing.load_data(path="nowhere.npz")


def test_reads_the_published_file_from_the_users_folder(tmp_path, monkeypatch):
    content = write(tmp_path / "california_housing.npz").read_bytes()
    known = {"known_hash": hashlib.sha256(content).hexdigest(), "size": len(content)}
    monkeypatch.setattr(california_housing, "SOURCE", california_housing.SOURCE._replace(**known))
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path))
    assert california_housing.load_data()[1][1].tolist() == [40]
    write(tmp_path / "california_housing.npz", n=6)
    with pytest.raises(ValueError, match="california_housing.npz: the content is not the published one"):
        california_housing.load_data()


def test_offline_the_error_says_where_to_put_which_file(monkeypatch):
    monkeypatch.setattr(california_housing, "SOURCE", california_housing.SOURCE._replace(urls=("http://127.0.0.1:1/",)))
    with pytest.raises(
        FileNotFoundError, match="(?s)California housing.*get the file california_housing.npz elsewhere"
    ):
        california_housing.load_data()


def test_the_small_version_is_the_first_600(tmp_path):
    path = write(tmp_path / "small.npz", n=700)
    (x_train, y_train), (x_test, y_test) = california_housing.load_data("small", path)
    assert len(x_train) == len(y_train) == 480 and len(x_test) == len(y_test) == 120
    assert sorted(np.concatenate([y_train, y_test])) == [10 * row for row in range(600)]
    with pytest.raises(ValueError, match="california_housing.load_data: version='tiny' is neither"):
        california_housing.load_data("tiny", path)
