"""Images with less colour at random: between the image and its grey version.

y = clip((1 - f) x + f grey)        grey = 0.2989 red + 0.587 green + 0.114 blue
"""

from scratchnet.hints import Any, Seed, Sequence
from scratchnet.layers.preprocessing.images.grey import grey, grey_backward
from scratchnet.layers.preprocessing.images.image_layer import (
    RandomImageLayer,
    check_colours,
    check_range,
    check_value_range,
    clipped,
)
from scratchnet.registry import register


@register("layers")
class RandomColorDegeneration(RandomImageLayer):
    """(N, H, W, 3) -> (N, H, W, 3), in training.

    Args:
        factor: f: two numbers in [-1, 1], or one for both signs. 0 leaves the image, 1 makes it grey.
        value_range: the smallest and the largest value of a pixel.
        data_format: "channels_last" or "channels_first".
        seed: an integer of at least 0 makes the numbers repeatable by themselves.

    Raises ValueError for an invalid factor or range, and for images of other than 3 channels, or 1.
    """

    def __init__(
        self,
        factor: Any,
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: Seed = None,
        **kwargs,
    ):
        super().__init__(seed, data_format, **kwargs)
        self.factor = check_range(self, "factor", factor, -1, 1)
        self.value_range = check_value_range(self, value_range)

    def image_shape(self, shape):
        return check_colours(self, shape)

    def draw(self, shape):
        return {"factor": self.uniform(shape[0], *self.factor).reshape(-1, 1, 1, 1)}

    def transform(self, x, drawn):
        f = drawn["factor"].astype(x.dtype)
        return clipped(x + f * (grey(x) - x), self.value_range)

    def transform_backward(self, dy, drawn, inside):
        f = drawn["factor"].astype(dy.dtype)
        dz = dy * inside  # y = clip(z)
        return (1 - f) * dz + grey_backward(f * dz)
