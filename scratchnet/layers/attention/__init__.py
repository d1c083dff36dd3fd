"""Layers in which each place of a sequence looks at all places of another."""

from scratchnet.layers.attention.additive_attention import AdditiveAttention
from scratchnet.layers.attention.attention import Attention
from scratchnet.layers.attention.group_query_attention import GroupQueryAttention
from scratchnet.layers.attention.multi_head_attention import MultiHeadAttention

__all__ = [
    "AdditiveAttention",
    "Attention",
    "GroupQueryAttention",
    "MultiHeadAttention",
]
