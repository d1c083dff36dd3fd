"""A vector for each token: words, characters, categories, looked up in a table that is learnt.

    y[n, t] = W[x[n, t]]            dW[v] = sum over all n, t with x[n, t] = v of  dy[n, t]

That is the product of one-hot rows with W, without the rows (Bengio et al., "A neural probabilistic language model",
2003). Tokens are integers: there is no dx. A row of W that no token of the batch names gets no gradient; a row that
several name gets the sum of theirs. (Keras on TensorFlow hands them over one by one: optimizers that square gradients
add the squares there.)
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet import constraints, initializers, kernels, regularizers
from scratchnet.checks import check_positive_int
from scratchnet.hints import ConstraintLike, InitializerLike, RegularizerLike
from scratchnet.layers.base import Layer
from scratchnet.registry import register


class EmbeddingCache(NamedTuple):
    tokens: np.ndarray  # (N, ...)


@register("layers")
class Embedding(Layer):
    """Integers (N, ...) -> vectors (N, ..., D).

    Args:
        input_dim: V, how many tokens there are: they are 0 to V - 1.
        output_dim: D, the size of the vectors.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: of ``embeddings`` (V, D).
        mask_zero: whether token 0 is padding, which a mask leaves out behind this layer.
        weights: the values of ``embeddings`` to begin with.
        lora_rank, lora_alpha, quantization_config: not supported; None.

    Raises:
        ValueError: for sizes that are not positive, and for tokens outside 0 to V - 1.
    """

    keeps_integers = True
    harmless = ("autocast", "input_length")
    absent = {"activity_regularizer": (None,)}
    unrecorded = ("input_shape", "batch_size", "weights")  # the last are saved as what they are

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: InitializerLike = "uniform",
        embeddings_regularizer: RegularizerLike = None,
        embeddings_constraint: ConstraintLike = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank=None,
        lora_alpha=None,
        quantization_config=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not (lora_rank is lora_alpha is quantization_config is None):
            raise self.error("lora_rank, lora_alpha and quantization_config are not supported", TypeError)
        self.input_dim = check_positive_int(self, "input_dim", input_dim)
        self.output_dim = check_positive_int(self, "output_dim", output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.supports_masking = bool(mask_zero)
        self.mask_zero = bool(mask_zero)
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, (list, tuple)) else [weights])

    def build(self, input_shape=None):
        self.add_weight(
            name="embeddings",
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )
        self.built = True

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "*")
        return (*input_shape, self.output_dim)

    def output_dtype(self, inputs):
        return self.dtype

    def as_tokens(self, x):
        """x as int64. Raises ValueError for what is no token."""
        tokens = x.astype(np.int64, copy=False)
        if tokens.size and not (0 <= tokens.min() and tokens.max() < self.input_dim):
            wrong = tokens[(tokens < 0) | (tokens >= self.input_dim)].flat[0]
            raise self.error(f"token {wrong} is outside of 0 to {self.input_dim - 1} (input_dim={self.input_dim})")
        return tokens

    def forward(self, x, training=False):
        tokens = self.as_tokens(x)
        y = kernels.take_rows(self.params["embeddings"], tokens.reshape(-1))
        return y.reshape(*tokens.shape, self.output_dim), EmbeddingCache(tokens)  # (N, ..., D)

    def backward(self, dy, cache, needs_dx=True):
        if not self.has_trainable_params:
            return None, {}
        tokens = cache.tokens.reshape(-1)
        return None, {"embeddings": kernels.add_rows(dy.reshape(len(tokens), -1), tokens, self.input_dim)}

    def compute_mask(self, x, mask=None):
        return x != 0 if self.mask_zero else None

    def output_masked(self, masked):
        return self.mask_zero
