"""What the restricted unpickler reads, and that it does not run what it refuses."""

import collections
import os
import pickle
import pickletools
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


@pytest.mark.parametrize("protocol", range(1, 6))
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


def test_a_few_bytes_that_claim_gigabytes_for_the_memo_are_refused():
    with pytest.raises(ValueError, match="it asks for place 2147483647 in a memo of at most 100000"):
        restricted_pickle.load(b"\x80\x02}r\xff\xff\xff\x7f.", "batch")


@pytest.mark.parametrize("length", [b"T\xff\xff\xff\x7f", b"B\xff\xff\xff\x7f", b"\x8e" + b"\xff" * 7 + b"\x7f"])
def test_a_few_bytes_that_claim_gigabytes_of_text_are_refused(length):
    with pytest.raises(ValueError, match="it is truncated"):
        restricted_pickle.load(b"\x80\x02}" + length + b"text.", "batch")


MILLIONS = 5_000_000


@pytest.mark.parametrize(
    "program",
    [
        b"(" * MILLIONS,
        b"N" * MILLIONS,
        b"}" * MILLIONS,
        b"](" * MILLIONS,
        b"K\x00" * MILLIONS,
        b"M\xff\xff" * MILLIONS,
        b"\x8a\x01\x00" * MILLIONS,
        b"K\x00(" * MILLIONS,
        b")" + b"\x85" * MILLIONS,
        b"\x94" * MILLIONS,
        b"cnumpy\nndarray\n" * (MILLIONS // 10),
        b"U\x00" * MILLIONS,
    ],
    ids=lambda program: repr(program[:4]),
)
def test_a_program_of_millions_of_opcodes_is_refused_before_it_runs(monkeypatch, program):
    monkeypatch.setattr(restricted_pickle, "_RestrictedUnpickler", None)
    looked_at, end_of = [], restricted_pickle._end
    monkeypatch.setattr(restricted_pickle, "_end", lambda *about: looked_at.append(1) or end_of(*about))
    with pytest.raises(ValueError, match="batch: refused or damaged pickle: it has more than 1000"):
        restricted_pickle.load(b"\x80\x02" + program + b".", "batch")
    assert len(looked_at) <= restricted_pickle.MOST


def test_as_many_opcodes_as_are_allowed_are_read():
    numbers = [1, 300, 70000] * 1000
    content = pickle.dumps({"numbers": numbers}, 2)
    opcodes = sum(1 for _ in pickletools.genops(content))
    assert restricted_pickle.load(content, "batch", 2 * opcodes)["numbers"] == numbers
    with pytest.raises(ValueError, match=f"more than {opcodes // 2} opcodes"):
        restricted_pickle.load(content, "batch", opcodes // 2)


def nested(depth):
    value = ()
    for _ in range(depth):
        value = (value,)
    return value


def test_tuples_so_deep_that_to_hash_them_overflows_the_stack_are_refused():
    attack = b"\x80\x02})" + b"\x85" * 50_000 + b"Ns."
    with pytest.raises(ValueError, match="more than 1000 tuples, names and huge integers"):
        restricted_pickle.load(attack, "batch")
    value = nested(900)
    assert restricted_pickle.load(b"\x80\x02})" + b"\x85" * 900 + b"Ns.", "batch") == {value: None}


def test_integers_chosen_to_collide_are_refused():
    attack = pickle.dumps({i * (2**61 - 1): None for i in range(2000)}, 2)
    with pytest.raises(ValueError, match="more than 1000 tuples, names and huge integers"):
        restricted_pickle.load(attack, "batch")


def test_an_error_does_not_repeat_names_of_any_length():
    for attack in (
        b"\x80\x04X\x40\x42\x0f\x00" + b"a" * 1_000_000 + b"\x8c\x01a\x93.",
        b"\x80\x02c" + b"a" * 1_000_000 + b"\na\n.",
        array_pickle(code=b"a" * 255),
        array_pickle(dtype_order=b"a" * 255),
    ):
        with pytest.raises(ValueError) as caught:
            restricted_pickle.load(attack, "batch")
        assert len(str(caught.value)) < 300


def objects(*items):
    array = np.empty(len(items), object)
    array[:] = items
    return array


@pytest.mark.parametrize("protocol", range(3, 5))
@pytest.mark.parametrize("items", [([1, 70000], [2], []), (), ("text", None)])
def test_an_array_of_objects_is_read_as_a_list(protocol, items):
    assert restricted_pickle.load_objects(pickle.dumps(objects(*items), protocol), "x.npy") == list(items)


# The same as Python 2 wrote it: [[1, 300], [2**31 - 1]].
PYTHON_2_OBJECTS = (
    b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85U\x01b\x87Rq\x03"
    b"(K\x01K\x02\x85cnumpy\ndtype\nq\x04U\x02O8K\x00K\x01\x87Rq\x05(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xff"
    b"K?tb\x89]q\x06(]q\x07(K\x01M,\x01e]q\x08J\xff\xff\xff\x7faetb."
)


def test_an_array_of_objects_of_python_2_is_read():
    assert restricted_pickle.load_objects(PYTHON_2_OBJECTS, "x.npy") == [[1, 300], [2**31 - 1]]


def test_what_is_no_array_of_objects_is_refused():
    for content, message in (
        ([1, 2], "expected an array, found list"),
        (np.arange(3), "not one of objects"),
        (objects(*range(4)).reshape(2, 2), "does not hold as many as it says"),
        (objects(os.getcwd), "it asks for"),
    ):
        with pytest.raises(ValueError, match=f"x.npy: refused or damaged pickle: .*{message}"):
            restricted_pickle.load_objects(pickle.dumps(content, 4), "x.npy")


def test_an_array_of_objects_is_no_array_of_numbers():
    with pytest.raises(ValueError, match="without a proper shape"):
        restricted_pickle.load(pickle.dumps({"data": objects([1], [2])}, 4), "batch")
    with pytest.raises(ValueError, match="an array of objects where one of numbers is expected"):
        restricted_pickle.load(array_pickle(code=b"O8"), "batch")


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
