"""The convolutional layer.

A small kernel slides over the image; at every place the layer computes the same weighted sum of what lies under it
(Fukushima 1980; LeCun et al., "Gradient-based learning applied to document recognition", 1998). With strides S,
dilation E and the padded image x,

    z[n, i, j, f] = b[f] + sum over a, b, c of  x[n, S i + E a, S j + E b, c]  W[a, b, c, f]          y = f(z)

Every z is linear in each x and each W that it was computed from, so every adjoint runs the same sum backwards:

    db[f]          = sum over n, i, j of        dz[n, i, j, f]
    dW[a, b, c, f] = sum over n, i, j of        x[n, S i + E a, S j + E b, c]  dz[n, i, j, f]
    dx[n, p, q, c] = sum over i, j, a, b, f with S i + E a = p and S j + E b = q of  W[a, b, c, f]  dz[n, i, j, f]

The sums themselves are the kernels `conv2d_forward`, `conv2d_dkernel` and `conv2d_dx`; in the backend "loops" they are
written as they stand here. `scratchnet.kernels.fused` puts them together with f, because compiled code can do all of it
in one pass.

With G groups the channels are divided, and c runs over those of f's group alone: W has C / G channels, and costs a G-th
(Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks", 2012).
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet import activations, constraints, initializers, regularizers
from scratchnet.checks import check_data_format, check_padding, check_pair, check_positive_int
from scratchnet.hints import ActivationLike, ConstraintLike, InitializerLike, IntOrInts, RegularizerLike
from scratchnet.kernels import fused
from scratchnet.kernels.geometry import output_size, paddings
from scratchnet.layers.base import with_activation
from scratchnet.layers.channels import ChannelsFirstToo
from scratchnet.registry import register


class Conv2DCache(NamedTuple):
    x: np.ndarray  # (N, H, W, C)
    kept: Any  # what f' is computed from
    padding: tuple  # ((top, bottom), (left, right))


@register("layers", "Convolution2D")
class Conv2D(ChannelsFirstToo):
    """A two-dimensional convolution.

    Args:
        filters: F, the number of kernels, and of channels that come out.
        kernel_size: (KH, KW), or one number for both.
        strides: how far the window moves; a pair or one number.
        padding: "valid", only windows inside the image, or "same", zeros around it so that the output has
            ``ceil(H / stride)`` rows.
        dilation_rate: the distance of neighbouring kernel elements in the image; not together with strides.
        groups: G; C and F must be multiples of it.
        activation: name or Activation; None is linear.
        use_bias: whether there is a bias b.
        kernel_initializer, bias_initializer: of ``kernel`` (KH, KW, C / G, F) and ``bias`` (F,).
        kernel_regularizer, bias_regularizer: what is added to the loss for their size.
        kernel_constraint, bias_constraint: what they have to obey after each step.

    Shapes: (N, H, W, C) -> (N, OH, OW, F).

    Raises:
        ValueError: for sizes that are not positive, strides together with dilation, channels or filters that cannot be
            divided into groups, an input with other channels than before, or an image smaller than the kernel.
    """

    axes = "HW"
    ends_in_activation = True

    def __init__(
        self,
        filters: int,
        kernel_size: IntOrInts,
        strides: IntOrInts | None = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: IntOrInts = (1, 1),
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
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = check_positive_int(self, "filters", filters)
        self.kernel_size = check_pair(self, "kernel_size", kernel_size)
        self.strides = check_pair(self, "strides", strides)
        self.padding = check_padding(self, padding)
        self.dilation_rate = check_pair(self, "dilation_rate", dilation_rate)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise self.error(f"strides {self.strides} and dilation_rate {self.dilation_rate} cannot both be above 1")
        self.data_format = check_data_format(self, data_format)
        self.groups = check_positive_int(self, "groups", groups)
        if self.filters % self.groups:
            raise self.error(f"{self.filters} filters cannot be divided into {self.groups} groups")
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        C = input_shape[-1]
        self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, C // self.groups, self.filters),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.add_weight(
                name="bias",
                shape=(self.filters,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "NHWC", **self._expected())
        N, H, W, C = input_shape
        if C is None:
            raise self.error(f"the number of channels must be known, got {input_shape}")
        if C % self.groups:
            raise self.error(f"{C} channels cannot be divided into {self.groups} groups")
        windows = zip((H, W), self.kernel_size, self.strides, self.dilation_rate)
        sizes = [output_size(size, k, s, self.padding, dilation) for size, k, s, dilation in windows]
        if 0 in sizes:
            raise self.error(f"an image of shape {input_shape} is smaller than the kernel {self.kernel_size}")
        return N, *sizes, self.filters

    def forward(self, x, training=False):
        N, H, W, C = self.unpack(x, "NHWC", **self._expected())
        padding = self.pad_amounts((H, W))
        kernel, bias, geometry = self.params["kernel"], self.params.get("bias"), self.geometry(padding)
        y, kept = fused.conv2d_forward(x, kernel, bias, *geometry, self.activation)  # y = f(x * W + b)
        return y, Conv2DCache(x, kept, padding)

    def backward(self, dy, cache, needs_dx=True):
        x, kept, padding = cache
        dx, dkernel, dbias = fused.conv2d_backward(
            dy, kept, x, self.params["kernel"], *self.geometry(padding), self.activation, needs_dx, self.trainable
        )
        grads = {"kernel": dkernel, "bias": dbias}
        return dx, self.trained(grads)

    def pad_amounts(self, sizes):
        """((top, bottom), (left, right)) for images of `sizes` (H, W)."""
        return paddings(tuple(sizes), self.kernel_size, self.strides, self.padding, self.dilation_rate)

    def geometry(self, padding):
        """What the kernels ask for besides the arrays."""
        return self.strides, padding, self.dilation_rate

    def without_last_activation(self):
        return with_activation(self, activations.linear), self.activation

    def _expected(self):
        return {"C": self.params["kernel"].shape[2] * self.groups} if self.built else {}
