"""mnist.load_data from small files in the place of MNIST's, and from the whole of MNIST where it is at hand."""

import gzip
import hashlib

import numpy as np
import pytest

from scratchnet.datasets import idx, mnist

SMALL = {
    "train-images-idx3-ubyte": (6, 28, 28),
    "train-labels-idx1-ubyte": (6,),
    "t10k-images-idx3-ubyte": (4, 28, 28),
    "t10k-labels-idx1-ubyte": (4,),
}


@pytest.fixture
def small(monkeypatch):
    """A miniature MNIST: name to array; shapes and checksums of the module are its own."""
    draw = np.random.default_rng(3)
    arrays = {name: draw.integers(0, 10, shape, dtype=np.uint8) for name, shape in SMALL.items()}
    files = {name: (array.shape, hashlib.sha256(idx_bytes(array)).hexdigest()) for name, array in arrays.items()}
    monkeypatch.setattr(mnist, "FILES", files)
    return arrays


def idx_bytes(array):
    return idx.header(array.shape) + array.tobytes()


def write(folder, arrays, rename=lambda name: f"{name}.gz"):
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        name = rename(name)
        content = idx_bytes(array)
        (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)


def assert_is(loaded, arrays):
    (x_train, y_train), (x_test, y_test) = loaded
    for found, expected in zip((x_train, y_train, x_test, y_test), arrays.values()):
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("subfolder", ["", "mnist"])
@pytest.mark.parametrize(
    "rename",
    [lambda name: f"{name}.gz", lambda name: name, lambda name: name.replace("-idx", ".idx")],
    ids=["gzipped", "unpacked", "dotted"],
)
def test_reads_every_form_from_the_users_folder(small, tmp_path, monkeypatch, subfolder, rename):
    write(tmp_path / subfolder, small, rename)
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path))
    assert_is(mnist.load_data(), small)


def test_downloads_all_four_files_once(small, mirror_of, tmp_path, monkeypatch):
    files = {name: gzip.compress(idx_bytes(array)) for name, array in small.items()}
    mirrors = {name: mirror_of(content) for name, content in files.items()}
    published = {name: (hashlib.sha256(content).hexdigest(), len(content)) for name, content in files.items()}
    monkeypatch.setattr(mnist, "PUBLISHED", published)
    source = mnist._source
    monkeypatch.setattr(mnist, "_source", lambda name: source(name)._replace(urls=(mirrors[name].url,)))
    assert_is(mnist.load_data(), small)
    assert_is(mnist.load_data("mnist.npz"), small)
    assert [mirror.requested for mirror in mirrors.values()] == [1, 1, 1, 1]
    assert (tmp_path / "cache" / "mnist" / "train-images-idx3-ubyte.gz").is_file()


def test_every_mirror_is_asked_for_the_official_name():
    for name in mnist.FILES:
        for url in mnist._source(name).urls:
            assert url.startswith("http") and url.endswith(f"/{name}.gz")


def test_a_missing_file_names_all_that_are_needed(small, tmp_path, monkeypatch):
    del small["t10k-labels-idx1-ubyte"]
    write(tmp_path, small)
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"none of t10k-labels-idx1-ubyte.gz, .* Put the files train-images"):
        mnist.load_data()


def test_another_data_set_in_mnists_files_is_refused(small, tmp_path, monkeypatch):
    small["train-images-idx3-ubyte"][0, 0, 0] ^= 1
    write(tmp_path, small)
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path))
    with pytest.raises(ValueError, match="train-images-idx3-ubyte.gz: the content is not the published one"):
        mnist.load_data()


def test_offline_the_error_names_the_sample(monkeypatch):
    monkeypatch.setattr(mnist, "MIRRORS", ("http://127.0.0.1:1/",))
    with pytest.raises(FileNotFoundError, match="mnist.load_sample()"):
        mnist.load_data()


def keras_file(path, small, **changes):
    arrays = dict(zip(("x_train", "y_train", "x_test", "y_test"), small.values())) | changes
    np.savez(path, **{key: array for key, array in arrays.items() if array is not None})
    return path


def test_path_names_a_file_in_keras_form(small, tmp_path):
    path = keras_file(tmp_path / "my.npz", small)
    assert_is(mnist.load_data(path), small)
    assert_is(mnist.load_data(path=str(path)), small)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"x_test": None}, "my.npz: not an .npz file with the arrays x_train, y_train, x_test, y_test: .*x_test"),
        ({"y_test": np.zeros((4, 1), np.uint8)}, r"shape \(4, 1\) and type uint8, expected \(4,\) and uint8"),
        ({"y_test": np.zeros(4, np.int64)}, "type int64"),
        ({"y_test": np.array([None] * 4)}, "my.npz: y_test: .* type object"),
    ],
)
def test_path_with_other_content_is_refused(small, tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        mnist.load_data(keras_file(tmp_path / "my.npz", small, **changes))


def test_path_that_is_no_npz_file_is_refused(small, tmp_path):
    (tmp_path / "my.npz").write_bytes(b"PK\x03\x04 no more")
    with pytest.raises(ValueError, match="my.npz: not an .npz file"):
        mnist.load_data(tmp_path / "my.npz")
    with pytest.raises(ValueError, match="mnist.load_data: .*other.npz.* is not an existing file. Leave path out"):
        mnist.load_data(tmp_path / "other.npz")


def test_the_whole_of_mnist(full_data):
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    assert x_train.shape == (60000, 28, 28) and y_train.shape == (60000,)
    assert x_test.shape == (10000, 28, 28) and y_test.shape == (10000,)
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}
    assert y_train[:5].tolist() == [5, 0, 4, 1, 9] and y_test[:5].tolist() == [7, 2, 1, 0, 4]
