"""Parts of images at random places, one place for all images of a batch; the middle outside of training."""

from scratchnet.checks import check_positive_int
from scratchnet.hints import Seed
from scratchnet.interpolation import middle
from scratchnet.layers.preprocessing.images.cutting import cut, cut_adjoint
from scratchnet.layers.preprocessing.images.image_layer import RandomImageLayer
from scratchnet.registry import register


@register("layers")
class RandomCrop(RandomImageLayer):
    """(N, H, W, C) -> (N, height, width, C).

    Args:
        height, width: of what is cut out. Outside of training, and of images that are not larger in both directions, it
            is the largest part in the middle that has these proportions, resized.
        seed: an integer of at least 0 makes the places repeatable by themselves.
        data_format: "channels_last" or "channels_first".

    Raises ValueError for sizes that are not positive.
    """

    def __init__(
        self,
        height: int,
        width: int,
        seed: Seed = None,
        data_format: str | None = None,
        name: str | None = None,
        **kwargs,
    ):
        super().__init__(seed, data_format, name=name, **kwargs)
        self.height = check_positive_int(self, "height", height)
        self.width = check_positive_int(self, "width", width)

    def image_shape(self, shape):
        return shape[0], self.height, self.width, shape[3]

    def draw(self, shape):
        _, H, W, _ = shape
        if H <= self.height or W <= self.width:
            return self.at_rest(shape)
        u = self.random.uniform((1, 2), by_row=False)[0]
        top, left = int(u[0] * (H - self.height + 1)), int(u[1] * (W - self.width + 1))
        return {"part": (top, left, self.height, self.width)}

    def at_rest(self, shape):
        return {"part": middle(*shape[1:3], (self.height, self.width))}

    def transform(self, x, drawn):
        return cut(x, drawn["part"], (self.height, self.width)), x.shape[1:3]

    def transform_backward(self, dy, drawn, image_size):
        return cut_adjoint(dy, drawn["part"], image_size)

    transform_segmentation_masks = RandomImageLayer.transform_images
