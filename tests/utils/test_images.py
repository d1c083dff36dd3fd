"""Pictures as arrays and back, alone and in folders."""

import io

import numpy as np
import pytest

from scratchnet.preprocessing.image import smart_resize
from scratchnet.utils import array_to_img, image_dataset_from_directory, img_to_array, load_img, save_img

Image = pytest.importorskip("PIL.Image")

RGB = (np.arange(4 * 6 * 3) * 53 % 256).reshape(4, 6, 3).astype("float32")


# ---- one picture ----


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_an_array_becomes_a_picture_and_comes_back(channels, mode):
    x = np.resize(RGB, (4, 6, channels))
    picture = array_to_img(x, scale=False)
    assert picture.mode == mode and picture.size == (6, 4)
    np.testing.assert_array_equal(img_to_array(picture), x)
    np.testing.assert_array_equal(img_to_array(picture, "channels_first", "uint8"), x.transpose(2, 0, 1))
    first = array_to_img(x.transpose(2, 0, 1), "channels_first", scale=False)
    np.testing.assert_array_equal(img_to_array(first), x)


def test_values_are_stretched_to_the_whole_range():
    x = np.array([[[-1.0], [0.0], [1.0]]])
    assert img_to_array(array_to_img(x)).ravel().tolist() == [0, 127, 255]
    assert img_to_array(array_to_img(np.zeros((1, 2, 1)))).max() == 0
    assert array_to_img(np.full((1, 1, 1), 300.0), scale=False).getpixel((0, 0)) == 300


@pytest.mark.parametrize(("shape", "message"), [((4, 6), r"a single picture \(H, W, C\)"), ((4, 6, 2), "1, 3 or 4")])
def test_an_array_that_is_no_picture(shape, message):
    with pytest.raises(ValueError, match=message):
        array_to_img(np.zeros(shape))
    with pytest.raises(ValueError, match="expected a picture"):
        img_to_array(np.zeros((1, 2, 3, 4)))
    with pytest.raises(ValueError, match="data_format must be"):
        img_to_array(np.zeros((1, 2, 3)), "NHWC")


def test_a_picture_is_written_and_read(tmp_path):
    save_img(tmp_path / "a.png", RGB, scale=False)
    for path in (tmp_path / "a.png", str(tmp_path / "a.png"), io.BytesIO((tmp_path / "a.png").read_bytes())):
        np.testing.assert_array_equal(img_to_array(load_img(path)), RGB)
    assert load_img(tmp_path / "a.png", "grayscale").mode == "L" and load_img(tmp_path / "a.png", "rgba").mode == "RGBA"
    with pytest.warns(UserWarning, match="JPEG has no transparency"):
        save_img(tmp_path / "b.jpg", np.resize(RGB, (4, 6, 4)))
    assert load_img(tmp_path / "b.jpg").size == (6, 4)
    save_img(buffer := io.BytesIO(), RGB, file_format="bmp", scale=False)
    np.testing.assert_array_equal(img_to_array(load_img(buffer)), RGB)


def test_a_picture_is_resized_when_it_is_read(tmp_path):
    save_img(tmp_path / "a.png", RGB, scale=False)
    doubled = img_to_array(load_img(tmp_path / "a.png", target_size=(8, 12)))
    np.testing.assert_array_equal(doubled, RGB.repeat(2, 0).repeat(2, 1))
    middle = img_to_array(load_img(tmp_path / "a.png", target_size=(4, 4), keep_aspect_ratio=True))
    np.testing.assert_array_equal(middle, RGB[:, 1:5])
    with pytest.raises(ValueError, match="interpolation must be one of nearest, bilinear"):
        load_img(tmp_path / "a.png", target_size=(2, 2), interpolation="area")
    with pytest.raises(ValueError, match="color_mode must be"):
        load_img(tmp_path / "a.png", color_mode="cmyk")
    with pytest.raises(TypeError, match="expected a path or a binary file"):
        load_img(3)


def test_the_middle_is_cut_out_before_resizing():
    np.testing.assert_array_equal(smart_resize(RGB, (4, 4)), RGB[:, 1:5])
    np.testing.assert_array_equal(smart_resize(RGB[None], (2, 6), "nearest"), RGB[None, 1:3])
    first = smart_resize(RGB.transpose(2, 0, 1), (4, 4), data_format="channels_first")
    np.testing.assert_array_equal(first, RGB[:, 1:5].transpose(2, 0, 1))
    with pytest.raises(TypeError, match="no argument 'fill'"):
        smart_resize(RGB, (4, 4), fill=0)


# ---- folders ----


