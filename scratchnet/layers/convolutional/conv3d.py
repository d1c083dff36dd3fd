"""A convolution of volumes: of videos (time, height, width) and of scans.

    z[n, d, i, j, f] = b[f] + sum over e, a, b, c of  x[n, S d + E e, S i + E a, S j + E b, c]  W[e, a, b, c, f]
    y = f(z)

The adjoints are those of `scratchnet.layers.convolutional.conv2d` with one more axis (Ji et al., "3D convolutional
neural networks for human action recognition", 2013). How they are computed stands in `scratchnet.kernels.volumes`.
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet.checks import check_positive_int
from scratchnet.hints import ActivationLike, ConstraintLike, InitializerLike, IntOrInts, RegularizerLike
from scratchnet.kernels import volumes
from scratchnet.layers.convolutional.base_convolution import BaseConvolution
from scratchnet.layers.convolutional.conv2d_transpose import TransposedCache, TransposedConvolution
from scratchnet.registry import register


class Conv3DCache(NamedTuple):
    x: np.ndarray  # (N, D, H, W, C)
    kept: Any  # what f' is computed from
    padding: tuple


@register("layers", "Convolution3D")
class Conv3D(BaseConvolution):
    """A three-dimensional convolution.

    Args: as of `Conv2D`, with one number or three for each size; ``kernel`` is (KD, KH, KW, C / G, F).

    Shapes: (N, D, H, W, C) -> (N, OD, OH, OW, F).

    Raises:
        ValueError: for sizes that are not positive, strides together with dilation, channels or filters that cannot be
            divided into groups, or a volume smaller than the kernel.
    """

    axes = "DHW"

    def __init__(
        self,
        filters: int,
        kernel_size: IntOrInts,
        strides: IntOrInts | None = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: IntOrInts = (1, 1, 1),
        groups: int = 1,
        activation: ActivationLike = None,
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        **kwargs,
    ):
        super().__init__(
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            bias_initializer,
            bias_regularizer,
            bias_constraint,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.filters = check_positive_int(self, "filters", filters)
        self.groups = check_positive_int(self, "groups", groups)
        if self.filters % self.groups:
            raise self.error(f"{self.filters} filters cannot be divided into {self.groups} groups")
        self.set_options("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        self.add("kernel", (*self.kernel_size, input_shape[-1] // self.groups, self.filters))
        if self.use_bias:
            self.add("bias", (self.filters,))
        self.built = True

    def compute_output_shape(self, input_shape):
        channels = self.params["kernel"].shape[3] * self.groups if self.built else None
        N, sizes, C = self.check_input(input_shape, channels)
        if C % self.groups:
            raise self.error(f"{C} channels cannot be divided into {self.groups} groups")
        return N, *self.output_sizes(sizes), self.filters

    def forward(self, x, training=False):
        N, *sizes, C = self.unpack(x, "NDHWC")
        padding = self.pad_amounts(sizes)
        z = volumes.conv3d_forward(x, self.params["kernel"], *self.geometry(padding))
        y, kept = self.activate(z)
        return y, Conv3DCache(x, kept, padding)

    def backward(self, dy, cache, needs_dx=True):
        x, kept, padding = cache
        W = self.params["kernel"]
        dz, grads = self.activate_backward(dy, kept)
        if self.trainable:
            grads["kernel"] = volumes.conv3d_dkernel(dz, x, W.shape, *self.geometry(padding))
        dx = volumes.conv3d_dx(dz, W, x.shape, *self.geometry(padding)) if needs_dx else None
        return dx, self.trained(grads)


@register("layers", "Convolution3DTranspose")
class Conv3DTranspose(TransposedConvolution):
    """A three-dimensional transposed convolution; see `Conv2DTranspose`.

    Args: as of `Conv2DTranspose`, with one number or three for each size; ``kernel`` is (KD, KH, KW, F, C).

    Shapes: (N, D, H, W, C) -> (N, OD, OH, OW, F).

    Raises:
        ValueError: for sizes that are not positive, strides together with dilation, or an output_padding that is not
            less than the strides.
    """

    axes = "DHW"

    def __init__(
        self,
        filters: int,
        kernel_size: IntOrInts,
        strides: IntOrInts | None = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: IntOrInts | None = None,
        dilation_rate: IntOrInts = (1, 1, 1),
        activation: ActivationLike = None,
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        **kwargs,
    ):
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            output_padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            **kwargs,
        )

    def forward(self, x, training=False):
        N, *sizes, C = self.unpack(x, "NDHWC")
        padding = self.pad_amounts(sizes)
        z = volumes.conv3d_dx(x, self.params["kernel"], self.compute_output_shape(x.shape), *self.geometry(padding))
        y, kept = self.activate(z)
        return y, TransposedCache(x, kept, padding)

    def backward(self, dy, cache, needs_dx=True):
        x, kept, padding = cache
        W = self.params["kernel"]
        dz, grads = self.activate_backward(dy, kept)
        if self.trainable:
            grads["kernel"] = volumes.conv3d_dkernel(x, dz, W.shape, *self.geometry(padding))
        dx = volumes.conv3d_forward(dz, W, *self.geometry(padding)) if needs_dx else None
        return dx, self.trained(grads)
