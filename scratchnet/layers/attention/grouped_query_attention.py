"""Attention whose heads share keys and values: as many queries, and fewer numbers to keep (Ainslie et al., "GQA:
training generalized multi-query Transformer models from multi-head checkpoints", 2023).

Groups of query heads, one behind the other, see the same head of keys and values,

    k[head h of queries] = k[head h // size of a group]        dk[head j] = sum over the heads h of its group of  dk[h]

and all else is as in `scratchnet.layers.attention.heads`. With one head of keys and values it is multi-query attention
(Shazeer 2019), with as many as of queries multi-head attention.
"""

import numpy as np

from scratchnet.checks import check_positive_int
from scratchnet.hints import ConstraintLike, InitializerLike, RegularizerLike, Seed
from scratchnet.layers.attention.heads import Heads
from scratchnet.registry import register


@register("layers", "GroupQueryAttention")
class GroupedQueryAttention(Heads):
    """``layer(query, value, key=None)`` -> for each query what its heads see. Its public name is `GroupQueryAttention`.

    Args:
        head_dim: D, the size of queries, keys and values in each head.
        num_query_heads: how many heads of queries there are.
        num_key_value_heads: how many heads of keys and values; a divisor of `num_query_heads`.
        dropout, use_bias, sliding_window, flash_attention, kernel_initializer, bias_initializer, kernel_regularizer,
            bias_regularizer, kernel_constraint, bias_constraint, use_gate, seed: as of `MultiHeadAttention`.

    Shapes: (N, T, features), (N, S, ...), (N, S, ...) -> (N, T, features). Weights, each with kernel and bias:
    ``query`` (features, query heads, D), ``key`` (features, key heads, D), ``gate``, ``value``, ``attention_output``
    (query heads, D, features).

    Raises:
        ValueError: for numbers of heads that do not divide, and for inputs or masks that do not fit together.
    """

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        use_gate: bool = False,
        seed: Seed = None,
        **kwargs,
    ):
        super().__init__(
            dropout,
            use_bias,
            sliding_window,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            kernel_constraint,
            bias_constraint,
            use_gate,
            seed,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.head_dim = check_positive_int(self, "head_dim", head_dim)
        self.num_query_heads = check_positive_int(self, "num_query_heads", num_query_heads)
        self.num_key_value_heads = check_positive_int(self, "num_key_value_heads", num_key_value_heads)
        if self.num_query_heads % self.num_key_value_heads:
            raise self.error(
                f"num_query_heads must be a multiple of num_key_value_heads, got {num_query_heads} and "
                f"{num_key_value_heads}"
            )

    def build_heads(self, query, value, key):
        many, few = [None, self.num_query_heads, self.head_dim], [None, self.num_key_value_heads, self.head_dim]
        self.query_dense = self.dense("query", "bqm,muh->bquh", many, "uh")
        self.key_dense = self.dense("key", "bkm,mvh->bkvh", few, "vh")
        if self.use_gate:
            self.gate_dense = self.dense("gate", "bqm,muh->bquh", many, "uh", activation="sigmoid")
        self.value_dense = self.dense("value", "bkm,mvh->bkvh", few, "vh")
        self.output_dense = self.dense("attention_output", "bquh,uhm->bqm", [None, query[-1]], "m")
        self.query_dense.build(query)
        self.key_dense.build(key)
        if self.use_gate:
            self.gate_dense.build(query)
        self.value_dense.build(value)
        self.output_dense.build((*query[:2], self.num_query_heads, self.head_dim))

    def output_shapes(self, query, value):
        self.check_shape(query, "NTD")
        return query, (query[0], self.num_query_heads, query[1], value[1])

    def share(self, k_or_v):
        return np.repeat(k_or_v, self.num_query_heads // self.num_key_value_heads, axis=2)

    def share_backward(self, d):
        N, S, _, D = d.shape
        return d.reshape(N, S, self.num_key_value_heads, -1, D).sum(axis=3)
