"""Activations as layers of their own: y = f(z), element by element (softmax: along the last axis)."""

from scratchnet import activations
from scratchnet.layers.base import Layer


class Activation(Layer):
    """``y = activation(x)``; any shape.

    Args:
        activation: a name or an `scratchnet.activations.Activation`.
    """

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def forward(self, x, training=False):
        return self.activation.forward(x)

    def backward(self, dy, cache):
        return self.activation.backward(dy, cache), {}


class _Fixed(Activation):
    """An activation layer whose function is given by its class; its parameters are the constructor's arguments."""

    function = None
    arguments = ()

    def __init__(self, **kwargs):
        parameters = {name: kwargs.pop(name) for name in self.arguments}
        super().__init__(self.function.with_parameters(**parameters) if parameters else self.function, **kwargs)
        for name, value in parameters.items():
            setattr(self, name, value)

    def get_config(self):
        settings = super().get_config()
        del settings["activation"]
        return settings


class ReLU(_Fixed):
    """``y = max(x, 0)``. Keras's max_value, negative_slope and threshold are refused; see `LeakyReLU`."""

    function = activations.relu


class LeakyReLU(_Fixed):
    """``y = x`` where x > 0, else ``negative_slope x`` (Maas et al. 2013)."""

    function = activations.leaky_relu
    arguments = ("negative_slope",)

    def __init__(self, negative_slope=0.3, **kwargs):
        super().__init__(negative_slope=float(negative_slope), **kwargs)


class ELU(_Fixed):
    """``y = x`` where x > 0, else ``alpha (e^x - 1)`` (Clevert et al. 2016)."""

    function = activations.elu
    arguments = ("alpha",)

    def __init__(self, alpha=1.0, **kwargs):
        super().__init__(alpha=float(alpha), **kwargs)


class Softmax(_Fixed):
    """``y = e^x / sum(e^x)`` along the last axis."""

    function = activations.softmax

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        if axis != -1:
            raise self.error(f"only axis=-1 is implemented, got {axis!r}")
