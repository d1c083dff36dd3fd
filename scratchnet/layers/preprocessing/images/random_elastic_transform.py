"""Images bent at random, as handwriting is: every pixel is shifted a little, and neighbours alike.

    x = X + alpha (G * n_x)        y = Y + alpha (G * n_y)        n_x, n_y ~ sigma N(0, 1), one for each pixel

G is a bell of width sigma, which makes one smooth field of shifts of the many; alpha says how far they go (Simard,
Steinkraus and Platt, "Best practices for convolutional neural networks applied to visual document analysis", 2003).
Both grow with the size of the image and with a factor f drawn for the batch: alpha = 0.1 f max(H, W) and
sigma = 0.05 f min(H, W). The bell is cut off at three of its whole widths; below a width of 1 there is none, and each
pixel shifts by itself.

The image is linear in the old one, see `scratchnet.layers.preprocessing.images.mapping`; then it is cut off at the
smallest and the largest value. (Keras 3.15 draws rows and columns from one seed: there n_x = n_y, and all pixels move
along the diagonal. Here they are drawn apart, as in the paper.)
"""

import numpy as np

from scratchnet.hints import Any, Seed, Sequence
from scratchnet.layers.preprocessing.images.gaussian import blurred
from scratchnet.layers.preprocessing.images.image_layer import check_range, check_value_range, clipped
from scratchnet.layers.preprocessing.images.mapping import FILL_MODES
from scratchnet.layers.preprocessing.images.random_mapping import RandomMapping
from scratchnet.registry import register


@register("layers")
class RandomElasticTransform(RandomMapping):
    """(N, H, W, C) -> (N, H, W, C), in training.

    Args:
        factor: the probability, itself drawn between two numbers in [0, 1]; one number f stands for (0, f).
        scale: f, drawn between two numbers in [0, 1]; one number stands for (0, scale).
        interpolation: "bilinear" or "nearest".
        fill_mode: what is seen where there is no pixel: "reflect", "wrap", "constant", "nearest" or "mirror".
        fill_value: what is seen with "constant".
        value_range: the smallest and the largest value of a pixel.
        seed: an integer of at least 0 makes the numbers repeatable by themselves.
        data_format: "channels_last" or "channels_first".

    Raises ValueError for invalid factors, modes, ranges and interpolations.
    """

    fill_modes = (*FILL_MODES, "mirror")

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Sequence[float] = (0, 255),
        seed: Seed = None,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(fill_mode, interpolation, fill_value, seed, data_format, **kwargs)
        self.factor = check_range(self, "factor", factor, 0, 1, mirrored=False)
        self.scale = check_range(self, "scale", scale, 0, 1, mirrored=False)
        self.value_range = check_value_range(self, value_range)

    def draw(self, shape):
        if self.factor[1] == 0 or self.scale[1] == 0:
            return None  # the images stay as they are
        N, H, W, _ = shape
        lower, upper = self.scale
        chosen = self.chosen(N, self.factor)
        f = lower + (upper - lower) * self.random.uniform((1, 1), by_row=False)[0, 0]
        return {"apply_transform": chosen, "distortion_factor": f, "noise": self.random.normal((N, H, W, 2))}

    def places(self, drawn, H, W):
        Y, X = np.mgrid[:H, :W]
        alpha, sigma = 0.1 * drawn["distortion_factor"] * max(H, W), 0.05 * drawn["distortion_factor"] * min(H, W)
        size = 6 * int(sigma) + 1
        shifts = alpha * blurred(sigma * drawn["noise"], (size, size), (sigma, sigma))  # (N, H, W, 2)
        shifts = np.where(drawn["apply_transform"][:, None, None, None], shifts, 0)
        return Y + shifts[..., 0], X + shifts[..., 1]

    def transform(self, x, drawn):
        z, sampling = super().transform(x, drawn)
        y, inside = clipped(z, self.value_range)
        return y, (sampling, inside)

    def transform_backward(self, dy, drawn, kept):
        sampling, inside = kept
        return super().transform_backward(dy * inside, drawn, sampling)  # y = clip(z)
