"""Batches of CIFAR, read from folders and archives, and refused when they are anything else."""

import io
import pickle
import tarfile

import numpy as np
import pytest

from scratchnet.datasets import cifar

ROWS = np.arange(2 * 3072).reshape(2, 3072).astype(np.uint8)


def read(batch, size=10):
    return cifar.read_batch(pickle.dumps(batch, 4), "batch", b"labels", 10, size)


def test_rows_and_labels_are_read():
    rows, labels = read({b"data": ROWS, b"labels": [3, 9], b"filenames": [b"a.png", b"b.png"]})
    np.testing.assert_array_equal(rows, ROWS)
    assert labels.tolist() == [3, 9] and labels.dtype == np.uint8


def test_a_row_is_colour_row_column_of_one_image():
    images = cifar.to_images(ROWS)
    assert images.shape == (2, 32, 32, 3)
    for channel in range(3):
        plane = ROWS[:, channel * 1024 : (channel + 1) * 1024].reshape(-1, 32, 32)
        np.testing.assert_array_equal(images[..., channel], plane)


@pytest.mark.parametrize(
    "batch, message",
    [
        ({}, r"expected b'data' to be uint8 \(N, 3072\), found NoneType"),
        ({b"data": ROWS.astype(np.float32), b"labels": [0, 1]}, r"found float32 \(2, 3072\)"),
        ({b"data": ROWS[:, :-1].copy(), b"labels": [0, 1]}, r"found uint8 \(2, 3071\)"),
        ({b"data": ROWS, b"fine_labels": [0, 1]}, "expected b'labels' to be a list of 2 numbers 0..9"),
        ({b"data": ROWS, b"labels": [0]}, "list of 2 numbers"),
        ({b"data": ROWS, b"labels": [0, 10]}, "list of 2 numbers"),
        ({b"data": ROWS, b"labels": [0, -1]}, "list of 2 numbers"),
        ({b"data": ROWS, b"labels": [0, 1.5]}, "list of 2 numbers"),
    ],
)
def test_a_pickle_that_is_no_batch_is_refused(batch, message):
    with pytest.raises(ValueError, match=f"batch: not a batch of CIFAR: .*{message}"):
        read(batch)


def test_a_pickle_of_many_more_objects_than_images_is_refused():
    batch = {b"data": ROWS, b"labels": [0, 1], b"filenames": [b"name"] * 2000}
    assert len(read(batch, size=200)[0]) == 2
    with pytest.raises(ValueError, match="batch: refused .* more than 1020 opcodes"):
        read(batch, size=2)


def archive_of(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def test_the_same_batches_come_from_a_folder_and_from_an_archive(tmp_path):
    files = {"train": b"the training images", "test": b"the test images"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    archive_of(tmp_path / "a.tar.gz", {"folder/readme": b"read me"} | files)
    for path in (tmp_path / "train", tmp_path / "a.tar.gz"):
        found = list(cifar.batches(path, "train", {"train": 20, "test": 20000}))
        assert {name: content for name, _, content in found} == files
        assert all(place.startswith(str(tmp_path)) and place.endswith(name) for name, place, _ in found)


def test_a_batch_that_is_too_large_is_refused(tmp_path):
    (tmp_path / "train").write_bytes(bytes(21))
    archive_of(tmp_path / "a.tar.gz", {"train": bytes(21)})
    with pytest.raises(ValueError, match="train: refused: more than the 20 bytes"):
        list(cifar.batches(tmp_path / "train", "train", {"train": 20}))
    with pytest.raises(ValueError, match="a.tar.gz: refused: train has 21 bytes, expected at most 20"):
        list(cifar.batches(tmp_path / "a.tar.gz", "train", {"train": 20, "test": 20000}))
