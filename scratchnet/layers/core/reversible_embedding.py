"""An embedding that is also used backwards: from vectors to a score for each token, as a language model ends.

    y[n, t] = W[x[n, t]]            z = h W^T                  dh = dz W
                                                               dW += dz^T h      beside what the lookup gives it

The matrix that turns tokens into vectors is the one that compares a vector with all tokens: that halves the parameters
of a small model, and helps it to learn (Press and Wolf, "Using the output embedding to improve language models", 2017).
Large scores may be bent to stay within (-c, c):

    y = c tanh(z / c)               dz = dy (1 - (y / c)^2)
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet.activations import tanh
from scratchnet.checks import check_bounds
from scratchnet.hints import ConstraintLike, InitializerLike, RegularizerLike
from scratchnet.layers.core.embedding import Embedding
from scratchnet.registry import register


class ReverseCache(NamedTuple):
    h: np.ndarray  # (N, ..., D)
    y: Any  # the scores, where they are bent; else None


@register("layers")
class ReversibleEmbedding(Embedding):
    """Integers (N, ...) -> vectors (N, ..., D); with ``reverse=True``, vectors (N, ..., D) -> scores (N, ..., V).

    Args:
        input_dim, output_dim, embeddings_initializer, embeddings_regularizer, embeddings_constraint, mask_zero: see
            `Embedding`.
        tie_weights: whether the scores are made by ``embeddings``; otherwise by ``reverse_embeddings`` (D, V).
        reverse_dtype: the layer's own dtype, or None.
        logit_soft_cap: c, or None.

    Raises:
        ValueError: for sizes or a cap that are not positive, another dtype, and for tokens outside 0 to V - 1.
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: InitializerLike = "uniform",
        embeddings_regularizer: RegularizerLike = None,
        embeddings_constraint: ConstraintLike = None,
        mask_zero: bool = False,
        reverse_dtype: str | None = None,
        logit_soft_cap: float | None = None,
        **kwargs,
    ):
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer,
            embeddings_regularizer,
            embeddings_constraint,
            mask_zero,
            **kwargs,
        )
        self.tie_weights = bool(tie_weights)
        if reverse_dtype not in (None, self.dtype):
            raise self.error(f"reverse_dtype must be the layer's own, {self.dtype}, got {reverse_dtype!r}")
        self.reverse_dtype = reverse_dtype
        if logit_soft_cap is not None:
            check_bounds("ReversibleEmbedding", "logit_soft_cap", logit_soft_cap, above=0)
        self.logit_soft_cap = logit_soft_cap

    def build(self, input_shape=None):
        super().build(input_shape)
        if not self.tie_weights:
            shape = (self.output_dim, self.input_dim)
            self.add_weight(name="reverse_embeddings", shape=shape, initializer=self.embeddings_initializer)

    def compute_output_shape(self, input_shape, reverse=False):
        if not reverse:
            return super().compute_output_shape(input_shape)
        self.check_shape(input_shape, "*D", D=self.output_dim)
        return (*input_shape[:-1], self.input_dim)

    def forward(self, x, training=False, reverse=False):
        if not reverse:
            return super().forward(x)
        self.unpack(x, "*D", D=self.output_dim)
        W = self.params["embeddings"].T if self.tie_weights else self.params["reverse_embeddings"]
        z = x @ W  # (N, ..., V)
        if self.logit_soft_cap is None:
            return z, ReverseCache(x, None)
        c = z.dtype.type(self.logit_soft_cap)
        y = c * tanh(z / c)
        return y, ReverseCache(x, y)

    def backward(self, dy, cache, needs_dx=True):
        grads = {name: np.zeros_like(w) for name, w in self.trainable_params.items()}
        if not isinstance(cache, ReverseCache):
            _, found = super().backward(dy, cache, needs_dx)
            return None, self.trained({**grads, **found})
        W = self.params["embeddings"].T if self.tie_weights else self.params["reverse_embeddings"]
        dz = dy if cache.y is None else dy * (1 - np.square(cache.y / dy.dtype.type(self.logit_soft_cap)))
        if grads:
            dW = cache.h.reshape(-1, self.output_dim).T @ dz.reshape(-1, self.input_dim)  # z = h W, (D, V)
            grads.update({"embeddings": dW.T} if self.tie_weights else {"reverse_embeddings": dW})
        return (dz @ W.T if needs_dx else None), self.trained(grads)

    def output_masks(self, x, mask, cache):
        return [None] if isinstance(cache, ReverseCache) else super().output_masks(x, mask, cache)
