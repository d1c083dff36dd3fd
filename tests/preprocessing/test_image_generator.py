"""Pictures changed at random: each change by itself, what is drawn, batches, folders, and training on them."""

import itertools

import numpy as np
import pytest

from scratchnet.layers import Dense, Flatten, Input
from scratchnet.models import Sequential
from scratchnet.preprocessing.image import ImageDataGenerator
from scratchnet.utils import save_img

RNG = np.random.default_rng(0)
X = RNG.uniform(0, 255, (10, 6, 6, 3)).astype("float32")
Y = np.arange(10)


# ---- one picture ----


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"flip_horizontal": True}, X[0, :, ::-1]),
        ({"flip_vertical": True}, X[0, ::-1]),
        ({"brightness": 0.5}, X[0] / 2),
        ({"brightness": 2.0}, np.minimum(2 * X[0], 255)),
        ({"channel_shift_intensity": 300.0}, np.full_like(X[0], X[0].max())),
        ({}, X[0]),
        ({"theta": 0, "tx": 0, "zx": 1}, X[0]),
    ],
)
def test_each_change_by_itself(change, expected):
    np.testing.assert_allclose(ImageDataGenerator().apply_transform(X[0], change), expected, rtol=1e-6)


def test_shifts_move_what_their_names_say():
    generator = ImageDataGenerator()
    np.testing.assert_allclose(generator.apply_transform(X[0], {"tx": 1})[:, :-1], X[0][:, 1:], rtol=1e-5)
    np.testing.assert_allclose(generator.apply_transform(X[0], {"ty": 1})[:-1], X[0][1:], rtol=1e-5)


def test_what_is_drawn_lies_in_the_ranges_and_a_seed_repeats_it():
    generator = ImageDataGenerator(
        rotation_range=30,
        width_shift_range=0.25,
        height_shift_range=2,
        shear_range=5,
        zoom_range=0.2,
        channel_shift_range=9,
        brightness_range=(0.5, 1.5),
        horizontal_flip=True,
        vertical_flip=True,
    )
    drawn = [generator.get_random_transform((8, 16, 3), seed) for seed in range(200)]
    assert drawn[7] == generator.get_random_transform((8, 16, 3), 7)
    for key, least, most in (
        ("theta", -30, 30),
        ("tx", -4, 4),
        ("ty", -1, 1),
        ("shear", -5, 5),
        ("zx", 0.8, 1.2),
        ("zy", 0.8, 1.2),
        ("channel_shift_intensity", -9, 9),
        ("brightness", 0.5, 1.5),
    ):
        values = [change[key] for change in drawn]
        assert least <= min(values) < least + 0.2 * (most - least) and most - 0.2 * (most - least) < max(values) <= most
    assert {change["ty"] for change in drawn} == {-1, 0, 1}
    assert {change["flip_horizontal"] for change in drawn} == {False, True}
    listed = ImageDataGenerator(width_shift_range=[1, 3])
    assert {listed.get_random_transform((8, 8, 3), seed)["tx"] for seed in range(50)} == {-3, -1, 1, 3}
    nothing = ImageDataGenerator().get_random_transform((8, 8, 3))
    np.testing.assert_array_equal(ImageDataGenerator().apply_transform(X[0], nothing), X[0])


def test_values_are_scaled_and_centred():
    np.testing.assert_allclose(ImageDataGenerator(rescale=1 / 255).standardize(X[0]), X[0] / 255, rtol=1e-6)
    one = ImageDataGenerator(samplewise_center=True, samplewise_std_normalization=True).standardize(X[0])
    assert abs(one.mean()) < 1e-5 and one.std() == pytest.approx(1, rel=1e-4)
    all_of_them = ImageDataGenerator(featurewise_center=True, featurewise_std_normalization=True)
    with pytest.warns(UserWarning, match=r"call fit\(x\) first"):
        all_of_them.standardize(X[0])
    all_of_them.fit(X)
    y = np.stack([all_of_them.standardize(x) for x in X])
    np.testing.assert_allclose([y.mean(axis=(0, 1, 2)), y.std(axis=(0, 1, 2))], [[0] * 3, [1] * 3], atol=1e-4)
    shifted = ImageDataGenerator(featurewise_center=True, brightness_range=(0.5, 0.5))
    shifted.fit(X, augment=True, rounds=2, seed=1)
    np.testing.assert_allclose(shifted.mean, X.mean(axis=(0, 1, 2)) / 2, rtol=1e-5)
    own = ImageDataGenerator(preprocessing_function=lambda x: x - 1, rescale=2)
    np.testing.assert_allclose(own.standardize(X[0]), 2 * (X[0] - 1), rtol=1e-5)


# ---- batches ----


