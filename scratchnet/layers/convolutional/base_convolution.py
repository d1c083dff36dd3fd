"""What convolutions of other ranks and kinds than `Conv2D` share: arguments, sizes, the bias and the activation.

A sequence (N, T, C) is computed as an image one pixel wide, (N, T, 1, C): the kernels of images serve both.
"""

import numpy as np

from scratchnet import activations, constraints, initializers, regularizers
from scratchnet.checks import check_data_format, check_sizes
from scratchnet.hints import ActivationLike, ConstraintLike, InitializerLike, IntOrInts, RegularizerLike
from scratchnet.kernels.geometry import output_size, paddings
from scratchnet.layers.base import with_activation
from scratchnet.layers.channels import ChannelsFirstToo


class BaseConvolution(ChannelsFirstToo):
    """Base of the layers that slide a kernel along the axes whose letters are `axes`."""

    paddings = ("valid", "same")
    ends_in_activation = True

    def __init__(
        self,
        kernel_size: IntOrInts,
        strides: IntOrInts | None,
        padding: str,
        data_format: str | None,
        dilation_rate: IntOrInts,
        activation: ActivationLike,
        use_bias: bool,
        bias_initializer: InitializerLike,
        bias_regularizer: RegularizerLike,
        bias_constraint: ConstraintLike,
        **kwargs,
    ):
        super().__init__(**kwargs)
        rank = len(self.axes)
        self.kernel_size = check_sizes(self, "kernel_size", kernel_size, rank)
        self.strides = check_sizes(self, "strides", strides, rank)
        self.padding = padding.lower() if isinstance(padding, str) else padding
        if self.padding not in self.paddings:
            wanted = " or ".join(f'"{p}"' for p in self.paddings)
            raise self.error(f"padding must be {wanted}, got {padding!r}")
        self.data_format = check_data_format(self, data_format)
        self.dilation_rate = check_sizes(self, "dilation_rate", dilation_rate, rank)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise self.error(f"strides {self.strides} and dilation_rate {self.dilation_rate} cannot both be above 1")
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.set_options("bias", bias_initializer, bias_regularizer, bias_constraint)

    # ---- weights ----

    def set_options(self, weight, initializer, regularizer, constraint):
        """Keep what is said of the weights whose options begin with this name."""
        setattr(self, f"{weight}_initializer", initializers.get(initializer))
        setattr(self, f"{weight}_regularizer", regularizers.get(regularizer))
        setattr(self, f"{weight}_constraint", constraints.get(constraint))

    def add(self, name, shape, options=None):
        """Create the weight `name`, as the options of that name (or of the name `options`) say."""
        options = options or name
        self.add_weight(
            name=name,
            shape=shape,
            initializer=getattr(self, f"{options}_initializer"),
            regularizer=getattr(self, f"{options}_regularizer"),
            constraint=getattr(self, f"{options}_constraint"),
        )

    # ---- sizes ----

    def check_input(self, input_shape, channels=None):
        """``(N, sizes, C)`` of an input, which has this many channels, if that is known by now."""
        expected = {} if channels is None else {"C": channels}
        self.check_shape(input_shape, f"N{self.axes}C", **expected)
        N, *sizes, C = input_shape
        if C is None:
            raise self.error(f"the number of channels must be known, got {input_shape}")
        return N, sizes, C

    def output_sizes(self, sizes):
        """How many windows there are along each axis. Raises ValueError if there is none."""
        padding = "same" if self.padding == "causal" else self.padding
        windows = zip(sizes, self.kernel_size, self.strides, self.dilation_rate)
        found = [output_size(n, k, s, padding, dilation) for n, k, s, dilation in windows]
        if 0 in found:
            raise self.error(f"an input of sizes {tuple(sizes)} is smaller than the kernel {self.kernel_size}")
        return found

    def pad_amounts(self, sizes):
        """``(before, after)`` for each axis."""
        if self.padding == "causal":  # no output sees an input behind it
            return tuple(((k - 1) * dilation, 0) for k, dilation in zip(self.kernel_size, self.dilation_rate))
        return paddings(tuple(sizes), self.kernel_size, self.strides, self.padding, self.dilation_rate)

    def geometry(self, padding):
        """``(strides, padding, dilation)`` as the kernels of images take them."""
        if len(self.axes) == 1:
            return (*self.strides, 1), (*padding, (0, 0)), (*self.dilation_rate, 1)
        return self.strides, padding, self.dilation_rate

    # ---- the ends of forward and backward ----

    def as_images(self, x):
        """A sequence as images one pixel wide; images as they are."""
        return x[:, :, np.newaxis] if len(self.axes) == 1 else x

    def from_images(self, y):
        """`as_images` backwards."""
        return y[:, :, 0] if len(self.axes) == 1 else y

    def activate(self, z):
        """``(y, kept)`` of y = f(z + b)."""
        if self.use_bias:
            z = z + self.params["bias"]
        return self.activation.forward(z, overwrite=True)

    def activate_backward(self, dy, kept):
        """``(dz, grads)``, grads with the gradient of b."""
        dz = self.activation.backward(dy, kept)  # y = f(z + b)
        if not (self.use_bias and self.trainable):
            return dz, {}
        return dz, {"bias": dz.reshape(-1, dz.shape[-1]).sum(axis=0)}

    def without_last_activation(self):
        return with_activation(self, activations.linear), self.activation
