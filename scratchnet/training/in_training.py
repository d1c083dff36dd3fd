"""A model in training: what layers that stand behind one another do together, there and back.

A convolution with a relu, and the max pooling of 2 x 2 behind it, is how image classifiers begin, and its output is
the largest array of most of them: four times what comes out of the pooling. Where the backend has
`conv2d_relu_max_pool_places`, that array is never made. A byte for each output of the pooling says where its number
came from, and is all that backward needs:

    y = max over the square of relu(z)          dz = dy where z was the largest of its square, and above zero; else 0

An upsampling and the convolution behind it, the end of most decoders, are together one transposed convolution. That
takes fewer multiplications, and the enlarged image is never made: `scratchnet.kernels.with_numba.upsampling` says how.

The layers' own forward and backward say the same one after the other; only sums are in another order, those of dW, and
behind an upsampling all. They are what runs whenever somebody looks: `explain`, a debugger, who has put something in
the place of their forward or backward, and a model compiled with ``run_eagerly=True``.
"""

import sys
from typing import Any, NamedTuple

import numpy as np

from scratchnet import kernels
from scratchnet.layers.convolutional.conv2d import Conv2D
from scratchnet.layers.pooling.max_pooling2d import MaxPooling2D
from scratchnet.layers.reshaping.up_sampling2d import UpSampling2D
from scratchnet.training.in_use import (
    JoinedNode,
    chains,
    convolves,
    is_enlarging,
    padding_behind,
    pools,
    twin_of,
    with_joined,
)


class PooledConvolutionCache(NamedTuple):
    x: np.ndarray  # (N, H, W, C)
    places: np.ndarray  # (N, OH // 2, OW // 2, F): which of its square y is, from 1; 0 where relu shut
    geometry: Any  # strides, padding, dilation


class TrainedNode(JoinedNode):
    """Several nodes as one, there and back; `layer` has the weights."""

    @property
    def trainable(self):
        return self.layer.has_trainable_params

    def grads(self, dkernel, dbias):
        """What backward returns."""
        return {(self.layer, name): d for name, d in self.layer.trained({"kernel": dkernel, "bias": dbias}).items()}


class PooledConvolution(TrainedNode):
    """A convolution with a relu, and the pooling behind it."""

    def forward(self, x, training, mask=None):
        layer, x = self.layer, self.layer.accept(x)
        kernel, bias = layer.params["kernel"], layer.params.get("bias")
        N, H, W, C = layer.unpack(x, "NHWC", C=kernel.shape[2] * layer.groups)
        geometry = layer.geometry(layer.pad_amounts((H, W)))
        y, places = kernels.conv2d_relu_max_pool_places(x, kernel, bias, *geometry)
        self.check_pooled(y, x)
        return y, PooledConvolutionCache(x, places, geometry)

    def backward(self, dy, cache, adjoints, wanted):
        layer, (x, places, geometry) = self.layer, cache
        dx, dkernel, dbias = kernels.conv2d_relu_max_pool_backward(
            dy, places, x, layer.params["kernel"], *geometry, needs_dx=any(wanted)
        )
        adjoints.add(self.inputs, dx)
        return self.grads(dkernel, dbias)


class EnlargedCache(NamedTuple):
    x: np.ndarray  # (N, H, W, C), before the upsampling
    kept: Any  # what f' is computed from
    padding: tuple  # of the enlarged image: ((top, bottom), (left, right))


class EnlargedConvolution(TrainedNode):
    """An upsampling, and the convolution behind it."""

    def __init__(self, nodes):
        super().__init__(nodes)
        self.size, (self.layer,) = self.layer.size, self.behind

    def forward(self, x, training, mask=None):
        layer, x = self.layer, self.layer.accept(x)
        padding = padding_behind(self.size, layer, x)
        z = kernels.upsample2d_conv2d_forward(x, self.size, layer.params["kernel"], layer.params.get("bias"), padding)
        y, kept = layer.activation.forward(z, overwrite=True)
        return y, EnlargedCache(x, kept, padding)

    def backward(self, dy, cache, adjoints, wanted):
        layer, (x, kept, padding) = self.layer, cache
        dz = layer.activation.backward(dy, kept)  # y = f(z)
        dx, dkernel, dbias = kernels.upsample2d_conv2d_backward(
            dz, x, self.size, layer.params["kernel"], padding, needs_dx=any(wanted)
        )
        adjoints.add(self.inputs, dx)
        return self.grads(dkernel, dbias)


def in_training(model):
    """`model`, or where layers of it can be computed together a twin in which they are; all weights are shared.

    Each epoch asks once, as for the weights that are trained: until the next one another activation is not seen.
    """
    found = [] if _is_followed() else chains(model, _kind_of, _FOLLOWERS)
    return twin_of(model, with_joined(model.graph, found)) if found else model


def _kind_of(node):
    """The kind of what begins with a node; None where it cannot be joined."""
    layer = node.layer
    if is_enlarging(layer):
        return EnlargedConvolution if _is_as_written(layer) else None
    can = type(layer) is Conv2D and layer.data_format == "channels_last" and layer.trainable
    return PooledConvolution if can and _is_as_written(layer) else None


def _pools(node, before):
    return pools(node, before) and _is_as_written(node.layer)


def _convolves(node, before):
    return convolves(node, before) and node.layer.trainable and _is_as_written(node.layer)


_FOLLOWERS = {PooledConvolution: (_pools,), EnlargedConvolution: (_convolves,)}

# ---- who wants to see every layer ----

_WAYS = "forward", "backward"
_WRITTEN = {(kind, way): getattr(kind, way) for kind in (Conv2D, MaxPooling2D, UpSampling2D) for way in _WAYS}


def _is_as_written(layer):
    """Whether forward and backward are the library's: nobody has put something in their place, to look on."""
    return all(getattr(getattr(layer, way), "__func__", None) is _WRITTEN[type(layer), way] for way in _WAYS)


def _is_followed():
    """Whether a debugger is at work, or something else that follows the program line by line."""
    monitoring = getattr(sys, "monitoring", None)  # since Python 3.12
    return sys.gettrace() is not None or (
        monitoring is not None and monitoring.get_tool(monitoring.DEBUGGER_ID) is not None
    )