@pytest.fixture
def folders(tmp_path):
    """Six pictures of cats, four of dogs, each in its own grey, and files that are no pictures."""
    grey = 0
    for name, count in (("cats", 6), ("dogs", 4)):
        (tmp_path / name / "more").mkdir(parents=True)
        for k in range(count):
            grey += 10
            save_img(tmp_path / name / ("more" if k == 0 else "") / f"{k}.png", np.full((4, 6, 3), grey), scale=False)
        (tmp_path / name / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden").mkdir()
    return tmp_path


def greys(dataset):
    return [int(x[0, 0, 0]) for batch in dataset for x in (batch[0] if isinstance(batch, tuple) else batch)]


def test_pictures_have_the_label_of_their_folder(folders, capsys):
    data = image_dataset_from_directory(folders, image_size=(4, 6), batch_size=4, shuffle=False)
    assert capsys.readouterr().out == "Found 10 files belonging to 2 classes.\n"
    x, y = next(iter(data))
    assert x.shape == (4, 4, 6, 3) and x.dtype == np.float32 and y.dtype == np.int32
    assert greys(data) == [20, 30, 40, 50, 60, 10, 80, 90, 100, 70]  # the folder itself before the one in it
    assert np.concatenate([y for _, y in data]).tolist() == [0] * 6 + [1] * 4
    assert data.class_names == ["cats", "dogs"] and len(data.file_paths) == 10 and len(data) == 3


def test_each_pass_has_another_order(folders):
    data = image_dataset_from_directory(folders, image_size=(4, 6), seed=1, verbose=False)
    first, second = greys(data), greys(data)
    assert sorted(first) == sorted(second) == list(range(10, 101, 10)) and first != second
    again = image_dataset_from_directory(folders, image_size=(4, 6), seed=1, verbose=False)
    assert greys(again) == first


@pytest.mark.parametrize("label_mode", ["categorical", "binary"])
def test_labels_in_other_forms(folders, label_mode):
    data = image_dataset_from_directory(folders, label_mode=label_mode, shuffle=False, verbose=False, image_size=4)
    ((x, y),) = data
    assert x.shape == (10, 4, 4, 3) and y.dtype == np.float32
    assert y[-1].tolist() == ([0, 1] if label_mode == "categorical" else [1])


def test_classes_in_an_order_of_ones_own_and_labels_of_ones_own(folders, capsys):
    options = {"shuffle": False, "image_size": (4, 6)}
    dogs = image_dataset_from_directory(folders, class_names=["dogs", "cats"], **options)
    assert dogs.class_names == ["dogs", "cats"] and greys(dogs)[0] == 80
    own = image_dataset_from_directory(folders, labels=[5, 7] * 5, **options)
    assert own.class_names == ["5", "7"] and next(iter(own))[1].tolist() == [5, 7] * 5
    capsys.readouterr()
    alone = image_dataset_from_directory(folders, labels=None, **options)
    assert capsys.readouterr().out == "Found 10 files.\n"
    assert next(iter(alone)).shape == (10, 4, 6, 3) and alone.class_names is None
    unlabelled = image_dataset_from_directory(folders, label_mode=None, **options)
    assert next(iter(unlabelled)).shape == (10, 4, 6, 3)


def test_two_parts_that_share_nothing(folders, capsys):
    options = {"validation_split": 0.3, "seed": 4, "image_size": (4, 6)}
    train = image_dataset_from_directory(folders, subset="training", **options)
    validation = image_dataset_from_directory(folders, subset="validation", **options)
    assert "Using 7 files for training." in capsys.readouterr().out
    assert sorted(greys(train) + greys(validation)) == list(range(10, 101, 10)) and len(greys(validation)) == 3
    both = image_dataset_from_directory(folders, subset="both", **options)
    assert [set(greys(part)) for part in both] == [set(greys(train)), set(greys(validation))]
    assert greys(both[1]) == greys(both[1])  # validation keeps its order


def test_pictures_of_another_shape_are_stretched_cut_or_padded(folders):
    options = {"shuffle": False, "verbose": False, "batch_size": None, "image_size": (4, 4), "color_mode": "grayscale"}
    (stretched, _), *_ = image_dataset_from_directory(folders, **options)
    assert stretched.shape == (4, 4, 1) and stretched.min() == stretched.max() == 20
    (cut, _), *_ = image_dataset_from_directory(folders, crop_to_aspect_ratio=True, **options)
    assert cut.min() == 20
    (padded, _), *_ = image_dataset_from_directory(folders, pad_to_aspect_ratio=True, **options)
    assert padded[:, 0, 0].tolist() == [0, 20, 20, 0]
    (first, _), *_ = image_dataset_from_directory(folders, data_format="channels_first", **options)
    assert first.shape == (1, 4, 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label_mode": "float"}, "label_mode must be"),
        ({"labels": "mine"}, "labels must be"),
        ({"labels": [1, 2]}, "2 labels for the 10 files"),
        ({"labels": None, "class_names": ["cats"]}, "class_names go with"),
        ({"class_names": ["birds"]}, "has no folder 'birds'; there are cats, dogs"),
        ({"class_names": ["cats"], "label_mode": "binary"}, "needs two classes"),
        ({"color_mode": "cmyk"}, "color_mode must be"),
        ({"image_size": (1, 2, 3)}, "image_size must be"),
        ({"interpolation": "linear"}, "interpolation must be one of area"),
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "exclude one another"),
        ({"validation_split": 0.2}, "must be given together"),
        ({"validation_split": 1.2, "subset": "both"}, "must be between 0 and 1"),
        ({"validation_split": 0.2, "subset": "test"}, 'subset must be "training"'),
        ({"validation_split": 0.2, "subset": "both"}, "give a seed"),
        ({"validation_split": 0.01, "subset": "validation", "seed": 1}, "no file of .* is left for validation"),
    ],
)
def test_what_cannot_be_is_refused(folders, options, message):
    with pytest.raises(ValueError, match=message):
        image_dataset_from_directory(folders, **options)


def test_a_folder_without_pictures(tmp_path):
    with pytest.raises(ValueError, match="there is no file in .* that ends in .bmp, .gif, .jpeg, .jpg, .png"):
        image_dataset_from_directory(tmp_path)
