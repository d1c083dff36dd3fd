"""Vocabularies: tables of tokens and their numbers, which ONNX has in its second domain, `ai.onnx.ml`.

What a token out of vocabulary gets is a default of the table. Which of several numbers it gets is written where that is
the remainder of a division; a fingerprint of its letters is nothing that ONNX can compute.
"""

import numpy as np

from scratchnet.files.onnx_writing.preprocessing import encoded

_UNKNOWN = -2  # no number of a token; -1 is that of the mask, where it counts for nothing


def _table(w, x, keys, values, default):
    """Numbers or words by a table: its node takes lists of either, under names that say of what."""
    kinds = ["strings" if isinstance(values[0], str) else "int64s" for values in (keys, values)]
    given = {f"keys_{kinds[0]}": keys, f"values_{kinds[1]}": values, f"default_{kinds[1][:-1]}": default}
    dtype = "string" if kinds[1] == "strings" else "int64"
    return x.like(w.node("LabelEncoder", [x.name], domain="ai.onnx.ml", **given), dtype)


def index_lookup(w, layer, x):
    """StringLookup and IntegerLookup."""
    tokens = layer.get_vocabulary()
    if layer.invert:
        as_token = int if layer.token_dtype == "int64" else str
        tokens = [as_token(token) for token in tokens]
        return _table(w, w.cast(x, "int64"), list(range(len(tokens))), tokens, as_token(layer.oov_token))
    special = len(tokens) - len(layer.get_vocabulary(include_special_tokens=False))
    numbers = dict(zip(tokens[special:], range(special, len(tokens))))
    if layer.mask_token is not None:
        numbers[layer.mask_token] = 0 if layer.output_mode == "int" else -1
    first, count = special - layer.num_oov_indices, layer.num_oov_indices
    if count == 0:
        raise ValueError("a token out of vocabulary is an error (num_oov_indices=0), which ONNX has no way to raise")
    if layer.token_dtype != "string":
        x = w.cast(x, "int64")
    if count > 1 and getattr(layer, "oov_method", "farmhash") == "farmhash":
        raise ValueError("tokens out of vocabulary are told apart by a hash, which ONNX cannot compute")
    found = _table(w, x, list(numbers), list(numbers.values()), first if count == 1 else _UNKNOWN)
    if count > 1:
        strangers = w.combine("Add", w.combine("Mod", x, np.int64(count)), np.int64(first))
        found = w.where(w.combine("Equal", found, np.int64(_UNKNOWN), dtype="bool"), strangers, found)
    mode, weights = layer.output_mode, layer.word_weights()
    depth = len(tokens) if not layer.pad_to_max_tokens else layer.max_tokens
    y = encoded(w, layer, found, depth)
    return y if mode != "tf_idf" else w.combine("Mul", y, np.asarray(weights, "float32"))


def _refused(reason):
    def write(w, layer, *xs):
        raise ValueError(reason)

    return write


WRITERS = {
    "IndexLookup": index_lookup,
    "Hashing": _refused("ONNX can compute no hash of its tokens"),
    "HashedCrossing": _refused("ONNX can compute no hash of its tokens"),
    "TextVectorization": _refused("ONNX cannot take text apart; export what comes behind it"),
}
