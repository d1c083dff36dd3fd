"""HDF5 files: read as h5py reads them, and damaged ones never make the reader run, fill the memory or crash."""

import io
import types

import h5py
import numpy as np
import pytest

from scratchnet.files.hdf5 import Dataset, Group, lzf, open_hdf5
from scratchnet.files.hdf5.chunks import Chunks, filters_of
from scratchnet.files.reading import file_size, reading
from tests.files import keras_samples
from tests.files.fuzzing import check_reader


def read(path):
    """All that is in a file: a dict of attributes and arrays by path."""
    found = {}
    with reading(path, "HDF5 file") as file:
        waiting = [("", open_hdf5(file, file_size(file)))]
        while waiting:
            path, thing = waiting.pop()
            found[f"{path}/@"] = thing.attributes
            if isinstance(thing, Dataset):
                found[path] = thing.read()
            elif path.count("/") < 20:
                waiting.extend((f"{path}/{name}", thing[name]) for name in thing)
    return found


def read_by_h5py(path):
    found = {}

    def visit(name, thing):
        path = f"/{name}" if name else ""
        found[f"{path}/@"] = dict(thing.attrs)
        if isinstance(thing, h5py.Dataset):
            found[path] = thing[()]

    with h5py.File(path) as file:
        visit("", file)
        file.visititems(visit)
    return found


def plain(value):
    if isinstance(value, bytes):
        return value.decode()
    return np.asarray(value).astype(str).tolist() if np.asarray(value).dtype.kind in "SO" else value


def check_same(path):
    ours, theirs = read(path), read_by_h5py(path)
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        if key.endswith("/@"):
            assert ours[key].keys() == value.keys()
            assert all(np.array_equal(plain(ours[key][name]), plain(value[name])) for name in value)
        elif np.asarray(value).dtype.kind in "OS":
            assert np.array_equal(plain(ours[key]), plain(value))
        else:
            np.testing.assert_array_equal(ours[key], value)
            assert ours[key].shape == np.shape(value)


@pytest.mark.parametrize("name", ["keras2_convolutions.h5", "keras3_recurrent.weights.h5", "keras2_shared_w.h5"])
def test_keras_s_files_are_read_as_h5py_reads_them(tmp_path, name):
    check_same(keras_samples.extract(name, tmp_path))


def write_varied(path):
    with h5py.File(path, "w") as file:
        for code in ("f2", "f4", "f8", ">f4", "i1", "i2", ">i4", "i8", "u1", "u2", "u4", "u8"):
            file.create_dataset(f"numbers/{code}", data=np.arange(6, dtype=code).reshape(2, 3))
        file.create_dataset("scalar", data=np.float32(2.5))
        file.create_dataset("empty", data=np.empty((0, 3), "f4"))
        file.create_dataset("flags", data=np.array([True, False]))
        file.create_dataset("texts", data=np.array([b"one", b"three"]))
        file.attrs["text"] = "é" * 1000
        file.attrs["texts"] = ["a", "ß"]
        file.attrs["fixed"] = np.array([b"one", b"three"])
        file.attrs["number"] = 3
        file.attrs["shape"] = np.array([2, 3])
        for k in range(500):  # so that the tree of names has inner nodes
            group = file.create_group(f"layer_{k}")
            for name in range(12):
                group.attrs[f"attribute {name}"] = "long " * 20  # more than the first block of a header holds
    return path


def test_every_type_and_large_groups_are_read(tmp_path):
    check_same(write_varied(tmp_path / "f.h5"))


def test_bfloat16_becomes_float32(tmp_path):
    path = tmp_path / "f.h5"
    kind = h5py.h5t.IEEE_F32LE.copy()
    kind.set_fields(15, 7, 8, 0, 7)
    kind.set_precision(16)
    kind.set_size(2)
    kind.set_ebias(127)
    halves = (np.array([1.5, -2.0, 3.25], "f4").view("u4") >> 16).astype("u2")
    with h5py.File(path, "w") as file:
        space = h5py.h5s.create_simple((3,))
        dataset = h5py.h5d.create(file.id, b"x", kind, space)
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, halves, mtype=kind)
    np.testing.assert_array_equal(read(path)["/x"], np.array([1.5, -2.0, 3.25], "f4"))


FORMS = {
    "in one piece": {},
    "in pieces": {"chunks": (3, 2)},
    "in many pieces": {"chunks": (1, 1)},
    "in one large piece": {"chunks": (40, 30)},
    "in pieces, growing": {"chunks": (3, 2), "maxshape": (None, 30)},
    "compressed": {"compression": "gzip"},
    "shuffled and compressed": {"compression": "gzip", "shuffle": True, "chunks": (7, 4)},
    "with checksums": {"compression": "gzip", "fletcher32": True, "chunks": (40, 30)},
    "by lzf": {"compression": "lzf"},
    "shuffled and by lzf": {"compression": "lzf", "shuffle": True, "chunks": (40, 30)},
    "by lzf, with checksums": {"compression": "lzf", "fletcher32": True, "chunks": (7, 4)},
    "shuffled alone": {"shuffle": True, "chunks": (7, 4)},
}


