"""Arguments, shapes and tops of all networks."""

import inspect

import numpy as np
import pytest

import scratchnet
from scratchnet import applications
from scratchnet.applications import MobileNetV2, ResNet20, ResNet50, SqueezeNet
from scratchnet.layers import Dense, Input, Rescaling
from scratchnet.models import Model

NETWORKS = [name for name in applications.__all__ if name[0].isupper()]
# With ten classes: how many numbers there are, moving averages included.
PARAMETERS = {
    "EfficientNetLite0": 3_425_834,
    "EfficientNetLite1": 4_202_154,
    "EfficientNetLite2": 4_881_978,
    "MobileNetV2": 2_270_794,
    "ResNet20": 271_098,
    "ResNet32": 466_426,
    "ResNet44": 661_754,
    "ResNet50": 23_608_202,
    "ResNet56": 857_082,
    "SqueezeNet": 727_626,
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_has_as_many_parameters_as_it_should_and_takes_a_name(name):
    model = getattr(applications, name)(weights=None, input_shape=(32, 32, 3), classes=10, name="eye")
    assert model.name == "eye" and model.output_shape == (None, 10)
    assert model.count_params() == PARAMETERS[name]


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "MobileNetV2"])
def test_arguments_are_in_the_order_of_keras_s_resnet50(name):
    network = getattr(applications, name)
    assert list(inspect.signature(network).parameters) == list(inspect.signature(ResNet50).parameters)


def test_the_size_is_the_network_s_own_unless_it_is_given():
    assert MobileNetV2(weights=None).input_shape == (None, 224, 224, 3)
    assert MobileNetV2(weights=None).name == "mobilenetv2_1.00_224"
    assert ResNet20().input_shape == (None, 32, 32, 3)
    assert SqueezeNet(weights=None, include_top=False).input_shape == (None, None, None, 3)
    assert ResNet20(input_shape=(16, 8, 1)).input_shape == (None, 16, 8, 1)


def test_without_the_top_there_are_maps_or_a_number_of_each():
    x = np.random.default_rng(0).normal(size=(2, 20, 17, 3)).astype("float32")
    maps = ResNet20(include_top=False)
    y = maps(x)
    assert y.shape == (2, 5, 5, 64)
    for pooling, expected in (("avg", y.mean(axis=(1, 2))), ("max", y.max(axis=(1, 2)))):
        model = ResNet20(include_top=False, pooling=pooling)
        model.set_weights(maps.get_weights())
        np.testing.assert_allclose(model(x), expected, rtol=1e-5, atol=1e-6)


def test_any_size_gives_what_its_own_size_gives():
    free = MobileNetV2(weights=None, include_top=False, pooling="avg", alpha=0.35)
    fixed = MobileNetV2(weights=None, include_top=False, pooling="avg", alpha=0.35, input_shape=(64, 64, 3))
    fixed.set_weights(free.get_weights())
    x = np.random.default_rng(0).normal(size=(1, 64, 64, 3)).astype("float32")
    np.testing.assert_allclose(free(x), fixed(x), rtol=1e-5, atol=1e-7)


def test_alpha_makes_a_network_narrower_or_wider():
    assert MobileNetV2(weights=None, alpha=0.35).count_params() == 1_691_208  # Keras says so, too
    wide = MobileNetV2(weights=None, alpha=1.4, include_top=False, input_shape=(32, 32, 3))
    assert wide.output_shape == (None, 1, 1, 1792)


def test_a_network_goes_on_from_a_tensor():
    image = Input((32, 32, 3))
    model = ResNet20(input_tensor=Rescaling(1 / 255)(image), include_top=False, pooling="avg")
    assert model.input is image
    whole = Model(model.input, Dense(3, activation="softmax")(model.output))
    whole.compile("sgd", "sparse_categorical_crossentropy")
    x = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3)).astype("float32")
    before = model.get_layer("layer3_2_conv2").get_weights()[0].copy()
    whole.fit(x, np.array([0, 1, 2, 0]), verbose=0)
    assert np.abs(model.get_layer("layer3_2_conv2").get_weights()[0] - before).max() > 0


def test_a_model_is_saved_and_loaded(tmp_path):
    model = ResNet20(classes=3)
    model.save(tmp_path / "model.npz")
    x = np.random.default_rng(0).normal(size=(2, 32, 32, 3)).astype("float32")
    np.testing.assert_array_equal(scratchnet.models.load_model(tmp_path / "model.npz")(x), model(x))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"weights": "nowhere.h5"}, 'weights must be None, "imagenet" or the path of a file'),
        ({"pooling": "mean"}, 'pooling must be None, "avg" or "max"'),
        ({"classes": 10}, "the weights are those of 1,000 classes, not of 10: take include_top=False"),
        ({"classifier_activation": "sigmoid"}, "with trained weights classifier_activation must be None or 'softmax'"),
        ({"weights": None, "input_shape": (31, 64, 3)}, "images must have 32 x 32 pixels or more"),
        ({"weights": None, "input_shape": (64, 64)}, r"input_shape must be \(height, width, channels\)"),
        ({"input_shape": (64, 64, 1)}, "the trained weights are for 3 channels"),
    ],
)
def test_arguments_that_do_not_fit_are_told(arguments, message):
    with pytest.raises(ValueError, match=f"resnet50: {message}"):
        ResNet50(**arguments)


def test_an_array_is_no_input_tensor():
    with pytest.raises(TypeError, match="input_tensor must be a symbolic tensor"):
        ResNet20(input_tensor=np.zeros((1, 32, 32, 3)))


def test_an_unknown_network_is_told_with_the_closest():
    with pytest.raises(AttributeError, match="closest: .*ResNet50"):
        _ = scratchnet.applications.ResNet500
    assert "ResNet50" in dir(applications)
