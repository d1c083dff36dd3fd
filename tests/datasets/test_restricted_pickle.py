"""What the restricted unpickler reads, and that it does not run what it refuses."""

import collections
import os
import pickle
import struct

import numpy as np
import pytest

from scratchnet.datasets import restricted_pickle

# A dict with one array as Python 2 and NumPy 1 wrote it, the form of the CIFAR-10 batches: protocol 2, byte strings.
PYTHON_2_PICKLE = (
    b"\x80\x02}(U\x06labels](K\x03K\x01eU\x04data"
    b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    b"(K\x01K\x02K\x03\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"
    b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x06\x00\x01\x02\x03\x04\x05tbu."
)


def test_reads_a_pickle_of_python_2():
    batch = restricted_pickle.load(PYTHON_2_PICKLE, "batch")
    assert batch[b"labels"] == [3, 1]
    assert type(batch[b"data"]) is np.ndarray
    np.testing.assert_array_equal(batch[b"data"], np.arange(6, dtype=np.uint8).reshape(2, 3))


# Below protocol 3, Python 3 can only write bytes with the help of a codec, a name that is not allowed.
@pytest.mark.parametrize("protocol", range(3, 5))
@pytest.mark.parametrize("dtype", ["u1", "<i4", ">i4", "f4", "f8", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_reads_what_numpy_pickles(protocol, dtype, order):
    array = np.arange(12).reshape(3, 4).astype(dtype, order=order)
    content = {"text": "a", "bytes": b"b", "numbers": [1, 2.5, 10**30, True, None], "nested": {"t": (1,)}}
    read = restricted_pickle.load(pickle.dumps(content | {"array": array}, protocol), "batch")
    found = read.pop("array")
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)
    assert read == content


class Calls:
    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "function",
    [os.system, eval, exec, getattr, __import__, np.load, pickle.loads, np.frombuffer, collections.OrderedDict],
)
def test_a_call_of_anything_else_is_refused_and_does_not_happen(tmp_path, protocol, function):
    trace = tmp_path / "trace"
    attack = pickle.dumps({"data": Calls(function, f"open({str(trace)!r}, 'w')")}, protocol)
    with pytest.raises(ValueError, match=f"batch: refused or damaged pickle: it asks for .*{function.__name__}"):
        restricted_pickle.load(attack, "batch")
    assert not trace.exists()


@pytest.mark.parametrize(
    "attack",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"(S'true'\nios\nsystem\n.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct.__init__.__globals__\n.",
        b"\x80\x04\x8c\x05numpy\x8c\x0dndarray.dumps\x93.",
        b"\x80\x02cnumpy\ndtype\nU\x01O\x85R.",
        b"\x80\x02cnumpy\ndtype\nU\x02O8K\x00K\x01\x87R.",
        b"\x80\x02cnumpy\ndtype\n](K\x01e\x85R.",
        b"\x80\x02cnumpy\nndarray\n)R.",
        b"\x80\x02cnumpy\ndtype\n}U\x04codeU\x01Osb.",
        b"\x80\x02cnumpy\nndarray\n}U\x04codeU\x01Osb.",
        b"\x80\x02\x82\x01.",
        b"\x80\x04Pname\n.",
        b"\x80\x05\x97.",
    ],
)
def test_the_ways_around_the_call_are_refused(attack):
    with pytest.raises(ValueError, match="batch: refused or damaged pickle"):
        restricted_pickle.load(attack, "batch")


def test_the_stand_ins_are_not_changed_for_the_next_load():
    for name in (b"numpy\ndtype", b"numpy.core.multiarray\n_reconstruct"):
        with pytest.raises(ValueError):
            restricted_pickle.load(b"\x80\x02c" + name + b"\nN}U\x05shapeK\x01s\x86b.", "batch")
    test_reads_a_pickle_of_python_2()


def array_pickle(shape=b"K\x02K\x03\x86", code=b"u1", dtype_order=b"|", data=bytes(6)):
    def text(value):
        return b"U" + bytes([len(value)]) + value

    return (
        b"\x80\x02}U\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01"
        + shape
        + b"cnumpy\ndtype\n"
        + text(code)
        + b"K\x00K\x01\x87R(K\x03"
        + text(dtype_order)
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        + text(data)
        + b"tbs."
    )


def test_the_array_pickle_of_these_tests_is_read_when_nothing_is_wrong():
    assert restricted_pickle.load(array_pickle(), "batch")[b"data"].shape == (2, 3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"data": bytes(5)},
        {"data": bytes(7)},
        {"shape": b"K\x02K\x04\x86"},
        {"shape": b"J\xfe\xff\xff\xffJ\xfd\xff\xff\xff\x86"},
        {"shape": b"](K\x02K\x03e"},
        {"shape": b"U\x012U\x013\x86"},
        {"code": b"O"},
        {"code": b"O8"},
        {"code": b"V6"},
        {"code": b"u1,O"},
        {"code": b"\xff\xff"},
        {"shape": b"J\xff\xff\xff\x7fU\x01x\x85\x86"},
        {"dtype_order": b"O,"},
    ],
    ids=str,
)
def test_an_array_that_is_not_what_it_says_is_refused(wrong):
    with pytest.raises(ValueError, match="batch: refused or damaged pickle"):
        restricted_pickle.load(array_pickle(**wrong), "batch")


def test_an_array_without_a_state_is_refused():
    with pytest.raises(ValueError, match="without a proper shape"):
        restricted_pickle.load(b"\x80\x02}U\x04datacnumpy.core.multiarray\n_reconstruct\n)Rs.", "batch")


@pytest.mark.parametrize("put", [b"r\xff\xff\xff\x7f", b"p2000000000\n"], ids=["LONG_BINPUT", "PUT"])
def test_a_few_bytes_that_claim_gigabytes_for_the_memo_are_refused(put):
    with pytest.raises(ValueError, match="PUT 2.* in .* bytes"):
        restricted_pickle.load(b"\x80\x02}" + put + b".", "batch")


def test_every_truncation_is_refused():
    for length in range(len(PYTHON_2_PICKLE)):
        with pytest.raises(ValueError, match="batch"):
            restricted_pickle.load(PYTHON_2_PICKLE[:length], "batch")


def test_damaged_bytes_give_a_dict_or_a_value_error():
    draw = np.random.default_rng(5)
    for _ in range(2000):
        damaged = bytearray(PYTHON_2_PICKLE)
        damaged[draw.integers(len(damaged))] = draw.integers(256)
        try:
            assert isinstance(restricted_pickle.load(bytes(damaged), "batch"), dict)
        except ValueError as error:
            assert str(error).startswith("batch: ")


def test_what_is_no_dict_is_refused():
    with pytest.raises(ValueError, match="expected a dict, found list"):
        restricted_pickle.load(pickle.dumps([1, 2]), "batch")
    with pytest.raises(ValueError, match="batch: refused or damaged pickle"):
        restricted_pickle.load(struct.pack("<I", 7), "batch")
