"""A model in use, in evaluate and predict: nobody will go back through it.

Then what backward would need is not worth keeping, and layers that stand behind one another can be computed together:

* What a `BatchNormalization` does outside of training is the same for every pixel of a channel, and linear. So it moves
  into the kernel and the bias of the convolution in front of it (gamma, beta, mean, variance: of each filter), and the
  results are the same but for their rounding:

      gamma (x * W + b - mean) / s + beta  =  x * (W r) + (b - mean) r + beta        s = sqrt(variance + epsilon)
                                                                                     r = gamma / s

  Elsewhere it is computed by its averages in one pass, with the relu behind it: `scratchnet.training.normalized`.
* An activation that is a layer of its own is applied where the convolution puts out its numbers. So is the max pooling
  of 2 x 2 behind a relu, the beginning of most image classifiers, where the backend has `conv2d_relu_max_pool_forward`.
* The mean of all pixels behind a convolution is taken while they are in the cache, where the backend has `affine_mean`;
  so it is behind a normalization, `normalized_mean`.
* Dropout and noise behind a convolution, which do nothing here, are passed over.
* An upsampling to the nearest pixel and the convolution behind it, the end of most decoders, are one transposed
  convolution, with fewer multiplications, where the backend has `upsample2d_conv2d_forward`.
* Of an LSTM and a GRU only the states are kept, and without `return_sequences` only the last ones, where the backend
  has `lstm_states` and `gru_states`; of a SimpleRNN without `return_sequences` the last state, where it has
  `simple_rnn_state`.
* Attention does not keep its scores: `scratchnet.training.attended`.
* Max pooling does not tell where the largest numbers were, where the backend has `max_pool2d`.
* A sum, difference, product, maximum or minimum of what a convolution puts out and something else, as at the end of a
  residual block, overwrites it, if nobody else reads it; and an activation overwrites a sum that it alone reads.
* Dense layers, the two halves of a Transformer's block, and words whose mean is taken, are computed as in training:
  `scratchnet.training.dense`, `scratchnet.training.blocks`, `scratchnet.training.vectors`.

All weights and functions are looked up when they are used: what a step or the user has changed since is seen. Whenever
somebody looks, it goes layer by layer: see `scratchnet.training.joined`.
"""

import numpy as np

from scratchnet import activations, kernels
from scratchnet.kernels import fused
from scratchnet.kernels.geometry import is_cheaper_transposed
from scratchnet.layers.attention.multi_head_attention import MultiHeadAttention
from scratchnet.layers.convolutional.conv2d import Conv2D
from scratchnet.layers.convolutional.depthwise_conv import DepthwiseConv2D, in_groups
from scratchnet.layers.core.embedding import Embedding
from scratchnet.layers.merging.add import Add
from scratchnet.layers.merging.maximum import Maximum
from scratchnet.layers.merging.minimum import Minimum
from scratchnet.layers.merging.multiply import Multiply
from scratchnet.layers.merging.subtract import Subtract
from scratchnet.layers.normalization.batch_normalization import BatchNormalization
from scratchnet.layers.pooling.global_pooling import GlobalAveragePooling2D
from scratchnet.layers.pooling.max_pooling2d import MaxPooling2D
from scratchnet.layers.pooling.max_pooling_1d_3d import MaxPooling1D, MaxPooling3D
from scratchnet.layers.regularization.alpha_dropout import AlphaDropout
from scratchnet.layers.regularization.dropout import Dropout, SpatialDropout2D
from scratchnet.layers.regularization.gaussian_dropout import GaussianDropout
from scratchnet.layers.regularization.gaussian_noise import GaussianNoise
from scratchnet.layers.reshaping.up_sampling2d import UpSampling2D
from scratchnet.layers.rnn.gru import GRU
from scratchnet.layers.rnn.lstm import LSTM
from scratchnet.layers.rnn.simple_rnn import SimpleRNN
from scratchnet.training.attended import ATTENDING, Attended
from scratchnet.training.blocks import SelfAttention, adds_input, goes_on, looks_at_itself, normalizes_rows
from scratchnet.training.dense import ActivatedDense, is_of_rows
from scratchnet.training.joined import JoinedNode, joined
from scratchnet.training.normalized import (
    Normalized,
    NormalizedGroups,
    averages_of,
    is_function,
    normalizes_groups,
    normalizes_last_axis,
    takes_mean_of_places,
)
from scratchnet.training.vectors import MeanOfVectors, takes_mean

