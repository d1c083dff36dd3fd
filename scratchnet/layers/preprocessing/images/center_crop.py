"""The middle of images; of images that are too small, what is there in the right proportions, made larger."""

from scratchnet.checks import check_positive_int
from scratchnet.interpolation import middle
from scratchnet.layers.preprocessing.images.cutting import cut, cut_adjoint
from scratchnet.layers.preprocessing.images.image_layer import ImageLayer
from scratchnet.registry import register


@register("layers")
class CenterCrop(ImageLayer):
    """(N, H, W, C) -> (N, height, width, C).

    Args:
        height, width: of what is cut out.
        data_format: "channels_last" or "channels_first".

    Raises ValueError for sizes that are not positive.
    """

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.height = check_positive_int(self, "height", height)
        self.width = check_positive_int(self, "width", width)

    def image_shape(self, shape):
        return shape[0], self.height, self.width, shape[3]

    def transform(self, x, drawn):
        N, H, W, C = x.shape
        size = (self.height, self.width)
        fits = size[0] <= H and size[1] <= W
        part = ((H - size[0]) // 2, (W - size[1]) // 2, *size) if fits else middle(H, W, size)
        return cut(x, part, size), (part, (H, W))

    def transform_backward(self, dy, drawn, kept):
        return cut_adjoint(dy, *kept)

    transform_segmentation_masks = ImageLayer.transform_images
