"""The separable convolution: first every channel by itself, then all channels of one place with one another.

    h[n, i, j, c M + m] = sum over a, b of  x[n, S i + E a, S j + E b, c]  D[a, b, c, m]        depthwise
    z[n, i, j, f]       = b[f] + sum over k of  h[n, i, j, k]  P[k, f]                          pointwise
    y = f(z)

Where an ordinary kernel has KH KW C F numbers, these have KH KW C M + C M F (Sifre 2014; Chollet, "Xception", 2017).
Backwards, the pointwise half is a fully connected layer, the depthwise half as in `depthwise_conv`:

    dP = h^T dz        dh = dz P^T        dD, dx from dh
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet import kernels
from scratchnet.checks import check_positive_int
from scratchnet.hints import ActivationLike, ConstraintLike, InitializerLike, IntOrInts, RegularizerLike
from scratchnet.kernels import fused
from scratchnet.layers.convolutional.base_convolution import BaseConvolution
from scratchnet.layers.convolutional.depthwise_conv import in_groups
from scratchnet.registry import register


class SeparableCache(NamedTuple):
    x: np.ndarray  # (N, H, W, C)
    h: np.ndarray  # (N, OH, OW, C M)
    kept: Any  # what f' is computed from
    padding: tuple


class SeparableConvolution(BaseConvolution):
    """Base of the two. Arguments as of `SeparableConv2D`."""

    activates_rows = True

    def __init__(
        self,
        filters: int,
        kernel_size: IntOrInts,
        strides: IntOrInts | None,
        padding: str,
        data_format: str | None,
        dilation_rate: IntOrInts,
        depth_multiplier: int,
        activation: ActivationLike,
        use_bias: bool,
        depthwise_initializer: InitializerLike,
        pointwise_initializer: InitializerLike,
        bias_initializer: InitializerLike,
        depthwise_regularizer: RegularizerLike,
        pointwise_regularizer: RegularizerLike,
        bias_regularizer: RegularizerLike,
        activity_regularizer: RegularizerLike,
        depthwise_constraint: ConstraintLike,
        pointwise_constraint: ConstraintLike,
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
        self.filters = check_positive_int(self, "filters", filters)
        self.depth_multiplier = check_positive_int(self, "depth_multiplier", depth_multiplier)
        self.set_options("depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        self.set_options("pointwise", pointwise_initializer, pointwise_regularizer, pointwise_constraint)

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        C, M = input_shape[-1], self.depth_multiplier
        self.add("depthwise_kernel", (*self.kernel_size, C, M), options="depthwise")
        self.add("pointwise_kernel", (*[1] * len(self.axes), C * M, self.filters), options="pointwise")
        if self.use_bias:
            self.add("bias", (self.filters,))
        self.built = True

    def compute_output_shape(self, input_shape):
        N, sizes, C = self.check_input(input_shape, self.params["depthwise_kernel"].shape[-2] if self.built else None)
        return N, *self.output_sizes(sizes), self.filters

    def forward(self, x, training=False):
        N, *sizes, C = self.unpack(x, f"N{self.axes}C")
        padding = self.pad_amounts(sizes)
        D, P, b = in_groups(self.params["depthwise_kernel"]), self._pointwise(), self.params.get("bias")
        h = self.from_images(kernels.conv2d_forward(self.as_images(x), D, None, *self.geometry(padding)))
        y, kept = fused.affine_forward(h.reshape(-1, len(P)), P, b, self.activation)  # y = f(h P + b), (N OH OW, F)
        return y.reshape(*h.shape[:-1], self.filters), SeparableCache(x, h, kept, padding)

    def backward(self, dy, cache, needs_dx=True):
        x, h, kept, padding = cache
        D, P = in_groups(self.params["depthwise_kernel"]), self._pointwise()
        rows = dy.reshape(-1, self.filters), kept, h.reshape(-1, len(P))
        dh, dP, db = fused.affine_backward(*rows, P, self.activation, needs_weights=self.trainable)
        dh, x, grads = self.as_images(dh.reshape(h.shape)), self.as_images(x), {}
        if self.trainable:
            dD = kernels.conv2d_dkernel(dh, x, D.shape, *self.geometry(padding))  # h = x * D
            grads["depthwise_kernel"] = dD.reshape(self.params["depthwise_kernel"].shape)
            grads["pointwise_kernel"] = dP.reshape(self.params["pointwise_kernel"].shape)
            grads["bias"] = db
        dx = self.from_images(kernels.conv2d_dx(dh, D, x.shape, *self.geometry(padding))) if needs_dx else None
        return dx, self.trained(grads)

    def _pointwise(self):
        """P (C M, F)."""
        return self.params["pointwise_kernel"].reshape(-1, self.filters)


@register("layers", "SeparableConvolution2D")
class SeparableConv2D(SeparableConvolution):
    """A separable convolution of images.

    Args:
        filters: F, the number of channels that come out.
        kernel_size: (KH, KW), or one number for both.
        strides: how far the window moves; a pair or one number.
        padding: "valid", only windows inside the image, or "same", ``ceil(H / stride)`` rows.
        data_format: "channels_last" or "channels_first".
        dilation_rate: the distance of neighbouring kernel elements; not together with strides.
        depth_multiplier: M, how many maps each channel has between the halves.
        activation: name or Activation; None is linear.
        use_bias: whether there is a bias b.
        depthwise_initializer, depthwise_regularizer, depthwise_constraint: of ``depthwise_kernel`` (KH, KW, C, M).
        pointwise_initializer, pointwise_regularizer, pointwise_constraint: of ``pointwise_kernel`` (1, 1, C M, F).
        bias_initializer, bias_regularizer, bias_constraint: of ``bias`` (F,).

    Shapes: (N, H, W, C) -> (N, OH, OW, F).

    Raises:
        ValueError: for sizes that are not positive, strides together with dilation, or an image smaller than a kernel.
    """

    axes = "HW"

    def __init__(
        self,
        filters: int,
        kernel_size: IntOrInts,
        strides: IntOrInts | None = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: IntOrInts = (1, 1),
        depth_multiplier: int = 1,
        activation: ActivationLike = None,
        use_bias: bool = True,
        depthwise_initializer: InitializerLike = "glorot_uniform",
        pointwise_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        depthwise_regularizer: RegularizerLike = None,
        pointwise_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        depthwise_constraint: ConstraintLike = None,
        pointwise_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        **kwargs,
    ):
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            depth_multiplier,
            activation,
            use_bias,
            depthwise_initializer,
            pointwise_initializer,
            bias_initializer,
            depthwise_regularizer,
            pointwise_regularizer,
            bias_regularizer,
            activity_regularizer,
            depthwise_constraint,
            pointwise_constraint,
            bias_constraint,
            **kwargs,
        )


@register("layers", "SeparableConvolution1D")
class SeparableConv1D(SeparableConvolution):
    """A separable convolution of sequences: (N, T, C) -> (N, OT, F).

    Args: as of `SeparableConv2D`, with one number for each size. The kernels are (K, C, M) and (1, C M, F).

    Raises ValueError as `SeparableConv2D` does.
    """

    axes = "T"

    def __init__(
        self,
        filters: int,
        kernel_size: IntOrInts,
        strides: IntOrInts | None = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: IntOrInts = 1,
        depth_multiplier: int = 1,
        activation: ActivationLike = None,
        use_bias: bool = True,
        depthwise_initializer: InitializerLike = "glorot_uniform",
        pointwise_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        depthwise_regularizer: RegularizerLike = None,
        pointwise_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        depthwise_constraint: ConstraintLike = None,
        pointwise_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        **kwargs,
    ):
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            depth_multiplier,
            activation,
            use_bias,
            depthwise_initializer,
            pointwise_initializer,
            bias_initializer,
            depthwise_regularizer,
            pointwise_regularizer,
            bias_regularizer,
            activity_regularizer,
            depthwise_constraint,
            pointwise_constraint,
            bias_constraint,
            **kwargs,
        )
