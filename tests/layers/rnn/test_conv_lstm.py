"""ConvLSTM of rows, images and volumes: gradients, masks, states; Keras's values stand in tests/reference."""

import json

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer
from scratchnet.layers import LSTM, ConvLSTM1D, ConvLSTM2D, ConvLSTM3D

F64 = {"dtype": "float64"}
EVERY_RANK = pytest.mark.parametrize(
    ("cls", "sizes"), [(ConvLSTM1D, (5,)), (ConvLSTM2D, (4, 3)), (ConvLSTM3D, (2, 3, 2))]
)
MASK = np.array([[1, 0, 1], [0, 1, 1]], bool)


@EVERY_RANK
@pytest.mark.parametrize(
    "options",
    [
        {"return_sequences": True, "padding": "same"},
        {"strides": 2, "padding": "same", "go_backwards": True},
        {"return_state": True, "use_bias": False, "activation": "gelu"},
    ],
)
@pytest.mark.parametrize("mask", [None, MASK], ids=["all steps", "masked"])
def test_gradients(cls, sizes, options, mask):
    rng = np.random.default_rng(0)
    layer = cls(2, 2, **options, **F64)
    x = rng.normal(size=(2, 3, *sizes, 2))
    check_layer(layer, x, mask=mask, max_entries=30, directions=4).raise_if_failed()
    assert np.shape(layer(x)[0] if layer.return_state else layer(x))[0] == 2


@EVERY_RANK
def test_gradients_of_initial_states_and_with_dropout(cls, sizes):
    rng = np.random.default_rng(1)
    layer = cls(2, 2, padding="same", dropout=0.3, recurrent_dropout=0.3, seed=1, **F64)
    inputs = [rng.normal(size=(2, 3, *sizes, 2)), *rng.normal(size=(2, 2, *sizes, 2))]
    check_layer(layer, inputs, training=True, max_entries=30, directions=4).raise_if_failed()


def test_on_images_of_one_pixel_it_is_an_lstm():
    rng = np.random.default_rng(2)
    images, vectors = ConvLSTM2D(3, 1, return_sequences=True, **F64), LSTM(3, return_sequences=True, **F64)
    x = rng.normal(size=(2, 4, 1, 1, 5))
    images.build(x.shape)
    vectors.build((2, 4, 5))
    vectors.set_weights([w.reshape(w.shape[-2:]) if w.ndim > 1 else w for w in images.get_weights()])
    np.testing.assert_allclose(images(x)[:, :, 0, 0], vectors(x[:, :, 0, 0]), rtol=0, atol=1e-14)
    np.testing.assert_array_equal(images.params["bias"], np.repeat([0, 1, 0, 0], 3))


def test_a_masked_step_is_as_if_it_were_not_there():
    rng = np.random.default_rng(3)
    layer = ConvLSTM2D(2, 2, **F64)
    x = rng.normal(size=(2, 3, 4, 3, 2))
    y = layer(x, mask=MASK)
    for n, counts in enumerate(MASK):
        np.testing.assert_allclose(y[n], layer(x[n : n + 1, counts])[0], rtol=0, atol=1e-14)


def test_states_go_on_and_are_given_in_the_shape_of_the_output():
    layer = ConvLSTM2D(2, 3, stateful=True, return_state=True, padding="same", **F64)
    x = np.random.default_rng(4).normal(size=(2, 4, 3, 3, 1))
    layer(x[:, :2])
    y, h, c = layer(x[:, 2:])
    layer.reset_state()
    for found, wanted in zip((y, h, c), layer(x)):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-14)
    with pytest.raises(ValueError, match=r"the initial state h0 must have shape \(2, 3, 3, 2\), got \(2, 3, 3, 1\)"):
        layer([x, h[..., :1], c])


def test_configuration_and_refusals():
    layer = ConvLSTM2D(2, (3, 2), padding="same", dropout=0.1, return_sequences=True, go_backwards=True)
    settings = json.loads(json.dumps(layer.get_config()))
    assert json.loads(json.dumps(ConvLSTM2D.from_config(settings).get_config())) == settings
    with pytest.raises(ValueError, match=r"the axes of space and the channels must have sizes"):
        ConvLSTM2D(2, 3).build((None, 4, None, 5, 1))
    with pytest.raises(ValueError, match="is smaller than the kernel"):
        ConvLSTM2D(2, 5).build((None, 4, 3, 5, 1))
    with pytest.raises(ValueError, match="cannot both be above 1"):
        ConvLSTM2D(2, 3, strides=2, dilation_rate=2)
    with pytest.raises(ValueError, match='data_format must be "channels_last"'):
        ConvLSTM2D(2, 3, data_format="channels")


@EVERY_RANK
def test_unroll_is_taken_and_changes_nothing(cls, sizes):
    x = np.random.default_rng(0).normal(size=(2, 3, *sizes, 2)).astype("float32")
    layer = cls(2, 2, unroll=True)
    y = layer(x)
    same = cls.from_config(layer.get_config())
    same.build(x.shape)
    same.set_weights(layer.get_weights())
    np.testing.assert_array_equal(same(x), y)