@pytest.mark.parametrize("libver", ["earliest", "v110", "latest"])
def test_arrays_are_read_in_pieces_and_compressed(tmp_path, libver):
    path, rng = tmp_path / "f.h5", np.random.default_rng(0)
    with h5py.File(path, "w", libver=libver) as file:
        for name, kwargs in FORMS.items():
            if libver == "earliest" or "maxshape" not in kwargs:
                file.create_dataset(name, data=rng.normal(size=(40, 30)).astype("f4"), **kwargs)
        file.create_dataset("half", data=rng.normal(size=(5, 2, 3)).astype("f2"), compression="gzip", shuffle=True)
        file.create_dataset("texts", data=[b"one", b"three"], compression="gzip")
        file.create_dataset("empty", data=np.empty((0, 3)), chunks=(2, 2), maxshape=(9, 9))
    check_same(path)


def test_the_newest_form_keeps_long_lists_in_heaps(tmp_path):
    for count in (3, 30, 1000):  # in the header, in one block, in blocks of blocks
        path = tmp_path / f"{count}.h5"
        with h5py.File(path, "w", libver="latest", track_order=count == 30) as file:
            for k in range(count):
                file.create_group(f"layers/group_{k}")
                file.attrs[f"attribute {k}"] = "long " * 10
            file.attrs["text"] = "é" * 100
            file.attrs["longest"] = np.array([b"x" * 100] * 200)
            file["layers/group_1/x"] = np.arange(5)
        check_same(path)


@pytest.mark.parametrize(
    "options, kwargs, problem",
    [
        ({}, {"scaleoffset": 3}, "compressed by scaleoffset"),
        ({"libver": "latest"}, {"maxshape": (None, 4)}, "that can grow, in the newest form"),
        ({}, {"data": np.ones(4, "c8")}, "something else than numbers and texts"),
    ],
)
def test_rarer_forms_of_the_format_are_refused(tmp_path, options, kwargs, problem):
    path = tmp_path / "f.h5"
    with h5py.File(path, "w", **options) as file:
        file.create_dataset("x", **{"data": np.ones((4, 4)), **kwargs})
    with pytest.raises(ValueError, match=rf"f\.h5 is damaged or not a HDF5 file: .*{problem}"):
        read(path)


def test_szip_is_refused_by_name():
    message = bytes([2, 1]) + (4).to_bytes(2, "little") + bytes(4)
    with pytest.raises(ValueError, match="compressed by szip"):
        filters_of(message)


