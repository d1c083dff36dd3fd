"""Each channel with all shades used alike: a pixel becomes the share of the pixels that are as dark as it, or darker.

    y = 255 (cdf[k] - cdf_0) / (cdf_last - cdf_0), rounded        k the bin of x, cdf the running sum of the histogram

on a scale from 0 to 255, cdf_0 being the number of the darkest ones (Hummel, "Image enhancement by histogram
transformation", 1977). The histogram is that of all images of a batch. Between two shades nothing changes, and there it
jumps: dx is 0.
"""

import numpy as np

from scratchnet.checks import check_positive_int
from scratchnet.hints import Sequence
from scratchnet.layers.preprocessing.images.image_layer import ImageLayer, check_value_range
from scratchnet.parallel.batch import sum_over_batch
from scratchnet.registry import register


@register("layers")
class Equalization(ImageLayer):
    """(N, H, W, C) -> (N, H, W, C), in training. A channel of one shade stays as it is.

    Args:
        value_range: the smallest and the largest value of a pixel.
        bins: how many shades are told apart.
        data_format: "channels_last" or "channels_first".

    Raises ValueError for an invalid range or number of bins.
    """

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        bins: int = 256,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(data_format, **kwargs)
        self.value_range = check_value_range(self, value_range)
        self.bins = check_positive_int(self, "bins", bins)

    def at_rest(self, shape):
        return None

    def transform(self, x, drawn):
        low, high = (x.dtype.type(value) for value in self.value_range)
        unit = (high - low) / 255
        bins = np.clip((x - low) / unit * (self.bins - 1) / 255, 0, self.bins - 1).astype(np.int64)
        counts = [np.bincount(bins[..., c].ravel(), minlength=self.bins) for c in range(x.shape[-1])]
        (counts,) = sum_over_batch(np.stack(counts))  # (C, bins)
        y = np.array(x)
        for c, count in enumerate(counts):
            cdf = count.cumsum()
            darkest = cdf[cdf > 0][0]
            if darkest < cdf[-1]:  # there is more than one shade
                shades = np.clip(np.round((cdf - darkest) * 255 / (cdf[-1] - darkest)), 0, 255)
                y[..., c] = shades.astype(x.dtype)[bins[..., c]] * unit + low
        return y, None

    def transform_backward(self, dy, drawn, kept):
        return np.zeros_like(dy)
