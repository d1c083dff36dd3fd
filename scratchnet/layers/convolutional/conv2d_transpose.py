"""The transposed convolution: every number of a small image is spread, weighted, over a window of a large one.

    z[n, S i + E a, S j + E b, f]  +=  x[n, i, j, c]  W[a, b, f, c]    for all i, j, a, b, c        y = f(z + b)

It is how a decoder grows its images (Zeiler et al., "Deconvolutional networks", 2010). The sum is the adjoint of a
convolution, dx of a layer with the kernel W and the input z; so its own adjoint is that convolution:

    dx[n, i, j, c]  = sum over a, b, f of  dz[n, S i + E a, S j + E b, f]  W[a, b, f, c]
    dW[a, b, f, c]  = sum over n, i, j of  dz[n, S i + E a, S j + E b, f]  x[n, i, j, c]
    db[f]           = sum over n, i, j of  dz[n, i, j, f]

Forward is the kernel `conv2d_dx`, and dx is `conv2d_forward`. Where windows overlap unevenly (a kernel size that is no
multiple of the stride) the image gets a checkered pattern (Odena, Dumoulin and Olah 2016).
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet import kernels
from scratchnet.checks import check_positive_int, check_sizes
from scratchnet.hints import ActivationLike, ConstraintLike, InitializerLike, IntOrInts, RegularizerLike
from scratchnet.kernels.geometry import transposed
from scratchnet.layers.convolutional.base_convolution import BaseConvolution
from scratchnet.registry import register


class TransposedCache(NamedTuple):
    x: np.ndarray  # (N, H, W, C)
    kept: Any  # what f' is computed from
    padding: tuple  # of the convolution whose adjoint this is


class TransposedConvolution(BaseConvolution):
    """Base of the transposed convolutions. Arguments as of `Conv2DTranspose`."""

    def __init__(
        self,
        filters: int,
        kernel_size: IntOrInts,
        strides: IntOrInts | None,
        padding: str,
        output_padding: IntOrInts | None,
        data_format: str | None,
        dilation_rate: IntOrInts,
        activation: ActivationLike,
        use_bias: bool,
        kernel_initializer: InitializerLike,
        bias_initializer: InitializerLike,
        kernel_regularizer: RegularizerLike,
        bias_regularizer: RegularizerLike,
        activity_regularizer: RegularizerLike,
        kernel_constraint: ConstraintLike,
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
        self.output_padding = output_padding
        if output_padding is not None:
            self.output_padding = check_sizes(self, "output_padding", output_padding, len(self.axes), smallest=0)
        self.set_options("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        self.add("kernel", (*self.kernel_size, self.filters, input_shape[-1]))
        if self.use_bias:
            self.add("bias", (self.filters,))
        self.built = True

    def compute_output_shape(self, input_shape):
        N, sizes, C = self.check_input(input_shape, self.params["kernel"].shape[-1] if self.built else None)
        return N, *self.output_sizes(sizes), self.filters

    def output_sizes(self, sizes):
        return [None if n is None else self._grown(axis, n)[0] for axis, n in enumerate(sizes)]

    def pad_amounts(self, sizes):
        return tuple(self._grown(axis, n)[1] for axis, n in enumerate(sizes))

    def _grown(self, axis, size):
        added = None if self.output_padding is None else self.output_padding[axis]
        window = self.kernel_size[axis], self.strides[axis], self.padding, self.dilation_rate[axis]
        try:
            return transposed(size, *window, added)
        except ValueError:
            raise self.error(
                f"output_padding {self.output_padding} must be less than the strides {self.strides}"
            ) from None


@register("layers", "Convolution2DTranspose")
class Conv2DTranspose(TransposedConvolution):
    """A two-dimensional transposed convolution ("deconvolution").

    Args:
        filters: F, the number of channels that come out.
        kernel_size: (KH, KW), or one number for both.
        strides: by how much the image grows: a pair or one number.
        padding: "valid", everything that the windows cover, or "same", ``H S`` rows.
        output_padding: rows and columns that are added at the end, for another size that the convolution would shrink
            to the same; less than the strides.
        data_format: "channels_last" or "channels_first".
        dilation_rate: the distance of neighbouring kernel elements; not together with strides.
        activation: name or Activation; None is linear.
        use_bias: whether there is a bias b.
        kernel_initializer, kernel_regularizer, kernel_constraint: of ``kernel`` (KH, KW, F, C).
        bias_initializer, bias_regularizer, bias_constraint: of ``bias`` (F,).

    Shapes: (N, H, W, C) -> (N, OH, OW, F).

    Raises:
        ValueError: for sizes that are not positive, strides together with dilation, or an output_padding that is not
            less than the strides.
    """

    axes = "HW"

    def __init__(
        self,
        filters: int,
        kernel_size: IntOrInts,
        strides: IntOrInts | None = (1, 1),
        padding: str = "valid",
        output_padding: IntOrInts | None = None,
        data_format: str | None = None,
        dilation_rate: IntOrInts = (1, 1),
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
        N, H, W, C = self.unpack(x, "NHWC")
        padding = self.pad_amounts([H, W])
        z = kernels.conv2d_dx(
            x, self.params["kernel"], self.compute_output_shape(x.shape), *self.geometry(padding)
        )  # (N, OH, OW, F)
        y, kept = self.activate(z)
        return y, TransposedCache(x, kept, padding)

    def backward(self, dy, cache, needs_dx=True):
        x, kept, padding = cache
        W = self.params["kernel"]
        dz, grads = self.activate_backward(dy, kept)
        if self.trainable:
            grads["kernel"] = kernels.conv2d_dkernel(x, dz, W.shape, *self.geometry(padding))
        dx = kernels.conv2d_forward(dz, W, None, *self.geometry(padding)) if needs_dx else None
        return dx, self.trained(grads)
