"""cifar10.load_data from small batches in the place of CIFAR-10's, and from the whole of it where it is at hand."""

import gzip
import hashlib
import io
import pickle
import tarfile

import numpy as np
import pytest

from scratchnet.datasets import cifar10

N = 4  # images in a batch of the miniature


@pytest.fixture
def small(monkeypatch):
    """A miniature CIFAR-10: batch name to (rows, labels); size and checksums of the module are its own."""
    draw = np.random.default_rng(4)
    batches = {
        name: (draw.integers(0, 256, (N, 3072), dtype=np.uint8), draw.integers(0, 10, N).tolist())
        for name in cifar10.BATCHES
    }
    digests = {
        name: hashlib.sha256(rows.tobytes() + bytes(labels)).hexdigest() for name, (rows, labels) in batches.items()
    }
    monkeypatch.setattr(cifar10, "BATCHES", digests)
    monkeypatch.setattr(cifar10, "BATCH_SIZE", N)
    return batches


def pickled(rows, labels):
    return pickle.dumps({b"data": rows, b"labels": labels, b"batch_label": b"a batch"}, 4)


def files_of(batches):
    return {name: pickled(*batch) for name, batch in batches.items()}


def write_folder(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def archive_of(files, folder="cifar-10-batches-py/"):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(folder + name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def assert_is(loaded, batches):
    (x_train, y_train), (x_test, y_test) = loaded
    assert x_train.shape == (5 * N, 32, 32, 3) and x_test.shape == (N, 32, 32, 3)
    assert y_train.shape == (5 * N, 1) and y_test.shape == (N, 1)
    rows = np.concatenate([rows for rows, _ in batches.values()])
    labels = np.concatenate([labels for _, labels in batches.values()])
    # A row of a batch is (colour, row, column) of one image.
    for channel in range(3):
        plane = rows[:, channel * 1024 : (channel + 1) * 1024].reshape(-1, 32, 32)
        np.testing.assert_array_equal(np.concatenate([x_train, x_test])[..., channel], plane)
    np.testing.assert_array_equal(np.concatenate([y_train, y_test])[:, 0], labels)
    for array in (x_train, y_train, x_test, y_test):
        assert array.dtype == np.uint8 and array.flags.c_contiguous and array.flags.writeable


@pytest.mark.parametrize("subfolder", ["", "cifar-10-batches-py"])
def test_reads_the_batches_of_the_users_folder(small, tmp_path, monkeypatch, subfolder):
    write_folder(tmp_path / subfolder, files_of(small))
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path))
    assert_is(cifar10.load_data(), small)


@pytest.mark.parametrize("subfolder", ["", "cifar-10-batches-py"])
def test_reads_the_archive_in_the_users_folder(small, tmp_path, monkeypatch, subfolder):
    write_folder(tmp_path / subfolder, {"cifar-10-python.tar.gz": archive_of(files_of(small))})
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path))
    assert_is(cifar10.load_data(), small)


def test_downloads_the_archive_once(small, mirror_of, tmp_path, monkeypatch):
    archive = archive_of(files_of(small))
    mirror = mirror_of(archive)
    published = {"known_hash": hashlib.sha256(archive).hexdigest(), "size": len(archive)}
    monkeypatch.setattr(cifar10, "SOURCE", cifar10.SOURCE._replace(urls=(mirror.url,), **published))
    assert_is(cifar10.load_data(), small)
    assert_is(cifar10.load_data(), small)
    assert mirror.requested == 1
    assert [file.name for file in (tmp_path / "cache" / "cifar10").iterdir()] == ["cifar-10-python.tar.gz"]


def test_every_mirror_is_asked_for_the_archive():
    assert all(url.startswith("https://") and url.endswith("/cifar-10-python.tar.gz") for url in cifar10.URLS)