_IN_PLACE = {Add: np.add, Maximum: np.maximum, Minimum: np.minimum, Multiply: np.multiply, Subtract: np.subtract}
_OF_TRAINING = AlphaDropout, Dropout, GaussianDropout, GaussianNoise, SpatialDropout2D  # which in use do nothing


class JoinedConvolution(JoinedNode):
    """A convolution, and what is behind it of normalization, activation and pooling, or the mean of all pixels."""

    def __init__(self, nodes):
        super().__init__(nodes)
        self.normalization = next((layer for layer in self.behind if type(layer) is BatchNormalization), None)
        self.pools, self.takes_mean = (type(nodes[-1].layer) is kind for kind in (MaxPooling2D, GlobalAveragePooling2D))
        self._activated = next((layer for layer in self.behind if is_function(layer)), self.layer)

    @classmethod
    def of(cls, nodes):
        return MergedConvolution(nodes) if any(type(node.layer) in _IN_PLACE for node in nodes) else cls(nodes)

    def forward(self, x, training, mask=None):
        layer, x = self.layer, self.layer.accept(x)
        kernel, bias = layer.params["kernel"], layer.params.get("bias")
        N, H, W, C = layer.unpack(x, "NHWC", C=kernel.shape[2] * getattr(layer, "groups", 1))
        if type(layer) is DepthwiseConv2D:
            kernel = in_groups(kernel)
        if self.normalization is not None:
            kernel, bias = _normalized(kernel, bias, self.normalization)
        geometry = layer.geometry(layer.pad_amounts((H, W)))
        if self.pools:
            y = kernels.conv2d_relu_max_pool_forward(x, kernel, bias, *geometry)
            self.check_pooled(y, x)
            return y, None
        if self.takes_mean:
            return fused.conv2d_mean_forward(x, kernel, bias, *geometry, self._activated.activation), None
        return fused.conv2d_forward(x, kernel, bias, *geometry, self._activated.activation)[0], None


class MergedConvolution(JoinedConvolution):
    """The same, what is made of its output and another input, element by element, and the activation behind that."""

    def __init__(self, nodes):
        place = next(k for k, node in enumerate(nodes) if type(node.layer) in _IN_PLACE)
        super().__init__(nodes[:place])
        merging, *behind = nodes[place:]
        self.outputs, self.name = nodes[-1].outputs, " and ".join(node.name for node in nodes)
        self._merging, self._activating = merging.layer, behind[0].layer if behind else None
        first, second = merging.inputs
        self._comes_first = first is nodes[place - 1].outputs
        self.inputs = [nodes[0].inputs, second if self._comes_first else first]

    def forward(self, xs, training, mask=None):
        x, other = xs
        y, _ = super().forward(x, training)
        pair = (y, other) if self._comes_first else (other, y)
        if y.shape == other.shape and y.dtype == other.dtype and y.flags.writeable:
            total = _IN_PLACE[type(self._merging)](*pair, out=y)
        else:
            total, _ = self._merging.forward([self._merging.accept(one) for one in pair])
        if self._activating is not None:
            total, _ = self._activating.activation.forward(total, overwrite=True)
        return total, None


class EnlargedConvolution(JoinedConvolution):
    """The same behind an upsampling."""

    needs_first = True

    def __init__(self, nodes):
        enlarging, *others = nodes
        super().__init__(others)
        self.inputs, self.size = enlarging.inputs, enlarging.layer.size
        self.name = f"{enlarging.name} and {self.name}"

    def forward(self, x, training, mask=None):
        layer, x = self.layer, self.layer.accept(x)
        kernel, bias = layer.params["kernel"], layer.params.get("bias")
        if self.normalization is not None:
            kernel, bias = _normalized(kernel, bias, self.normalization)
        z = kernels.upsample2d_conv2d_forward(x, self.size, kernel, bias, padding_behind(self.size, layer, x))
        return self._activated.activation.forward(z, overwrite=True)[0], None


