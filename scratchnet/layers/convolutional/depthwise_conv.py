"""The depthwise convolution: every channel has kernels of its own, and sees no other channel.

    z[n, i, j, c M + m] = b + sum over a, b of  x[n, S i + E a, S j + E b, c]  W[a, b, c, m]          y = f(z)

    dW[a, b, c, m] = sum over n, i, j of        x[n, S i + E a, S j + E b, c]  dz[n, i, j, c M + m]
    dx[n, p, q, c] = sum over i, j, a, b, m with S i + E a = p and S j + E b = q of  W[a, b, c, m]  dz[n, i, j, c M + m]

M is how many maps come out for each channel. It is a convolution in C groups, and costs a C-th of an ordinary one; the
first half of a separable convolution (Sifre 2014; Howard et al., "MobileNets", 2017).
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet.checks import check_positive_int
from scratchnet.hints import ActivationLike, ConstraintLike, InitializerLike, IntOrInts, RegularizerLike
from scratchnet.kernels import fused
from scratchnet.layers.convolutional.base_convolution import BaseConvolution
from scratchnet.registry import register


class DepthwiseCache(NamedTuple):
    x: np.ndarray  # (N, H, W, C)
    kept: Any  # what f' is computed from
    padding: tuple


class DepthwiseConvolution(BaseConvolution):
    """Base of the two. Arguments as of `DepthwiseConv2D`."""

    activates_rows = True

    def __init__(
        self,
        kernel_size: IntOrInts,
        strides: IntOrInts | None,
        padding: str,
        depth_multiplier: int,
        data_format: str | None,
        dilation_rate: IntOrInts,
        activation: ActivationLike,
        use_bias: bool,
        depthwise_initializer: InitializerLike,
        bias_initializer: InitializerLike,
        depthwise_regularizer: RegularizerLike,
        bias_regularizer: RegularizerLike,
        activity_regularizer: RegularizerLike,
        depthwise_constraint: ConstraintLike,
        bias_constraint: ConstraintLike,
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
        self.depth_multiplier = check_positive_int(self, "depth_multiplier", depth_multiplier)
        self.set_options("depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        C, M = input_shape[-1], self.depth_multiplier
        self.add("kernel", (*self.kernel_size, C, M), options="depthwise")
        if self.use_bias:
            self.add("bias", (C * M,))
        self.built = True

    def compute_output_shape(self, input_shape):
        N, sizes, C = self.check_input(input_shape, self.params["kernel"].shape[-2] if self.built else None)
        return N, *self.output_sizes(sizes), C * self.depth_multiplier

    def forward(self, x, training=False):
        N, *sizes, C = self.unpack(x, f"N{self.axes}C")
        padding = self.pad_amounts(sizes)
        W, b = in_groups(self.params["kernel"]), self.params.get("bias")
        y, kept = fused.conv2d_forward(self.as_images(x), W, b, *self.geometry(padding), self.activation)
        return self.from_images(y), DepthwiseCache(x, kept, padding)

    def backward(self, dy, cache, needs_dx=True):
        x, kept, padding = cache
        W, geometry, train = in_groups(self.params["kernel"]), self.geometry(padding), self.trainable
        dx, dW, db = fused.conv2d_backward(
            self.as_images(dy), kept, self.as_images(x), W, *geometry, self.activation, needs_dx, train
        )
        grads = {"kernel": dW.reshape(self.params["kernel"].shape), "bias": db} if train else {}
        return self.from_images(dx) if needs_dx else None, self.trained(grads)


def in_groups(kernel):
    """A depthwise kernel (KH, KW, C, M), or (K, C, M), as that of a convolution in C groups: (KH, KW, 1, C M)."""
    *K, C, M = kernel.shape
    return kernel.reshape(K[0], K[1] if len(K) == 2 else 1, 1, C * M)


@register("layers")
class DepthwiseConv2D(DepthwiseConvolution):
    """A depthwise convolution of images.

    Args:
        kernel_size: (KH, KW), or one number for both.
        strides: how far the window moves; a pair or one number.
        padding: "valid", only windows inside the image, or "same", ``ceil(H / stride)`` rows.
        depth_multiplier: M, how many maps come out for each channel.
        data_format: "channels_last" or "channels_first".
        dilation_rate: the distance of neighbouring kernel elements; not together with strides.
        activation: name or Activation; None is linear.
        use_bias: whether there is a bias.
        depthwise_initializer, depthwise_regularizer, depthwise_constraint: of ``kernel`` (KH, KW, C, M).
        bias_initializer, bias_regularizer, bias_constraint: of ``bias`` (C M,).

    Shapes: (N, H, W, C) -> (N, OH, OW, C M).

    Raises:
        ValueError: for sizes that are not positive, strides together with dilation, or an image smaller than a kernel.
    """

    axes = "HW"

    def __init__(
        self,
        kernel_size: IntOrInts,
        strides: IntOrInts | None = (1, 1),
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: IntOrInts = (1, 1),
        activation: ActivationLike = None,
        use_bias: bool = True,
        depthwise_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        depthwise_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        depthwise_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        **kwargs,
    ):
        super().__init__(
            kernel_size,
            strides,
            padding,
            depth_multiplier,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            depthwise_initializer,
            bias_initializer,
            depthwise_regularizer,
            bias_regularizer,
            activity_regularizer,
            depthwise_constraint,
            bias_constraint,
            **kwargs,
        )


@register("layers")
class DepthwiseConv1D(DepthwiseConvolution):
    """A depthwise convolution of sequences: (N, T, C) -> (N, OT, C M).

    Args: as of `DepthwiseConv2D`, with one number for each size; ``kernel`` is (K, C, M).

    Raises ValueError as `DepthwiseConv2D` does.
    """

    axes = "T"

    def __init__(
        self,
        kernel_size: IntOrInts,
        strides: IntOrInts | None = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: IntOrInts = 1,
        activation: ActivationLike = None,
        use_bias: bool = True,
        depthwise_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        depthwise_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        depthwise_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        **kwargs,
    ):
        super().__init__(
            kernel_size,
            strides,
            padding,
            depth_multiplier,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            depthwise_initializer,
            bias_initializer,
            depthwise_regularizer,
            bias_regularizer,
            activity_regularizer,
            depthwise_constraint,
            bias_constraint,
            **kwargs,
        )
