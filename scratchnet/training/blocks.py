"""The two halves of a Transformer's block, each as one node.

    attention of a sequence to itself        perhaps what came in is added        perhaps normalized by rows
    two dense layers                         perhaps what came in is added        perhaps normalized by rows

Layer by layer that is a dozen arrays as large as the input, there and back: more than the caches hold. Where the
backend has `self_attention_forward` and `feed_forward_forward`, some samples at a time go through all of it, if the
weights are small and the samples sequences: the products of larger ones take far longer than the way to memory.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from scratchnet import activations, kernels
from scratchnet.kernels import fused
from scratchnet.layers.core.dense import Dense
from scratchnet.layers.merging.add import Add
from scratchnet.layers.normalization.layer_normalization import LayerNormalization
from scratchnet.structure import flatten
from scratchnet.training.joined import TrainedNode

_LINE = 64  # bytes, of which the numbers of a head are a multiple: they fill vectors of every size
_NARROW = 16  # columns: of fewer, tiles are half empty
_WEIGHTS = 1 << 18  # bytes at most, that stay in the cache while some samples go through


class BlockCache(NamedTuple):
    x: np.ndarray  # (N, T, features)
    kept: Any  # what lies between x and y, as the kernel has it


class Block(TrainedNode):
    """What the two halves have in common: their end."""

    fewest = 1

    def __init__(self, nodes):
        super().__init__(nodes)
        self._adds = any(type(layer) is Add for layer in self.behind)
        self._normalization = self.behind[-1] if self.behind and type(self.behind[-1]) is LayerNormalization else None

    @property
    def trainable(self):
        return any(layer.has_trainable_params for layer in (self.layer, *self.behind))

    def _ending(self):
        """``adds_x, gamma, beta, epsilon`` as kernels want it."""
        layer = self._normalization
        if layer is None:
            return self._adds, None, None, 0.0
        gamma, beta = layer.gamma_and_beta(self.outputs.shape[-1])
        return self._adds, gamma.reshape(-1), beta.reshape(-1), layer.epsilon

    def _grads_of_ending(self, dgamma, dbeta):
        layer = self._normalization
        found = {} if layer is None else layer.trained_grads(dgamma, dbeta)
        return {(layer, name): d for name, d in found.items()}


class SelfAttention(Block):
    """Attention by several heads, of each sequence to itself."""

    def __init__(self, nodes):
        super().__init__(nodes)
        self.inputs = flatten(self.inputs)[0]  # query, value and key

    def forward(self, x, training, mask=None):
        layer, x = self.layer, self.layer.accept(x)
        layer.query_dense.compute_output_shape(x.shape)
        heads = layer.num_heads, layer.key_dim
        y, kept = kernels.self_attention_forward(x, *_weights_of_heads(layer), *heads, self._ending(), training)
        return y, BlockCache(x, kept)

    def backward(self, dy, cache, adjoints, wanted):
        layer = self.layer
        W, _, W_o, _ = _weights_of_heads(layer)
        shape = W, W_o, layer.num_heads, layer.key_dim
        dx, dW, db, *others = kernels.self_attention_backward(dy, *cache, *shape, self._ending(), any(wanted))
        adjoints.add(self.inputs, dx)
        HD = layer.num_heads * layer.key_dim
        pairs = *zip(*(np.split(d, [HD, 2 * HD], axis=-1) for d in (dW, db))), others[:2]
        found = {}
        for name, pair in zip(("query", "key", "value", "attention_output"), pairs):
            params = layer.sublayers[name].params
            found.update((f"{name}/{key}", d.reshape(params[key].shape)) for key, d in zip(params, pair))
        grads = {(layer, name): np.ascontiguousarray(found[name]) for name in layer.trainable_params}
        return {**grads, **self._grads_of_ending(*others[2:])}


class FeedForward(Block):
    """Two dense layers."""

    def forward(self, x, training, mask=None):
        layer, x = self.layer, self.layer.accept(x)
        layer.compute_output_shape(x.shape)
        weights = *_matrix_and_bias(layer), *_matrix_and_bias(self.behind[0])
        relu = fused.is_relu(layer.activation)
        y, kept = kernels.feed_forward_forward(x.reshape(-1, x.shape[-1]), *weights, relu, self._ending())
        return y.reshape(*x.shape[:-1], -1), BlockCache(x, kept)

    def backward(self, dy, cache, adjoints, wanted):
        layer, behind, (x, kept) = self.layer, self.behind[0], cache
        weights = layer.params["kernel"], behind.params["kernel"]
        rows = (array.reshape(-1, array.shape[-1]) for array in (dy, x))
        how = fused.is_relu(layer.activation), self._ending(), any(wanted)
        dx, dW, db, dW_o, db_o, *others = kernels.feed_forward_backward(*rows, kept, *weights, *how)
        adjoints.add(self.inputs, None if dx is None else dx.reshape(x.shape))
        second = behind.trained({"kernel": dW_o, "bias": db_o})
        return {
            **self.grads(dW, db),
            **{(behind, name): d for name, d in second.items()},
            **self._grads_of_ending(*others),
        }


def _weights_of_heads(layer):
    """W, b of queries, keys and values side by side, W_o, b_o, as matrices and rows."""
    W, b = zip(*(_matrix_and_bias(dense) for dense in (layer.query_dense, layer.key_dense, layer.value_dense)))
    return np.concatenate(W, axis=1), np.concatenate(b), *_matrix_and_bias(layer.output_dense, summed=2)


def _matrix_and_bias(dense, summed=1):
    """The kernel of a layer, whose first axes are summed, as a matrix, and the bias, or zeros, as a row."""
    W = dense.params["kernel"]
    W = W.reshape(math.prod(W.shape[:summed]), -1)
    return W, dense.params["bias"].reshape(-1) if "bias" in dense.params else np.zeros(W.shape[1], W.dtype)


# ---- what can be computed so ----


def looks_at_itself(node):
    """Whether an attention by several heads is that of a sequence to itself, and its weights are small."""
    layer, inputs = node.layer, flatten(node.inputs)
    is_more = node.options or node.reads_mask or node.masks_output or layer.sliding_window or layer.use_gate
    is_itself = len(inputs) < 4 and all(tensor is inputs[0] for tensor in inputs)
    if is_more or not (is_itself and len(inputs[0].shape) == 3):
        return False
    itemsize = layer.params["query/kernel"].itemsize
    fills = all(size * itemsize % _LINE == 0 for size in (layer.key_dim, layer.value_dim))
    return fills and len(layer.compute_output_shape(*[inputs[0].shape] * 2)) == 3 and _is_small(layer)


def goes_on(node, before):
    """Whether a dense layer stands behind another one, both for each place of a sequence."""
    layer = node.layer
    if type(layer) is not Dense or layer.activation is not activations.linear:
        return False
    can = kernels.feed_forward_forward is not None and len(node.inputs.shape) > 2
    is_known = before.activation is activations.linear or fused.is_relu(before.activation)
    is_narrow = min(*before.params["kernel"].shape, *layer.params["kernel"].shape) < _NARROW
    return can and is_known and not is_narrow and _is_small(before, layer)


def adds_input(node, before):
    """Whether what went into the half is added to what comes out of it."""
    if type(node.layer) is not Add or len(node.inputs) != 2 or node.inputs[0].shape != node.inputs[1].shape:
        return False
    for made, other in (node.inputs, node.inputs[::-1]):
        last = made.node
        if last is not None and last.layer is before:
            first = last.inputs.node if type(before) is Dense else last
            if flatten(first.inputs)[0] is other:
                return True
    return False


def normalizes_rows(node, before):
    """Whether what comes out is normalized over its last axis."""
    layer, shape = node.layer, node.inputs.shape if type(node.layer) is LayerNormalization else ()
    return bool(shape) and layer.positive_axes(shape) == (len(shape) - 1,)


def _is_small(*layers):
    return sum(p.nbytes for layer in layers for p in layer.params.values()) <= _WEIGHTS
