"""Activations as layers of their own: y = f(z), element by element (softmax: along an axis)."""

from collections.abc import Sequence

import numpy as np

from scratchnet import activations
from scratchnet.checks import check_number
from scratchnet.hints import ActivationLike
from scratchnet.layers.base import Layer, with_activation
from scratchnet.registry import register


class _ActivationLayer(Layer):
    """Base of the layers that apply their `activation`, and nothing else."""

    activation = activations.linear
    supports_masking = True

    @property
    def as_activation(self):
        """The function alone, for the ``activation=`` of another layer."""
        return self.activation

    def forward(self, x, training=False):
        return self.activation.forward(x)

    def backward(self, dy, cache, needs_dx=True):
        return self.activation.backward(dy, cache), {}

    def without_last_activation(self):
        return with_activation(self, activations.linear), self.activation


@register("layers")
class Activation(_ActivationLayer):
    """``y = activation(x)``; any shape.

    Args:
        activation: a name or an `scratchnet.activations.Activation`.
    """

    def __init__(self, activation: ActivationLike, **kwargs):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)


@register("layers")
class ReLU(_ActivationLayer):
    """``y = x`` where x > threshold, else ``negative_slope (x - threshold)``; at most `max_value`.

    Args:
        max_value: None, or the largest value that comes out.
        negative_slope: the slope below the threshold, at least 0.
        threshold: where x begins to pass.

    With the defaults ``y = max(x, 0)`` (Nair and Hinton 2010). Raises ValueError for a number below 0.
    """

    def __init__(self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else check_number(self, "max_value", max_value)
        self.negative_slope = check_number(self, "negative_slope", negative_slope)
        self.threshold = check_number(self, "threshold", threshold)
        changed = {} if self.max_value is None else {"max_value": self.max_value}
        sloped = {"negative_slope": self.negative_slope, "threshold": self.threshold}
        changed |= {key: value for key, value in sloped.items() if value}
        self.activation = activations.relu.with_parameters(**changed) if changed else activations.relu


@register("layers")
class LeakyReLU(_ActivationLayer):
    """``y = x`` where x > 0, else ``negative_slope x`` (Maas et al. 2013); raises ValueError for a slope below 0.

    ``alpha=`` is the older name of `negative_slope`.
    """

    unrecorded = (*_ActivationLayer.unrecorded, "alpha")

    def __init__(self, negative_slope: float = 0.3, **kwargs):
        negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        self.negative_slope = check_number(self, "negative_slope", negative_slope)
        self.activation = activations.leaky_relu.with_parameters(negative_slope=self.negative_slope)


@register("layers")
class ELU(_ActivationLayer):
    """``y = x`` where x > 0, else ``alpha (e^x - 1)`` (Clevert et al. 2016); ValueError for what is no number."""

    def __init__(self, alpha: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.alpha = check_number(self, "alpha", alpha, may_be_negative=True)
        self.activation = activations.elu.with_parameters(alpha=self.alpha)


@register("layers")
class Softmax(_ActivationLayer):
    """``y = e^x / sum(e^x)`` along an axis; what a mask leaves out gets 0.

    Args:
        axis: along which; by default the last one. Several axes are taken together. Along 0, samples meet.

    Raises ValueError for an axis that the input does not have.
    """

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs):
        super().__init__(**kwargs)
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis
        parameter = tuple(axis) if isinstance(axis, (list, tuple)) else axis
        self.activation = activations.softmax if axis == -1 else activations.softmax.with_parameters(axis=parameter)

    def __call__(self, inputs, mask=None, training=None, **options):
        return super().__call__(inputs, training, mask, **options)

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "*")
        ndim = len(input_shape)
        if any(not -ndim <= axis < ndim for axis in (self.axis if isinstance(self.axis, list) else [self.axis])):
            raise self.error(f"axis {self.axis} is not an axis of inputs with {ndim} axes")
        return input_shape

    def forward(self, x, training=False, mask=None):
        if mask is None:
            return self.activation.forward(x)
        may = np.asarray(mask, bool)
        if may.ndim > x.ndim or any(m not in (1, n) for m, n in zip(may.shape[::-1], x.shape[::-1])):
            raise self.error(f"a mask of shape {may.shape} cannot be repeated to the shape of x, {x.shape}")
        y, _ = self.activation.forward(np.where(may, x, np.finfo(x.dtype).min / 2))  # e to that is 0
        y = np.where(may, y, y.dtype.type(0))  # where nothing may, everything would get the same
        return y, y