def padding_behind(size, layer, x):
    """The amounts of a convolution behind an upsampling by `size` of images x.

    Raises ValueError, as that layer does, for other channels than it knows, and where no window fits.
    """
    N, H, W, C = layer.unpack(x, "NHWC", C=layer.params["kernel"].shape[2])
    sizes = H * size[0], W * size[1]
    layer.compute_output_shape((N, *sizes, C))
    return layer.pad_amounts(sizes)


def _normalized(kernel, bias, normalization):
    """``(W r, (b - mean) r + beta)``, see above."""
    mean, s, gamma, beta = averages_of(normalization)
    r = gamma / s
    return kernel * r, (-mean if bias is None else bias - mean) * r + beta


class StatesAlone(JoinedNode):
    """An LSTM that keeps no gates."""

    fewest = 1
    takes_repeat = True

    def forward(self, x, training, mask=None, repeat=None):
        layer = self.layer
        x, T, (h0, c0) = layer.unpack_input(layer.accept(x), repeat, lay_out=False)
        W, R, b = _weights(layer, x.dtype)
        functions = layer.activation, layer.recurrent_activation
        h, c = kernels.lstm_states(x, W, R, b, h0, c0, *functions, T, layer.return_sequences)
        return layer.pack_output(None, h, c), None


class GRUStatesAlone(JoinedNode):
    """A GRU that keeps no gates."""

    fewest = 1
    takes_repeat = True

    def forward(self, x, training, mask=None, repeat=None):
        layer = self.layer
        x, T, (h0,) = layer.unpack_input(layer.accept(x), repeat, lay_out=False)
        W, R, bias = _weights(layer, x.dtype)
        b, c = np.broadcast_to(bias, (2, W.shape[1]))  # without `reset_after` there is no c, and nobody reads it
        functions = layer.activation, layer.recurrent_activation
        h = kernels.gru_states(x, W, R, b, c, h0, *functions, layer.reset_after, T, layer.return_sequences)
        return layer.pack_output(None, h), None


class StateAlone(JoinedNode):
    """A SimpleRNN of which only the last state comes out."""

    fewest = 1
    takes_repeat = True

    def forward(self, x, training, mask=None, repeat=None):
        layer = self.layer
        x, T, _ = layer.unpack_input(layer.accept(x), repeat, lay_out=False)
        h = kernels.simple_rnn_state(x, *_weights(layer, x.dtype), layer.activation, T)
        return ([h, h] if layer.return_state else h), None


def _weights(layer, dtype):
    """W, R and b of a recurrent layer."""
    W, R = layer.params["kernel"], layer.params["recurrent_kernel"]
    return W, R, layer.params.get("bias", np.zeros(W.shape[1], dtype))


class MaximaAlone(JoinedNode):
    """Max pooling that does not tell where the largest numbers were."""

    fewest = 1

    def forward(self, x, training, mask=None):
        layer, x = self.layer, self.layer.accept(x)
        if type(layer) is MaxPooling2D:
            return kernels.max_pool2d(x, layer.pool_size, layer.strides, layer.pad_amounts(x)), None
        y, shape = x, layer.compute_output_shape(x.shape)
        for window in layer.windows(x.shape):
            y = kernels.max_pool2d(y.reshape(window.shape), window.size, window.strides, window.padding)
        return y.reshape(shape), None


class JoinedSum(JoinedNode):
    """A sum and the activation behind it."""

    def forward(self, xs, training, mask=None):
        (behind,) = self.behind
        total, _ = self.layer.forward([self.layer.accept(x) for x in xs])
        total = behind.accept(total)  # integers are floats from here on
        return behind.activation.forward(total, overwrite=True)[0], None


def in_use(model):
    """`model`, or where layers of it can be computed together a twin in which they are; all weights are shared."""
    return joined(model, _kind_of, _FOLLOWERS)


