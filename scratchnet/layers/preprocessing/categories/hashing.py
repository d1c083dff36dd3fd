"""Words as numbers without a vocabulary: the fingerprint of a word, modulo a number of bins.

Different words may fall into one bin; nothing has to be learnt, or kept (Weinberger et al., "Feature hashing for large
scale multitask learning", 2009).
"""

from typing import Any

import numpy as np

from scratchnet.checks import check_positive_int
from scratchnet.layers.preprocessing.categories.fingerprints import farm_hash, sip_hash
from scratchnet.layers.preprocessing.categories.token_layer import TokenLayer, as_words
from scratchnet.registry import register


@register("layers")
class Hashing(TokenLayer):
    """Strings or integers -> the numbers of their bins, or what `output_mode` makes of these.

    Args:
        num_bins: how many bins there are.
        mask_value: what falls into bin 0, alone.
        salt: a number, or two, as a secret key; None for none.
        output_mode: "int", "one_hot", "multi_hot" or "count".
        sparse: False.

    Raises ValueError for an invalid number of bins, salt or mode.
    """

    def __init__(
        self,
        num_bins: int | None,
        mask_value: float | None = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool | None = False,
        **kwargs,
    ):
        whole = kwargs.pop("dtype") if kwargs.get("dtype") in ("int64", "int32") else "int64"
        super().__init__(sparse=sparse, **kwargs)
        self.num_bins = check_positive_int(self, "num_bins", num_bins)
        self.mask_value = mask_value
        self.salt = check_salt(self, salt)
        self.output_mode = self.check_output_mode(output_mode, ("int", "one_hot", "multi_hot", "count"))

        self._whole = whole  # the dtype of numbers

    def output_dtype(self, inputs):
        return self._whole if self.output_mode == "int" else self.dtype

    def get_config(self):
        return {**super().get_config(), "dtype": self.output_dtype(None)}

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "*")
        return self.encoded_shape(input_shape, self.num_bins)

    def forward(self, x, training=False):
        masked = None
        bins = self.num_bins
        if self.mask_value is not None and bins > 1:
            masked, bins = x == self.mask_value, bins - 1
        numbers = hashed(x.astype(np.int64) if x.dtype.kind in "fb" else x, bins, self.salt)
        if masked is not None:
            numbers = np.where(masked, 0, numbers + 1)
        return self.encoded(numbers.astype(self._whole), self.num_bins), None


def hashed(x, bins, salt=None):
    """The bin, 0 to bins - 1, of each entry of an array of strings or integers, which are taken as they are written."""
    words, places = np.unique(as_words(x), return_inverse=True)
    hash_of = farm_hash if salt is None else lambda word: sip_hash(word, salt)
    found = [hash_of(word.encode()) % bins for word in words.tolist()]
    return np.array(found, np.int64)[places].reshape(x.shape)


def check_salt(layer, salt):
    """None, or two integers."""
    pair = [salt, salt] if isinstance(salt, int) else salt
    if pair is not None and not (isinstance(pair, (list, tuple)) and [type(k) for k in pair] == [int, int]):
        raise layer.error(f"salt must be an integer, or two, got {salt!r}")
    return None if pair is None else list(pair)
