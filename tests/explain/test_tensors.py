import numpy as np

from scratchnet.explain.tensors import Tensors


def test_each_array_is_stored_once():
    tensors, a = Tensors(), np.arange(6.0, dtype=np.float32).reshape(2, 3)
    assert tensors.add(a) == tensors.add(a[:]) == 0 and tensors.add(a.T) == 1
    assert tensors.add(None) is None and len(tensors.metas) == 2 and len(tensors.blob) == 48


def test_statistics_are_of_the_whole_array_and_of_what_is_finite():
    tensors = Tensors()
    tensors.add(np.array([0.0, 3.0, -4.0, np.nan]))
    meta = tensors.metas[0]
    assert (meta["min"], meta["max"], meta["norm"], meta["zeros"], meta["count"]) == (-4.0, 3.0, 5.0, 1, 4)


def test_a_large_parameter_becomes_a_picture_of_8_bits():
    tensors, a = Tensors(), np.linspace(-1, 1, 100, dtype=np.float32).reshape(10, 10)
    tensors.add(a, exact_up_to=50)
    meta = tensors.metas[0]
    shown = meta["min"] + np.frombuffer(tensors.blob, np.uint8).reshape(10, 10) * (meta["max"] - meta["min"]) / 255
    assert meta["format"] == "u8"
    np.testing.assert_allclose(shown, a, atol=1 / 255)
    tensors.add(np.zeros((10, 10)), exact_up_to=50)
    assert tensors.metas[1]["max"] == 0


def test_integers_and_bools_stay_whole_and_nothing_is_nothing():
    tensors = Tensors()
    tensors.add(np.array([[1, -2]]))
    tensors.add(np.array([True, False]))
    tensors.add(np.zeros((0, 3), np.float32))
    assert [meta["format"] for meta in tensors.metas] == ["i4", "i4", "f4"] and tensors.metas[2]["count"] == 0