def test_the_order_and_the_folders_of_the_members_do_not_matter(small, tmp_path):
    path = tmp_path / "a.tar.gz"
    path.write_bytes(archive_of(dict(reversed(files_of(small).items())), folder="../../elsewhere/"))
    assert_is(cifar10.read_data(path), small)
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_batch_is_named(small, tmp_path):
    files = files_of(small)
    del files["data_batch_3"]
    path = tmp_path / "a.tar.gz"
    path.write_bytes(archive_of(files))
    with pytest.raises(ValueError, match="CIFAR-10 is incomplete: data_batch_3 not found"):
        cifar10.read_data(path)
    write_folder(tmp_path, files)
    with pytest.raises(ValueError, match="CIFAR-10 is incomplete: data_batch_3 not found"):
        cifar10.read_data(tmp_path / "data_batch_1")


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[:5000] + bytes(100) + content[5100:],
        lambda content: b"<html>please log in</html>",
        lambda content: b"",
        lambda content: gzip.compress(b"no archive" * 1000),
    ],
    ids=["half", "overwritten", "page", "empty", "no tar"],
)
def test_a_damaged_archive_is_refused(small, tmp_path, damage):
    path = tmp_path / "cifar-10-python.tar.gz"
    path.write_bytes(damage(archive_of(files_of(small))))
    with pytest.raises(ValueError, match="cifar-10-python.tar.gz"):
        cifar10.read_data(path)


def test_other_images_are_refused(small, tmp_path):
    small["data_batch_2"][0][3, 100] ^= 1
    write_folder(tmp_path, files_of(small))
    with pytest.raises(ValueError, match="data_batch_2: the content is not the published one"):
        cifar10.read_data(tmp_path / "data_batch_1")


def test_other_labels_are_refused(small, tmp_path):
    small["test_batch"][1][0] = 9 - small["test_batch"][1][0]
    write_folder(tmp_path, files_of(small))
    with pytest.raises(ValueError, match="test_batch: the content is not the published one"):
        cifar10.read_data(tmp_path / "data_batch_1")


class Attack:
    def __reduce__(self):
        return eval, ("open('trace', 'w')",)


def test_a_batch_that_is_a_program_is_refused_and_not_run(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "cifar-10-python.tar.gz"
    path.write_bytes(archive_of(files_of(small) | {"data_batch_1": pickle.dumps(Attack(), 2)}))
    with pytest.raises(ValueError, match="data_batch_1: refused or damaged pickle: it asks for .*eval"):
        cifar10.read_data(path)
    assert not (tmp_path / "trace").exists()


def test_a_whole_batch_of_another_size_is_refused(small, tmp_path, monkeypatch):
    files = files_of(small) | {"data_batch_1": pickled(np.zeros((2, 3072), np.uint8), [0, 1])}
    write_folder(tmp_path, files)
    with pytest.raises(ValueError, match="data_batch_1: the content is not the published one"):
        cifar10.read_data(tmp_path / "data_batch_1")


def test_offline_the_error_names_the_sample(monkeypatch):
    monkeypatch.setattr(cifar10, "SOURCE", cifar10.SOURCE._replace(urls=("http://127.0.0.1:1/",)))
    with pytest.raises(FileNotFoundError, match=r"(?s)cifar10\.load_sample\(\).*cifar-10-python.tar.gz"):
        cifar10.load_data()


def test_the_whole_of_cifar10(full_data):
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    assert x_train.shape == (50000, 32, 32, 3) and y_train.shape == (50000, 1)
    assert x_test.shape == (10000, 32, 32, 3) and y_test.shape == (10000, 1)
    assert y_train[:5, 0].tolist() == [6, 9, 9, 4, 1] and y_test[:5, 0].tolist() == [3, 8, 8, 0, 6]
    # The well-known means of red, green and blue say that the channels are where they belong.
    np.testing.assert_allclose(x_train.mean(axis=(0, 1, 2)) / 255, [0.49140, 0.48216, 0.44653], atol=1e-5)
