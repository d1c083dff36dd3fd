"""In which dtype operations compute. The tables are what Keras 3.15.1 answers (on TensorFlow), where it answers."""

import threading

import numpy as np
import pytest

from scratchnet import config, ops
from scratchnet.ops import dtypes
from scratchnet.ops.dtypes import computing_in

DTYPES = ["bool", "uint8", "int8", "int32", "int64", "float32", "float64"]

# What becomes of each of DTYPES.
UNARY = {
    "float32 float32 float32 float32 float32 float32 float64": """
        sqrt exp expm1 log log1p log2 sin tanh arctan sinh floor ceil mean var std median fabs
    """,
    "bool uint8 int8 int32 int64 float32 float64": """
        absolute trunc max min sort ravel transpose flip zeros_like ones_like copy diag tril nan_to_num
    """,
    "int32 uint8 int8 int32 int64 float32 float64": "square sign cumsum cumprod",
    "int32 uint32 int32 int32 int64 float32 float64": "sum prod trace",
    "bool bool bool bool bool bool bool": "isnan isfinite logical_not any all",
    "int32 int32 int32 int32 int32 int32 int32": "argmax argmin argsort count_nonzero",
}
CASES = [(name, result.split()) for result, names in UNARY.items() for name in names.split()]

# Two arrays, in the order of DTYPES, each with itself and those behind it.
TOGETHER = """
    bool  uint8 int8  int32 int64 float32 float64
          uint8 int16 int32 int64 float32 float64
                int8  int32 int64 float32 float64
                      int32 int64 float32 float64
                            int64 float32 float64
                                  float32 float64
                                          float64
"""
PAIRS = [(a, b) for i, a in enumerate(DTYPES) for b in DTYPES[i:]]


@pytest.mark.parametrize(("name", "expected"), CASES)
def test_of_one_array(name, expected):
    assert [getattr(ops, name)(np.ones((2, 2), dtype)).dtype for dtype in DTYPES] == [np.dtype(d) for d in expected]


@pytest.mark.parametrize("name", ["maximum", "minimum", "where", "concatenate"])
@pytest.mark.parametrize(("pair", "expected"), list(zip(PAIRS, TOGETHER.split())))
def test_of_two_arrays(name, pair, expected):
    x1, x2 = (np.ones((2, 2), dtype) for dtype in pair)
    for a, b in ((x1, x2), (x2, x1)):
        z = {
            "where": lambda: ops.where([[True, False], [True, True]], a, b),  # noqa: B023
            "concatenate": lambda: ops.concatenate([a, b]),  # noqa: B023
        }.get(name, lambda: getattr(ops, name)(a, b))()  # noqa: B023
        assert z.dtype == expected


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "floor_divide", "mod", "power"])
@pytest.mark.parametrize(("pair", "expected"), list(zip(PAIRS, TOGETHER.split()))[1:])
def test_arithmetic_of_two_arrays(name, pair, expected):
    assert getattr(ops, name)(*(np.ones(2, dtype) for dtype in pair)).dtype == expected


@pytest.mark.parametrize("name", ["divide", "arctan2", "logaddexp"])
def test_a_quotient_is_a_float(name):
    for a, b in PAIRS:
        expected = "float64" if "float64" in (a, b) else "float32"
        assert getattr(ops, name)(np.ones(2, a), np.ones(2, b)).dtype == expected


