"""fashion_mnist.load_data from small files in the place of the published ones."""

import gzip
import hashlib

import numpy as np
import pytest

from scratchnet.datasets import fashion_mnist, idx

SHAPES = ((6, 28, 28), (6,), (4, 28, 28), (4,))


@pytest.fixture
def small(monkeypatch):
    """A miniature: name to (array, content of its file); shapes, checksums and sizes of the module are its own."""
    draw = np.random.default_rng(3)
    files = {}
    for name, shape in zip(fashion_mnist.FILES, SHAPES):
        array = draw.integers(0, 10, shape, dtype=np.uint8)
        files[name] = array, gzip.compress(idx.header(shape) + array.tobytes())
    known = {name: (a.shape, hashlib.sha256(content).hexdigest(), len(content)) for name, (a, content) in files.items()}
    monkeypatch.setattr(fashion_mnist, "FILES", known)
    return files


def assert_is(loaded, small):
    (x_train, y_train), (x_test, y_test) = loaded
    for found, (expected, _) in zip((x_train, y_train, x_test, y_test), small.values()):
        assert found.dtype == np.uint8 and found.flags.writeable
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("folder", ["fashion-mnist", "fashion_mnist"])
def test_reads_the_files_from_the_users_folder(small, tmp_path, monkeypatch, folder):
    (tmp_path / folder).mkdir()
    for name, (_, content) in small.items():
        (tmp_path / folder / name).write_bytes(content)
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path))
    assert_is(fashion_mnist.load_data(), small)
    (tmp_path / folder / "t10k-labels-idx1-ubyte.gz").write_bytes(b"wrong")
    with pytest.raises(ValueError, match="t10k-labels-idx1-ubyte.gz: the content is not the published one"):
        fashion_mnist.load_data()


def test_mnists_files_are_not_taken_for_its_own(small, tmp_path, monkeypatch):
    for name in small:
        (tmp_path / name).write_bytes(b"MNIST")
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path))
    with pytest.raises(
        FileNotFoundError, match="(?s)Fashion-MNIST.*Put a folder fashion-mnist with the files train-im"
    ):
        fashion_mnist.load_data()


def test_downloads_all_four_files_once(small, tmp_path, monkeypatch):
    (tmp_path / "mirror").mkdir()
    for name, (_, content) in small.items():
        (tmp_path / "mirror" / name).write_bytes(content)
    monkeypatch.setattr(fashion_mnist, "MIRRORS", ("http://127.0.0.1:1/", f"{(tmp_path / 'mirror').as_uri()}/"))
    assert_is(fashion_mnist.load_data(), small)
    monkeypatch.setattr(fashion_mnist, "MIRRORS", ())
    assert_is(fashion_mnist.load_data(), small)
    assert sorted(file.name for file in (tmp_path / "cache" / "fashion-mnist").iterdir()) == sorted(small)


def test_ten_classes_have_names():
    assert len(set(fashion_mnist.CLASSES)) == 10
