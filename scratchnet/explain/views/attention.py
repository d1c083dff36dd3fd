"""Attention: which query looks at which key."""

from scratchnet.explain.views.base import Line, View
from scratchnet.layers import AdditiveAttention, Attention, GroupedQueryAttention, MultiHeadAttention
from scratchnet.layers.attention import scaled_dot_product
from scratchnet.layers.attention.attention import SoftLookup


def _of_heads(layer, call):
    """q, k, v and P of every head: (N, heads, T, S)."""
    inner = call.cache.attention
    return {"P": inner.P, "q": inner.q, "k": inner.k, "v": inner.v}


HEADS = View(
    "attention",
    _of_heads,
    (
        Line("P", "P = softmax ( q k^T / √ D )", scaled_dot_product.attention_forward, "P = softmax(np.matmul(q, k"),
        Line("y", "y = P v", scaled_dot_product.attention_forward, "return _product(kept, v, like=q), "),
    ),
    (
        Line(
            "dv",
            "dv = P^T dy",
            scaled_dot_product.attention_backward,
            "dv = _product(kept",
        ),
        Line(
            "dA",
            "dA = P ⊙ ( dP - sum_s dP ⊙ P )",
            scaled_dot_product.attention_backward,
            "dA = softmax_backward(dP, P, _scale(q))",
        ),
        Line("dq", "dq = dA k / √ D", scaled_dot_product.attention_backward, "return _product(dA, k, like=q)"),
    ),
)
LOOKUP = View(
    "attention",
    lambda layer, call: {"P": call.cache.P},
    (
        Line("P", "P = softmax ( scores ( q , k ) )", SoftLookup.forward, "P = softmax(A)"),
        Line("y", "y = P v", SoftLookup.forward, "y = np.matmul(kept, v)"),
    ),
    (Line("dv", "dv = P^T dy", SoftLookup.backward, "dv = np.matmul(kept.swapaxes(-1, -2), dy)"),),
)

ATTENTION = {MultiHeadAttention: HEADS, GroupedQueryAttention: HEADS, Attention: LOOKUP, AdditiveAttention: LOOKUP}
