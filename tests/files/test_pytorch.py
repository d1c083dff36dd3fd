"""PyTorch's files: the arrays that torch.load gives, from both formats; and that nothing in a file is ever run."""

import io
import os
import pathlib
import pickle
import struct
import zipfile

import numpy as np
import pytest

from scratchnet.files import pickle_machine, read_pytorch
from tests.files.fuzzing import check_reader, mutate_bytes, mutate_zip

SAMPLES = pathlib.Path(__file__).parent / "samples"


def check_equal(arrays, expected):
    assert list(arrays) == list(expected)
    for name, array in arrays.items():
        assert array.dtype == expected[name].dtype and array.shape == expected[name].shape, name
        np.testing.assert_array_equal(array, expected[name])


@pytest.mark.parametrize("name", ["pytorch.pth", "pytorch.legacy.pth"])
def test_every_dtype_view_and_shared_storage_is_as_torch_has_it(name):
    arrays = read_pytorch(SAMPLES / name)
    with np.load(SAMPLES / "pytorch_expected.npz") as expected:
        check_equal(arrays, dict(expected))
    assert all(array.flags.writeable for array in arrays.values())
    arrays["tied"][:] = 0
    assert arrays["tied.too"].any()  # the arrays share nothing


@pytest.mark.parametrize("name", ["pytorch_checkpoint.th", "pytorch_checkpoint.legacy.th"])
def test_the_parameters_of_a_checkpoint_are_found_and_lose_the_prefix_of_dataparallel(name):
    arrays = read_pytorch(SAMPLES / name)
    with np.load(SAMPLES / "pytorch_checkpoint_expected.npz") as expected:
        check_equal(arrays, dict(expected))
    assert "1.running_mean" in arrays


def test_nested_containers_become_names_with_dots():
    arrays = read_pytorch(SAMPLES / "pytorch_nested.pt")
    assert list(arrays) == ["0.layer.weight", "0.layer.u", "1"]
    assert arrays["0.layer.u"].dtype == np.uint16


def test_a_whole_module_is_refused_with_the_way_out():
    with pytest.raises(ValueError, match=r"pytorch_module\.pt .*save model\.state_dict\(\) instead"):
        read_pytorch(SAMPLES / "pytorch_module.pt")


# ---- files that were made to do harm ----


def legacy(data_pickle):
    """A file of the old format around the pickle of the object."""
    facts = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
    head = b"".join(pickle.dumps(value, 2) for value in (0x1950A86A20F9469CFC6C, 1001, facts))
    return head + data_pickle + pickle.dumps([], 2)


def zipped(data_pickle, **storages):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", data_pickle)
        for key, content in storages.items():
            archive.writestr(f"archive/data/{key.removeprefix('_')}", content)
    return file.getvalue()