def test_arrays_by_lzf_that_repeat_themselves_near_and_far(tmp_path):
    path, rng = tmp_path / "f.h5", np.random.default_rng(0)
    words = [rng.bytes(n) for n in (1, 3, 40, 300, 9000)]
    data = b"".join(words[k] for k in rng.integers(0, 5, 60)) + bytes(1000) + rng.bytes(100) * 50
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=np.frombuffer(data, np.uint8), compression="lzf", chunks=(len(data),))
        file.create_dataset("y", data=np.frombuffer(data, "<f4", len(data) // 4), compression="lzf", chunks=(5000,))
    check_same(path)


@pytest.mark.parametrize(
    "packed, most, problem",
    [
        (b"\x02abc\xe0", 100, "cut off"),
        (b"\x02abc\x20", 100, "cut off"),
        (b"\x02abc\x20\x03", 100, "never there"),
        (b"\x05abc", 100, "another length"),
        (b"\x02abc\xe0\xff\x02", 266, "another length"),
    ],
)
def test_bytes_by_lzf_that_make_no_sense_are_told(packed, most, problem):
    with pytest.raises(ValueError, match=problem):
        lzf.unpacked(packed, most)


def test_a_copy_by_lzf_may_run_into_itself():
    assert lzf.unpacked(b"\x02abc\x80\x01\xe0\xff\x02", 300) == b"abc" + b"bcbcbc" + b"cbc" * 88


def test_what_would_unfold_to_any_size_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("scratchnet.files.hdf5.content.FREE", 1000)
    path = tmp_path / "f.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=np.zeros((1000, 300)), compression="gzip", chunks=(500, 300))
    with pytest.raises(ValueError, match="would unfold to more than 20 times"):
        read(path)


def test_a_piece_that_was_never_written_is_missing(tmp_path):
    path = tmp_path / "f.h5"
    for libver in ("earliest", "latest"):
        with h5py.File(path, "w", libver=libver) as file:
            file.create_dataset("x", (10, 4), "f4", chunks=(2, 4))[:4] = 1
        with pytest.raises(ValueError, match="pieces are missing"):
            read(path)


def test_links_to_elsewhere_are_refused(tmp_path):
    path = tmp_path / "f.h5"
    for link in (h5py.SoftLink("/x"), h5py.ExternalLink("other.h5", "/x")):
        with h5py.File(path, "w") as file:
            file["y"] = link
        with pytest.raises(ValueError, match=r"f\.h5 is damaged"):
            read(path)


def test_a_group_that_contains_itself_and_arrays_that_overlap_come_to_an_end(tmp_path):
    path = tmp_path / "f.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("a")
        group["again"] = group
        group.create_dataset("x", data=np.ones(1000))
        for k in range(1000):
            group[f"x{k}"] = group["x"]
    with pytest.raises(ValueError, match=r"f\.h5 is damaged .*(overlap|contain one another)"):
        read(path)


def test_groups_and_arrays_are_told_apart(tmp_path):
    path = write_varied(tmp_path / "f.h5")
    with open(path, "rb") as file:
        root = open_hdf5(file, path.stat().st_size)
        assert isinstance(root, Group) and "scalar" in root and len(root.group("numbers")) == 12
        assert root.group("no/where") == {}
        with pytest.raises(ValueError, match="there is no 'nowhere'"):
            root["nowhere"]
        for wrong in (lambda: root["scalar/x"], lambda: root.group("scalar"), lambda: root.dataset("numbers")):
            with pytest.raises(ValueError, match="is no (group|array)"):
                wrong()


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n", b"\x89HDF\r\n\x1a\n" + bytes(100), b"text" * 100])
def test_what_is_no_such_file_is_told(content):
    with pytest.raises(ValueError, match="it is no HDF5 file|points beyond"):
        open_hdf5(io.BytesIO(content), len(content))


def write_with_all_parts(path, libver):
    with h5py.File(path, "w", libver=libver) as file:
        for k in range(300):
            file.attrs[f"attribute {k}"] = "long " * 10
            file.create_group(f"groups/{k}")
            if k < 7:
                file["groups/0"].attrs[f"{k}"] = np.arange(9)
        file.attrs["longest"] = np.array([b"x" * 100] * 200)
        file.create_dataset("pieces", data=np.arange(8.0), chunks=(2,), compression="gzip")


@pytest.mark.parametrize(
    "libver, signature",
    [("earliest", s) for s in (b"TREE", b"SNOD", b"HEAP", b"GCOL")]
    + [("latest", s) for s in (b"OHDR", b"OCHK", b"FRHP", b"FHIB", b"BTHD", b"BTIN", b"BTLF", b"FAHD", b"FADB")],
)
def test_each_part_is_known_by_its_signature(tmp_path, libver, signature):
    path = tmp_path / "f.h5"
    write_with_all_parts(path, libver)
    content = path.read_bytes()
    assert signature in content
    path.write_bytes(content.replace(signature, b"XXXX"))
    with pytest.raises(ValueError, match=r"f\.h5 is damaged or not a HDF5 file: [a-z]"):
        read(path)


@pytest.mark.parametrize(
    "version, packed, problem",
    [
        (3, b"\3" + bytes(8) + b"\1\0\0\0" * 3, "other axes"),
        (4, b"\1\2\1\2\4\1" + bytes(8), "some are compressed"),
        (4, b"\0\2\1\2\4\2" + bytes(8), "pieces are missing|of another type"),
    ],
)
def test_a_place_of_pieces_that_makes_no_sense_is_told(version, packed, problem):
    content = types.SimpleNamespace(reserve=lambda length: None, unpack=lambda *a: (b"TREE", 1, 0, 0))
    content.read = lambda *a, **k: b""
    with pytest.raises(ValueError, match=problem):
        Chunks(content, bytes([version, 2]) + packed, (4,), []).read(8)


def test_pieces_without_a_table_stand_one_behind_the_other():
    content = types.SimpleNamespace(reserve=lambda length: None, read=lambda at, n, whole_array: bytes([at] * n))
    place = bytes([4, 2, 0, 2, 1, 2, 4, 2]) + (100).to_bytes(8, "little")  # pieces of 2 numbers of 4 bytes, at 100
    assert Chunks(content, place, (3,), []).read(4) == bytes([100] * 8 + [108] * 4)


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_damaged_files_are_refused_or_read_but_never_hang(tmp_path, libver):
    with h5py.File(tmp_path / "f.h5", "w", libver=libver) as file:
        for k in range(20):
            packed = {"compression": "lzf" if k % 3 else "gzip", "chunks": (2,)} if k % 2 else {}
            file.create_dataset(f"group_{k % 3}/array_{k}", data=np.arange(5.0), **packed)
            file[f"group_{k % 3}"].attrs[f"list_{k}"] = ["a", "bb"]
        file.create_dataset("repeated", data=np.arange(300) % 7, compression="lzf")
    check_reader(read, (tmp_path / "f.h5").read_bytes(), tmp_path / "f.h5")
