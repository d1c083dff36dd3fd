"""What layers that prepare images share: shapes, single images, and random changes in training alone.

A random layer draws, for each image of the batch, a few numbers (an angle, a factor), and then changes the image by
them. Both steps have a name of their own, so that the second can be looked at without the first:

    drawn = layer.draw(x.shape)              y, kept = layer.transform(x, drawn)

An image draws the same whatever part of the batch it is computed in. Outside of training nothing happens. Backwards
`transform_backward` goes: all layers here are linear in x, or linear piece by piece.
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet.checks import check_data_format
from scratchnet.graph.symbolic import is_symbolic
from scratchnet.hints import Seed
from scratchnet.layers.base import Layer
from scratchnet.layers.regularization.dropout import RandomLayer


class ImageCache(NamedTuple):
    ndim: int  # of x: 3 for one image
    drawn: Any  # the random numbers, by name; None where the images stay as they are
    kept: Any  # what transform_backward must remember


class ImageLayer(Layer):
    """Base of layers for images. A subclass defines `transform` and `transform_backward` for x (N, H, W, C).

    Args:
        data_format: "channels_last"; "channels_first" for images (N, C, H, W).

    One image (H, W, C) gives one image. Called by hand on a dict with "images", the layer changes these and what goes
    with them, "labels" and "segmentation_masks", as far as it concerns them.
    """

    absent = {"bounding_box_format": (None,)}

    def __init__(self, data_format: str | None = None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = check_data_format(self, data_format)

    # ---- what a layer defines ----

    def image_shape(self, shape):
        """What becomes of the shape (N, H, W, C)."""
        return shape

    def draw(self, shape):
        """A dict of random numbers for images of `shape` (N, H, W, C): arrays with a row for each image."""
        return {}

    def at_rest(self, shape):
        """What is taken in place of random numbers outside of training; None: the images stay as they are."""
        return {}

    def transform(self, x, drawn):
        """``(y, kept)``."""
        raise NotImplementedError(f"{type(self).__name__} defines no transform")

    def transform_backward(self, dy, drawn, kept):
        """dx."""
        raise NotImplementedError(f"{type(self).__name__} defines no transform_backward")

    # ---- shapes ----

    def compute_output_shape(self, input_shape):
        letters = "NHWC" if self.data_format == "channels_last" else "NCHW"
        single = isinstance(input_shape, tuple) and len(input_shape) == 3
        self.check_shape(input_shape, letters[1:] if single else letters)
        shape = (1, *input_shape) if single else input_shape
        if self.data_format == "channels_first":
            N, C, H, W = shape
            N, H, W, C = self.image_shape((N, H, W, C))
            shape = N, C, H, W
        else:
            shape = self.image_shape(shape)
        return shape[1:] if single else shape

    def _as_batch(self, x):
        """Images, or one, as (N, H, W, C)."""
        x = x[None] if x.ndim == 3 else x
        return x if self.data_format == "channels_last" else x.transpose(0, 2, 3, 1)

    def _as_given(self, y, ndim):
        """Undo `_as_batch`."""
        y = y if self.data_format == "channels_last" else y.transpose(0, 3, 1, 2)
        return y[0] if ndim == 3 else y

    # ---- forward and backward ----

    def forward(self, x, training=None):
        self.compute_output_shape(x.shape)
        images = self._as_batch(x)
        drawn = self._drawn(images.shape, training)
        if drawn is None:
            return x, ImageCache(x.ndim, None, None)
        y, kept = self.transform(images, drawn)
        return self._as_given(y, x.ndim), ImageCache(x.ndim, drawn, kept)

    def backward(self, dy, cache, needs_dx=True):
        if not needs_dx:
            return None, {}
        if cache.drawn is None:
            return dy, {}
        return self._as_given(self.transform_backward(self._as_batch(dy), cache.drawn, cache.kept), cache.ndim), {}

    def _drawn(self, shape, training):
        return self.draw(shape) if training or training is None else self.at_rest(shape)

    # ---- Keras's names, and what goes with images ----

    def get_random_transformation(self, data, training=True, seed=None):
        """`draw` for images `data`; None outside of training."""
        shape = self._as_batch(np.asarray(data["images"] if isinstance(data, dict) else data)).shape
        return self._drawn(shape, training) if training else None

    def transform_images(self, images, transformation, training=True):
        """`transform` with what has been drawn before."""
        x = self._as_input(images)
        if transformation is None or not training:
            return x
        return self._as_given(self.transform(self._as_batch(x), transformation)[0], x.ndim)

    def transform_labels(self, labels, transformation, training=True):
        """The labels: what is seen stays what it is."""
        return labels

    def transform_segmentation_masks(self, segmentation_masks, transformation, training=True):
        """What each pixel belongs to: as the images, where pixels change places."""
        return segmentation_masks

    def __call__(self, inputs, training=None, **options):
        """As every layer, or on a dict with "images"."""
        if not isinstance(inputs, dict) or is_symbolic(inputs):
            return super().__call__(inputs, training, **options)
        unknown = inputs.keys() - {"images", "labels", "segmentation_masks"}
        if unknown or "images" not in inputs:
            raise self.error(
                f'a dict must hold "images", and may hold "labels" and "segmentation_masks", not {unknown}'
            )
        found, x = dict(inputs), self._as_input(inputs["images"])
        self.compute_output_shape(x.shape)
        drawn = self._drawn(self._as_batch(x).shape, training)
        if drawn is not None:
            found["images"] = self.transform_images(x, drawn)
            if "labels" in found:
                found["labels"] = self.transform_labels(np.asarray(found["labels"]), drawn)
            if "segmentation_masks" in found:
                masks = np.asarray(found["segmentation_masks"])
                found["segmentation_masks"] = self.transform_segmentation_masks(masks, drawn)
        return found


class RandomImageLayer(RandomLayer, ImageLayer):
    """Base of layers that change images at random; a subclass defines `draw`, too.

    Args:
        seed: an integer of at least 0 makes the numbers repeatable by themselves; None takes the library's seed.
        data_format: as of `ImageLayer`.

    Where the layer, or a model that it is part of, is called without saying whether this is training, it is: so
    ``augmentation(images)`` shows what a model would see. `fit` says that it is, `evaluate` and `predict` that it is
    not.
    """

    supports_masking = False

    def __init__(self, seed: Seed = None, data_format: str | None = None, **kwargs):
        super().__init__(seed, data_format=data_format, **kwargs)

    def draw(self, shape):
        raise NotImplementedError(f"{type(self).__name__} does not say what it draws")

    def at_rest(self, shape):
        return None

    def uniform(self, N, lower, upper, count=1):
        """`count` numbers between `lower` and `upper` for each of N images: (N, count)."""
        return lower + (upper - lower) * self.random.uniform((N, count))

    def chosen(self, N, factor):
        """Which of N images are chosen, each with a probability that is itself drawn between two numbers: (N,)."""
        lower, upper = factor
        u = self.random.uniform((N, 2))
        return u[:, 1] < lower + (upper - lower) * u[:, 0]


def check_range(layer, argument, value, lowest, highest, above=False, mirrored=True):
    """``(lower, upper)`` of a factor that is drawn between two numbers.

    One number f stands for (-f, f), or, unless `mirrored`, for what of that lies within the bounds. Raises ValueError
    for what is out of the bounds `lowest` (or equal to it, with `above`) to `highest`.
    """
    pair = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    numbers = all(isinstance(v, (int, float, np.number)) and not isinstance(v, bool) for v in pair)
    if (
        not numbers
        or len(pair) not in (1, 2)
        or any(not lowest <= v <= highest or (above and v == lowest) for v in pair)
    ):
        bounds = f"{'(' if above else '['}{lowest}, {highest}]"
        raise layer.error(f"{argument} must be a number, or two, in {bounds}, got {value!r}")
    if len(pair) == 2:
        return float(min(pair)), float(max(pair))
    size = abs(float(pair[0]))
    return (-size if mirrored else max(-size, float(lowest))), size


def clipped(z, value_range):
    """z cut off at the smallest and the largest value, and where it is not."""
    low, high = (z.dtype.type(value) for value in value_range)
    return np.clip(z, low, high), (z >= low) & (z <= high)


def check_value_range(layer, value):
    """The smallest and the largest value of a pixel."""
    if not isinstance(value, (tuple, list)) or len(value) != 2 or not value[0] < value[1]:
        raise layer.error(f"value_range must be two numbers, the smaller first, got {value!r}")
    return tuple(value)


def check_colours(layer, shape, channels=(1, 3)):
    """`shape`, if it is of images with so many channels; raises ValueError if it is not."""
    if shape[3] not in channels:
        raise layer.error(f"expected images of {' or '.join(map(str, channels))} channels, got {shape}")
    return shape
