"""Some images, chosen at random, blurred: y = clip(z), z the image smoothed by a bell of random width.

The smoothing, and why it is its own adjoint, stand in `scratchnet.layers.preprocessing.images.gaussian`.
"""

import numpy as np

from scratchnet.hints import Any, IntOrInts, Seed, Sequence
from scratchnet.layers.preprocessing.images.gaussian import blurred
from scratchnet.layers.preprocessing.images.image_layer import (
    RandomImageLayer,
    check_range,
    check_value_range,
    clipped,
)
from scratchnet.registry import register


@register("layers")
class RandomGaussianBlur(RandomImageLayer):
    """(N, H, W, C) -> (N, H, W, C), in training.

    Args:
        factor: the probability, itself drawn between two numbers in [0, 1]; one number f stands for (0, f).
        kernel_size: how many pixels the mean is over, an odd number, or two for height and width.
        sigma: the width of the bell, drawn for all images of a batch between two numbers in [0, 1], once for the height
            and once for the width; one number f stands for (0, f).
        value_range: the smallest and the largest value of a pixel.
        data_format: "channels_last" or "channels_first".
        seed: an integer of at least 0 makes the numbers repeatable by themselves.

    Raises ValueError for an invalid factor, range or size.
    """

    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: IntOrInts = 3,
        sigma: Any = 1.0,
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: Seed = None,
        **kwargs,
    ):
        super().__init__(seed, data_format, **kwargs)
        self.factor = check_range(self, "factor", factor, 0, 1, mirrored=False)
        sizes = tuple(kernel_size) if isinstance(kernel_size, (tuple, list)) else (kernel_size, kernel_size)
        if len(sizes) != 2 or any(not isinstance(n, int) or n < 1 or n % 2 == 0 for n in sizes):
            raise self.error(f"kernel_size must be an odd number, or two, got {kernel_size!r}")
        self.kernel_size = sizes
        self.sigma = check_range(self, "sigma", sigma, 0, 1, mirrored=False)
        self.value_range = check_value_range(self, value_range)

    def draw(self, shape):
        chosen = self.chosen(shape[0], self.factor)
        lower, upper = self.sigma
        sigmas = lower + (upper - lower) * self.random.uniform((1, 2), by_row=False)[0] + 1e-6  # width, height
        return {"should_apply_blur": chosen, "blur_factor": sigmas}

    def transform(self, x, drawn):
        chosen = drawn["should_apply_blur"][:, None, None, None]
        return clipped(np.where(chosen, self._blurred(x, drawn), x), self.value_range)

    def transform_backward(self, dy, drawn, inside):
        chosen = drawn["should_apply_blur"][:, None, None, None]
        dz = dy * inside  # y = clip(z)
        return np.where(chosen, self._blurred(dz, drawn), dz)  # its own adjoint

    def _blurred(self, x, drawn):
        width, height = drawn["blur_factor"]
        return blurred(x, self.kernel_size, (height, width))
