"""What holds for every layer that prepares images: adjoints, parts, seeds, rest, single images, models, files."""

import numpy as np
import pytest

from scratchnet import layers
from scratchnet.gradient_check import check_adjoint, check_layer, check_parts
from scratchnet.layers.preprocessing.images.random_perspective import projective_maps
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
    ("RandomPerspective", {}),
    ("RandomPerspective", {"factor": (0.4, 0.6), "scale": 0.5, "interpolation": "nearest", "fill_value": 0.5}),
    ("RandomCrop", {"height": 3, "width": 4}),
    ("RandomCrop", {"height": 6, "width": 4}),
    ("MixUp", {"alpha": 0.8}),
    ("CutMix", {}),
]
UNIT = {"value_range": (0, 1)}
RANDOM = LINEAR + [
    ("RandomBrightness", {"factor": 0.4, **UNIT}),
    ("RandomContrast", {"factor": (0.9, 0.8), **UNIT}),
    ("RandomInvert", UNIT),
    ("RandomGrayscale", {}),
    ("RandomSaturation", {"factor": (0.1, 0.9), **UNIT}),
    ("RandomSaturation", {"factor": (0.8, 0.9), "value_range": (0, 0.7)}),
    ("RandomHue", {"factor": 0.9, **UNIT}),
    ("RandomColorJitter", {"brightness_factor": 0.2, "contrast_factor": 0.3, **UNIT}),
    ("RandomColorJitter", {"saturation_factor": (0.3, 0.6), "hue_factor": 0.4, **UNIT}),
    ("RandomGaussianBlur", {"factor": (0.6, 0.7), "kernel_size": 3, "sigma": (0.3, 1), **UNIT}),
    ("RandomGaussianBlur", {"factor": (0.6, 0.7), "kernel_size": (5, 3), "sigma": (0.6, 1), **UNIT}),
    ("RandomElasticTransform", {"factor": (0.6, 0.7), "scale": (0.6, 0.8), **UNIT}),
    ("RandomElasticTransform", {"fill_mode": "mirror", **UNIT}),
    ("RandomErasing", {"factor": (0.6, 0.7), "scale": (0.2, 0.5), **UNIT}),
    ("RandomErasing", {"fill_value": (0.1, 0.2, 0.3), **UNIT}),
    ("RandomColorDegeneration", {"factor": (0.2, 0.8), **UNIT}),
    ("RandomSharpness", {"factor": (0.6, 0.9), **UNIT}),
    ("RandomPosterization", {"factor": (1, 3), **UNIT}),
    ("Solarization", {"addition_factor": 0.3, "threshold_factor": (0.2, 0.9), **UNIT}),
]
CLAHE = "ContrastLimitedAdaptiveHistogramEqualization"
FIXED = [("AutoContrast", UNIT), ("Equalization", {"bins": 5, **UNIT}), (CLAHE, {"tile_grid_size": (2, 2), **UNIT})]
EVERY = STILL + RANDOM + FIXED
SEEDLESS = ("CenterCrop", "Resizing", "AutoContrast", "Equalization", CLAHE)


def away_from_jumps(name):
    """X, or, for a layer that jumps between two of 256 shades, the middles of its shades."""
    return (np.floor(255 * X) + 0.5) / 255 if name == CLAHE else X


def made(name, options, **more):
    return getattr(layers, name)(**options, dtype="float64", **more)


@pytest.mark.parametrize(("name", "options"), STILL)
def test_adjoints(name, options):
    check_adjoint(made(name, options), X).raise_if_failed()
    check_layer(made(name, options), X, linear=("x",), max_entries=100, directions=3).raise_if_failed()


@pytest.mark.parametrize(("name", "options"), RANDOM)
def test_gradients_of_what_was_drawn(name, options):
    layer = made(name, options, seed=5)
    linear = ("x",) if (name, options) in LINEAR else ()
    report = check_layer(layer, X, training=True, linear=linear, max_entries=100, directions=10)
    assert report.passed, report


