"""Layers of words and categories, written once for both libraries. ``python tokens.py`` stores Keras's values.

A case is ``(name, options, data, x)``: `data` is what the layer adapts to, or None; a list of arrays in x is several
inputs. What is compared is the output, and the vocabulary or the boundaries, if there are any.
"""

from pathlib import Path

import numpy as np

STORED = Path(__file__).parent / "expected" / "tokens.npz"
TEXTS = np.array(
    [
        "The cat sat, on the mat!",
        "  A dog\tsat.  On THE cat?",
        "",
        "Überall sät's (dog) -- naïve cafés: 100%",
        "cat cat cat",
    ]
)
WORDS = np.array([["b", "a", "c"], ["a", "z", "a"], ["", "b", "é"]])
NUMBERS = np.array([[5, 3, 3], [8, -2, 5], [7, 3, 0]])
X_WORDS = np.array([["a", "q", "", "é"], ["zebra", "b", "c", "zz"]])
X_NUMBERS = np.array([[3, 5, 0, 11], [-2, 4, 9, 7]])
REALS = np.random.default_rng(0).normal(size=(700, 2)).astype("float32")
LONG = np.array([["x" * n for n in (1, 3, 4, 7, 8, 16, 17, 32, 33, 64, 65, 128, 200)]])
MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")

BOTH = [(mode, masked) for mode in MODES for masked in (False, True)]
GIVEN = {"vocabulary": ["b", "a"]}
THREE = {"num_oov_indices": 3, "vocabulary": [5, 3]}
WIDE = {"output_mode": "count", "max_tokens": 40, "pad_to_max_tokens": True}
ENCODED = [np.array([[1, 1, 4], [0, 2, 3]]), np.array([[1], [3]]), np.array([2, 0, 2])]
LEVELS = np.array([[-1.0, 0.2, 0.5, 7.0]], "float32")
ENCODINGS = ("one_hot", "multi_hot", "count")
PAIR = [X_WORDS[0][:, None], X_NUMBERS[0][:, None], X_NUMBERS[1][:, None]]

CASES = [
    *(("StringLookup", {"output_mode": m, "mask_token": "" if masked else None}, WORDS, X_WORDS) for m, masked in BOTH),
    ("StringLookup", {"max_tokens": 3}, WORDS, X_WORDS),
    ("StringLookup", {"max_tokens": 9, "pad_to_max_tokens": True, "output_mode": "tf_idf"}, WORDS, X_WORDS),
    ("StringLookup", {**GIVEN, "num_oov_indices": 3}, None, X_WORDS),
    ("StringLookup", {**GIVEN, "num_oov_indices": 3, "salt": [3, 4]}, None, X_WORDS),
    ("StringLookup", {"vocabulary": ["", "[UNK]", "b"], "mask_token": ""}, None, X_WORDS),
    ("StringLookup", {**GIVEN, "invert": True, "mask_token": ""}, None, np.array([[3, 2, 1, 0, 9]])),
    ("StringLookup", {**GIVEN, "output_mode": "tf_idf", "idf_weights": [1.0, 2.5]}, None, X_WORDS),
    *(
        ("IntegerLookup", {"output_mode": m, "mask_token": 0 if masked else None}, NUMBERS, X_NUMBERS)
        for m, masked in BOTH
    ),
    ("IntegerLookup", THREE, None, X_NUMBERS),
    ("IntegerLookup", {**THREE, "oov_method": "farmhash", "salt": 8}, None, X_NUMBERS),
    ("IntegerLookup", {"vocabulary": [5, 3], "invert": True}, None, np.array([[0, 1, 2, 3]])),
    *(("TextVectorization", {"output_mode": mode}, TEXTS, TEXTS) for mode in MODES if mode != "one_hot"),
    *(("TextVectorization", {"standardize": how}, TEXTS, TEXTS) for how in (None, "lower", "strip_punctuation")),
    ("TextVectorization", {"split": "character", "output_sequence_length": 9}, TEXTS, TEXTS[:, None]),
    ("TextVectorization", {"ngrams": 2, "max_tokens": 12}, TEXTS, TEXTS),
    ("TextVectorization", {**WIDE, "ngrams": (3, 1)}, TEXTS, TEXTS),
    ("TextVectorization", {"output_sequence_length": 3, "vocabulary": ["cat", "the"]}, None, TEXTS),
    ("TextVectorization", {**GIVEN, "split": None, "output_sequence_length": 5}, None, X_WORDS),
    *(("CategoryEncoding", {"num_tokens": 5, "output_mode": mode}, None, x) for mode in ENCODINGS for x in ENCODED),
    *(("Discretization", {"num_bins": n, "epsilon": eps}, REALS, REALS[:50]) for n, eps in ((4, 0.01), (7, 0.1))),
    *(
        ("Discretization", {"bin_boundaries": [-1.0, 0.0, 0.5], "output_mode": mode}, None, LEVELS)
        for mode in ("int", *ENCODINGS)
    ),
    *(("Hashing", {"num_bins": 1000, **salted}, None, LONG) for salted in ({}, {"salt": 133}, {"salt": [133, 137]})),
    ("Hashing", {"num_bins": 1000, "mask_value": "xxx"}, None, LONG),
    *(("Hashing", {"num_bins": 4, "output_mode": mode}, None, X_NUMBERS) for mode in ("int", *ENCODINGS)),
    ("Hashing", {"num_bins": 5, "mask_value": 0}, None, X_NUMBERS),
    ("HashedCrossing", {"num_bins": 50}, None, [X_WORDS[0], X_NUMBERS[0]]),
    ("HashedCrossing", {"num_bins": 5, "output_mode": "one_hot"}, None, PAIR),
]


def name_of(k):
    name, options, data, x = CASES[k]
    return f"{k} {name} {options}"


def results(layers, case):
    """The output, and what was found in the data."""
    name, options, data, x = case
    layer = getattr(layers, name)(**options)
    if data is not None:
        layer.adapt(data)
    y = np.asarray(layer(x))
    if y.dtype == object:
        y = np.array([word.decode() for word in y.ravel().tolist()]).reshape(y.shape)
    if hasattr(layer, "get_vocabulary"):
        return y, np.array([str(token) for token in layer.get_vocabulary()])
    return y, np.asarray(getattr(layer, "bin_boundaries", None) or [])


if __name__ == "__main__":
    import keras

    found = {f"{k}/{i}": array for k, case in enumerate(CASES) for i, array in enumerate(results(keras.layers, case))}
    np.savez_compressed(STORED, **found)
    print(f"wrote {STORED}: {len(CASES)} cases, {STORED.stat().st_size:,} bytes")
