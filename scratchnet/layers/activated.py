"""Activations that look along another axis than the last one, as ``Softmax(axis=1)`` does.

Some layers compute z as rows, or as images: in another shape than that in which it comes out. Most functions do not
notice. For those that do, z comes out first, and y = f(z) is computed of that; backward goes the other way round.
"""

import functools
from typing import Any, NamedTuple

from scratchnet import activations
from scratchnet.layers.base import Layer, with_activation


class BehindCache(NamedTuple):
    of_z: Any  # what the layer keeps
    kept: Any  # what f' is computed from


class ActivatedBehind(Layer):
    """Base of layers whose forward and backward apply `activation` to rows of what comes out."""

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        for name, wrap in (("forward", _forward), ("backward", _backward)):
            if name in vars(cls):
                setattr(cls, name, wrap(vars(cls)[name]))


def forward_behind(method, layer, *args, **kwargs):
    """``(y, cache)`` of a layer: z by `method`, its forward, and then y."""
    z, of_z = method(with_activation(layer, activations.linear), *args, **kwargs)
    y, kept = layer.activation.forward(z)  # y = f(z)
    return y, BehindCache(of_z, kept)


def backward_behind(method, layer, dy, cache, *args, **kwargs):
    """``(dx, grads)``: dz, and what `method`, its backward, makes of it."""
    dz = layer.activation.backward(dy, cache.kept)  # y = f(z)
    return method(with_activation(layer, activations.linear), dz, cache.of_z, *args, **kwargs)


def _forward(method):
    @functools.wraps(method)
    def forward(self, x, training=False):
        if self.activation.is_by_row:
            return method(self, x, training)
        return forward_behind(method, self, x, training)

    return forward


def _backward(method):
    @functools.wraps(method)
    def backward(self, dy, cache, needs_dx=True):
        if self.activation.is_by_row:
            return method(self, dy, cache, needs_dx)
        return backward_behind(method, self, dy, cache, needs_dx)

    return backward
