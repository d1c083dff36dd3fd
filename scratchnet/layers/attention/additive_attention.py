"""Additive attention: the score of a key for a query is a small network of one hidden layer, instead of a dot product.

    A[t, s] = sum over d of  scale[d] tanh(q[t, d] + k[s, d])        P = softmax(A)        y = P v

With it a translator first learnt where to look in the sentence (Bahdanau, Cho and Bengio, "Neural machine translation
by jointly learning to align and translate", 2015); the products of queries and keys with weights, which belong to it
there, are Dense layers before this one. Backwards, dA as in `scratchnet.layers.attention.attention`,

    u = tanh(q + k)        dscale[d] = sum(dA u)        dz = dA scale (1 - u^2)
    dq[t] = sum over s of dz[t, s]        dk[s] = sum over t of dz[t, s]
"""

import numpy as np

from scratchnet.activations import tanh
from scratchnet.layers.attention.attention import SoftLookup
from scratchnet.registry import register


@register("layers")
class AdditiveAttention(SoftLookup):
    """[query, value] or [query, value, key] -> for each query a mean of the values.

    Args:
        use_scale: whether there is a learnt ``scale`` (D,); otherwise it is 1.
        dropout: the part of the weights P that is left out in training, in [0, 1).
        seed: of dropout.

    Masks, ``use_causal_mask`` and ``return_attention_scores`` are as of `Attention`.

    Shapes: (N, T, D), (N, S, E), (N, S, D) -> (N, T, E). Without keys the values are the keys, E = D. There may be
    further axes behind N.

    Raises ValueError for shapes that do not fit together.
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs):
        super().__init__(dropout, **kwargs)
        self.use_scale = bool(use_scale)

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        if self.use_scale:
            self.add_weight(name="scale", shape=input_shape[0][-1:], initializer="glorot_uniform")
        self.built = True

    def scores(self, q, k):
        u = tanh(q[..., None, :] + k[..., None, :, :])  # (N, T, S, D)
        return (np.matmul(u, self.params["scale"]) if self.use_scale else u.sum(axis=-1)), u

    def scores_backward(self, dA, u):
        grads = {}
        if self.use_scale:
            grads["scale"] = np.tensordot(dA, u, dA.ndim)  # (D,)
        du = dA[..., None] * self.params.get("scale", np.ones(u.shape[-1], u.dtype))
        dz = tanh.backward(du, u)  # A = sum(scale tanh(z))
        return dz.sum(axis=-2), dz.sum(axis=-3), grads  # z = q + k
