"""Pictures in folders as batches."""

import numpy as np

from scratchnet.interpolation import INTERPOLATIONS, resize
from scratchnet.utils.directories import dataset_of_files
from scratchnet.utils.images import img_to_array, is_channels_first, load_img, smart_resize

ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


def image_dataset_from_directory(
    directory,
    labels="inferred",
    label_mode="int",
    class_names=None,
    color_mode="rgb",
    batch_size=32,
    image_size=(256, 256),
    shuffle=True,
    seed=None,
    validation_split=None,
    subset=None,
    interpolation="bilinear",
    follow_links=False,
    crop_to_aspect_ratio=False,
    pad_to_aspect_ratio=False,
    data_format=None,
    format="tf",
    verbose=True,
):
    """A `Dataset` of batches of pictures (N, H, W, C), float32 in [0, 255], and their labels.

    Args:
        directory: a folder with a folder for each class.
        labels: "inferred" from the folders, None for pictures alone, or a list with one for each file in the order of
            their paths.
        label_mode: "int" (N,), "categorical" (N, classes), "binary" (N, 1) floats, or None for pictures alone.
        class_names: the folders that count, in the order of their labels; by default all, by name.
        color_mode: "rgb", "rgba" or "grayscale".
        batch_size: None gives the pictures one by one.
        image_size: (height, width) that all are resized to.
        shuffle: whether the pictures come in another order, a new one in each pass; False: sorted.
        seed: of the order.
        validation_split: the share of the files for validation.
        subset: "training", "validation", or "both" for a list of two data sets.
        interpolation: one of `scratchnet.interpolation.INTERPOLATIONS`.
        follow_links: whether links to folders are followed.
        crop_to_aspect_ratio: whether the middle of the right shape is cut out first, so that nothing is stretched.
        pad_to_aspect_ratio: whether black borders are added instead.
        data_format: "channels_first" gives (N, C, H, W).
        format: taken as Keras's; what comes out are NumPy's arrays.
        verbose: whether it says how many files there are.

    A file is read when its batch is asked for. The data sets have the attributes `class_names` and `file_paths`.
    Raises ValueError where arguments or files do not fit.
    """
    owner = "image_dataset_from_directory"
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError(f"{owner}: crop_to_aspect_ratio and pad_to_aspect_ratio exclude one another")
    if color_mode not in ("rgb", "rgba", "grayscale"):
        raise ValueError(f'{owner}: color_mode must be "rgb", "rgba" or "grayscale", got {color_mode!r}')
    size = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    if len(size) != 2:
        raise ValueError(f"{owner}: image_size must be (height, width), got {image_size!r}")
    interpolation = interpolation.lower()
    if interpolation not in INTERPOLATIONS:
        raise ValueError(f"{owner}: interpolation must be one of {', '.join(INTERPOLATIONS)}, got {interpolation!r}")
    channels_first = is_channels_first(data_format)

    def picture(path):
        x = img_to_array(load_img(path, color_mode), dtype="float32")
        if crop_to_aspect_ratio:
            x = smart_resize(x, size, interpolation)
        elif pad_to_aspect_ratio:
            x = _padded(x, size, interpolation)
        elif x.shape[:2] != size:
            x = resize(x, size, interpolation)
        return x.transpose(2, 0, 1) if channels_first else x

    return dataset_of_files(
        owner,
        picture,
        ENDINGS,
        directory,
        labels,
        label_mode,
        class_names,
        batch_size,
        shuffle,
        seed,
        validation_split,
        subset,
        follow_links,
        verbose,
    )


def _padded(x, size, interpolation):
    """A picture resized until it touches two borders, in the middle of black."""
    H, W, C = x.shape
    ratio = max(H / size[0], W / size[1])
    h, w = min(int(H / ratio), size[0]), min(int(W / ratio), size[1])
    y = np.zeros((*size, C), x.dtype)
    top, left = (size[0] - h) // 2, (size[1] - w) // 2
    y[top : top + h, left : left + w] = resize(x, (h, w), interpolation)
    return y
