"""What layers that prepare images share: their shapes, single images, and random changes in training alone.

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


class ImageLayer(Layer):
    """Base of layers for images (N, H, W, C), and for one image (H, W, C) where the layer is called by hand.

    Args:
        data_format: "channels_last".
    """

    absent = {"bounding_box_format": (None,)}

    def __init__(self, data_format: str | None = None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = check_data_format(self, data_format)

    def __call__(self, inputs, training=None, **options):
        """As every layer; one image gives one image."""
        if is_symbolic(inputs) or np.ndim(inputs) != 3:
            return super().__call__(inputs, training, **options)
        return super().__call__(np.asarray(inputs)[None], training, **options)[0]

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "NHWC")
        return input_shape


class RandomImageCache(NamedTuple):
    drawn: dict  # the random numbers, by name
    kept: Any  # what transform_backward must remember


class RandomImageLayer(RandomLayer, ImageLayer):
    """Base of layers that change images at random. A subclass defines `draw`, `transform` and `transform_backward`.

    Args:
        seed: an integer of at least 0 makes the numbers repeatable by themselves; None takes the library's seed.
        data_format: "channels_last".

    Where the layer, or a model that it is part of, is called without saying whether this is training, it is: so
    ``augmentation(images)`` shows what a model would see. `fit` says that it is, `evaluate` and `predict` that it is
    not.
    """

    supports_masking = False

    def __init__(self, seed: Seed = None, data_format: str | None = None, **kwargs):
        super().__init__(seed, data_format=data_format, **kwargs)

    def draw(self, shape):
        """A dict of random numbers for images of `shape` (N, H, W, C): arrays with a row for each image."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it draws")

    def at_rest(self, shape):
        """What is taken in place of random numbers outside of training; None: the images stay as they are."""
        return None

    def transform(self, x, drawn):
        """``(y, kept)``."""
        raise NotImplementedError(f"{type(self).__name__} defines no transform")

    def transform_backward(self, dy, drawn, kept):
        """dx."""
        raise NotImplementedError(f"{type(self).__name__} defines no transform_backward")

    def forward(self, x, training=False):
        self.unpack(x, "NHWC")
        drawn = self.draw(x.shape) if training or training is None else self.at_rest(x.shape)
        if drawn is None:
            return x, None
        y, kept = self.transform(x, drawn)
        return y, RandomImageCache(drawn, kept)

    def backward(self, dy, cache, needs_dx=True):
        if not needs_dx:
            return None, {}
        return (dy if cache is None else self.transform_backward(dy, *cache)), {}

    def uniform(self, N, lower, upper, count=1):
        """`count` numbers between `lower` and `upper` for each of N images: (N, count)."""
        return lower + (upper - lower) * self.random.uniform((N, count))

    def chosen(self, N, factor):
        """Which of N images are chosen, each with a probability that is itself drawn between two numbers: (N,)."""
        lower, upper = factor
        u = self.random.uniform((N, 2))
        return u[:, 1] < lower + (upper - lower) * u[:, 0]

    def check_colours(self, shape, channels=(1, 3)):
        """`shape`, if it is of images with so many channels; raises ValueError if it is not."""
        self.check_shape(shape, "NHWC")
        if shape[3] not in channels:
            raise self.error(f"expected images of {' or '.join(map(str, channels))} channels, got {shape}")
        return shape

    # Keras's names

    def get_random_transformation(self, data, training=True, seed=None):
        """`draw` for images `data`; None outside of training."""
        return self.draw(np.shape(data)) if training else None

    def transform_images(self, images, transformation, training=True):
        """`transform` with what has been drawn before."""
        x = self._as_input(images)
        return self.transform(x, transformation)[0] if training else x


def check_range(layer, argument, value, lowest, highest, above=False, mirrored=True):
    """``(lower, upper)`` of a factor that is drawn between two numbers.

    One number f stands for (-f, f), or, unless `mirrored`, for what of that lies within the bounds. Raises ValueError
    for what is out of the bounds `lowest` (or equal to it, with `above`) to `highest`.
    """
    pair = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    numbers = all(isinstance(v, (int, float, np.number)) and not isinstance(v, bool) for v in pair)
    if not numbers or len(pair) > 2 or any(not lowest <= v <= highest or (above and v == lowest) for v in pair):
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