@pytest.mark.parametrize(("name", "options"), FIXED)
def test_gradients_of_what_is_not_random(name, options):
    report = check_layer(made(name, options), away_from_jumps(name), training=True)
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
    assert getattr(layers, name)(**options)(X).dtype == np.float32


@pytest.mark.parametrize(("name", "options"), RANDOM)
def test_images_of_a_batch_draw_for_themselves(name, options):
    layer = made(name, options, seed=3)
    drawn = layer.draw((200, 5, 6, 3))
    for key, values in drawn.items():
        if key not in ("part", "fill_value", "blur_factor", "distortion_factor") and name != "RandomColorJitter":
            assert len(values) == 200
            assert len(np.unique(values.reshape(200, -1), axis=0)) > 1


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
def test_channels_first(name, options):
    seed = {} if name in SEEDLESS else {"seed": 4}
    last, first = (made(name, options, data_format=f"channels_{place}", **seed) for place in ("last", "first"))
    x = np.moveaxis(away_from_jumps(name), -1, 1)
    report = check_layer(first, x, training=True, max_entries=10, directions=2)
    assert report.passed, report
    with drawing_rows(0, 0):
        expected = last(X)
    with drawing_rows(0, 0):
        np.testing.assert_allclose(np.moveaxis(first(np.moveaxis(X, -1, 1)), 1, -1), expected)


def test_what_goes_with_images_in_a_dict():
    data = {"images": X, "labels": np.arange(4), "segmentation_masks": (X[..., :1] > 0.5).astype("float64")}
    flip = made("RandomFlip", {}, seed=1)
    found = flip(data)
    assert found["images"].shape == X.shape and found["labels"].tolist() == [0, 1, 2, 3]
    flipped = [not np.array_equal(a, b) for a, b in zip(found["images"], X)]
    assert any(flipped)
    np.testing.assert_array_equal(found["segmentation_masks"], found["images"][..., :1] > 0.5)
    turned = made("RandomRotation", {"factor": 0.2}, seed=1)(data)
    assert set(np.unique(turned["segmentation_masks"])) <= {0.0, 1.0}
    small = made("Resizing", {"height": 2, "width": 2})(data)
    assert small["segmentation_masks"].shape == (4, 2, 2, 1)
    assert set(np.unique(small["segmentation_masks"])) <= {0.0, 1.0}
    np.testing.assert_array_equal(flip(data, training=False)["images"], X)
    bright = made("RandomBrightness", {"factor": 0.2})(data)
    np.testing.assert_array_equal(bright["segmentation_masks"], data["segmentation_masks"])
    with pytest.raises(ValueError, match="a dict must hold"):
        flip({"images": X, "bounding_boxes": None})


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
        ("RandomBrightness", {"factor": 1.5}, r"factor .* in \[-1, 1\], got 1.5"),
        ("RandomBrightness", {"factor": 0.5, "value_range": (1, 0)}, "value_range must be two numbers"),
        ("RandomContrast", {"factor": (-0.1, 0.5)}, r"factor .* in \[0, 1\]"),
        ("RandomGrayscale", {"factor": 2}, "factor must be a number at least 0 and at most 1"),
        ("RandomPosterization", {"factor": 9}, "factor must be an integer from 1 to 8"),
        ("MixUp", {"alpha": 0}, "alpha must be a number above 0"),
        ("RandomGaussianBlur", {"kernel_size": 4}, "kernel_size must be an odd number"),
        ("RandomPerspective", {"scale": 1.1}, r"scale must be .* in \[0, 1\], got 1.1"),
        ("RandomPerspective", {"interpolation": "cubic"}, "interpolation must be one of nearest"),
        ("RandomElasticTransform", {"scale": (0.1, 2)}, r"scale must be .* in \[0, 1\]"),
        ("RandomElasticTransform", {"fill_mode": "far"}, "fill_mode must be one of reflect, .* mirror"),
        (CLAHE, {"clip_limit": -1}, "clip_limit must be a finite number of at least 0"),
        (CLAHE, {"tile_grid_size": 8}, "tile_grid_size must be two integers"),
        (CLAHE, {"tile_grid_size": (8, 0)}, "tile_grid_size must be a positive integer"),
        ("RandomFlip", {"mode": "diagonal"}, "mode must be one of horizontal"),
        ("RandomFlip", {"data_format": "last"}, "data_format must be"),
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


