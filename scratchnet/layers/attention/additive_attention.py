"""Additive attention: the score of a key for a query is a small network of one hidden layer, instead of a dot product.

    A[t, s] = sum over d of  scale[d] tanh(q[t, d] + k[s, d])        P = softmax(A)        y = P v

With it a translator first learnt where to look in the sentence (Bahdanau, Cho and Bengio, "Neural machine translation
by jointly learning to align and translate", 2015); the products of queries and keys with weights, which belong to it
there, are Dense layers before this one. What goes back to q, k and scale stands in
`scratchnet.layers.attention.additive_scores`.
"""

import numpy as np

from scratchnet.layers.attention.additive_scores import additive_scores_backward, additive_scores_forward
from scratchnet.layers.attention.attention import SoftLookup
from scratchnet.registry import register


@register("layers")
class AdditiveAttention(SoftLookup):
    """[query, value] or [query, value, key] -> for each query a mean of the values.

    Args:
        use_scale: whether there is a learnt ``scale`` (D,); otherwise it is 1.
        dropout: the part of the weights P that is left out in training, in [0, 1].
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
        return additive_scores_forward(q, k, self._weights(q))

    def scores_backward(self, dA, cache):
        q, _, _ = cache
        dq, dk, dscale = additive_scores_backward(dA, cache, self._weights(q))
        return dq, dk, {"scale": dscale} if self.use_scale else {}

    def _weights(self, q):
        return self.params["scale"] if self.use_scale else np.ones(q.shape[-1], q.dtype)
