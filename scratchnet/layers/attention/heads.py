"""Attention by several heads: each looks for something else, in a space of its own.

    q = query W_q + b_q        k = key W_k + b_k        v = value W_v + b_v                            for every head
    y = softmax(q k^T / sqrt(D)) v                                           `scaled_dot_product`, for every head
    output = (y of all heads, one behind the other) W_o + b_o

All four products are `EinsumDense` layers, whose kernels hold all heads: W_q is (features, heads, D), W_o is (heads, E,
features). What is learnt is where to look (W_q, W_k), what to tell (W_v), and what to make of it (W_o). Backwards the
same way: through W_o, through the heads, and through W_q, W_k and W_v, whose dx add up where inputs are the same.

With a gate, g = sigmoid(query W_g + b_g) decides for each number whether it counts: g y takes the place of y (Qiu et
al., "Gated attention for large language models", 2025). Of what comes back through W_o, g's adjoint is dy y, and y's is
dy g.
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet import constraints, initializers, regularizers
from scratchnet.checks import check_positive_int
from scratchnet.graph.symbolic import is_symbolic
from scratchnet.hints import ConstraintLike, InitializerLike, RegularizerLike, Seed
from scratchnet.layers.attention.masks import causal_mask, joined, window_mask
from scratchnet.layers.attention.scaled_dot_product import attention_backward, attention_forward
from scratchnet.layers.composite import Composite
from scratchnet.layers.core.einsum_dense import EinsumDense
from scratchnet.layers.regularization.dropout import Dropout


class HeadsCache(NamedTuple):
    count: int  # of inputs
    query: Any  # of the layers' own, by their names
    key: Any
    value: Any
    attention: Any
    gate: Any
    y: np.ndarray  # (N, T, heads, E): what the heads see
    g: np.ndarray | None  # the gate
    output: Any


class Heads(Composite):
    """Base of `MultiHeadAttention` and `GroupQueryAttention`.

    A subclass makes its four (or five) `EinsumDense` layers in `build_heads`, says what comes out in `output_shapes`,
    and may define `share` and `share_backward`.
    """

    supports_masking = True
    unrecorded = (*Composite.unrecorded, "flash_attention")  # a way to compute the same

    def __init__(
        self,
        dropout: float,
        use_bias: bool,
        sliding_window: int | None,
        kernel_initializer: InitializerLike,
        bias_initializer: InitializerLike,
        kernel_regularizer: RegularizerLike,
        bias_regularizer: RegularizerLike,
        kernel_constraint: ConstraintLike,
        bias_constraint: ConstraintLike,
        use_gate: bool,
        seed: Seed,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.dropout_layer = Dropout(dropout, seed=seed, name="dropout")
        self.dropout = self.dropout_layer.rate
        self.use_bias = bool(use_bias)
        self.sliding_window = sliding_window
        if sliding_window is not None:
            check_positive_int(self, "sliding_window", sliding_window)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.use_gate = bool(use_gate)
        self.seed = seed

    @property
    def sublayers(self):
        names = ("query", "key", "gate", "value", "output")
        found = {name: vars(self).get(f"{name}_dense") for name in names}
        found = {"attention_output" if name == "output" else name: d for name, d in found.items() if d is not None}
        return {**found, "dropout": self.dropout_layer} if "dropout_layer" in vars(self) else found

    def build_heads(self, query, value, key):
        """Make and build the layers ``query_dense``, ``key_dense``, ..., given the shapes of the inputs."""
        raise NotImplementedError(f"{type(self).__name__} does not make its layers")

    def output_shapes(self, query, value):
        """The shapes of the output and of the scores, given those of query and value."""
        raise NotImplementedError(f"{type(self).__name__} does not say what comes out")

    def build(self, query_shape, value_shape=None, key_shape=None):
        """Make the weights for inputs of these shapes, one by one or all in a list."""
        self.build_heads(*self.split_shapes(query_shape, value_shape, key_shape))

    def compute_output_shape(
        self, query_shape, value_shape=None, key_shape=None, return_attention_scores=False, **options
    ):
        """The output's shape for inputs of these shapes, one by one or all in a list."""
        query, value, _ = self.split_shapes(query_shape, value_shape, key_shape)
        y, scores = self.output_shapes(query, value)
        return [y, scores] if return_attention_scores else y

    def share(self, k_or_v):
        """Keys or values (N, S, heads of their own, D) as the heads of the queries see them."""
        return k_or_v

    def share_backward(self, d):
        """The adjoint of `share`."""
        return d

    def __call__(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
    ):
        """What the queries see of the values; without a `key` each value is its own.

        Args:
            query_mask, value_mask, key_mask: (N, T) and (N, S), what counts; by default what comes with the tensors.
            attention_mask: (N, T, S), or what broadcasts to it: which query may look at which key.
            return_attention_scores: whether to return ``(output, P)``, P (N, heads, T, S).
            use_causal_mask: whether a query sees no key behind its own place.
        """
        inputs = [query, value] if key is None else [query, value, key]
        options = {"return_attention_scores": bool(return_attention_scores), "use_causal_mask": bool(use_causal_mask)}
        if attention_mask is not None:
            if is_symbolic(attention_mask):
                inputs = [query, value, value if key is None else key, attention_mask]
            else:
                options["attention_mask"] = np.asarray(attention_mask)
        mask = [query_mask, value_mask, key_mask]
        if all(m is None for m in mask):
            mask = None
        options = {name: value for name, value in options.items() if value is not False}
        result = super().__call__(inputs, training, mask, **options)
        return tuple(result) if isinstance(result, list) else result

    def call_arguments(self, inputs):
        query, value, *others = inputs
        return [query, value], dict(zip(("key", "attention_mask"), others))

    # ---- shapes ----

    def dense(self, name, equation, output_shape, bias_axes, activation=None):
        """One of the products."""
        return EinsumDense(
            equation,
            output_shape,
            activation,
            bias_axes if self.use_bias else None,
            self.kernel_initializer,
            self.bias_initializer,
            self.kernel_regularizer,
            self.bias_regularizer,
            self.kernel_constraint,
            self.bias_constraint,
            name=name,
            dtype=self.dtype,
            trainable=self.trainable,
        )

    def split_shapes(self, query_shape, value_shape=None, key_shape=None):
        """The shapes of query, value and key. Raises ValueError where they do not fit together."""
        input_shape = query_shape
        if value_shape is not None:
            input_shape = [query_shape, value_shape, key_shape or value_shape]
            if not all(isinstance(shape, (tuple, list)) for shape in input_shape):
                raise self.error(f"shapes are tuples, got {query_shape}, {value_shape} and {key_shape}")
            input_shape = [tuple(shape) for shape in input_shape]
        if not isinstance(input_shape, list) or len(input_shape) not in (2, 3, 4):
            raise self.error(f"expected query and value, and perhaps key and attention_mask, got {input_shape}")
        query, value, key = [*input_shape, input_shape[1]][:3]
        if len({len(query), len(value), len(key)}) > 1 or len(query) < 3:
            raise self.error(f"expected three inputs of shape (N, T, ..., features), got {query}, {value} and {key}")
        if value[1:-1] != key[1:-1]:
            raise self.error(f"value and key must be equal in all axes but the last, got {value} and {key}")
        return query, value, key

    # ---- forward and backward ----

    def forward(
        self,
        xs,
        training=False,
        mask=None,
        attention_mask=None,
        return_attention_scores=False,
        use_causal_mask=False,
        keeps_scores=True,  # False: they are computed again on the way back, where a kernel can
    ):
        self.split_shapes([x.shape for x in xs])
        if not self.built:
            raise self.error("called before it was built: call the layer on data, or build(input_shapes), first")
        query, value, key = [*xs, xs[1]][:3]
        attention_mask = xs[3] if len(xs) == 4 else attention_mask
        q, query_cache = self.query_dense.forward(query)  # (N, T, heads, D)
        k, key_cache = self.key_dense.forward(key)  # (N, S, heads, D)
        v, value_cache = self.value_dense.forward(value)  # (N, S, heads, E)
        may = self._may(q, v, [None] * 3 if mask is None else [*mask, None][:3], attention_mask, use_causal_mask)
        # Keras's fused product of four axes lets a query that may look nowhere look everywhere.
        fused = self.dropout == 0 and not return_attention_scores and q.ndim == 4
        y, attention = attention_forward(
            self._by_head(q),
            self._by_head(self.share(k)),
            self._by_head(self.share(v)),
            may,
            self.dropout_layer,
            training,
            blind_sees_nothing=not fused,
            keeps_scores=keeps_scores or return_attention_scores,
        )
        y = self._by_place(y, query)  # (N, T, heads, E)
        g, gate_cache = self.gate_dense.forward(query) if self.use_gate else (None, None)
        output, output_cache = self.output_dense.forward(y if g is None else g * y)
        cache = HeadsCache(len(xs), query_cache, key_cache, value_cache, attention, gate_cache, y, g, output_cache)
        return ([output, self._scores(attention.P, q, v)] if return_attention_scores else output), cache

    def backward(self, dy, cache, needs_dx=True):
        doutput, dP = dy if isinstance(dy, list) else (dy, None)
        if doutput is None:
            doutput = np.zeros(self.output_dense.compute_output_shape(cache.y.shape), dP.dtype)
        grads = {}
        dy, grads["attention_output"] = self.output_dense.backward(doutput, cache.output)
        dquery_of_gate = None
        if cache.g is not None:  # output = (g y) W_o + b_o
            dquery_of_gate, grads["gate"] = self.gate_dense.backward(dy * cache.y, cache.gate, needs_dx)
            dy = dy * cache.g
        dP = None if dP is None else dP.reshape(cache.attention.P.shape)
        dq, dk, dv = attention_backward(self._by_head(dy), dP, cache.attention, self.dropout_layer)
        dq = self._by_place(dq, cache.query.x)
        dk = self.share_backward(self._by_place(dk, cache.key.x))
        dv = self.share_backward(self._by_place(dv, cache.value.x))
        dquery, grads["query"] = self.query_dense.backward(dq, cache.query, needs_dx)
        dkey, grads["key"] = self.key_dense.backward(dk, cache.key, needs_dx)
        dvalue, grads["value"] = self.value_dense.backward(dv, cache.value, needs_dx)
        grads = {f"{name}/{key}": d for name in self.sublayers for key, d in grads.get(name, {}).items()}
        if not needs_dx:
            return None, grads
        dquery = dquery if dquery_of_gate is None else dquery + dquery_of_gate
        dxs = [dquery, dvalue + dkey] if cache.count == 2 else [dquery, dvalue, dkey, None][: cache.count]
        return dxs, grads

    def compute_mask(self, inputs, mask=None):
        return None if mask is None else mask[0]

    def output_masked(self, masked):
        return masked[0]

    # ---- the heads, and masks ----

    def axes(self, ndim):
        """The axes along which is looked, of inputs with `ndim` axes; from 1 on."""
        return (1,)

    def _order(self, ndim):
        """The axes of (N, ..., heads, D), `ndim` in all, with those along which is looked behind the heads."""
        axes = self.axes(ndim - 1)
        return [*(k for k in range(ndim - 1) if k not in axes), *axes, ndim - 1]

    def _by_head(self, x):
        """(N, T, heads, D) as (N, heads, T, D); several axes along which is looked become one."""
        order, count = self._order(x.ndim), len(self.axes(x.ndim - 1))
        x = x.transpose(order)
        return x.reshape(*x.shape[: -1 - count], -1, x.shape[-1])

    def _by_place(self, y, x):
        """Undo `_by_head` for what belongs to the places of `x`, an input."""
        y = y.reshape(*y.shape[:-2], *(x.shape[axis] for axis in self.axes(x.ndim)), y.shape[-1])
        return y.transpose(np.argsort(self._order(y.ndim)))

    def _scores(self, P, q, v):
        """P (N, heads, T, S) with an axis for each along which is looked."""
        axes = self.axes(q.ndim - 1)
        return P.reshape(*P.shape[:-2], *(x.shape[axis] for x in (q, v) for axis in axes))

    def _may(self, q, v, mask, attention_mask, use_causal_mask):
        """Where the queries may look, as `attention_forward` takes it: (N, heads, T, S), or what broadcasts to it."""
        axes = self.axes(q.ndim - 1)
        T, S = [q.shape[axis] for axis in axes], [v.shape[axis] for axis in axes]
        query_mask, value_mask, key_mask = mask
        by_itself = [None if query_mask is None else np.asarray(query_mask)[..., None]]
        by_itself += [None if m is None else np.asarray(m)[..., None, :] for m in (value_mask, key_mask)]
        by_itself.append(causal_mask(*T, *S) if use_causal_mask and len(axes) == 1 else None)
        by_itself.append(window_mask(*T, *S, self.sliding_window) if self.sliding_window and len(axes) == 1 else None)
        if len(axes) > 1 and (use_causal_mask or self.sliding_window or any(m is not None for m in mask)):
            raise self.error(f"looks along the axes {axes}: give an attention_mask; other masks are for one axis")
        may = joined([attention_mask, *by_itself])
        if may is None:
            return None
        ndim, places = q.ndim - 1 + len(axes), 2 * len(axes)  # of the scores
        shape = (*may.shape[:-places], *[1] * (ndim - may.ndim), *may.shape[-places:])
        scores = [*(q.shape[k] for k in self._order(q.ndim)[: -1 - len(axes)]), *T, *S]
        if len(shape) != ndim or any(have not in (1, want) for have, want in zip(shape, scores)):
            raise self.error(f"a mask of shape {may.shape} does not fit scores of shape {tuple(scores)}")
        may = np.broadcast_to(may.reshape(shape), (*shape[:-places], *T, *S))
        return may.reshape(*shape[:-places], np.prod(T), np.prod(S))
