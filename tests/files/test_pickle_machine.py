"""The stack machine beside Python's own: the same values; what makes no sense is refused."""

import io
import pickle
from collections import OrderedDict

import numpy as np
import pytest

from scratchnet.files import pickle_machine
from scratchnet.files.pickled_arrays import NAMES, PickledArray

VALUE = {"a": [1, 2.5, "text", b"bytes", None, True, (1,), ()], "b": {"x": (1, 2, 3)}, "set": {"u", "v"}}


def run(content, **options):
    return pickle_machine.run(io.BytesIO(content), NAMES, **options)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_values_come_back_from_every_protocol(protocol):
    content = pickle.dumps(VALUE, protocol)
    if protocol < 4:  # before, bytes and sets were written as calls
        names = {("_codecs", "encode"): NAMES["_codecs", "encode"], ("builtins", "set"): set, **NAMES}
        assert pickle_machine.run(io.BytesIO(content), names) == VALUE
    else:
        assert run(content) == VALUE


def test_old_instructions_for_containers_are_understood():
    assert run(b"(I1\nI2\nl.") == [1, 2] and run(b"(S'k'\nI2\nd.") == {"k": 2}
    assert run(b"I1\n2\x86.") == (1, 1) and run(b"I1\nI2\n0.") == 1  # DUP, POP
    assert run(b"I1\n(0.") == 1 and run(b"I1\n(I5\n1.") == 1  # POP of a mark, POP_MARK
    assert run(pickle.dumps(frozenset({"a"}), 4)) == frozenset({"a"})
    assert run(b"Pname\n.", load_persistent=str.upper) == "NAME"


def test_what_the_standard_library_makes_of_names_becomes_dicts():
    assert run(pickle.dumps(OrderedDict(a=1, b=2), 2)) == {"a": 1, "b": 2}


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize(
    "array", [np.arange(6, dtype="f4").reshape(2, 3), np.asfortranarray(np.eye(3)), np.ones(2, ">i2")]
)
def test_arrays_come_back_when_their_numbers_have_been_checked(array, protocol):
    found = run(pickle.dumps(array, protocol))
    assert isinstance(found, PickledArray)
    np.testing.assert_array_equal(found.array(), array)


def reduced(module, name, *arguments):
    """A pickle that calls a name with these arguments."""
    return f"c{module}\n{name}\n".encode() + pickle.dumps(arguments, 2)[2:-1] + b"R."


@pytest.mark.parametrize(
    "content, message",
    [
        (b".", "takes from an empty stack"),
        (b"2.", "takes from an empty stack"),
        (b"I1\nI2\n\x93.", "asks for a name that is no text"),
        (b"Pname\n.", "a persistent id, which has no meaning here"),
        (reduced("_codecs", "encode", 1), "encodes something else than bytes"),
        (reduced("_codecs", "encode", "a", "utf8"), "encodes something else than bytes"),
        (reduced("collections", "OrderedDict", 7), "an invalid pickled OrderedDict"),
        (reduced("collections", "OrderedDict", [(1, 2)]), "with keys that are no texts"),
        (reduced("builtins", "set", [1]), "a pickled set of something else than texts"),
        (reduced("numpy", "dtype", "f4")[:-1] + b"I1\nb.", "a pickled dtype without a byte order"),
    ],
)
def test_what_makes_no_sense_is_refused(content, message):
    with pytest.raises(ValueError, match=message):
        run(content)


def test_an_array_whose_numbers_do_not_fit_its_shape_is_refused():
    found = run(pickle.dumps(np.ones(3), 2))
    found.shape = (4,)
    with pytest.raises(ValueError, match=r"a pickled array of shape \(4,\) and type float64 in 24 bytes"):
        found.array()
    found.shape = (-3,)
    with pytest.raises(ValueError, match="without a proper shape"):
        found.array()
