"""The transposed convolution of a sequence: every step is spread, weighted, over a window of a longer sequence.

    z[n, S t + E a, f]  +=  x[n, t, c]  W[a, f, c]    for all t, a, c        y = f(z + b)

It is the adjoint of `Conv1D`; see `scratchnet.layers.convolutional.conv2d_transpose` for its own:

    dx[n, t, c] = sum over a, f of  dz[n, S t + E a, f]  W[a, f, c]
    dW[a, f, c] = sum over n, t of  dz[n, S t + E a, f]  x[n, t, c]
"""

import numpy as np

from scratchnet import kernels
from scratchnet.hints import ActivationLike, ConstraintLike, InitializerLike, IntOrInts, RegularizerLike
from scratchnet.layers.convolutional.conv2d_transpose import TransposedCache, TransposedConvolution
from scratchnet.registry import register


@register("layers", "Convolution1DTranspose")
class Conv1DTranspose(TransposedConvolution):
    """A one-dimensional transposed convolution.

    Args: as of `Conv2DTranspose`, with one number for each size; ``kernel`` is (K, F, C).

    Shapes: (N, T, C) -> (N, OT, F).

    Raises:
        ValueError: for sizes that are not positive, strides together with dilation, or an output_padding that is not
            less than the strides.
    """

    axes = "T"

    def __init__(
        self,
        filters: int,
        kernel_size: IntOrInts,
        strides: IntOrInts | None = 1,
        padding: str = "valid",
        output_padding: IntOrInts | None = None,
        data_format: str | None = None,
        dilation_rate: IntOrInts = 1,
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
        N, T, C = self.unpack(x, "NTC")
        padding = self.pad_amounts([T])
        W = self.params["kernel"][:, np.newaxis]  # (K, 1, F, C)
        _, OT, F = self.compute_output_shape(x.shape)
        z = kernels.conv2d_dx(self.as_images(x), W, (N, OT, 1, F), *self.geometry(padding))
        y, kept = self.activate(self.from_images(z))
        return y, TransposedCache(x, kept, padding)

    def backward(self, dy, cache, needs_dx=True):
        x, kept, padding = cache
        W = self.params["kernel"][:, np.newaxis]
        dz, grads = self.activate_backward(dy, kept)
        dz = self.as_images(dz)
        if self.trainable:
            grads["kernel"] = kernels.conv2d_dkernel(self.as_images(x), dz, W.shape, *self.geometry(padding))[:, 0]
        dx = self.from_images(kernels.conv2d_forward(dz, W, None, *self.geometry(padding))) if needs_dx else None
        return dx, self.trained(grads)
