"""A model in training: what layers that stand behind one another do together, there and back.

A convolution with a relu, and the max pooling of 2 x 2 behind it, is how image classifiers begin, and its output is
the largest array of most of them: four times what comes out of the pooling. Where the backend has
`conv2d_relu_max_pool_places`, that array is never made. A byte for each output of the pooling says where its number
came from, and is all that backward needs:

    y = max over the square of relu(z)          dz = dy where z was the largest of its square, and above zero; else 0

An upsampling and the convolution behind it, the end of most decoders, are together one transposed convolution. That
takes fewer multiplications, and the enlarged image is never made: `scratchnet.kernels.with_numba.upsampling` says how.

A batch normalization, the relu behind it and the max pooling behind that are three arrays of the size of its input, and
as many on the way back. Where the backend has `bounded_products`, the input alone is kept: what the relu has let
through is seen from it, and what the pooling has chosen takes a byte.

Dense layers are in `scratchnet.training.dense`, attention in `scratchnet.training.attended`, the two halves of a
Transformer's block in `scratchnet.training.blocks`, words whose mean is taken in `scratchnet.training.vectors`.

The results are the layers' own; only sums are in another order, those of dW, and behind an upsampling all. Whenever
somebody looks, it goes layer by layer: see `scratchnet.training.joined`.
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet import kernels
from scratchnet.layers.attention.multi_head_attention import MultiHeadAttention
from scratchnet.layers.convolutional.conv2d import Conv2D
from scratchnet.layers.core.embedding import Embedding
from scratchnet.layers.normalization.batch_normalization import BatchNormalizationCache, batch_moments
from scratchnet.layers.pooling.max_pooling2d import MaxPooling2D
from scratchnet.parallel import sum_over_batch
from scratchnet.training.attended import ATTENDING, Attended, is_long
from scratchnet.training.blocks import SelfAttention, adds_input, goes_on, looks_at_itself, normalizes_rows
from scratchnet.training.dense import ActivatedDense, is_of_rows
from scratchnet.training.in_use import convolves, is_enlarging, padding_behind, pools, pools_squares
from scratchnet.training.joined import TrainedNode, joined
from scratchnet.training.normalized import ANYTHING, bounds, cuts_off, normalizes_last_axis
from scratchnet.training.vectors import MeanOfVectors, takes_mean


class PooledConvolutionCache(NamedTuple):
    x: np.ndarray  # (N, H, W, C)
    places: np.ndarray  # (N, OH // 2, OW // 2, F): which of its square y is, from 1; 0 where relu shut
    geometry: Any  # strides, padding, dilation


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


class UpsampledCache(NamedTuple):
    x: np.ndarray  # (N, H, W, C), before the upsampling
    kept: Any  # what f' is computed from
    padding: tuple  # of the enlarged image: ((top, bottom), (left, right))


class UpsampledConvolution(TrainedNode):
    """An upsampling, and the convolution behind it."""

    def __init__(self, nodes):
        super().__init__(nodes)
        self.size, (self.layer,) = self.layer.size, self.behind

    def forward(self, x, training, mask=None):
        layer, x = self.layer, self.layer.accept(x)
        padding = padding_behind(self.size, layer, x)
        z = kernels.upsample2d_conv2d_forward(x, self.size, layer.params["kernel"], layer.params.get("bias"), padding)
        y, kept = layer.activation.forward(z, overwrite=True)
        return y, UpsampledCache(x, kept, padding)

    def backward(self, dy, cache, adjoints, wanted):
        layer, (x, kept, padding) = self.layer, cache
        dz = layer.activation.backward(dy, kept)  # y = f(z)
        dx, dkernel, dbias = kernels.upsample2d_conv2d_backward(
            dz, x, self.size, layer.params["kernel"], padding, needs_dx=any(wanted)
        )
        adjoints.add(self.inputs, dx)
        return self.grads(dkernel, dbias)


class BoundedCache(NamedTuple):
    own: BatchNormalizationCache
    places: Any  # which of its square y is, from 1; 0 where it is at a bound. None without pooling


class BoundedNormalization(TrainedNode):
    """A batch normalization, and what there is behind it of a relu and of a pooling."""

    def __init__(self, nodes):
        super().__init__(nodes)
        self.pools = type(nodes[-1].layer) is MaxPooling2D
        self._activation = None if type(nodes[1].layer) is MaxPooling2D else nodes[1].layer

    def _known(self, own):
        """What z is computed from, and its bounds."""
        within = ANYTHING if self._activation is None else bounds(self._activation)
        return own.mean, own.s, *self.layer.gamma_and_beta(own.mean.shape), *within

    def forward(self, x, training, mask=None):
        layer, x = self.layer, self.layer.accept(x)
        layer.compute_output_shape(x.shape)
        rows = x.reshape(1, -1, x.shape[-1])
        M, mean, variance = batch_moments(rows, None)
        own = BatchNormalizationCache(x, np.sqrt(variance + layer.epsilon), M, mean, variance, None)
        mean, s, *others = self._known(own)
        if self.pools:
            y, places = kernels.normalize_max_pool_forward(x, mean, s, *others)
            self.check_pooled(y, x)
            return y, BoundedCache(own, places)
        y = kernels.normalize_forward(rows, mean[np.newaxis], s[np.newaxis], *others)
        return y.reshape(x.shape), BoundedCache(own, None)

    def backward(self, dy, cache, adjoints, wanted):
        own, places = cache
        known = mean, s, gamma, _, _, _ = self._known(own)
        if self.pools:
            arrays = dy, places, own.x, mean, s
            dbeta, dgamma = kernels.normalize_max_pool_products(*arrays)
        else:
            rows = (a.reshape(-1, a.shape[-1]) for a in (dy, own.x))
            arrays = *rows, *known
            dbeta, dgamma = kernels.bounded_products(*arrays)
        grads = {(self.layer, name): d for name, d in self.layer.trained_grads(dgamma, dbeta).items()}
        if not any(wanted):
            return grads
        along = np.divide(sum_over_batch(gamma * dbeta, gamma * dgamma), own.M)
        if self.pools:
            dx = kernels.normalize_max_pool_backward(*arrays, gamma, *along)
        else:
            dx = kernels.bounded_backward(*arrays, *along).reshape(own.x.shape)
        adjoints.add(self.inputs, dx)
        return grads

    def remember(self, cache):
        self.layer.remember(cache.own)


def in_training(model):
    """`model`, or where layers of it can be computed together a twin in which they are; all weights are shared.

    Each epoch asks once, as for the weights that are trained: until the next one another activation is not seen.
    """
    return joined(model, _kind_of, _FOLLOWERS)


def _kind_of(node):
    """The kind of what begins with a node; None where it cannot be joined."""
    layer = node.layer
    if is_enlarging(layer):
        return UpsampledConvolution
    if normalizes_last_axis(node) and layer.trainable and not layer.renorm and kernels.bounded_products is not None:
        return BoundedNormalization
    if is_of_rows(node) and layer.trainable and kernels.affine_forward is not None:
        return ActivatedDense
    if type(layer) is Embedding and layer.trainable and kernels.mean_of_rows is not None:
        return MeanOfVectors
    if type(layer) in ATTENDING and kernels.attention_forward is not None:
        is_plain = type(layer) is MultiHeadAttention and layer.trainable and not layer.dropout
        return SelfAttention if is_plain and looks_at_itself(node) and not is_long(node) else Attended
    can = type(layer) is Conv2D and layer.data_format == "channels_last" and layer.trainable
    return PooledConvolution if can else None


def _convolves(node, before):
    return convolves(node, before) and node.layer.trainable


def _goes_on(node, before):
    return goes_on(node, before) and node.layer.trainable


def _normalizes_rows(node, before):
    return normalizes_rows(node, before) and node.layer.trainable


def _pools_normalized(node, before):
    return pools_squares(node)


_FOLLOWERS = {
    PooledConvolution: (pools,),
    UpsampledConvolution: (_convolves,),
    MeanOfVectors: (takes_mean,),
    BoundedNormalization: (cuts_off, _pools_normalized),
    ActivatedDense: (_goes_on, adds_input, _normalizes_rows),
    SelfAttention: (adds_input, _normalizes_rows),
    Attended: (),
}
