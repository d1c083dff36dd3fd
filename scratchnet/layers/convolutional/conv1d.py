"""A convolution along a sequence: every output is a weighted sum of a few neighbouring steps.

    z[n, t, f] = b[f] + sum over a, c of  x[n, S t + E a, c]  W[a, c, f]          y = f(z)

    db[f]       = sum over n, t of        dz[n, t, f]
    dW[a, c, f] = sum over n, t of        x[n, S t + E a, c]  dz[n, t, f]
    dx[n, p, c] = sum over t, a, f with S t + E a = p of  W[a, c, f]  dz[n, t, f]

S is the stride, E the dilation, x the padded sequence. With "causal" padding all zeros stand before the first step, so
that an output sees its own step and earlier ones only, as a forecast must; with dilations 1, 2, 4, ... a few layers see
far back (van den Oord et al., "WaveNet", 2016).
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet.checks import check_positive_int
from scratchnet.hints import ActivationLike, ConstraintLike, InitializerLike, IntOrInts, RegularizerLike
from scratchnet.kernels import fused
from scratchnet.layers.convolutional.base_convolution import BaseConvolution
from scratchnet.registry import register


class Conv1DCache(NamedTuple):
    x: np.ndarray  # (N, T, C)
    kept: Any  # what f' is computed from
    padding: tuple  # ((before, after),)


@register("layers", "Convolution1D")
class Conv1D(BaseConvolution):
    """A one-dimensional convolution.

    Args:
        filters: F, the number of kernels, and of channels that come out.
        kernel_size: K, how many steps a window covers.
        strides: S, how far it moves.
        padding: "valid", only windows inside the sequence; "same", ``ceil(T / S)`` of them; "causal", as many, with all
            zeros in front.
        data_format: "channels_last" or "channels_first".
        dilation_rate: E, the distance of neighbouring elements of the kernel; not together with strides.
        groups: G; C and F must be multiples of it.
        activation: name or Activation; None is linear.
        use_bias: whether there is a bias b.
        kernel_initializer, kernel_regularizer, kernel_constraint: of ``kernel`` (K, C / G, F).
        bias_initializer, bias_regularizer, bias_constraint: of ``bias`` (F,).

    Shapes: (N, T, C) -> (N, OT, F).

    Raises:
        ValueError: for sizes that are not positive, strides together with dilation, channels or filters that cannot be
            divided into groups, or a sequence shorter than the kernel.
    """

    axes = "T"
    activates_rows = True
    paddings = ("valid", "same", "causal")

    def __init__(
        self,
        filters: int,
        kernel_size: IntOrInts,
        strides: IntOrInts | None = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: IntOrInts = 1,
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
        channels = self.params["kernel"].shape[1] * self.groups if self.built else None
        N, sizes, C = self.check_input(input_shape, channels)
        if C % self.groups:
            raise self.error(f"{C} channels cannot be divided into {self.groups} groups")
        return N, *self.output_sizes(sizes), self.filters

    def forward(self, x, training=False):
        N, T, C = self.unpack(x, "NTC")
        padding = self.pad_amounts([T])
        kernel = self.params["kernel"][:, np.newaxis]  # (K, 1, C / G, F)
        y, kept = fused.conv2d_forward(
            self.as_images(x), kernel, self.params.get("bias"), *self.geometry(padding), self.activation
        )
        return self.from_images(y), Conv1DCache(x, kept, padding)

    def backward(self, dy, cache, needs_dx=True):
        x, kept, padding = cache
        kernel, geometry, train = self.params["kernel"][:, np.newaxis], self.geometry(padding), self.trainable
        dx, dkernel, dbias = fused.conv2d_backward(
            self.as_images(dy), kept, self.as_images(x), kernel, *geometry, self.activation, needs_dx, train
        )
        grads = {"kernel": dkernel[:, 0], "bias": dbias} if train else {}
        return self.from_images(dx) if needs_dx else None, self.trained(grads)
