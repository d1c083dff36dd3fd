"""Integers that are names, such as postal codes, as numbers from 0 on by a vocabulary, and back."""

from typing import Any

import numpy as np

from scratchnet.layers.preprocessing.categories.index_lookup import IndexLookup
from scratchnet.layers.preprocessing.categories.token_layer import as_integers
from scratchnet.registry import register


@register("layers")
class IntegerLookup(IndexLookup):
    """Integers (N, ...) -> their numbers, or what `output_mode` makes of these; with `invert` back.

    Args:
        max_tokens: how many numbers there may be, those of the mask and of unknown integers among them.
        num_oov_indices: how many numbers stand for unknown integers; 0 makes these an error.
        mask_token: the integer that gets number 0, and counts for nothing in other modes than "int"; None for none.
        oov_token: what numbers that stand for no integer become with `invert`.
        vocabulary: a list of integers, or the path of a file with one in each line; by default `adapt` finds it.
        vocabulary_dtype: "int64".
        idf_weights: of the integers of `vocabulary`, for "tf_idf".
        invert: whether numbers become integers of the vocabulary.
        output_mode: "int", "one_hot", "multi_hot", "count" or "tf_idf".
        sparse: False.
        pad_to_max_tokens: whether vectors have `max_tokens` places, however many integers there are.
        oov_method: how to choose between several numbers of unknown integers: "floormod", the remainder of a division,
            or "farmhash", by a fingerprint.
        salt: a secret key for "farmhash".

    Raises ValueError for arguments that exclude one another, an invalid vocabulary, and unknown integers without a
    number.
    """

    token_dtype = "int64"

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: Any = None,
        oov_token: Any = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool | None = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **kwargs,
    ):
        super().__init__(
            max_tokens,
            num_oov_indices,
            mask_token,
            oov_token,
            vocabulary,
            idf_weights,
            invert,
            output_mode,
            pad_to_max_tokens,
            salt,
            sparse=sparse,
            name=name,
            **kwargs,
        )
        if vocabulary_dtype != "int64":
            raise self.error(f'vocabulary_dtype must be "int64", got {vocabulary_dtype!r}')
        if oov_method not in ("floormod", "farmhash"):
            raise self.error(f'oov_method must be "floormod" or "farmhash", got {oov_method!r}')
        if salt is not None and oov_method != "farmhash":
            raise self.error('salt needs oov_method="farmhash"')
        self.vocabulary_dtype = vocabulary_dtype
        self.oov_method = oov_method

    def tokens_of(self, x):
        x = np.asarray(x)
        return (x.astype(np.int64) if x.dtype.kind in "USO" else as_integers(self, x)).ravel().tolist()

    def token_array(self, tokens):
        return np.array(tokens, np.int64)

    def _choice(self, strangers):
        if self.oov_method == "floormod" and self.num_oov_indices > 1:
            return np.mod(strangers, self.num_oov_indices)
        return super()._choice(strangers)