def test_batches_of_arrays():
    batches = ImageDataGenerator().flow(X, Y, batch_size=4, shuffle=False, sample_weight=Y / 10)
    assert len(batches) == 3 and batches.n == batches.samples == 10
    x, y, weights = batches[2]
    np.testing.assert_array_equal(x, X[8:])
    assert y.tolist() == [8, 9] and weights.tolist() == [0.8, 0.9]
    assert ImageDataGenerator().flow(X, batch_size=4)[0].shape == (4, 6, 6, 3)


def test_next_goes_on_for_ever_in_new_orders_that_the_seed_repeats():
    first, again = (ImageDataGenerator().flow(X, Y, 5, seed=3) for _ in range(2))
    seen = [y.tolist() for _, y in itertools.islice(first, 6)]
    assert seen == [next(again)[1].tolist() for _ in range(6)]
    epochs = [sum(seen[k : k + 2], []) for k in (0, 2, 4)]
    assert all(sorted(epoch) == Y.tolist() for epoch in epochs) and epochs[0] != epochs[1]


def test_a_part_for_validation():
    generator = ImageDataGenerator(validation_split=0.3)
    parts = [
        generator.flow(X, Y, 10, shuffle=False, subset=subset)[0][1].tolist() for subset in ("validation", "training")
    ]
    assert parts == [[0, 1, 2], [3, 4, 5, 6, 7, 8, 9]]


@pytest.fixture
def folders(tmp_path):
    for name, count in (("cats", 3), ("dogs", 2)):
        (tmp_path / name).mkdir()
        for k in range(count):
            save_img(tmp_path / name / f"{k}.png", np.full((4, 6, 3), 10 * k + (name == "dogs")), scale=False)
    return tmp_path


@pytest.mark.parametrize(
    ("class_mode", "expected"),
    [("categorical", [[1, 0]] * 3 + [[0, 1]] * 2), ("binary", [0, 0, 0, 1, 1]), ("sparse", [0, 0, 0, 1, 1])],
)
def test_pictures_in_folders(folders, class_mode, expected, capsys):
    batches = ImageDataGenerator(rescale=0.1).flow_from_directory(folders, (4, 6), class_mode=class_mode, shuffle=False)
    assert capsys.readouterr().out == "Found 5 images belonging to 2 classes.\n"
    x, y = next(batches)
    assert x[:, 0, 0, 0].tolist() == pytest.approx([0, 1, 2, 0.1, 1.1]) and y.tolist() == expected
    assert batches.class_indices == {"cats": 0, "dogs": 1} and batches.classes.tolist() == [0, 0, 0, 1, 1]
    assert batches.image_shape == (4, 6, 3) and len(batches.filenames) == 5


def test_pictures_as_their_own_targets_and_alone(folders):
    generator = ImageDataGenerator(brightness_range=(0.5, 2))
    x, y = generator.flow_from_directory(folders, (4, 6), class_mode="input")[0]
    np.testing.assert_array_equal(x, y)
    assert generator.flow_from_directory(folders, (4, 6), class_mode=None, classes=["dogs"])[0].shape == (2, 4, 6, 3)
    split = ImageDataGenerator(validation_split=0.5)
    assert [split.flow_from_directory(folders, subset=subset).n for subset in ("validation", "training")] == [2, 3]


def test_a_model_is_trained_on_it():
    model = Sequential([Input((6, 6, 3)), Flatten(), Dense(10, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    generator = ImageDataGenerator(rescale=1 / 255, horizontal_flip=True, rotation_range=10)
    history = model.fit(generator.flow(X, Y, 4), epochs=2, validation_data=generator.flow(X, Y, 5), verbose=0)
    assert len(history.history["val_loss"]) == 2
    assert model.predict(generator.flow(X, batch_size=4, shuffle=False), verbose=0).shape == (10, 10)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ImageDataGenerator(zca_whitening=True), "zca_whitening=True is not implemented"),
        (lambda: ImageDataGenerator(data_format="channels_first"), "data_format='channels_first' is not implemented"),
        (lambda: ImageDataGenerator(fill_mode="mirror"), "fill_mode must be one of nearest, reflect, wrap, constant"),
        (lambda: ImageDataGenerator(validation_split=1), r"validation_split must be in \[0, 1\)"),
        (lambda: ImageDataGenerator().flow(X[0]), r"expected pictures \(N, H, W, C\)"),
        (lambda: ImageDataGenerator().flow(X, save_to_dir="x"), "save_to_dir is not implemented"),
        (lambda: ImageDataGenerator().flow(X, subset="test"), 'subset must be "training" or "validation"'),
        (lambda: ImageDataGenerator().flow_from_directory(".", class_mode="one"), "class_mode must be"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