@pytest.mark.parametrize("name", ["RandomHue", "RandomSaturation", "RandomGrayscale"])
def test_colours_need_three_channels(name):
    with pytest.raises(ValueError, match="expected images of .*3 channels"):
        getattr(layers, name)(0.5)(np.ones((1, 2, 2, 2)))


@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
def test_labels_are_mixed_as_images_are(name):
    colours = np.broadcast_to(np.eye(3)[:, None, None], (3, 60, 60, 3))  # one channel for each class
    layer = made(name, {}, seed=2)
    for _ in range(5):
        found = layer({"images": colours, "labels": np.eye(3)})
        shares = np.asarray(found["images"]).mean(axis=(1, 2))
        np.testing.assert_allclose(found["labels"], shares, atol=1e-12 if name == "MixUp" else 0.04)
        np.testing.assert_allclose(found["labels"].sum(axis=1), 1)
    with pytest.raises(ValueError, match="labels must be vectors"):
        layer({"images": colours, "labels": np.arange(3)})


def test_contrast_that_is_chosen_by_the_image():
    x = np.array([[10.0, 20, 30], [40, 40, 40]])[:, None, :, None]
    stretched = layers.AutoContrast(dtype="float64")(x)
    np.testing.assert_allclose(stretched[:, 0, :, 0], [[0, 127.5, 255], [40, 40, 40]])
    ramp = np.repeat([0.0, 1, 2, 200], 4).reshape(1, 4, 4, 1)
    equal = layers.Equalization(dtype="float64")(ramp)
    np.testing.assert_array_equal(np.unique(equal), [0, 85, 170, 255])
    np.testing.assert_array_equal(layers.Equalization()(np.full((1, 2, 2, 1), 7.0)), 7)


def test_colours_and_their_extremes():
    red, gray = np.array([1.0, 0.2, 0.2]), np.array([0.4, 0.4, 0.4])
    x = np.stack([red, gray]).reshape(1, 1, 2, 3)
    hue = layers.RandomHue(1, (0, 1), dtype="float64")
    green = hue.transform_images(x, {"factor": np.array([1 / 3])})  # a third of the circle
    np.testing.assert_allclose(green[0, 0], [[0.2, 1, 0.2], gray], atol=1e-12)
    saturation = layers.RandomSaturation(1, (0, 1), dtype="float64")
    np.testing.assert_allclose(saturation.transform_images(x, {"factor": np.array([0.0])})[0, 0], [[1, 1, 1], gray])
    np.testing.assert_allclose(saturation.transform_images(x, {"factor": np.array([9.0])})[0, 0], [[1, 0, 0], gray])


def test_the_share_of_chosen_images():
    layer = layers.RandomInvert(factor=(0.25, 0.35), seed=1)
    assert abs(layer.draw((4000, 1, 1, 1))["apply_inversion"].mean() - 0.3) < 0.03
    brightness = layers.RandomBrightness((0.1, 0.2), (0, 10), seed=1).draw((4000, 1, 1, 1))["rgb_delta"]
    assert 1 <= brightness.min() < 1.01 and 1.99 < brightness.max() <= 2


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"expected an input of shape \(N, H, W, C\), got 2 axes"):
        layers.RandomFlip()(np.ones((2, 3)))
    with pytest.raises(TypeError, match="'bounding_box_format' is not implemented"):
        layers.RandomFlip(bounding_box_format="xyxy")


