"""The safetensors format, both ways, and files that lie about their contents."""

import json
import pathlib

import numpy as np
import pytest

from scratchnet.files import read_safetensors, write_safetensors
from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential
from tests.files.fuzzing import check_reader, mutate_json

SAMPLE = pathlib.Path(__file__).parent / "samples" / "arrays.safetensors"


def test_a_file_of_the_reference_implementation_is_read():
    arrays = read_safetensors(SAMPLE)
    with np.load(SAMPLE.parent / "pytorch_expected.npz") as expected:
        assert set(arrays) == set(expected) - {"complex"}
        for name, array in arrays.items():
            assert array.dtype == expected[name].dtype and array.shape == expected[name].shape
            np.testing.assert_array_equal(array, expected[name])
            assert array.flags.writeable


def test_what_is_written_comes_back(tmp_path):
    arrays = {
        "f": np.arange(6, dtype="f4").reshape(2, 3),
        "transposed": np.arange(6, dtype="f4").reshape(2, 3).T,
        "big endian": np.arange(3, dtype=">f8"),
        "scalar": np.float32(2),
        "empty": np.empty((0, 3), "i8"),
        "flags": np.array([True, False]),
        "half": np.ones(3, "f2"),
    }
    path = tmp_path / "w.safetensors"
    write_safetensors(path, arrays, metadata={"format": "np"})
    back = read_safetensors(path)
    assert list(back) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array)
        assert back[name].shape == np.shape(array)
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    assert length % 8 == 0 and json.loads(content[8 : 8 + length])["__metadata__"] == {"format": "np"}
    with pytest.raises(FileExistsError):
        write_safetensors(path, arrays, overwrite=False)
    write_safetensors(path, {})
    assert read_safetensors(path) == {}


@pytest.mark.parametrize(
    "arrays, metadata, message",
    [
        ({1: np.ones(2)}, None, "names and metadata must be str"),
        ({"a": np.ones(2)}, {"a": 1}, "names and metadata must be str"),
        ({"__metadata__": np.ones(2)}, None, "__metadata__"),
        ({"a": np.array([{}])}, None, "'a' is of dtype object"),
        ({"a": np.array(["x"])}, None, "'a' is of dtype <U1"),
    ],
)
def test_what_the_format_does_not_have_is_refused_before_anything_is_written(tmp_path, arrays, metadata, message):
    with pytest.raises(TypeError, match=message):
        write_safetensors(tmp_path / "w.safetensors", arrays, metadata)
    assert not list(tmp_path.iterdir())


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


@pytest.mark.parametrize(
    "table, length",
    [
        ({"a": entry(offsets=(0, 12))}, 12),
        ({"a": entry(offsets=(0, 8))}, 12),
        ({"a": entry(offsets=(4, 12))}, 12),
        ({"a": entry(), "b": entry(offsets=(4, 12))}, 12),
        ({"a": entry(), "b": entry()}, 8),
        ({"a": entry(shape=(2**60, 2**60, 0), offsets=(0, 0))}, 0),
        ({"a": entry(shape=(-2,))}, 8),
        ({"a": entry(shape=(-1, -2))}, 8),
        ({"a": entry(shape=(2.0,))}, 8),
        ({"a": entry(shape=(True, 2))}, 8),
        ({"a": entry(shape=(1,) * 40, offsets=(0, 4))}, 4),
        ({"a": entry(offsets=(8, 0))}, 8),
        ({"a": entry(offsets=(0, 8, 8))}, 8),
        ({"a": entry(dtype="F8_E4M3", shape=(8,))}, 8),
        ({"a": entry(dtype=["F32"])}, 8),
        ({"a": {"dtype": "F32"}}, 0),
        ({"a": None}, 0),
        ([], 0),
        (3, 0),
    ],
)
def test_a_table_of_contents_that_lies_is_refused(tmp_path, table, length):
    path = tmp_path / "w.safetensors"
    text = json.dumps(table).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(length))
    with pytest.raises(ValueError, match=r"w\.safetensors is damaged or not a safetensors file"):
        read_safetensors(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 8,
        b"\xff" * 8 + b"{}",
        (2**40).to_bytes(8, "little") + b"{}",
        (10**5).to_bytes(8, "little") + b"[" * 10**5,
        (59).to_bytes(8, "little") + b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":0}',
    ],
)
def test_a_beginning_that_lies_is_refused(tmp_path, content):
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"w\.safetensors is damaged or not a safetensors file"):
        read_safetensors(path)


def mutate_table(content, rng):
    length = int.from_bytes(content[:8], "little")
    text = mutate_json(content[8 : 8 + length], rng)
    return len(text).to_bytes(8, "little") + text + content[8 + length :]


@pytest.mark.parametrize("mutate", [None, mutate_table])
def test_every_damage_is_a_value_error_that_names_the_file(tmp_path, mutate):
    check_reader(read_safetensors, SAMPLE.read_bytes(), tmp_path / SAMPLE.name, mutate)


def test_arrays_in_several_files_are_read_by_their_table(tmp_path):
    arrays = {name: np.full(3, k, "float32") for k, name in enumerate("abc")}
    write_safetensors(tmp_path / "m-1.safetensors", {"a": arrays["a"], "c": arrays["a"]})
    write_safetensors(tmp_path / "m-2.safetensors", {"b": arrays["b"], "c": arrays["c"]})
    places = {"a": "m-1.safetensors", "b": "m-2.safetensors", "c": "m-2.safetensors"}
    path = tmp_path / "m.safetensors.index.json"
    path.write_text(json.dumps({"metadata": {}, "weight_map": places}))
    found = read_safetensors(path)
    assert found.keys() == arrays.keys() and all(np.array_equal(found[name], arrays[name]) for name in arrays)
    model = Sequential([Input((3,)), Dense(1)])
    with pytest.raises(ValueError, match="cannot be matched"):
        model.load_weights(path)


@pytest.mark.parametrize(
    "text, problem",
    [
        ('{"weight_map": {"a": "../m.safetensors"}}', "is no file beside it"),
        ('{"weight_map": {"a": "m.pth"}}', "is no file beside it"),
        ('{"weight_map": {"x": "m-1.safetensors"}}', "'x' is not in m-1"),
        ('{"weight_map": {"x": "m-2.safetensors"}}', "names a file that cannot be read: there is no file"),
        ('{"weight_map": {"x": 3}}', "is damaged"),
        ("[]", "is damaged"),
    ],
)
def test_a_table_of_files_that_makes_no_sense_is_refused(tmp_path, text, problem):
    write_safetensors(tmp_path / "m-1.safetensors", {"a": np.ones(3)})
    path = tmp_path / "m.safetensors.index.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"m\.safetensors\.index\.json.*{problem}"):
        read_safetensors(path)
