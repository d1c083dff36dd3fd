"""Our own files: what comes back, and that no other file is taken for one."""

import io
import json
import os
import warnings
import zipfile

import numpy as np
import pytest

from scratchnet.files.archive import read_archive, write_archive
from tests.files.fuzzing import check_reader, mutate_zip

ARRAYS = {
    "weights/a": np.arange(6, dtype="float32").reshape(2, 3),
    "weights/b": np.float64(3.5),
    "more/c": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "more/d": np.empty((0, 4), "float32"),
    "more/e": np.array(["text", "s"]),
}


def write(path):
    write_archive(path, "model", ARRAYS, {"architecture": {"a": [1, None]}, "other": 2})
    return path


def test_arrays_and_texts_come_back(tmp_path):
    arrays, texts = read_archive(write(tmp_path / "f.npz"), "weights", "model", texts=["architecture", "nowhere"])
    assert texts == {"architecture": {"a": [1, None]}}
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype and arrays[name].shape == array.shape
        assert arrays[name].flags.writeable


def test_what_nobody_asks_for_is_not_read(tmp_path):
    path = write(tmp_path / "f.npz")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("more/f.npy", b"not an array")
        archive.writestr("readme.txt", b"hello")
        archive.writestr("bad.json", b"{")
    arrays, texts = read_archive(path, "model", prefixes=["weights/"])
    assert list(arrays) == ["weights/a", "weights/b"] and texts == {}


def rewrite(path, **members):
    """Members of the file replaced by others of right checksum; slashes are written as two underlines."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content.update({name.replace("__", "/") + ".npy": data for name, data in members.items()})
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def test_an_array_must_be_as_long_as_its_header_says(tmp_path):
    good = npy(np.ones((2, 3), "<f4"))
    for bad in (good.replace(b"<f4", b"<f2"), good.replace(b"<f4", b"<f8"), good + b"\0", good[:-1]):
        path = write(tmp_path / "f.npz")
        rewrite(path, weights__a=bad)
        with pytest.raises(ValueError, match=r"f\.npz is damaged .*'weights/a\.npy' says shape \(2, 3\)"):
            read_archive(path, "model")


def test_sizes_are_compared_with_the_file_before_anything_is_allocated(tmp_path):
    for shape in (b"(200000000000000, 3)", b"(-2, -3)", b"(1000000000000, 0)"):
        header = b"{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + b"}\n"
        path = write(tmp_path / "f.npz")
        rewrite(path, weights__a=b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header + bytes(24))
        with pytest.raises(ValueError, match="f.npz is damaged"):
            read_archive(path, "model")


def test_only_numbers_and_texts_are_read(tmp_path):
    objects = io.BytesIO()
    np.lib.format.write_array(objects, np.array([{}], object), allow_pickle=True)
    for bad in (objects.getvalue(), npy(np.zeros(2, "i4,f4")), npy(np.zeros(2, "M8[s]")), npy(np.zeros(2, "V4"))):
        path = write(tmp_path / "f.npz")
        rewrite(path, weights__a=bad)
        with pytest.raises(ValueError, match="f.npz is damaged"):
            read_archive(path, "model")


def test_two_members_of_one_name_are_refused(tmp_path):
    path = write(tmp_path / "f.npz")
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("weights/a.npy", npy(np.zeros((2, 3), "<f4")))
    with pytest.raises(ValueError, match=r"f\.npz is damaged .*two of its members are named 'weights/a\.npy'"):
        read_archive(path, "model")


def test_a_file_that_was_packed_again_is_read_and_a_bomb_is_not(tmp_path):
    path = write(tmp_path / "f.npz")
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    assert read_archive(path, "model")[0].keys() == ARRAYS.keys()
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("weights/z.npy", "w") as entry:
        for _ in range(200):
            entry.write(bytes(1 << 20))
    assert os.path.getsize(path) < 1 << 20
    with pytest.raises(ValueError, match=r"f\.npz is damaged .* would unfold to"):
        read_archive(path, "model")


def test_other_ways_of_compressing_and_texts_without_end_are_refused(tmp_path):
    path = write(tmp_path / "f.npz")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_LZMA) as archive:
        archive.writestr("weights/z.npy", bytes(1000))
    with pytest.raises(ValueError, match="compressed in a way"):
        read_archive(path, "model")
    deep = "[" * 100_000
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", deep)
    with pytest.raises(ValueError, match=r"f\.npz is damaged .*RecursionError"):
        read_archive(path, "model")


def test_what_is_no_regular_file_is_not_waited_for(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ValueError, match="pipe is no regular file"):
        read_archive(pipe, "model")
    with pytest.raises(ValueError, match="is a folder"):
        read_archive(tmp_path, "model")
    with pytest.raises(FileNotFoundError, match="there is no file .*nowhere"):
        read_archive(tmp_path / "nowhere", "model")


@pytest.mark.parametrize("mutate", [None, mutate_zip])
def test_every_damage_is_a_value_error_that_names_the_file(tmp_path, mutate):
    path = write(tmp_path / "f.npz")
    load = lambda path: read_archive(path, "model", texts=["architecture"])  # noqa: E731
    check_reader(load, path.read_bytes(), path, mutate)


def test_the_content_is_json_and_npy(tmp_path):
    path = write(tmp_path / "f.npz")
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("header.json")) == {"format": "scratchnet 1", "content": "model"}
    with np.load(path) as file:
        np.testing.assert_array_equal(file["weights/a"], ARRAYS["weights/a"])