@pytest.mark.parametrize("name", ["equal", "less", "logical_and"])
def test_a_comparison_is_a_boolean(name):
    assert all(getattr(ops, name)(np.ones(2, a), np.ones(2, b)).dtype == bool for a, b in PAIRS)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (2, "int32 uint8 int8 int32 int64 float32 float64"),
        (2.5, "float32 float32 float32 float32 float32 float32 float64"),
        (np.float64(2.5), "float32 float32 float32 float32 float32 float32 float64"),
        ([2.5, 3.5], "float32 float32 float32 float32 float32 float32 float64"),
        ([2, 3], "int32 uint8 int8 int32 int64 float32 float64"),
    ],
)
def test_numbers_take_the_dtype_of_arrays(number, expected):
    assert [ops.multiply(np.ones(2, dtype), number).dtype for dtype in DTYPES] == expected.split()
    assert [ops.multiply(number, np.ones(2, dtype)).dtype for dtype in DTYPES] == expected.split()


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (1.5, "float32"),
        (3, "int32"),
        (2**40, "int64"),
        (True, "bool"),
        ([1.0, 2.0], "float32"),
        ([[1, 2]], "int32"),
        (np.float64(1.5), "float64"),
        (np.ones(2), "float64"),
        ([np.ones(2), np.ones(2)], "float64"),
        (np.array([1]), "int64"),
        (np.ones(2, np.float16), "float16"),
    ],
)
def test_convert_to_tensor(x, expected):
    assert ops.convert_to_tensor(x).dtype == expected
    assert ops.convert_to_tensor(x, "float32").dtype == "float32"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: ops.arange(3), "int32"),
        (lambda: ops.arange(3.0), "float32"),
        (lambda: ops.zeros((2,)), "float32"),
        (lambda: ops.full((2,), 3), "float32"),
        (lambda: ops.full_like(np.ones(2, "int32"), 2.5), "int32"),
        (lambda: ops.linspace(0, 1, 3), "float32"),
        (lambda: ops.eye(2), "float32"),
        (lambda: ops.one_hot(np.array([1]), 3), "float32"),
        (lambda: ops.exp(2), "float32"),
        (lambda: ops.add(1, 2.0), "float32"),
        (lambda: ops.add(1, 2), "int32"),
        (lambda: ops.clip(np.array([True]), 0, 1), "int32"),
        (lambda: ops.top_k(np.ones(3, "float32"), 2)[1], "int32"),
        (lambda: ops.searchsorted(np.array([1.0, 2.0]), np.array([1.5])), "int32"),
        (lambda: ops.cast(np.ones(2), float), "float32"),
        (lambda: ops.cast(np.ones(2), int), "int32"),
        (lambda: ops.cast(np.ones(2), bool), "bool"),
        (lambda: ops.cast(np.ones(2), np.dtype("int64")), "int64"),
        (lambda: ops.cast(np.ones(2), np.uint8), "uint8"),
    ],
)
def test_what_is_made(call, expected):
    assert call().dtype == expected


def test_floatx_is_what_nothing_else_determines(monkeypatch):
    monkeypatch.setattr(config, "_floatx", "float64")
    assert ops.zeros(2).dtype == ops.mean(np.ones(2, int)).dtype == ops.exp(1).dtype == "float64"


def test_within_a_computation_there_is_one_float_dtype():
    x = np.ones(2, np.float32)
    with computing_in("float64"):
        assert ops.add(x, x).dtype == ops.cast(x, "float32").dtype == ops.zeros(2).dtype == "float64"
        assert ops.reshape(x, (2, 1)).dtype == ops.divide(np.ones(2, int), 3).dtype == "float64"
        assert ops.cast(x, "int32").dtype == "int32"
        with computing_in("float32"):
            assert ops.multiply(x, np.ones(2)).dtype == "float32"
        assert ops.add(x, x).dtype == "float64"
    assert ops.add(x, x).dtype == "float32"


def test_it_is_that_of_one_thread():
    seen = []
    with computing_in("float64"):
        thread = threading.Thread(target=lambda: seen.append(ops.zeros(2).dtype))
        thread.start()
        thread.join()
    assert seen == [np.float32]


def test_what_is_no_dtype_is_refused():
    with pytest.raises(ValueError, match="'bfloat16' is not supported"):
        ops.cast(np.ones(2), "bfloat16")
    with pytest.raises(ValueError, match="'str' is not supported"):
        ops.zeros(2, str)
    with pytest.raises(ValueError, match="float16"), computing_in("float16"):
        pass


def test_uint64_with_int64_is_floatx():
    assert ops.maximum(np.ones(2, np.uint64), np.ones(2, np.int64)).dtype == "float32"
    assert dtypes.result_type([np.ones(2, np.uint64), 1]) == "uint64"