class Runs:
    """An object that, when it is unpickled in the ordinary way, calls a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def glob(module, name):
    return f"c{module}\n{name}\n".encode()


COLLIDING = [b"\x8a\x0a" + (k * (2**61 - 1)).to_bytes(10, "little") + b"N" for k in range(1, 2000)]
TRACE = "/tmp/scratchnet-was-here"
HARMFUL = {
    "system": pickle.dumps(Runs(os.system, f"touch {TRACE}"), 2),
    "system in a dict": pickle.dumps({"w": Runs(os.system, f"touch {TRACE}")}, 4),
    "eval": pickle.dumps(Runs(eval, f"open('{TRACE}', 'w')"), 2),
    "open": pickle.dumps(Runs(open, TRACE, "w"), 5),
    "getattr": glob("builtins", "getattr") + b".",
    "dotted name": b"\x80\x04\x8c\x05torch\x8c\x0aos.unlink\x93.",
    "a name of torch that is not a tensor's": glob("torch.hub", "load") + b"(X\x01\0\0\0atR.",
    "numpy's own loader": glob("numpy", "load") + b"(X\x01\0\0\0atR.",
    "a part of an allowed module": glob("collections", "namedtuple") + b".",
    "inst": b"(X\x01\0\0\0aios\nsystem\n.",
    "obj": b"(" + glob("os", "system") + b"X\x01\0\0\0ao.",
    "newobj_ex": glob("collections", "OrderedDict") + b")}\x92.",
    "extension registry": b"\x82\x01.",
    "buffers of protocol 5": b"\x80\x05\x97.",
    "calls a dict": b"})R.",
    "calls a text": b"X\x01\0\0\0a)R.",
    "calls ndarray": glob("numpy", "ndarray") + b"(K\x05tR.",
    "calls a dtype": glob("torch", "float32") + b")R.",
    "state for a list": b"]}b.",
    "state for an array": glob("numpy.core.multiarray", "_reconstruct") + b")R}b.",
    "object arrays": glob("numpy", "dtype") + b"(X\x02\0\0\0O8K\x00K\x01tR.",
    "a persistent id of text": b"Pwhatever\n.",
    "a persistent id of a number": b"K\x01Q.",
    "a key that takes for ever to hash": b"}N" + b"q\x01h\x01\x86" * 80 + b"K\x01s.",
    "keys that collide": b"}(" + b"".join(COLLIDING) + b"u.",
    "a list as a key": b"}]K\x01s.",
    "a float as a key": b"}G" + struct.pack(">d", float("nan")) + b"K\x01s.",
    "an empty stack": b"0000.",
    "no mark": b"tttt.",
    "no stop": b"}}}}",
    "a memo of what is not there": b"h\x05.",
    "a far place of the memo": b"Nr\xff\xff\xff\x7f.",
    "a text of four gigabytes": b"X\xff\xff\xff\xffabc.",
    "bytes of an exabyte": b"\x8e\0\0\0\0\0\0\0\x10abc.",
    "a frame of an exabyte": b"\x80\x04\x95\0\0\0\0\0\0\0\x10N.",
    "a number of two gigabytes": b"\x8b\xff\xff\xff\x7f\x01.",
    "a number of many digits": b"L" + b"9" * 100_000 + b"L\n.",
    "a list in itself": b"]q\x00h\x00a.",
    "a dict in itself": b"}q\x00X\x01\0\0\0ah\x00s.",
    "containers that double": b"]q\x00" + b"".join(b"](h\x00h\x00eq\x00" for _ in range(60)) + b".",
    "nested a million times": b"]" * 100_000 + b"a" * 99_999 + b".",
    "no tensor": pickle.dumps({"epoch": 3}, 2),
}  # fmt: skip


@pytest.mark.parametrize("wrap", [legacy, zipped])
@pytest.mark.parametrize("kind", HARMFUL)
def test_nothing_is_run_and_nothing_hangs(tmp_path, kind, wrap):
    path = tmp_path / "harm.pth"
    path.write_bytes(wrap(HARMFUL[kind]))
    with pytest.raises(ValueError, match=r"harm\.pth is damaged or not a file of arrays by PyTorch: "):
        read_pytorch(path)
    assert not os.path.exists(TRACE)


@pytest.mark.parametrize("wrap", [legacy, zipped])
def test_nobody_waits_for_a_pickle_of_nothing_but_marks(tmp_path, monkeypatch, wrap):
    assert pickle_machine.MOST_INSTRUCTIONS <= 1_000_000  # some seconds
    monkeypatch.setattr(pickle_machine, "MOST_INSTRUCTIONS", 10_000)
    path = tmp_path / "harm.pth"
    path.write_bytes(wrap(b"(" * 9_000 + b"N."))
    with pytest.raises(ValueError, match=r"harm\.pth is damaged or not a file of arrays by PyTorch: (?!.*10000)"):
        read_pytorch(path)
    path.write_bytes(wrap(b"(" * 11_000 + b"N."))
    with pytest.raises(ValueError, match=r"harm\.pth .*: a pickle of more than 10000 instructions"):
        read_pytorch(path)


def tensor_pickle(shape, strides, length, offset=0, kind="FloatStorage"):
    """The pickle of ``{"w": a tensor in the storage "0"}``."""

    def number(n):
        data = n.to_bytes(n.bit_length() // 8 + 1, "little", signed=True)
        return b"\x8a" + bytes([len(data)]) + data

    def numbers(values):
        return b"(" + b"".join(map(number, values)) + b"t"

    def text(value):
        return b"X" + struct.pack("<I", len(value)) + value.encode()

    storage = b"(" + text("storage") + glob("torch", kind) + text("0") + text("cpu") + number(length) + b"tQ"
    call = glob("torch._utils", "_rebuild_tensor_v2") + b"(" + storage + number(offset)
    return b"\x80\x02}" + text("w") + call + numbers(shape) + numbers(strides) + b"\x89)tRs."


def test_a_tensor_stays_within_its_storage_and_the_storage_within_the_file(tmp_path):
    path = tmp_path / "t.pth"
    path.write_bytes(zipped(tensor_pickle((2, 3), (3, 1), 6), _0=bytes(range(24))))
    assert read_pytorch(path)["w"].shape == (2, 3)
    bad = {
        "longer than the storage": tensor_pickle((7,), (1,), 6),
        "strides that leave it": tensor_pickle((2, 3), (4, 1), 6),
        "an offset that leaves it": tensor_pickle((2, 3), (3, 1), 6, offset=1),
        "a negative stride": tensor_pickle((6,), (-1,), 6, offset=5),
        "a negative offset": tensor_pickle((6,), (1,), 6, offset=-1),
        "a negative size": tensor_pickle((-2, -3), (3, 1), 6),
        "a size that fills any memory": tensor_pickle((10**6, 10**6), (0, 0), 6),
        "more strides than sizes": tensor_pickle((6,), (1, 1), 6),
        "a storage that says more": tensor_pickle((6,), (1,), 2**40),
        "a storage that says less": tensor_pickle((2,), (1,), 2),
        "a storage of another type": tensor_pickle((6,), (1,), 6, kind="DoubleStorage"),
        "a quantized storage": tensor_pickle((6,), (1,), 6, kind="QInt8Storage"),
        "forty axes": tensor_pickle((1,) * 40, (1,) * 40, 6),
    }
    for kind, data_pickle in bad.items():
        path.write_bytes(zipped(data_pickle, _0=bytes(range(24))))
        with pytest.raises(ValueError, match=r"t\.pth is damaged or not a file of arrays by PyTorch: "):
            read_pytorch(path)
            pytest.fail(kind)


def test_numbers_of_a_big_endian_machine_are_turned_round(tmp_path):
    path = tmp_path / "t.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", tensor_pickle((3,), (1,), 3))
        archive.writestr("archive/byteorder", b"big")
        archive.writestr("archive/data/0", np.array([1, 2, 3], ">f4").tobytes())
    np.testing.assert_array_equal(read_pytorch(path)["w"], np.array([1, 2, 3], "f4"))


@pytest.mark.parametrize("kind", ["torchscript", "two pickles", "no pickle", "text", "empty"])
def test_foreign_files_are_told(tmp_path, kind):
    path = tmp_path / "t.pth"
    with zipfile.ZipFile(path, "w") as archive:
        for name in {"torchscript": ["a/data.pkl", "a/constants.pkl"], "two pickles": ["a/data.pkl", "b/data.pkl"]}.get(
            kind, ["x"]
        ):
            archive.writestr(name, b"N.")
    if kind in ("text", "empty"):
        path.write_bytes(b"some text" if kind == "text" else b"")
    with pytest.raises(ValueError, match=r"t\.pth is damaged or not"):
        read_pytorch(path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_pytorch(tmp_path / "nowhere")


def mutate_pickle_in_zip(content, rng):
    """Right checksums, so that the pickle itself and the storages are what is read."""
    return mutate_zip(content, rng)


@pytest.mark.parametrize(
    "name, mutate",
    [
        ("pytorch.pth", mutate_bytes),
        ("pytorch.pth", mutate_pickle_in_zip),
        ("pytorch.legacy.pth", mutate_bytes),
        ("pytorch_checkpoint.th", mutate_pickle_in_zip),
        ("pytorch_checkpoint.legacy.th", mutate_bytes),
    ],
)
def test_every_damage_is_a_value_error_that_names_the_file(tmp_path, name, mutate):
    check_reader(read_pytorch, (SAMPLES / name).read_bytes(), tmp_path / name, mutate)


def storage_pickle(key="X\x01\0\0\0" + "0", length=b"K\x02", view=b"", kind="FloatStorage"):
    """The pickle of a tensor of two numbers in a storage of such a key, length and view."""
    persistent = b"(X\x07\0\0\0storage" + glob("torch", kind) + key.encode() + b"X\x03\0\0\0cpu" + length + view + b"tQ"
    return glob("torch._utils", "_rebuild_tensor_v2") + b"(" + persistent + b"K\x00(K\x02t(K\x01t\x89)tR"


@pytest.mark.parametrize(
    "data_pickle, message",
    [
        (storage_pickle(view=b"K\x05") + b".", "an invalid view of a storage"),
        (storage_pickle(length=b"N") + b".", "a storage without a proper type, key or length"),
        (storage_pickle(key="K\x01") + b".", "a storage without a proper type, key or length"),
        (b"(" + storage_pickle() + storage_pickle(kind="IntStorage") + b"t.", "the storage '0' is of two types"),
        (storage_pickle(length=b"J\xff\xff\xff\x00") + b".", "the storage '0' is longer than the file"),
    ],
)
def test_old_files_say_honestly_what_their_storages_are(tmp_path, data_pickle, message):
    path = tmp_path / "t.pth"
    path.write_bytes(legacy(data_pickle))
    with pytest.raises(ValueError, match=message):
        read_pytorch(path)


def test_old_files_without_facts_about_the_machine_are_refused(tmp_path):
    path = tmp_path / "t.pth"
    path.write_bytes(b"".join(pickle.dumps(value, 2) for value in (0x1950A86A20F9469CFC6C, 1001, {}, {}, [])))
    with pytest.raises(ValueError, match="its facts about the machine are missing"):
        read_pytorch(path)


def test_arrays_of_numpy_in_a_checkpoint_are_read_and_names_are_unique(tmp_path):
    path = tmp_path / "t.pth"
    path.write_bytes(zipped(pickle.dumps({"w": np.arange(3.0)}, 2)))
    np.testing.assert_array_equal(read_pytorch(path)["w"], [0, 1, 2])
    path.write_bytes(zipped(pickle.dumps({"a.b": np.ones(1), "a": {"b": np.zeros(1)}}, 2)))
    with pytest.raises(ValueError, match="two of its arrays are named 'a.b'"):
        read_pytorch(path)
