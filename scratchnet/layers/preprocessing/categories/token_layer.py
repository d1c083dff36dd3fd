"""What layers of words and categories share: what they are called on, and how the numbers of categories are encoded.

    int         the numbers themselves
    one_hot     each number k as a vector that is 1 at place k, 0 elsewhere
    multi_hot   the numbers of a sample, along its first axis, as one vector: 1 where a number occurs
    count       ... how often it occurs
    tf_idf      ... how often, times a weight for each number

None of them has a derivative: where a number lies between two categories nothing changes, and at the border it jumps.
"""

import numpy as np

from scratchnet.graph.symbolic import is_symbolic
from scratchnet.layers.base import Layer

OLD_NAMES = {"binary": "multi_hot", "tf-idf": "tf_idf"}


class TokenLayer(Layer):
    """Base of layers that take integers or strings. Backwards nothing goes: dx is None."""

    takes_strings = keeps_integers = True
    absent = {"sparse": (False, None)}

    def __call__(self, inputs, training=None, mask=None, **options):
        """As every layer; a list of strings or numbers is an array of them."""
        return super().__call__(self.given(inputs), training, mask, **options)

    def given(self, inputs):
        """The inputs as symbolic tensors or arrays."""
        return inputs if is_symbolic(inputs) else np.asarray(inputs)

    def backward(self, dy, cache, needs_dx=True):
        return None, {}

    def check_output_mode(self, output_mode, modes):
        """`output_mode`, by its name of today. Raises ValueError unless it is one of `modes`."""
        output_mode = OLD_NAMES.get(output_mode, output_mode)
        if output_mode not in modes:
            raise self.error(f"output_mode must be one of {', '.join(modes)}, got {output_mode!r}")
        return output_mode

    def output_dtype(self, inputs):
        return "int64" if self.output_mode == "int" else self.dtype

    def encoded(self, numbers, depth, weights=None):
        """Numbers (N, K, ...) in the `output_mode`; those outside of 0 to depth - 1 count for nothing.

        Args:
            depth: how many categories there are.
            weights: of each number, for "count"; by default 1.
        """
        if self.output_mode == "int":
            return numbers
        numbers = np.atleast_1d(numbers)
        if self.output_mode == "one_hot" and numbers.ndim > 1 and numbers.shape[-1] == 1:
            numbers = numbers[..., 0]
        hot = (numbers[..., None] == np.arange(depth)).astype(self.dtype)
        if self.output_mode == "one_hot":
            return hot
        along = 1 if numbers.ndim > 1 else 0  # numbers in a row are those of one sample
        if self.output_mode == "multi_hot":
            return hot.max(axis=along, initial=0)
        return (hot if weights is None else hot * weights[..., None]).sum(axis=along)

    def encoded_shape(self, shape, depth):
        """The shape of `encoded` for numbers of `shape`."""
        if self.output_mode == "int":
            return shape
        if self.output_mode == "one_hot":
            return (*(shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape or (1,)), depth)
        return (*shape[:1], *shape[2:], depth) if len(shape) > 1 else (depth,)


def as_integers(layer, x):
    """`x` as int64. Raises ValueError for what is not whole."""
    if x.dtype.kind in "iub":
        return x.astype(np.int64, copy=False)
    whole = x.astype(np.int64)
    if (whole != x).any():
        raise layer.error(f"expected integers, got {x[whole != x].flat[0]}")
    return whole


def as_words(x, encoding="utf-8"):
    """The entries of an array of str or bytes as a flat list of str."""
    return [word.decode(encoding) if isinstance(word, bytes) else str(word) for word in np.ravel(x).tolist()]
