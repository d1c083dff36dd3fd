"""Layers in which each place of a sequence looks at all places of another."""

from scratchnet.layers.attention.additive_attention import AdditiveAttention
from scratchnet.layers.attention.attention import Attention
from scratchnet.layers.attention.grouped_query_attention import GroupedQueryAttention
from scratchnet.layers.attention.multi_head_attention import MultiHeadAttention

GroupQueryAttention = GroupedQueryAttention

__all__ = [
    "AdditiveAttention",
    "Attention",
    "GroupQueryAttention",
    "GroupedQueryAttention",
    "MultiHeadAttention",
]
