"""Integers as vectors with a place for each category: one-hot, multi-hot, or counts.

    one_hot    y[n, k] = [x[n] = k]
    multi_hot  y[n, k] = max over j of [x[n, j] = k]
    count      y[n, k] = sum over j of w[n, j] [x[n, j] = k]

Only the weights w of counts have an adjoint: dw[n, j] = dy[n, x[n, j]].
"""

import numpy as np

from scratchnet.checks import check_positive_int
from scratchnet.graph.symbolic import is_symbolic
from scratchnet.layers.base import Layer
from scratchnet.layers.preprocessing.categories.token_layer import TokenLayer, as_integers
from scratchnet.registry import register


@register("layers")
class CategoryEncoding(TokenLayer):
    """Integers (N, K, ...) -> vectors.

    Args:
        num_tokens: how many categories there are, 0 to num_tokens - 1.
        output_mode: "multi_hot", "one_hot" or "count".
        sparse: False.

    Called with ``count_weights``, of x's shape, "count" adds these up instead of ones.

    Shapes: "one_hot": (N, ..., K) -> (N, ..., K, num_tokens), without K where it is 1. Otherwise (N, K, ...) ->
    (N, ..., num_tokens); integers in a row (K,) are those of one sample.

    Raises ValueError for numbers outside of the categories, and for weights without "count".
    """

    takes_strings = False

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool | None = False, **kwargs
    ):
        super().__init__(sparse=sparse, **kwargs)
        if num_tokens is None:
            raise self.error("needs num_tokens; IntegerLookup finds out by itself which numbers there are")
        self.num_tokens = check_positive_int(self, "num_tokens", num_tokens)
        self.output_mode = self.check_output_mode(output_mode, ("multi_hot", "one_hot", "count"))

    def __call__(self, inputs, count_weights=None, training=None):
        if count_weights is None:
            return super().__call__(inputs, training)
        if not is_symbolic(inputs):
            inputs, count_weights = np.asarray(inputs), np.asarray(count_weights, self.dtype)
        return Layer.__call__(self, [inputs, count_weights], training)

    def call_arguments(self, inputs):
        return ([inputs[0]], {"count_weights": inputs[1]}) if isinstance(inputs, list) else ([inputs], {})

    def compute_output_shape(self, input_shape):
        shape = input_shape
        if isinstance(input_shape, list):
            shape, weights = input_shape
            if self.output_mode != "count":
                raise self.error(f'count_weights need output_mode="count", not {self.output_mode!r}')
            if len(shape) != len(weights):
                raise self.error(f"count_weights need the shape {shape}, got {weights}")
        self.check_shape(shape, "*")
        return self.encoded_shape(shape, self.num_tokens)

    def forward(self, x, training=False):
        weighted = isinstance(x, list)
        numbers, weights = x if weighted else (x, None)
        numbers = as_integers(self, numbers)
        wrong = numbers[(numbers < 0) | (numbers >= self.num_tokens)]
        if wrong.size:
            raise self.error(f"{wrong[0]} is no category: they are 0 to {self.num_tokens - 1}")
        return self.encoded(numbers, self.num_tokens, weights), numbers if weighted else None

    def backward(self, dy, numbers, needs_dx=True):
        if numbers is None:
            return None, {}
        dy = np.expand_dims(dy, 1 if numbers.ndim > 1 else 0)  # the same for all numbers of a sample
        dy = np.broadcast_to(dy, (*numbers.shape, self.num_tokens))
        return [None, np.take_along_axis(dy, numbers[..., None], axis=-1)[..., 0]], {}
