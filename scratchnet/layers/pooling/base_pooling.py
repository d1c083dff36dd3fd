"""What max and average pooling share: a window that slides over each channel by itself."""

from scratchnet.checks import check_data_format, check_padding, check_pair
from scratchnet.hints import IntOrInts
from scratchnet.kernels.geometry import output_size, paddings
from scratchnet.layers.channels import ChannelsFirstToo


class Pooling2D(ChannelsFirstToo):
    """Base of `MaxPooling2D` and `AveragePooling2D`."""

    axes = "HW"

    def __init__(
        self,
        pool_size: IntOrInts,
        strides: IntOrInts | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        self.data_format = check_data_format(self, data_format)
        self.pool_size = check_pair(self, "pool_size", pool_size)
        self.strides = self.pool_size if strides is None else check_pair(self, "strides", strides)
        self.padding = check_padding(self, padding)

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "NHWC")
        N, H, W, C = input_shape
        windows = zip((H, W), self.pool_size, self.strides)
        sizes = [output_size(size, k, s, self.padding) for size, k, s in windows]
        if 0 in sizes:
            raise self.error(f"an image of shape {input_shape} is smaller than the window {self.pool_size}")
        return N, *sizes, C

    def pad_amounts(self, x):
        """((top, bottom), (left, right)) for the images x."""
        N, H, W, C = self.unpack(x, "NHWC")
        self.compute_output_shape(x.shape)
        return paddings((H, W), self.pool_size, self.strides, self.padding)
