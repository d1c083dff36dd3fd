"""Scaled dot-product attention (Vaswani et al. 2017), written with other operations."""

import numpy as np

from scratchnet.ops.activation import softmax, tanh
from scratchnet.ops.elementwise import add, divide, multiply
from scratchnet.ops.linear import einsum
from scratchnet.ops.operation import shape_of
from scratchnet.ops.selection import where
from scratchnet.ops.shapes import repeat

_FAR_BELOW = -0.7 * float(np.finfo(np.float32).max)  # a score that softmax makes 0 of, and no nan where all are masked


def dot_product_attention(
    query,
    key,
    value,
    bias=None,
    mask=None,
    scale=None,
    is_causal=False,
    flash_attention=None,
    attn_logits_soft_cap=None,
):
    """``softmax(query key^T scale + bias) value`` for each head.

    Args:
        query: (N, T, heads, D).
        key, value: (N, S, heads, D); fewer heads are repeated until there are as many.
        bias: added to the scores (N, heads, T, S).
        mask: booleans that broadcast to the scores: what is False is not looked at.
        scale: by default ``1 / sqrt(D)``.
        is_causal: whether a step looks at those before it only, and itself.
        flash_attention: has no effect here, where scores are always computed in full.
        attn_logits_soft_cap: c: scores are ``c tanh(score / c)``.

    Returns (N, T, heads, D). Raises ValueError for anything but four axes.
    """
    shapes = [shape_of(x) for x in (query, key, value)]
    if any(len(shape) != 4 for shape in shapes):
        raise ValueError(f"dot_product_attention: query, key and value have four axes, got the shapes {shapes}")
    heads, fewer = shapes[0][2], shapes[1][2]
    if 1 < fewer < heads:
        key, value = repeat(key, heads // fewer, 2), repeat(value, heads // fewer, 2)
    scores = einsum("nthd,nshd->nhts", query, key) if fewer != 1 else einsum("nthd,nsid->nhts", query, key)
    scores = multiply(scores, shapes[0][3] ** -0.5 if scale is None else scale)
    if attn_logits_soft_cap is not None:
        scores = multiply(tanh(divide(scores, attn_logits_soft_cap)), attn_logits_soft_cap)
    if bias is not None:
        scores = add(scores, bias)
    if mask is not None:
        scores = where(mask, scores, _FAR_BELOW)
    if is_causal:
        T, S = shapes[0][1], shapes[1][1]
        scores = where(np.tri(T, S, dtype=bool), scores, _FAR_BELOW)
    weights = softmax(scores)
    return einsum("nhts,nshd->nthd", weights, value) if fewer != 1 else einsum("nhts,nsid->nthd", weights, value)
