"""Words as numbers by a vocabulary, and back."""

from typing import Any

import numpy as np

from scratchnet.layers.preprocessing.categories.index_lookup import IndexLookup
from scratchnet.layers.preprocessing.categories.token_layer import as_words
from scratchnet.registry import register


@register("layers")
class StringLookup(IndexLookup):
    """Strings (N, ...) -> their numbers, or what `output_mode` makes of these; with `invert` numbers -> strings.

    Args:
        max_tokens: how many numbers there may be, those of the mask and of unknown words among them.
        num_oov_indices: how many numbers stand for unknown words; 0 makes these an error.
        mask_token: the word that gets number 0, and counts for nothing in other modes than "int"; None for none.
        oov_token: what numbers that stand for no word become with `invert`.
        vocabulary: a list of words, or the path of a file with one in each line; by default `adapt` finds it.
        idf_weights: of the words of `vocabulary`, for "tf_idf".
        invert: whether numbers become words.
        output_mode: "int", "one_hot", "multi_hot", "count" or "tf_idf".
        pad_to_max_tokens: whether vectors have `max_tokens` places, however many words there are.
        sparse: False.
        encoding: of words that are bytes.
        salt: a secret key for choosing between several numbers of unknown words.

    Raises ValueError for arguments that exclude one another, an invalid vocabulary, and unknown words without a
    number.
    """

    token_dtype = "string"
    harmless = unrecorded = (*IndexLookup.unrecorded, "oov_method", "vocabulary_dtype")  # of saved layers

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: Any = None,
        oov_token: Any = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool | None = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        **kwargs,
    ):
        self.encoding = encoding
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

    def tokens_of(self, x):
        return as_words(x, self.encoding)

    def token_array(self, tokens):
        return np.array(tokens, dtype=str)

    def sorted_by(self, token):
        return token.encode(self.encoding)
