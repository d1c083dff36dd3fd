"""cifar100.load_data from small batches in the place of CIFAR-100's."""

import hashlib
import io
import pickle
import tarfile

import numpy as np
import pytest

from scratchnet.datasets import cifar100

SIZES = {"train": 6, "test": 4}


@pytest.fixture
def small(monkeypatch):
    """A miniature: name to the dict of its pickle; sizes and checksums of the module are its own."""
    draw = np.random.default_rng(4)
    batches = {
        name: {
            b"data": draw.integers(0, 256, (n, 3072), dtype=np.uint8),
            b"fine_labels": draw.integers(0, 100, n).tolist(),
            b"coarse_labels": draw.integers(0, 20, n).tolist(),
            b"filenames": [b"name.png"] * n,
        }
        for name, n in SIZES.items()
    }
    publish(monkeypatch, batches)
    return batches


def publish(monkeypatch, batches):
    known = {
        name: (SIZES[name], hashlib.md5(content).hexdigest(), 50_000) for name, content in pickled(batches).items()
    }
    monkeypatch.setattr(cifar100, "BATCHES", known)


def pickled(batches):
    return {name: pickle.dumps(batch, 4) for name, batch in batches.items()}


def write_folder(folder, batches):
    folder.mkdir(parents=True)
    for name, content in pickled(batches).items():
        (folder / name).write_bytes(content)


def write_archive(path, batches):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in pickled(batches).items():
            member = tarfile.TarInfo(f"cifar-100-python/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def assert_is(loaded, batches, label_mode):
    for (x, y), batch in zip(loaded, batches.values()):
        assert x.dtype == np.uint8 and x.flags.c_contiguous and x.flags.writeable
        assert y.dtype == np.int64 and y[:, 0].tolist() == batch[f"{label_mode}_labels".encode()]
        for channel in range(3):
            plane = batch[b"data"][:, channel * 1024 : (channel + 1) * 1024].reshape(-1, 32, 32)
            np.testing.assert_array_equal(x[..., channel], plane)


@pytest.mark.parametrize("label_mode", ["fine", "coarse"])
def test_reads_folder_and_archive_from_the_users_folder(small, tmp_path, monkeypatch, label_mode):
    write_folder(tmp_path / "folder" / "cifar-100-python", small)
    (tmp_path / "archive").mkdir()
    write_archive(tmp_path / "archive" / "cifar-100-python.tar.gz", small)
    for folder in ("folder", "archive"):
        monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path / folder))
        assert_is(cifar100.load_data(label_mode), small, label_mode)


def test_downloads_the_archive_once(small, tmp_path, monkeypatch, mirror_of):
    write_archive(tmp_path / "a.tar.gz", small)
    content = (tmp_path / "a.tar.gz").read_bytes()
    mirror = mirror_of(content)
    known = {"known_hash": hashlib.sha256(content).hexdigest(), "size": len(content)}
    monkeypatch.setattr(cifar100, "SOURCE", cifar100.SOURCE._replace(urls=(mirror.url,), **known))
    for _ in range(2):
        assert_is(cifar100.load_data(), small, "fine")
    assert mirror.requested == 1


def test_another_label_mode_is_refused():
    with pytest.raises(ValueError, match="cifar100.load_data: label_mode='all' is neither 'fine' nor 'coarse'"):
        cifar100.load_data("all")


def test_another_or_a_missing_batch_is_refused(small, tmp_path):
    write_archive(tmp_path / "a.tar.gz", {"test": small["test"]})
    with pytest.raises(ValueError, match="a.tar.gz: CIFAR-100 is incomplete: train not found"):
        cifar100.read_data(tmp_path / "a.tar.gz", "fine")
    small["test"][b"data"][2, 100] ^= 1
    write_archive(tmp_path / "a.tar.gz", small)
    with pytest.raises(ValueError, match="a.tar.gz: cifar-100-python/test: the content is not the published one: md5"):
        cifar100.read_data(tmp_path / "a.tar.gz", "fine")


def test_labels_outside_of_the_classes_are_refused(small, tmp_path, monkeypatch):
    small["test"][b"coarse_labels"][0] = 20
    publish(monkeypatch, small)
    write_archive(tmp_path / "a.tar.gz", small)
    cifar100.read_data(tmp_path / "a.tar.gz", "fine")
    with pytest.raises(ValueError, match="expected b'coarse_labels' to be a list of 4 numbers 0..19"):
        cifar100.read_data(tmp_path / "a.tar.gz", "coarse")


def test_offline_the_error_says_where_to_put_which_file(monkeypatch):
    monkeypatch.setattr(cifar100, "SOURCE", cifar100.SOURCE._replace(urls=("http://127.0.0.1:1/",)))
    with pytest.raises(FileNotFoundError, match="(?s)CIFAR-100.*get cifar-100-python.tar.gz, or the folder"):
        cifar100.load_data()
