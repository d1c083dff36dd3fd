"""Attention: from the values at S places, each query takes a mean, weighted by how well their keys answer to it.

    A = scores(q, k)        P = softmax(A) over the S keys        y = P v

That is the lookup in a table, made soft and so differentiable. Keys that fit a query best have the largest scores; here
they are the dot products q k^T (Luong, Pham and Manning, "Effective approaches to attention-based neural machine
translation", 2015), times a learnt scale if it is wanted, or sums over tanh (``score_mode="concat"``):

    dot:     A[t, s] = scale sum over d of  q[t, d] k[s, d]
    concat:  A[t, s] = c sum over d of  tanh(scale q[t, d] + scale k[s, d])

Backwards, where J is the Jacobian of the softmax, diag(P) - P P^T for each query:

    dv = P^T dy        dP = dy v^T        dA = dP J = P (dP - sum over s of dP P)
    dot:     dq = scale dA k        dk = scale dA^T q        dscale = sum(dA q k^T)
    concat:  with the adjoints dq' of scale q and dk' of scale k from `scratchnet.layers.attention.additive_scores`,
             dq = scale dq'        dk = scale dk'        dscale = sum(dq' q) + sum(dk' k)

In training, dropout may leave out some of P, so that no query relies on one place alone.
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet import kernels
from scratchnet.hints import Seed
from scratchnet.layers.attention.additive_scores import additive_scores_backward, additive_scores_forward
from scratchnet.layers.attention.masks import causal_mask, joined
from scratchnet.layers.attention.scaled_dot_product import softmax, softmax_backward
from scratchnet.layers.base import Layer
from scratchnet.layers.regularization.dropout import Dropout
from scratchnet.registry import register

HIDDEN = 1e9  # what a hidden score is lowered by: e^-1e9 is 0


class AttentionCache(NamedTuple):
    inputs: list  # q (N, T, D), v (N, S, E), and k (N, S, D) if there is one
    scores: Any  # the scores' own; None after a kernel that computed them and y
    P: np.ndarray | None  # (N, T, S), or None if it is computed again
    kept: np.ndarray | None  # (N, T, S): P after dropout; or P as such a kernel has it
    dropout: Any
    q_mask: np.ndarray | None  # (N, T, 1)
    may: np.ndarray | None  # (N, T, S) or fewer: where a query may look


class SoftLookup(Layer):
    """Base of `Attention` and `AdditiveAttention`, which differ in the scores alone.

    A subclass defines `scores` and `scores_backward`, and says whether its scores are the dot products alone.
    """

    supports_masking = True
    scores_are_products = False

    def __init__(self, dropout: float = 0.0, seed: Seed = None, **kwargs):
        super().__init__(**kwargs)
        self.dropout_layer = Dropout(dropout, seed=seed, name="dropout")
        self.dropout = self.dropout_layer.rate
        self.seed = seed

    def scores(self, q, k):
        """``(A, cache)``: scores (N, T, S) of keys (N, S, D) for queries (N, T, D)."""
        raise NotImplementedError(f"{type(self).__name__} defines no scores")

    def scores_backward(self, dA, cache):
        """``(dq, dk, grads)``."""
        raise NotImplementedError(f"{type(self).__name__} defines no scores_backward")

    def compute_output_shape(self, input_shape, return_attention_scores=False, **options):
        if not isinstance(input_shape, list) or len(input_shape) not in (2, 3):
            raise self.error(f"must be called on a list, [query, value] or [query, value, key], got {input_shape}")
        query, value, key = [*input_shape, input_shape[1]][:3]
        self.check_shape(query, "N*TD")
        self.check_shape(value, "N*SD")
        self.check_shape(key, "N*SD", **({} if query[-1] is None else {"D": query[-1]}))
        if key[-2] != value[-2]:
            raise self.error(f"there must be a key for each value, got {key[-2]} keys and {value[-2]} values")
        y = (*query[:-1], value[-1])
        return [y, (*query[:-1], value[-2])] if return_attention_scores else y

    def forward(
        self,
        xs,
        training=False,
        mask=None,
        return_attention_scores=False,
        use_causal_mask=False,
        keeps_scores=True,  # False: they are computed again on the way back, where a kernel can
    ):
        for x in xs:
            self.unpack(x, "N*TD")
        q, v, k = [*xs, xs[1]][:3]
        q_mask, v_mask = (None, None) if mask is None else mask[:2]
        may = joined(
            [
                None if v_mask is None else v_mask[..., None, :],
                causal_mask(q.shape[-2], k.shape[-2]) if use_causal_mask else None,
            ]
        )
        is_more = return_attention_scores or (training and self.dropout)
        if self.scores_are_products and not is_more and kernels.attention_forward is not None:  # the lines below
            scores, dropout = None, None
            heads, may_of_heads = map(_as_heads, (q, k, v)), _of_heads(may, q, k)
            y, kept = kernels.attention_forward(*heads, 1.0, may_of_heads, keeps=keeps_scores)
            y, P = y.reshape(*q.shape[:-1], v.shape[-1]), None
            if keeps_scores:
                P = kept[..., : q.shape[-2]].swapaxes(-1, -2).reshape(*q.shape[:-1], k.shape[-2])
        else:
            A, scores = self.scores(q, k)  # (N, T, S)
            if may is not None:
                A = np.where(may, A, A - A.dtype.type(HIDDEN))
            P = softmax(A)
            kept, dropout = self.dropout_layer.forward(P, training)
            y = np.matmul(kept, v)  # (N, T, E)
        if q_mask is not None:
            q_mask = np.asarray(q_mask, bool)[..., None]
            y = np.where(q_mask, y, y.dtype.type(0))
        cache = AttentionCache(xs, scores, P, kept, dropout, q_mask, may)
        return ([y, kept] if return_attention_scores else y), cache

    def backward(self, dy, cache, needs_dx=True):
        xs, scores, P, kept, dropout, q_mask, may = cache
        q, v, k = [*xs, xs[1]][:3]
        dy, dkept = dy if isinstance(dy, list) else (dy, None)
        dy = np.zeros((*q.shape[:-1], v.shape[-1]), v.dtype) if dy is None else dy
        if q_mask is not None:
            dy = np.where(q_mask, dy, dy.dtype.type(0))
        if scores is None:  # the lines below
            found = kernels.attention_backward(*map(_as_heads, (dy, q, k, v)), kept, 1.0, _of_heads(may, q, k))
            dq, dk, dv = (d.reshape(x.shape) for d, x in zip(found, (q, k, v)))
            grads = {}
        else:
            dv = np.matmul(kept.swapaxes(-1, -2), dy)  # y = kept v
            through_y = np.matmul(dy, v.swapaxes(-1, -2))  # (N, T, S)
            dP, _ = self.dropout_layer.backward(through_y if dkept is None else through_y + dkept, dropout)
            dA = softmax_backward(dP, P)  # P = softmax(A)
            dq, dk, grads = self.scores_backward(dA, scores)
        dx = [dq, dv, dk] if len(xs) == 3 else [dq, dv + dk]  # where the values are their own keys
        return dx, self.trained(grads)

    def __call__(self, inputs, training=None, mask=None, **options):
        """As every layer; y and P come as a tuple."""
        result = super().__call__(inputs, training, mask, **options)
        return tuple(result) if isinstance(result, list) else result

    def compute_mask(self, inputs, mask=None):
        return None if mask is None else mask[0]

    def output_masked(self, masked):
        return masked[0]

    def random_streams(self):
        return self.dropout_layer.random_streams()


def _as_heads(x):
    """(N, ..., T, D) as (N, heads, T, D): one head, or as many as there are of what is behind N."""
    return x.reshape(len(x), -1, *x.shape[-2:]) if x.ndim > 3 else x[:, np.newaxis]


def _of_heads(may, q, k):
    """Where queries may look, as (N, heads, T, S)."""
    return None if may is None else _as_heads(np.broadcast_to(may, (*q.shape[:-1], k.shape[-2])))


@register("layers")
class Attention(SoftLookup):
    """[query, value] or [query, value, key] -> for each query a mean of the values.

    Args:
        use_scale: whether the scores are multiplied by a learnt number, ``scale``.
        score_mode: "dot" or "concat"; the latter has a learnt number ``concat_score_weight``, c.
        dropout: the part of the weights P that is left out in training, in [0, 1].
        seed: of dropout.

    When it is called, ``use_causal_mask=True`` hides from each query the keys behind its own place, and
    ``return_attention_scores=True`` returns [y, P]. A mask of the values hides what it does not count; where one of the
    queries does not count, y is 0. Of each query at least one key must remain.

    Shapes: (N, T, D), (N, S, E), (N, S, D) -> (N, T, E). Without keys the values are the keys, E = D. There may be
    further axes behind N.

    Raises ValueError for another `score_mode`, and for shapes that do not fit together.
    """

    def __init__(
        self, use_scale: bool = False, score_mode: str = "dot", dropout: float = 0.0, seed: Seed = None, **kwargs
    ):
        super().__init__(dropout, seed, **kwargs)
        self.use_scale = bool(use_scale)
        if score_mode not in ("dot", "concat"):
            raise self.error(f'score_mode must be "dot" or "concat", got {score_mode!r}')
        self.score_mode = score_mode

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        if self.use_scale:
            self.add_weight(name="scale", initializer="ones")
        if self.score_mode == "concat":
            self.add_weight(name="concat_score_weight", initializer="ones")
        self.built = True

    @property
    def scores_are_products(self):
        return self.score_mode == "dot" and not self.use_scale

    def scores(self, q, k):
        scale = self.params.get("scale", q.dtype.type(1))
        if self.score_mode == "dot":
            products = np.matmul(q, k.swapaxes(-1, -2))  # (N, T, S)
            return scale * products, (q, k, products)
        A, cache = additive_scores_forward(scale * q, scale * k, self._weights(q))
        return A, (q, k, cache)

    def scores_backward(self, dA, cache):
        scale, grads = self.params.get("scale", dA.dtype.type(1)), {}
        if self.score_mode == "dot":
            q, k, products = cache
            if self.use_scale:
                grads["scale"] = np.sum(dA * products)  # A = scale q k^T
            dA = scale * dA
            return np.matmul(dA, k), np.matmul(dA.swapaxes(-1, -2), q), grads
        q, k, inner = cache
        dscaled_q, dscaled_k, dw = additive_scores_backward(dA, inner, self._weights(q))
        if self.use_scale:
            grads["scale"] = np.sum(dscaled_q * q) + np.sum(dscaled_k * k)
        grads["concat_score_weight"] = np.sum(dw)  # w = (c, ..., c)
        return scale * dscaled_q, scale * dscaled_k, grads

    def _weights(self, q):
        """Of the sum over tanh, (D,)."""
        return np.full(q.shape[-1], self.params["concat_score_weight"])
