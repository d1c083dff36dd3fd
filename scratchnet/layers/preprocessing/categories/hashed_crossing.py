"""Categories that are pairs of categories, such as places and hours: one fingerprint of both, modulo the bins."""

import numpy as np

from scratchnet.checks import check_positive_int
from scratchnet.graph.symbolic import is_symbolic
from scratchnet.layers.preprocessing.categories.fingerprints import crossed, farm_hash
from scratchnet.layers.preprocessing.categories.token_layer import TokenLayer, as_words
from scratchnet.registry import register

_START = 0xDECAFCAFFE
_MASK = 2**64 - 1


@register("layers")
class HashedCrossing(TokenLayer):
    """[x_1, x_2, ...], strings or integers (N,) or (N, 1) -> the bins of what stands in all of them together.

    Args:
        num_bins: how many bins there are.
        output_mode: "int" or "one_hot".
        sparse: False.

    Raises ValueError unless there are two or more inputs of one such shape, and for floats.
    """

    def __init__(
        self,
        num_bins: int | None,
        output_mode: str = "int",
        sparse: bool | None = False,
        name: str | None = None,
        dtype: str | None = None,
        **kwargs,
    ):
        dtype = None if dtype in ("int64", "int32") else dtype  # what comes out is a matter of output_mode
        super().__init__(sparse=sparse, name=name, dtype=dtype, **kwargs)
        self.num_bins = check_positive_int(self, "num_bins", num_bins)
        self.output_mode = self.check_output_mode(output_mode, ("int", "one_hot"))

    def given(self, inputs):
        if is_symbolic(inputs) or not isinstance(inputs, (list, tuple)):
            return inputs
        return [np.asarray(x) for x in inputs]

    def get_config(self):
        return {**super().get_config(), "dtype": self.output_dtype(None)}

    def compute_output_shape(self, input_shape):
        if not isinstance(input_shape, list) or len(input_shape) < 2:
            raise self.error(f"expected a list of at least two inputs, got {input_shape}")
        first, *others = input_shape
        if len(first) > 2 or first[1:] not in ((), (1,)) or any(shape[1:] != first[1:] for shape in others):
            raise self.error(f"expected inputs that all have the shape (N,) or (N, 1), got {input_shape}")
        return self.encoded_shape(first, self.num_bins)

    def forward(self, xs, training=False):
        self.compute_output_shape([x.shape for x in xs])
        for x in xs:
            if x.dtype.kind == "f":
                raise self.error(f"expected integers or strings, got {x.dtype}: Discretization makes integers of it")
        numbers = np.array([self._bin(parts) for parts in zip(*map(_fingerprints, xs))], np.int64)
        return self.encoded(numbers.reshape(xs[0].shape), self.num_bins), None

    def _bin(self, fingerprints):
        result = _START
        for fingerprint in fingerprints:
            result = crossed(result, fingerprint)
        return result % self.num_bins


def _fingerprints(x):
    """That of each entry; an integer is its own."""
    if x.dtype.kind in "iub":
        return [int(number) & _MASK for number in x.ravel()]
    words = as_words(x)
    known = {word: farm_hash(word.encode()) for word in set(words)}
    return [known[word] for word in words]
