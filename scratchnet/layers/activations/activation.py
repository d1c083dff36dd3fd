"""Activations as layers of their own: y = f(z), element by element (softmax: along the last axis)."""

from scratchnet import activations
from scratchnet.checks import check_number
from scratchnet.layers.base import Layer, with_activation
from scratchnet.registry import register


class _ActivationLayer(Layer):
    """Base of the layers that apply their `activation`, and nothing else."""

    activation = activations.linear
    supports_masking = True

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

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)


@register("layers")
class ReLU(_ActivationLayer):
    """``y = max(x, 0)``. Of Keras's arguments only the defaults are taken; for a slope below 0 see `LeakyReLU`."""

    activation = activations.relu

    def __init__(self, max_value=None, negative_slope=0.0, threshold=0.0, **kwargs):
        super().__init__(**kwargs)
        given = {"max_value": max_value, "negative_slope": negative_slope, "threshold": threshold}
        for argument, default in {"max_value": None, "negative_slope": 0, "threshold": 0}.items():
            if given[argument] != default:
                message = f"Keras's argument {argument!r} is not implemented in scratchnet (got {given[argument]!r})"
                raise self.error(message, TypeError)


@register("layers")
class LeakyReLU(_ActivationLayer):
    """``y = x`` where x > 0, else ``negative_slope x`` (Maas et al. 2013); raises ValueError for a slope below 0."""

    def __init__(self, negative_slope=0.3, **kwargs):
        super().__init__(**kwargs)
        self.negative_slope = check_number(self, "negative_slope", negative_slope)
        self.activation = activations.leaky_relu.with_parameters(negative_slope=self.negative_slope)


@register("layers")
class ELU(_ActivationLayer):
    """``y = x`` where x > 0, else ``alpha (e^x - 1)`` (Clevert et al. 2016); raises ValueError for an alpha below 0."""

    def __init__(self, alpha=1.0, **kwargs):
        super().__init__(**kwargs)
        self.alpha = check_number(self, "alpha", alpha)
        self.activation = activations.elu.with_parameters(alpha=self.alpha)


@register("layers")
class Softmax(_ActivationLayer):
    """``y = e^x / sum(e^x)`` along the last axis."""

    activation = activations.softmax

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        if axis != -1:
            raise self.error(f"only axis=-1 is implemented, got {axis!r}")
