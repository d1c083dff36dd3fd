"""Pixels as networks want them, and the names of what they see."""

import hashlib
import json

import numpy as np
import pytest

from scratchnet.applications import efficientnet_lite, imagenet_utils, mobilenet_v2, resnet50, resnet_cifar, squeezenet
from scratchnet.applications.imagenet_utils import decode_predictions, preprocess_input
from scratchnet.layers import Input
from scratchnet.models import Model

PIXELS = np.array([[[[0, 51, 255], [127, 100, 3]]]], "float32")  # (1, 1, 2, 3)
# Keras 3.15: preprocess_input(PIXELS, mode=...)
EXPECTED = {
    "caffe": [[[[151.061, -65.779, -123.68], [-100.939, -16.779, 3.32]]]],
    "tf": [[[[-1.0, -0.6, 1.0], [-0.0039215684, -0.21568626, -0.9764706]]]],
    "torch": [[[[-2.117904, -1.1428572, 2.64], [0.05693974, -0.28501397, -1.7521569]]]],
}


@pytest.mark.parametrize("mode", EXPECTED)
def test_the_three_ways_of_preparing_pixels(mode):
    before = PIXELS.copy()
    y = preprocess_input(PIXELS, mode=mode)
    np.testing.assert_allclose(y, EXPECTED[mode], rtol=1e-5, atol=1e-5)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(PIXELS, before)


@pytest.mark.parametrize("mode", EXPECTED)
def test_a_symbolic_image_is_prepared_within_the_model(mode):
    x = Input((1, 2, 3))
    y = Model(x, preprocess_input(x, mode=mode))(PIXELS)
    np.testing.assert_allclose(y, EXPECTED[mode], rtol=1e-5, atol=1e-5)


def test_integers_become_floats_and_float64_stays():
    y = preprocess_input(np.uint8(PIXELS), mode="tf")
    np.testing.assert_allclose(y, EXPECTED["tf"], rtol=1e-5, atol=1e-6)
    assert y.dtype == np.float32
    assert preprocess_input(PIXELS.astype("float64"), mode="torch").dtype == np.float64


def test_every_network_prepares_pixels_in_its_way():
    for module in (resnet50, squeezenet):
        np.testing.assert_array_equal(module.preprocess_input(PIXELS), preprocess_input(PIXELS, mode="caffe"))
    np.testing.assert_array_equal(mobilenet_v2.preprocess_input(PIXELS), preprocess_input(PIXELS, mode="tf"))
    np.testing.assert_array_equal(efficientnet_lite.preprocess_input(PIXELS)[0, 0, 1], [0, -27 / 128, -124 / 128])
    expected = (np.array([0.0, 0.2, 1.0]) - resnet_cifar.MEAN) / resnet_cifar.STD
    np.testing.assert_allclose(resnet_cifar.preprocess_input(PIXELS)[0, 0, 0], expected, rtol=1e-6)


@pytest.mark.parametrize("batch", [True, False])
@pytest.mark.parametrize("module", [resnet50, mobilenet_v2, efficientnet_lite, resnet_cifar])
def test_pixels_may_have_their_channels_first(module, batch):
    last = PIXELS if batch else PIXELS[0]
    first, expected = np.moveaxis(last, -1, -3), np.moveaxis(module.preprocess_input(last), -1, -3)
    np.testing.assert_array_equal(module.preprocess_input(first, "channels_first"), expected)
    if batch:
        x = Input((3, 1, 2))
        y = Model(x, module.preprocess_input(x, data_format="channels_first"))(first)
        np.testing.assert_allclose(y, expected, rtol=1e-6)


def test_another_mode_or_order_of_axes_is_refused():
    with pytest.raises(ValueError, match="mode must be one of caffe, tf, torch, got 'keras'"):
        preprocess_input(PIXELS, mode="keras")
    with pytest.raises(ValueError, match='data_format must be "channels_last" or "channels_first", got'):
        efficientnet_lite.preprocess_input(PIXELS, "NCHW")


def test_the_classes_are_those_of_keras_s_file():
    classes = imagenet_utils.imagenet_classes()
    text = json.dumps({str(number): list(names) for number, names in enumerate(classes)})
    # as the source of Keras has it for imagenet_class_index.json
    assert hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() == "c2c37ea517e94d9795004a39431a14cb"


def test_the_likeliest_classes_come_first():
    preds = np.full((2, 1000), 1e-4)
    preds[0, [281, 285]] = 0.2, 0.7
    preds[1, 967] = 0.9
    first, second = decode_predictions(preds, top=2)
    assert first == [("n02124075", "Egyptian_cat", 0.7), ("n02123045", "tabby", 0.2)]
    assert second[0] == ("n07920052", "espresso", 0.9) and len(second) == 2
    assert len(decode_predictions(preds)[0]) == 5
    assert efficientnet_lite.decode_predictions is decode_predictions


@pytest.mark.parametrize("shape", [(1000,), (2, 10)])
def test_predictions_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected predictions \(N, 1000\), got shape"):
        decode_predictions(np.zeros(shape))