def _kind_of(node):
    """The kind of what begins with a node; None where it cannot be joined."""
    layer = node.layer
    if type(layer) in (Conv2D, DepthwiseConv2D) and layer.data_format == "channels_last":
        return JoinedConvolution
    if normalizes_last_axis(node):
        return Normalized
    if normalizes_groups(node) and kernels.normalized_groups_mean is not None:
        return NormalizedGroups
    if type(layer) is LSTM and kernels.lstm_states is not None:
        return StatesAlone if _begins_anew(node) else None
    if type(layer) is GRU and kernels.gru_states is not None:
        return GRUStatesAlone if _begins_anew(node) else None
    if type(layer) is SimpleRNN and kernels.simple_rnn_state is not None:
        return StateAlone if _begins_anew(node) and not layer.return_sequences else None
    if is_enlarging(layer):
        return EnlargedConvolution
    if type(layer) in (MaxPooling1D, MaxPooling2D, MaxPooling3D) and kernels.max_pool2d is not None:
        return MaximaAlone if layer.data_format == "channels_last" else None
    if type(layer) in ATTENDING and kernels.attention_forward is not None:
        return SelfAttention if type(layer) is MultiHeadAttention and looks_at_itself(node) else Attended
    if is_of_rows(node) and kernels.affine_forward is not None:
        return ActivatedDense
    if type(layer) is Embedding and kernels.mean_of_rows is not None:
        return MeanOfVectors
    return JoinedSum if type(layer) is Add and len(node.inputs) > 1 else None  # of one input the sum is that array


def _begins_anew(node):
    """Whether a recurrent layer begins each batch with zeros."""
    return not (node.layer.stateful or isinstance(node.inputs, list))


def is_enlarging(layer):
    """Whether a layer is an upsampling that the backend in use computes with a convolution."""
    is_one = type(layer) is UpSampling2D and layer.data_format == "channels_last"
    return is_one and layer.interpolation == "nearest" and kernels.upsample2d_conv2d_forward is not None


# ---- whether a node can be computed with what begins in front of it, given the layer right before it ----


def convolves(node, before):
    """A convolution that is quicker together with the upsampling before it."""
    layer = node.layer
    if type(layer) is not Conv2D or layer.data_format != "channels_last" or layer.groups > 1:
        return False
    return is_cheaper_transposed(before.size, layer.params["kernel"].shape, layer.strides, layer.dilation_rate)


def _normalizes(node, before):
    """A normalization of the channels, which a convolution can do."""
    layer = node.layer
    return type(layer) is BatchNormalization and layer.axis in (-1, 3) and before.activation is activations.linear


def _activates(node, before):
    """An activation, and the first one."""
    return is_function(node.layer) and getattr(before, "activation", activations.linear) is activations.linear


def pools(node, before):
    """The pooling of 2 x 2 that the backend in use computes with a convolution and a relu."""
    can = kernels.conv2d_relu_max_pool_forward is not None
    return can and pools_squares(node) and hasattr(before, "activation") and fused.is_relu(before.activation)


def _rests(node, before):
    """What does something in training alone."""
    return type(node.layer) in _OF_TRAINING


def _merges(node, before):
    """What is made of two inputs, element by element."""
    return type(node.layer) in _IN_PLACE and len(node.inputs) == 2


def _activates_merged(node, before):
    """An activation of that."""
    return type(before) in _IN_PLACE and is_function(node.layer)


def _takes_mean_of_pixels(node, before):
    return type(node.layer) is GlobalAveragePooling2D and takes_mean_of_places(node, before)


def pools_squares(node):
    """Whether this is a max pooling of 2 x 2, side by side and inside the image."""
    layer = node.layer
    if type(layer) is not MaxPooling2D or layer.data_format != "channels_last":
        return False
    is_inside = layer.padding == "valid" or not any(n is None or n % 2 for n in node.inputs.shape[1:3])
    return is_inside and layer.pool_size == layer.strides == (2, 2)


_FOLLOWERS = {
    JoinedConvolution: (_normalizes, _activates, _rests, _takes_mean_of_pixels, pools, _merges, _activates_merged),
    EnlargedConvolution: (convolves, _normalizes, _activates),
    Normalized: (_activates, takes_mean_of_places),
    NormalizedGroups: (_activates, takes_mean_of_places),
    StatesAlone: (),
    GRUStatesAlone: (),
    StateAlone: (),
    MaximaAlone: (),
    JoinedSum: (_activates,),
    SelfAttention: (adds_input, normalizes_rows),
    Attended: (),
    MeanOfVectors: (takes_mean,),
    ActivatedDense: (goes_on, adds_input, normalizes_rows),
}
