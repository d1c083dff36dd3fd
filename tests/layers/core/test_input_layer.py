"""Inputs: their shapes, and what is none."""

import pytest

from scratchnet import names
from scratchnet.layers import Dense, Input, InputLayer
from scratchnet.models import Sequential


def test_inputs():
    assert Input((3,), batch_size=4).shape == (4, 3)
    assert InputLayer((3,)).batch_shape == (None, 3)
    model = Sequential([InputLayer((3,)), Dense(2)])
    assert model.output_shape == (None, 2)
    for wrong in ((0,), (-1,), ("a",)):
        with pytest.raises(ValueError, match="positive integers or None"):
            Input(wrong)
    with pytest.raises(ValueError, match="either shape or batch_shape"):
        Input()


def test_inputs_say_what_is_wrong():
    assert InputLayer(input_shape=(3, 2)).batch_shape == (None, 3, 2)
    for call, message in (
        (lambda: Input((3,), batch_size=2, batch_shape=(2, 3)), "give either shape or batch_shape"),
        (lambda: Input(batch_shape=(2, 3), batch_size=5), "already says what batch_size=5 says"),
        (lambda: Input((3,), name="a/b"), "non-empty string without '/'"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    assert Input((3,), ragged=False).shape == (None, 3)
    with pytest.raises(TypeError, match="Keras's argument 'ragged' is not implemented"):
        Input((3,), ragged=True)
    with pytest.raises(TypeError, match="unexpected keyword argument 'shpae'"):
        Input(shpae=(3,))


def said(make, kind=ValueError):
    with pytest.raises(kind) as told:
        make()
    return str(told.value)


def test_what_is_said_of_inputs():
    for make, message in (
        (lambda: Input(), "Input: give either shape or batch_shape"),
        (
            lambda: Input(batch_shape=(2, 3), batch_size=5),
            "Input: batch_shape (2, 3) already says what batch_size=5 says",
        ),
        (lambda: Input((2, 0)), "Input: sizes must be positive integers or None, got (None, 2, 0)"),
        (lambda: Input((True,)), "Input: sizes must be positive integers or None, got (None, True)"),
        (lambda: Input((3,), name=""), "Input: a name must be a non-empty string without '/', got ''"),
    ):
        assert said(make) == message
    for argument in ("sparse", "ragged", "optional"):
        assert Input((3,), **{argument: None}).shape == (None, 3)
    tensor = Input((3,))
    assert Input(tensor=tensor) is tensor and Input((3,), tensor=tensor, dtype="float32") is tensor
    assert InputLayer(input_tensor=tensor).output is tensor and InputLayer(input_tensor=tensor).sparse is False
    for argument, value, message in (
        ("shape", (4,), "Input: the tensor has the shape (3,), not (4,)"),
        ("batch_shape", (None, 4), "Input: the tensor has the batch_shape (None, 3), not (None, 4)"),
        ("dtype", "int32", "Input: the tensor has the dtype float32, not int32"),
        ("tensor", 3, "Input: tensor must be a symbolic tensor, got int"),
    ):
        assert said(lambda a=argument, v=value: Input(**{"tensor": tensor, a: v})) == message
    assert Input(3).shape == (None, 3) and Input((1,)).shape == (None, 1)
    assert Input(batch_shape=(2, None)).shape == (2, None)
    assert Input((3,), dtype="float64").dtype == "float64" and Input((3,)).dtype == "float32"
    names.clear_names()
    assert [Input((1,)).name, Input((1,)).name] == ["input", "input_1"]
    layer = InputLayer((3,), batch_size=2, dtype="float64", name="i")
    assert (layer.batch_shape, layer.dtype, layer.name, layer.built) == ((2, 3), "float64", "i", True)
    assert InputLayer(batch_shape=(4, 1)).batch_shape == (4, 1)
    assert layer.forward(1) == (1, None) and layer.backward(2, None) == (2, {})


def test_ragged_inputs_are_refused_with_what_to_do_instead():
    with pytest.raises(TypeError, match="argument 'ragged' is not implemented .*pad_sequences"):
        Input((2,), ragged=True)


def test_sparse_and_optional_are_remembered():
    for argument in ("sparse", "optional"):
        tensor, layer = Input((2,), **{argument: True}), InputLayer((2,), **{argument: True})
        assert getattr(tensor, argument) is getattr(layer, argument) is layer.get_config()[argument] is True
        assert getattr(InputLayer.of(tensor), argument) is True
        assert getattr(Input((2,)), argument) is InputLayer((2,)).get_config()[argument] is False