def test_a_tilted_image_has_its_corners_where_they_were_drawn():
    corners = np.array([[0, 0], [4, 0], [0, 4], [4, 4]])
    inner = corners + [[1, 1], [-1, 1], [1, -1], [-1, -1]]
    x = np.zeros((1, 5, 5, 1))
    x[0, 0, 0], x[0, 0, 4], x[0, 4, 0], x[0, 4, 4] = 1, 2, 3, 4
    drawn = {"apply_perspective": np.array([True]), "end_points": inner[None]}
    y = made("RandomPerspective", {"fill_value": 9.0}).transform_images(x, drawn)[0, ..., 0]
    np.testing.assert_allclose([y[1, 1], y[1, 3], y[3, 1], y[3, 3]], [1, 2, 3, 4])
    np.testing.assert_array_equal(y[0], 9)  # outside
    twisted = {**drawn, "end_points": np.array([[[0, 0], [4, 0], [0, 4], [1, 1.0]]])}
    assert np.isfinite(made("RandomPerspective", {}).transform_images(x, twisted)).all()


def test_where_the_denominator_vanishes_nothing_is_seen():
    points = np.array([[[0, 0], [-4, 0], [0, 4], [2, 2]]])  # k = 1 - X / 2 or so: 0 in the image
    a0, a1, a2, b0, b1, b2, c0, c1 = projective_maps(points, np.array([[0, 0], [4, 0], [0, 4], [4, 4.0]]))[0]
    k = c0 * np.arange(5) + c1 * np.arange(5)[:, None] + 1
    layer = made("RandomPerspective", {"fill_value": 9.0})
    drawn = {"apply_perspective": np.array([True]), "end_points": points}
    y = layer.transform_images(np.ones((1, 5, 5, 1)), drawn)[0, ..., 0]
    assert (k == 0).any() and (y[k == 0] == 9).all()


def test_a_bent_image_keeps_what_is_flat_and_moves_neighbours_alike():
    layer = made("RandomElasticTransform", {"factor": (1, 1), "scale": (1, 1)}, seed=1)
    np.testing.assert_allclose(layer(np.full((1, 60, 60, 1), 7.0)), 7)
    rows, columns = layer.places(layer.draw((1, 60, 60, 1)), 60, 60)
    Y, X_ = np.mgrid[:60, :60]
    for moved in (rows - Y, columns - X_):
        assert 0.5 < moved.std() < 20
        assert np.abs(np.diff(moved, axis=1)).mean() < 0.3 * moved.std()  # smooth
    assert np.corrcoef((rows - Y).ravel(), (columns - X_).ravel())[0, 1] < 0.5  # apart from one another
    for options in ({"factor": 0}, {"scale": 0}):
        np.testing.assert_array_equal(made("RandomElasticTransform", options)(X, training=True), X)


def test_tiles_have_curves_of_their_own():
    flat = made(CLAHE, {"tile_grid_size": (1, 1), "clip_limit": 0})
    x = np.array([[0.0, 100], [100, 200]]).reshape(1, 2, 2, 1)  # cdf 1, 3, 4 of 4 pixels
    np.testing.assert_allclose(flat(x)[0, ..., 0], [[0, 170], [170, 255]])
    x = np.tile([[0.0, 20], [30, 40]], (4, 4))[None, ..., None]
    one, four = (made(CLAHE, {"tile_grid_size": (n, n), "clip_limit": 0})(x, training=False) for n in (1, 4))
    np.testing.assert_allclose(one, four)  # each tile has the histogram of the whole
    np.testing.assert_allclose(np.unique(one), [0, 85, 170, 255])
    limited = made(CLAHE, {"tile_grid_size": (1, 1), "clip_limit": 4.0})(x)
    assert np.ptp(limited) < np.ptp(one)
    np.testing.assert_array_equal(flat(np.zeros((1, 3, 3, 1))), 0)  # all pixels are of the darkest shade
