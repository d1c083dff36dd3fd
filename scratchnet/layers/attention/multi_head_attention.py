"""Multi-head attention, the layer that Transformers are made of (Vaswani et al., "Attention is all you need", 2017).

The equations, forward and backward, stand in `scratchnet.layers.attention.heads` and `scaled_dot_product`. Every head
has queries, keys and values of its own.
"""

import string
from collections.abc import Sequence
from typing import Any

from scratchnet.checks import check_positive_int
from scratchnet.hints import ConstraintLike, InitializerLike, RegularizerLike, Seed
from scratchnet.layers.attention.heads import Heads
from scratchnet.registry import register


@register("layers")
class MultiHeadAttention(Heads):
    """``layer(query, value, key=None)`` -> for each query what its heads see.

    Args:
        num_heads: how many heads there are.
        key_dim: D, the size of queries and keys in each head.
        value_dim: E, the size of values in each head; by default D.
        dropout: the part of the weights P that is left out in training, in [0, 1].
        use_bias: whether the products have biases.
        output_shape: the size, or sizes, of the output's features; by default those of `query`.
        attention_axes: along which axes is looked; by default all but those of samples and features.
        sliding_window: a query sees keys that are less than so many places away; None for all.
        flash_attention: taken; it is a way to compute the same.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, kernel_constraint, bias_constraint:
            of every ``kernel`` and ``bias``.
        use_gate: whether a sigmoid of the query decides what counts of what is seen.
        seed: of dropout.

    Shapes: (N, T, features), (N, S, ...), (N, S, ...) -> (N, T, features). Weights, each with kernel and bias:
    ``query`` (features, heads, D), ``key``, ``gate``, ``value`` (features, heads, E), ``attention_output`` (heads, E,
    features).

    A query that may look nowhere, since masks hide everything, sees the mean of all values, and 0 where there is
    dropout or the scores are returned: so does Keras.

    Raises:
        ValueError: for sizes that are not positive integers, and for inputs or masks that do not fit together.
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: int | Sequence[int] | None = None,
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
        self.num_heads = check_positive_int(self, "num_heads", num_heads)
        self.key_dim = check_positive_int(self, "key_dim", key_dim)
        self.value_dim = self.key_dim if value_dim is None else check_positive_int(self, "value_dim", value_dim)
        self.output_shape = None
        if output_shape is not None:
            sizes = output_shape if isinstance(output_shape, (tuple, list)) else (output_shape,)
            self.output_shape = tuple(check_positive_int(self, "output_shape", size) for size in sizes)
        self.attention_axes = (attention_axes,) if isinstance(attention_axes, int) else attention_axes

    def build_heads(self, query, value, key):
        self.attention_axes = self.axes(len(query))
        free = string.ascii_lowercase[: len(query) - 1]  # the letters of N, T, ...
        per_head = f"{free}x,xyz->{free}yz"
        unknown = [None] * (len(free) - 1)
        D, E = [*unknown, self.num_heads, self.key_dim], [*unknown, self.num_heads, self.value_dim]
        self.query_dense = self.dense("query", per_head, D, "yz")
        self.key_dense = self.dense("key", per_head, D, "yz")
        if self.use_gate:
            self.gate_dense = self.dense("gate", per_head, E, "yz", activation="sigmoid")
        self.value_dense = self.dense("value", per_head, E, "yz")
        features = self._features(query)
        made = string.ascii_uppercase[: len(features)]
        together = f"{free}yz,yz{made}->{free}{made}"
        self.output_dense = self.dense("attention_output", together, [*unknown, *features], made)
        self.query_dense.build(query)
        self.key_dense.build(key)
        if self.use_gate:
            self.gate_dense.build(query)
        self.value_dense.build(value)
        self.output_dense.build((*query[:-1], self.num_heads, self.value_dim))

    def output_shapes(self, query, value):
        axes = self.axes(len(query))
        batch = [n for k, n in enumerate(query[:-1]) if k not in axes]
        scores = (*batch, self.num_heads, *(query[axis] for axis in axes), *(value[axis] for axis in axes))
        return (*query[:-1], *self._features(query)), scores

    def axes(self, ndim):
        if self.attention_axes is None:
            return tuple(range(1, ndim - 1))
        axes = tuple(axis + ndim if axis < 0 else axis for axis in self.attention_axes)
        if any(not 0 < axis < ndim - 1 for axis in axes):
            raise self.error(f"attention_axes {self.attention_axes} must be axes between those of samples and features")
        return axes

    def _features(self, query_shape):
        return self.output_shape or query_shape[-1:]
