"""Pictures that are changed at random each time they are seen, as old programs do it.

New programs use `image_dataset_from_directory` and layers such as RandomFlip.
"""

import warnings

import numpy as np

from scratchnet.console import say
from scratchnet.preprocessing.image_batches import ImageBatches
from scratchnet.preprocessing.warp import FILL_MODES, affine_matrix, warp
from scratchnet.utils.arrays import to_categorical
from scratchnet.utils.directories import class_folders, files_in
from scratchnet.utils.image_dataset import ENDINGS
from scratchnet.utils.images import img_to_array, load_img


class ImageDataGenerator:
    """Draws changes of pictures; `flow` and `flow_from_directory` give batches of changed pictures.

    Args:
        featurewise_center, featurewise_std_normalization: by the mean and the deviation of all data; `fit` first.
        samplewise_center, samplewise_std_normalization: by those of each picture.
        rotation_range: degrees, to either side.
        width_shift_range, height_shift_range: a share of the side (below 1), pixels, or a list to choose from.
        brightness_range: (least, most) factor.
        shear_range: degrees, to either side.
        zoom_range: (least, most) share that is seen, or z for (1 - z, 1 + z); drawn for each side.
        channel_shift_range: what is added to a channel at most.
        fill_mode: "nearest", "reflect", "wrap", or "constant" for `cval`: what stands beyond the borders.
        horizontal_flip, vertical_flip: whether pictures are mirrored, one in two.
        rescale: factor for all values, in the end.
        preprocessing_function: called with each changed picture.
        validation_split: the share that ``flow(subset="validation")`` gives.
        zca_whitening, data_format, interpolation_order: Keras's; only their defaults.
    """

    def __init__(
        self,
        featurewise_center=False,
        samplewise_center=False,
        featurewise_std_normalization=False,
        samplewise_std_normalization=False,
        zca_whitening=False,
        zca_epsilon=1e-6,
        rotation_range=0,
        width_shift_range=0.0,
        height_shift_range=0.0,
        brightness_range=None,
        shear_range=0.0,
        zoom_range=0.0,
        channel_shift_range=0.0,
        fill_mode="nearest",
        cval=0.0,
        horizontal_flip=False,
        vertical_flip=False,
        rescale=None,
        preprocessing_function=None,
        data_format=None,
        validation_split=0.0,
        interpolation_order=1,
        dtype=None,
    ):
        for name, value, only in (
            ("zca_whitening", zca_whitening, (False,)),
            ("data_format", data_format, (None, "channels_last")),
            ("interpolation_order", interpolation_order, (1,)),
        ):
            if value not in only:
                raise ValueError(f"ImageDataGenerator: Keras's {name}={value!r} is not implemented in scratchnet")
        if fill_mode not in FILL_MODES:
            raise ValueError(f"ImageDataGenerator: fill_mode must be one of {', '.join(FILL_MODES)}, got {fill_mode!r}")
        if not 0 <= validation_split < 1:
            raise ValueError(f"ImageDataGenerator: validation_split must be in [0, 1), got {validation_split!r}")
        self.featurewise_center, self.featurewise_std_normalization = featurewise_center, featurewise_std_normalization
        self.samplewise_center, self.samplewise_std_normalization = samplewise_center, samplewise_std_normalization
        self.rotation_range, self.shear_range = rotation_range, shear_range
        self.width_shift_range, self.height_shift_range = width_shift_range, height_shift_range
        self.zoom_range = (1 - zoom_range, 1 + zoom_range) if np.isscalar(zoom_range) else tuple(zoom_range)
        self.brightness_range, self.channel_shift_range = brightness_range, channel_shift_range
        self.fill_mode, self.cval = fill_mode, cval
        self.horizontal_flip, self.vertical_flip = horizontal_flip, vertical_flip
        self.rescale, self.preprocessing_function = rescale, preprocessing_function
        self.validation_split = validation_split
        self.dtype = dtype or "float32"
        self.mean = self.std = None

    def fit(self, x, augment=False, rounds=1, seed=None):
        """Take mean and deviation from pictures (N, H, W, C); with `augment` from `rounds` changed ones of each."""
        x = np.asarray(x, self.dtype)
        if augment:
            rng = np.random if seed is None else np.random.RandomState(seed)
            x = np.stack([self.random_transform(picture, rng) for _ in range(rounds) for picture in x])
        self.mean = x.mean(axis=(0, 1, 2))
        self.std = x.std(axis=(0, 1, 2))

    def flow(
        self,
        x,
        y=None,
        batch_size=32,
        shuffle=True,
        sample_weight=None,
        seed=None,
        save_to_dir=None,
        save_prefix="",
        save_format="png",
        ignore_class_split=False,
        subset=None,
    ):
        """The `ImageBatches` of pictures (N, H, W, C) and what belongs to them. `save_to_dir`: only None."""
        if save_to_dir is not None:
            raise ValueError("ImageDataGenerator.flow: Keras's save_to_dir is not implemented in scratchnet")
        x = np.asarray(x, self.dtype)
        if x.ndim != 4:
            raise ValueError(f"ImageDataGenerator.flow: expected pictures (N, H, W, C), got shape {x.shape}")
        rows = self._part(np.arange(len(x)), subset)
        parts = [None if part is None else np.asarray(part)[rows] for part in (y, sample_weight)]
        return ImageBatches(self, x[rows].__getitem__, len(rows), parts, batch_size, shuffle, seed)

    def flow_from_directory(
        self,
        directory,
        target_size=(256, 256),
        color_mode="rgb",
        classes=None,
        class_mode="categorical",
        batch_size=32,
        shuffle=True,
        seed=None,
        save_to_dir=None,
        save_prefix="",
        save_format="png",
        follow_links=False,
        subset=None,
        interpolation="nearest",
        keep_aspect_ratio=False,
    ):
        """The `ImageBatches` of the pictures in a folder with a folder for each class.

        Args:
            classes: the folders that count, in the order of their labels; by default all, by name.
            class_mode: "categorical" (one-hot), "binary", "sparse", "input" (the pictures themselves), or None.

        `save_to_dir`: only None. The other arguments are those of `load_img`.
        """
        owner = "ImageDataGenerator.flow_from_directory"
        if save_to_dir is not None:
            raise ValueError(f"{owner}: Keras's save_to_dir is not implemented in scratchnet")
        if class_mode not in ("categorical", "binary", "sparse", "input", None):
            raise ValueError(f'{owner}: class_mode must be "categorical", "binary", "sparse", "input" or None')
        names = class_folders(owner, directory, classes)
        found = [list(files_in(f"{directory}/{name}", ENDINGS, follow_links)) for name in names]
        kept = [self._part(np.array(paths, dtype=object), subset) for paths in found]
        paths = [str(path) for part in kept for path in part]
        labels = np.repeat(np.arange(len(names)), [len(part) for part in kept])
        if not paths:
            raise ValueError(f"{owner}: there are no pictures in the folders of {directory}")
        say(f"Found {len(paths)} images belonging to {len(names)} classes.")

        def picture(k):
            img = load_img(paths[k], color_mode, target_size, interpolation, keep_aspect_ratio)
            return img_to_array(img, dtype=self.dtype)

        y = {"categorical": lambda: to_categorical(labels, len(names)), "binary": lambda: labels.astype("float32")}
        y = y.get(class_mode, lambda: labels if class_mode == "sparse" else None)()
        batches = ImageBatches(self, picture, len(paths), (y, None), batch_size, shuffle, seed, class_mode == "input")
        batches.class_indices = {name: number for number, name in enumerate(names)}
        batches.classes, batches.filenames, batches.filepaths = labels, paths, paths
        batches.num_classes, batches.image_shape = len(names), picture(0).shape
        return batches

    def _part(self, items, subset):
        """Those of the items that belong to the subset; the first are for validation."""
        if subset not in (None, "training", "validation"):
            raise ValueError(f'ImageDataGenerator: subset must be "training" or "validation", got {subset!r}')
        border = int(self.validation_split * len(items))
        return {None: items, "validation": items[:border], "training": items[border:]}[subset]

    # ---- one picture ----

    def get_random_transform(self, img_shape, seed=None):
        """A dict that says how a picture of that shape (H, W, C) is to be changed."""
        rng = np.random if seed is None else seed if hasattr(seed, "uniform") else np.random.RandomState(seed)
        either = lambda limit: rng.uniform(-limit, limit) if limit else 0.0
        zooms = (1.0, 1.0) if self.zoom_range == (1, 1) else rng.uniform(*self.zoom_range, 2)
        return {
            "theta": either(self.rotation_range),
            "tx": _shift(rng, self.width_shift_range, img_shape[1]),
            "ty": _shift(rng, self.height_shift_range, img_shape[0]),
            "shear": either(self.shear_range),
            "zx": zooms[0],
            "zy": zooms[1],
            "flip_horizontal": self.horizontal_flip and rng.uniform() < 0.5,
            "flip_vertical": self.vertical_flip and rng.uniform() < 0.5,
            "channel_shift_intensity": either(self.channel_shift_range) or None,
            "brightness": rng.uniform(*self.brightness_range) if self.brightness_range is not None else None,
        }

    def apply_transform(self, x, transform_parameters):
        """The picture changed as the dict says; what it leaves out stays. tx moves columns, ty rows."""
        wanted = dict(transform_parameters)
        geometry = {key: wanted[key] for key in ("theta", "tx", "ty", "shear", "zx", "zy") if key in wanted}
        if any(value != (1 if key in ("zx", "zy") else 0) for key, value in geometry.items()):
            x = warp(x, affine_matrix(**geometry), self.fill_mode, self.cval)
        if wanted.get("channel_shift_intensity") is not None:
            x = np.clip(x + x.dtype.type(wanted["channel_shift_intensity"]), x.min(), x.max())
        if wanted.get("flip_horizontal"):
            x = x[:, ::-1]
        if wanted.get("flip_vertical"):
            x = x[::-1]
        if wanted.get("brightness") is not None:
            x = np.clip(x * x.dtype.type(wanted["brightness"]), 0, 255)
        return x

    def random_transform(self, x, seed=None):
        """The picture (H, W, C) changed at random."""
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    def standardize(self, x):
        """The picture after `preprocessing_function` and `rescale`, less its mean, and divided by its deviation."""
        if self.preprocessing_function is not None:
            x = self.preprocessing_function(x)
        x = np.array(x, self.dtype)
        if self.rescale is not None:
            x *= self.rescale
        if self.samplewise_center:
            x -= x.mean()
        if self.samplewise_std_normalization:
            x /= x.std() + 1e-6
        if (self.featurewise_center or self.featurewise_std_normalization) and self.mean is None:
            warnings.warn("ImageDataGenerator: call fit(x) first, lest the data are not centred", stacklevel=2)
            return x
        if self.featurewise_center:
            x -= self.mean
        if self.featurewise_std_normalization:
            x /= self.std + 1e-6
        return x


def _shift(rng, wanted, size):
    """Pixels: a share of the side, at most so many pixels, or one of a list, to either side."""
    if not np.isscalar(wanted):
        return rng.choice(wanted) * rng.choice([-1, 1]) * (size if max(wanted) < 1 else 1)
    if not wanted:
        return 0.0
    if isinstance(wanted, int):
        return float(rng.randint(-wanted + 1, wanted)) if wanted > 1 else 0.0
    return rng.uniform(-wanted, wanted) * (size if wanted < 1 else 1)
