"""Arrays that are made, and what becomes of an array's dtype."""

import numpy as np
import pytest

from scratchnet import layers, ops
from scratchnet.models import Model


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("zeros", ((2, 3),)),
        ("ones", (3,)),
        ("full", ((2, 3), 7.0)),
        ("full", ((2, 3), [1.0, 2.0, 3.0])),
        ("arange", (4,)),
        ("arange", (1, 9, 3)),
        ("arange", (0.5, 2.0)),
        ("linspace", (0.0, 1.0, 5)),
        ("linspace", (0.0, 1.0, 5, False)),
        ("linspace", (np.zeros(2), np.ones(2), 3, True, False, None, 1)),
        ("logspace", (0.0, 2.0, 3)),
        ("geomspace", (1.0, 8.0, 4)),
        ("eye", (3,)),
        ("eye", (2, 4, 1)),
        ("tri", (3, 4, -1)),
        ("identity", (3,)),
        ("bartlett", (5,)),
        ("blackman", (6,)),
        ("hamming", (5,)),
        ("hanning", (4,)),
        ("kaiser", (5, 2.5)),
    ],
)
def test_values_are_numpy_s(name, args):
    np.testing.assert_allclose(getattr(ops, name)(*args), getattr(np, name)(*args), rtol=1e-6, atol=1e-7)


def test_like_another():
    x = np.array([[1, 2]], np.int32)
    for z, value, dtype in [
        (ops.zeros_like(x), 0, "int32"),
        (ops.ones_like(x, "float32"), 1, "float32"),
        (ops.full_like(x, 7), 7, "int32"),
        (ops.empty_like(x), 0, "int32"),
    ]:
        assert z.shape == (1, 2) and z.dtype == dtype and (z == value).all()
    assert ops.empty((2,)).tolist() == [0, 0]


def test_converting():
    x = np.ones(2, np.float32)
    for same in (ops.convert_to_tensor(x), ops.cast(x, "float32"), ops.stop_gradient(x)):
        assert np.shares_memory(same, x) and same.numpy().tolist() == [1, 1]
    assert ops.convert_to_numpy(x) is x and type(ops.convert_to_numpy(ops.array(x))) is np.ndarray
    assert ops.array([1, 2], "float32").dtype == "float32"
    assert ops.is_tensor(x) and not ops.is_tensor([1.0])
    for strings in (ops.convert_to_tensor(["a", "b"]), ops.convert_to_tensor(np.array(["a", "b"]), "string")):
        assert strings.numpy().tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="sparse and ragged"):
        ops.convert_to_tensor(x, sparse=True)


def test_saturating():
    assert ops.saturate_cast([-5.0, 3.7, 300.0], "uint8").tolist() == [0, 3, 255]
    assert ops.saturate_cast([1e9], "float32").dtype == "float32"
    far = np.array([-1e30, 1e30], "float32")
    for dtype in ("int8", "uint16", "int32", "uint32", "int64"):
        assert ops.saturate_cast(far, dtype).tolist() == [np.iinfo(dtype).min, np.iinfo(dtype).max]
    assert ops.saturate_cast(np.array([-5, 300], "int32"), "int64").tolist() == [-5, 300]
    assert ops.saturate_cast(np.array([7, 200], "uint8"), "int8").tolist() == [7, 127]
    assert ops.saturate_cast([np.nan, -np.inf, 1.5], "int8").tolist() == [0, -128, 1]
    assert ops.saturate_cast(np.array([1e6, 3]), "int32").dtype == "int32"
    assert ops.saturate_cast(np.array([70000, -3], "int32"), "float16").tolist() == [65504, -3]
    assert ops.saturate_cast(far, "float16").tolist() == [-65504, 65504]
    assert ops.saturate_cast(np.array([-2.0, 0.5, 3.0]), "bool").tolist() == [False, True, True]


def test_nothing_goes_back_through_stop_gradient():
    _, kept = ops.stop_gradient.forward([np.ones(2)], {}, [True])
    assert ops.stop_gradient.backward(np.ones(2), kept) == [None]


def test_the_same_bytes_as_another_dtype():
    x = np.array([1.0, -2.0], "float32")
    assert ops.view(x, "int32").tolist() == x.view(np.int32).tolist() and ops.view(x).tolist() == [1, -2]
    with pytest.raises(TypeError, match="cannot be traced; see cast"):
        ops.view(layers.Input((2,)), "int32")


def test_a_list_of_tensors_is_one_tensor():
    x = layers.Input((3,))
    model = Model(x, ops.sum([x, 2 * x], axis=0))
    np.testing.assert_allclose(model.predict(np.ones((2, 3)), verbose=0), 3 * np.ones((2, 3)))


def test_the_numpy_array_of_a_variable_stays_as_it_is():
    layer = layers.Dense(2)
    layer.build((None, 3))
    before = ops.convert_to_numpy(layer.kernel)
    layer.kernel.assign(np.ones((3, 2)))
    assert not np.array_equal(before, np.ones((3, 2)))


@pytest.mark.parametrize("endpoint", [True, False])
def test_the_distance_of_even_numbers(endpoint):
    z, step = ops.linspace([0.0, 1.0], 4.0, 5, endpoint, retstep=True)
    expected, its_step = np.linspace([0.0, 1.0], 4.0, 5, endpoint, retstep=True)
    np.testing.assert_allclose(z, expected)
    np.testing.assert_allclose(step, its_step)
    assert (
        ops.linspace(0, 10, 4, endpoint, dtype="int32").tolist() == np.linspace(0, 10, 4, endpoint, dtype=int).tolist()
    )
    assert np.isnan(ops.linspace(0, 1, 1, retstep=True)[1])
    assert ops.linspace(np.uint8([9]), np.uint8([3]), 4, retstep=True)[1] == -2


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_even_numbers_between_tensors(axis):
    x = layers.Input((3,))
    array = np.random.default_rng(0).normal(size=(2, 3)).astype("float32")
    z = ops.linspace(x, 2.0, 5, axis=axis)
    assert z.shape == ((5, None, 3), (None, 5, 3), (None, 3, 5))[axis]
    np.testing.assert_allclose(Model(x, z)(array), np.linspace(array, 2.0, 5, axis=axis), rtol=1e-6, atol=1e-6)
    _, step = ops.linspace(x, 2.0, 5, retstep=True)
    np.testing.assert_allclose(Model(x, step)(array), (2 - array) / 4, rtol=1e-6)
