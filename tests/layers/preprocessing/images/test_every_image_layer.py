"""What holds for every layer that prepares images: adjoints, parts, seeds, rest, single images, models, files."""

import numpy as np
import pytest

from scratchnet import layers
from scratchnet.gradient_check import check_adjoint, check_layer, check_parts
from scratchnet.models import Sequential, load_model
from scratchnet.parallel.batch import drawing_rows

X = np.random.default_rng(1).uniform(0, 1, (4, 5, 6, 3))
STILL = [
    ("Resizing", {"height": 3, "width": 8}),
    ("Resizing", {"height": 4, "width": 3, "crop_to_aspect_ratio": True, "interpolation": "bicubic"}),
    ("Resizing", {"height": 3, "width": 9, "pad_to_aspect_ratio": True, "antialias": True}),
    ("CenterCrop", {"height": 2, "width": 3}),
    ("CenterCrop", {"height": 7, "width": 3}),
]
LINEAR = [
    ("RandomFlip", {}),
    ("RandomFlip", {"mode": "horizontal"}),
    ("RandomTranslation", {"height_factor": 0.4, "width_factor": (0, 0.3)}),
    ("RandomTranslation", {"height_factor": 0.4, "width_factor": 0.3, "interpolation": "nearest", "fill_mode": "wrap"}),
    ("RandomRotation", {"factor": 0.3, "fill_mode": "constant"}),
    ("RandomRotation", {"factor": (-0.2, 0.3), "fill_mode": "nearest"}),
    ("RandomZoom", {"height_factor": 0.5}),
    ("RandomZoom", {"height_factor": (-0.4, -0.1), "width_factor": 0.2, "fill_mode": "constant", "fill_value": 0.5}),
    ("RandomShear", {"x_factor": 0.3, "y_factor": (0.1, 0.2)}),
    ("RandomCrop", {"height": 3, "width": 4}),
    ("RandomCrop", {"height": 6, "width": 4}),
]
RANDOM = LINEAR
EVERY = STILL + RANDOM


def made(name, options, **more):
    return getattr(layers, name)(**options, dtype="float64", **more)


@pytest.mark.parametrize(("name", "options"), STILL)
def test_adjoints(name, options):
    check_adjoint(made(name, options), X).raise_if_failed()
    check_layer(made(name, options), X, linear=("x",)).raise_if_failed()


@pytest.mark.parametrize(("name", "options"), RANDOM)
def test_gradients_of_what_was_drawn(name, options):
    layer = made(name, options, seed=5)
    report = check_layer(layer, X, training=True, linear=("x",) if (name, options) in LINEAR else ())
    assert report.passed, report


@pytest.mark.parametrize(("name", "options"), EVERY)
def test_an_image_is_the_same_whatever_part_it_is_in(name, options):
    check_parts(made(name, options), X).raise_if_failed()


@pytest.mark.parametrize(("name", "options"), RANDOM)
def test_random_layers_draw_anew_by_their_seed_and_rest_outside_of_training(name, options):
    layer, twin = (made(name, options, seed=2) for _ in range(2))
    first = layer(X, training=True)
    np.testing.assert_array_equal(twin(X), first)  # nobody says whether this is training: it is
    if not (name == "RandomCrop" and options["height"] > 5):
        assert any(np.abs(layer(X, training=True) - first).max() > 1e-6 for _ in range(5))
    at_rest = layer(X, training=False)
    if name != "RandomCrop":
        np.testing.assert_array_equal(at_rest, X)
    np.testing.assert_array_equal(layer(X, training=False), at_rest)
    assert layer(X.astype("float32")).dtype == np.float64  # the layer's own


@pytest.mark.parametrize(("name", "options"), RANDOM)
def test_images_of_a_batch_draw_for_themselves(name, options):
    layer = made(name, options, seed=3)
    drawn = layer.draw((200, 5, 6, 3))
    for key, values in drawn.items():
        if key != "part":
            assert len(values) == 200
            assert len(np.unique(values.reshape(200, -1)[:, 0])) > 1


@pytest.mark.parametrize(("name", "options"), EVERY)
def test_one_image_and_whole_numbers(name, options):
    layer = made(name, options)
    with drawing_rows(0, 0):
        expected = layer(X[:1])[0]
    with drawing_rows(0, 0):
        np.testing.assert_array_equal(layer(X[0]), expected)
    pixels = (X * 255).astype("uint8")
    y = layer(pixels)
    assert y.dtype == (np.uint8 if name == "Resizing" else np.float64)
    assert y.shape == layer.compute_output_shape(X.shape)


@pytest.mark.parametrize(("name", "options"), EVERY)
def test_in_models_and_files(name, options, tmp_path):
    layer = getattr(layers, name)(**options)
    model = Sequential([layers.Input(X.shape[1:]), layer, layers.Flatten(), layers.Dense(2)])
    model.compile("sgd", "mse")
    model.fit(X, np.zeros((4, 2)), epochs=1, verbose=0)
    expected = model.predict(X, verbose=0)
    np.testing.assert_array_equal(model.predict(X, verbose=0), expected)
    model.save(tmp_path / "model.keras")
    np.testing.assert_allclose(load_model(tmp_path / "model.keras").predict(X, verbose=0), expected, rtol=1e-6)
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


def test_a_model_of_random_layers_that_is_called_by_hand_shows_what_they_do():
    augmentation = Sequential([layers.RandomFlip("horizontal", seed=1), layers.RandomRotation(0.1, seed=2)])
    assert np.abs(augmentation(X) - X).max() > 1e-3
    np.testing.assert_allclose(augmentation(X, training=False), X, rtol=1e-6)
    np.testing.assert_allclose(augmentation.predict(X, verbose=0), X, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("RandomTranslation", {"height_factor": 2, "width_factor": 0}, r"height_factor .* in \[-1, 1\], got 2"),
        ("RandomZoom", {"height_factor": -1}, r"height_factor .* in \(-1, 1\], got -1"),
        ("RandomShear", {"x_factor": -0.1}, r"x_factor .* in \[0, 1\]"),
        ("RandomRotation", {"factor": "far"}, "factor must be a number, or two"),
        ("RandomRotation", {"factor": 0.1, "fill_mode": "mirror"}, "fill_mode must be one of reflect"),
        ("RandomRotation", {"factor": 0.1, "interpolation": "cubic"}, "interpolation must be one of nearest"),
        ("RandomFlip", {"mode": "diagonal"}, "mode must be one of horizontal"),
        ("RandomFlip", {"data_format": "channels_first"}, "data_format"),
        ("Resizing", {"height": 0, "width": 1}, "height must be a positive integer"),
        ("Resizing", {"height": 1, "width": 1, "interpolation": "x"}, "interpolation must be one of"),
        ("Resizing", {"height": 1, "width": 1, "fill_mode": "wrap"}, 'fill_mode must be "constant"'),
        (
            "Resizing",
            {"height": 1, "width": 1, "crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True},
            "exclude one another",
        ),
    ],
)
def test_what_is_none_is_refused(name, options, message):
    with pytest.raises(ValueError, match=message):
        getattr(layers, name)(**options)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"expected an input of shape \(N, H, W, C\), got 2 axes"):
        layers.RandomFlip()(np.ones((2, 3)))
    with pytest.raises(TypeError, match="'bounding_box_format' is not implemented"):
        layers.RandomFlip(bounding_box_format="xyxy")
