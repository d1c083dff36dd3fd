"""Activations that look along an axis of what comes out, as ``Softmax(axis=1)`` does.

Some layers compute z in another shape than that in which it comes out: as rows, as images, or with the channels last.
Most functions do not notice. For those that do, z comes out first, and y = f(z) is computed of that; backward goes the
other way round.
"""

from typing import Any, NamedTuple

from scratchnet import activations
from scratchnet.layers.base import with_activation


class BehindCache(NamedTuple):
    of_z: Any  # what the layer keeps
    kept: Any  # what f' is computed from


def forward_behind(method, layer, *args, **kwargs):
    """``(y, cache)`` of a layer: z by `method`, its forward, and then y."""
    z, of_z = method(with_activation(layer, activations.linear), *args, **kwargs)
    y, kept = layer.activation.forward(z)  # y = f(z)
    return y, BehindCache(of_z, kept)


def backward_behind(method, layer, dy, cache, *args, **kwargs):
    """``(dx, grads)``: dz, and what `method`, its backward, makes of it."""
    dz = layer.activation.backward(dy, cache.kept)  # y = f(z)
    return method(with_activation(layer, activations.linear), dz, cache.of_z, *args, **kwargs)
