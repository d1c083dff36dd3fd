"""Dropout: in training, each number is left out with probability p, so that none can be relied on alone.

    y = x * mask / (1 - p),   mask = [u >= p] for uniform u            dx = dy * mask / (1 - p)

The factor keeps the expected value, so that outside of training nothing has to be done ("inverted" dropout; Srivastava
et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scratchnet.checks import check_data_format, check_number
from scratchnet.hints import Seed
from scratchnet.kernels.by_channels import times
from scratchnet.layers.base import Layer
from scratchnet.registry import register
from scratchnet.streams import RandomStream, factor_of_kept


class DropoutCache(NamedTuple):
    scaled_mask: np.ndarray | None  # 0 or 1 / (1 - p), broadcasting against x; None where nothing was dropped


class RandomLayer(Layer):
    """Base of the layers that draw random numbers at every step of training.

    Args:
        seed: an integer of at least 0 makes the numbers repeatable by themselves; None takes the library's seed.
    """

    supports_masking = True

    def __init__(self, seed: Seed = None, **kwargs):
        super().__init__(**kwargs)
        self.random = RandomStream(seed)
        self.seed = None if seed is None else self.random.seed

    def random_streams(self):
        return {"random": self.random}


@register("layers")
class Dropout(RandomLayer):
    """Any shape.

    Args:
        rate: p, in [0, 1]; of 1, nothing is left.
        noise_shape: the shape of the mask, where one number decides for several: 1 along the axes of these, None for
            the size of x. (None, 1, None) drops whole features of a sequence.
        seed: an integer of at least 0 makes the masks repeatable by themselves; None takes the library's seed.

    Raises ValueError for an invalid rate, shape or seed.
    """

    def __init__(self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: Seed = None, **kwargs):
        super().__init__(seed, **kwargs)
        self.rate = check_number(self, "rate", rate, at_most=1)
        self.noise_shape = noise_shape
        if noise_shape is not None:
            is_shape = isinstance(noise_shape, (list, tuple))
            if not is_shape or any(n is not None and (type(n) is not int or n < 1) for n in noise_shape):
                raise self.error(f"noise_shape must be positive integers or None, in a tuple, got {noise_shape!r}")
            self.noise_shape = tuple(noise_shape)

    def forward(self, x, training=False):
        if not training or self.rate == 0:
            return x, DropoutCache(None)
        shape, factor = self._mask_shape(x.shape), x.dtype.type(factor_of_kept(self.rate))
        scaled_mask = self.random.mask(shape, self.rate, factor, by_row=not self._is_shared)
        return times(x, scaled_mask), DropoutCache(scaled_mask)

    def backward(self, dy, cache, needs_dx=True):
        return dy if cache.scaled_mask is None else times(dy, cache.scaled_mask), {}

    @property
    def _is_shared(self):
        """Whether one mask serves all samples."""
        return self.noise_shape is not None and self.noise_shape[0] == 1

    def _mask_shape(self, shape):
        if self.noise_shape is None:
            return shape
        fits = len(self.noise_shape) == len(shape) and all(
            want in (None, 1, have) for want, have in zip(self.noise_shape[1:], shape[1:])
        )
        if not fits:
            raise self.error(f"noise_shape {self.noise_shape} does not match an input of shape {shape}")
        rows = (1,) if self._is_shared else shape[:1]
        return (*rows, *(have if want is None else want for want, have in zip(self.noise_shape[1:], shape[1:])))


class _SpatialDropout(Dropout):
    """Base of dropout that leaves out whole feature maps: numbers beside one another carry the same information."""

    letters = None
    data_format = "channels_last"
    unrecorded = (*Dropout.unrecorded, "noise_shape")  # always that of whole maps

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, self.letters)
        return input_shape

    def _mask_shape(self, shape):
        self.check_shape(shape, self.letters)
        N, *space, C = shape
        if self.data_format == "channels_first":
            C, *space = shape[1:]
            return N, C, *[1] * len(space)
        return N, *[1] * len(space), C


@register("layers")
class SpatialDropout1D(_SpatialDropout):
    """(N, T, C): each sample loses whole features, for all its steps (Tompson et al. 2015).

    Args:
        rate: the probability, in [0, 1].
        seed: as of `Dropout`.
    """

    letters = "NTC"

    def __init__(self, rate: float, seed: Seed = None, name: str | None = None, dtype: str | None = None, **kwargs):
        super().__init__(rate, None, seed, name=name, dtype=dtype, **kwargs)


class _SpatialDropoutOfMaps(_SpatialDropout):
    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: Seed = None,
        name: str | None = None,
        dtype: str | None = None,
        **kwargs,
    ):
        super().__init__(rate, None, seed, name=name, dtype=dtype, **kwargs)
        self.data_format = check_data_format(self, data_format)


@register("layers")
class SpatialDropout2D(_SpatialDropoutOfMaps):
    """(N, H, W, C): each sample loses whole channels (Tompson et al. 2015). Arguments as `SpatialDropout1D`."""

    letters = "NHWC"


@register("layers")
class SpatialDropout3D(_SpatialDropoutOfMaps):
    """(N, D, H, W, C): each sample loses whole channels (Tompson et al. 2015). Arguments as `SpatialDropout1D`."""

    letters = "NDHWC"
