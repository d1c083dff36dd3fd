"""The convolutional layer.

A small kernel slides over the image; at every place the layer computes the same weighted sum of what lies under it
(Fukushima 1980; LeCun et al., "Gradient-based learning applied to document recognition", 1998). With strides S,
dilation E and the padded image x,

    z[n, i, j, f] = b[f] + sum over a, b, c of  x[n, S i + E a, S j + E b, c]  W[a, b, c, f]          y = f(z)

Every z is linear in each x and each W that it was computed from, so every adjoint runs the same sum backwards:

    db[f]          = sum over n, i, j of        dz[n, i, j, f]
    dW[a, b, c, f] = sum over n, i, j of        x[n, S i + E a, S j + E b, c]  dz[n, i, j, f]
    dx[n, p, q, c] = sum over i, j, a, b, f with S i + E a = p and S j + E b = q of  W[a, b, c, f]  dz[n, i, j, f]

The sums themselves are `scratchnet.kernels.conv2d_forward` and `conv2d_backward`; in the backend "loops" they are
written as they stand here.
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet import activations, initializers, kernels
from scratchnet.checks import check_padding, check_pair, check_positive_int
from scratchnet.kernels.geometry import output_size, pad_amounts
from scratchnet.layers.base import Layer, with_activation
from scratchnet.registry import register


class Conv2DCache(NamedTuple):
    x: np.ndarray  # (N, H, W, C)
    activation: Any  # what f keeps; of a relu its output y
    padding: tuple  # ((top, bottom), (left, right))


@register("layers", "Convolution2D")
class Conv2D(Layer):
    """A two-dimensional convolution.

    Args:
        filters: F, the number of kernels, and of channels that come out.
        kernel_size: (KH, KW), or one number for both.
        strides: how far the window moves; a pair or one number.
        padding: "valid", only windows inside the image, or "same", zeros around it so that the output has
            ``ceil(H / stride)`` rows.
        dilation_rate: the distance of neighbouring kernel elements in the image; not together with strides.
        activation: name or Activation; None is linear.
        use_bias: whether there is a bias b.
        kernel_initializer, bias_initializer: of ``kernel`` (KH, KW, C, F) and ``bias`` (F,).

    Shapes: (N, H, W, C) -> (N, OH, OW, F).

    Raises:
        ValueError: for sizes that are not positive, strides together with dilation, an input with other channels than
            before, or an image smaller than the kernel.
    """

    absent = {
        **dict.fromkeys(("kernel_regularizer", "bias_regularizer", "kernel_constraint", "bias_constraint"), (None,)),
        "data_format": (None, "channels_last"),
        "groups": (1,),
    }

    def __init__(
        self,
        filters,
        kernel_size,
        strides=(1, 1),
        padding="valid",
        dilation_rate=(1, 1),
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters = check_positive_int(self, "filters", filters)
        self.kernel_size = check_pair(self, "kernel_size", kernel_size)
        self.strides = check_pair(self, "strides", strides)
        self.padding = check_padding(self, padding)
        self.dilation_rate = check_pair(self, "dilation_rate", dilation_rate)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise self.error(f"strides {self.strides} and dilation_rate {self.dilation_rate} cannot both be above 1")
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        C = input_shape[-1]
        self.add_weight("kernel", (*self.kernel_size, C, self.filters), self.kernel_initializer)
        if self.use_bias:
            self.add_weight("bias", (self.filters,), self.bias_initializer)
        self.built = True

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "NHWC", **self._expected())
        N, H, W, C = input_shape
        if C is None:
            raise self.error(f"the number of channels must be known, got {input_shape}")
        windows = zip((H, W), self.kernel_size, self.strides, self.dilation_rate)
        sizes = [output_size(size, k, s, self.padding, dilation) for size, k, s, dilation in windows]
        if 0 in sizes:
            raise self.error(f"an image of shape {input_shape} is smaller than the kernel {self.kernel_size}")
        return N, *sizes, self.filters

    def forward(self, x, training=False):
        N, H, W, C = self.unpack(x, "NHWC", **self._expected())
        windows = zip((H, W), self.kernel_size, self.strides, self.dilation_rate)
        padding = tuple(pad_amounts(size, k, s, self.padding, dilation) for size, k, s, dilation in windows)
        kernel, bias, relu = self.params["kernel"], self.params.get("bias"), self.activation is activations.relu
        y = kernels.conv2d_forward(x, kernel, bias, self.strides, padding, self.dilation_rate, relu)  # (N, OH, OW, F)
        if relu:  # the kernel has applied it, piece by piece while in the cache
            return y, Conv2DCache(x, y, padding)
        y, activation = self.activation.forward(y, overwrite=True)
        return y, Conv2DCache(x, activation, padding)

    def backward(self, dy, cache, needs_dx=True):
        kernel, relu_output = self.params["kernel"], None
        if self.activation is activations.relu:
            dz, relu_output = dy, cache.activation  # the kernel applies its slope
        else:
            dz = self.activation.backward(dy, cache.activation)  # y = f(z)
        dx, dkernel, dbias = kernels.conv2d_backward(
            dz, cache.x, kernel, self.strides, cache.padding, self.dilation_rate, needs_dx, relu_output
        )
        return dx, {"kernel": dkernel, "bias": dbias} if self.use_bias else {"kernel": dkernel}

    def without_last_activation(self):
        return with_activation(self, activations.linear), self.activation

    def _expected(self):
        return {"C": self.params["kernel"].shape[2]} if self.built else {}
