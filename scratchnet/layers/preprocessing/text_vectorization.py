"""Text as numbers: each string made uniform, cut into words, joined to n-grams, and looked up in a vocabulary.

    "The cat, the mat."  ->  "the cat the mat"  ->  the | cat | the | mat  ->  2 3 2 4

Numbers stand in rows of one length, with 0 behind the end of shorter texts; or a text becomes one vector that counts
its words, a "bag of words" (Harris 1954), in which their order is lost and n-grams keep some of it.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet.checks import check_positive_int
from scratchnet.layers.preprocessing.categories.index_lookup import IndexLookup
from scratchnet.layers.preprocessing.categories.string_lookup import StringLookup
from scratchnet.layers.preprocessing.categories.token_layer import TokenLayer, as_words
from scratchnet.registry import register

_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_STRIP = str.maketrans("", "", "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'")
_WORDS = re.compile(r"[^ \t\n\v\f\r]+")


@register("layers")
class TextVectorization(TokenLayer):
    """Strings (N,) or (N, 1) -> numbers (N, T), or vectors (N, V).

    Args:
        max_tokens: how many numbers there may be, those of padding and of unknown words among them.
        standardize: "lower_and_strip_punctuation", "lower", "strip_punctuation", a function from an array of strings to
            one of the same shape, or None. As in Keras, lower case is that of the letters a to z.
        split: "whitespace", "character", a function from an array of strings (N,) to a list of lists of words, or None:
            each string is a word, the input (N,) or (N, T).
        ngrams: n, for all runs of up to n words; or a tuple of their lengths.
        output_mode: "int", "one_hot", "multi_hot", "count" or "tf_idf".
        output_sequence_length: T; by default as long as the longest text of the batch.
        pad_to_max_tokens: whether vectors have `max_tokens` places, however many words there are.
        vocabulary: a list of words, or the path of a file with one in each line; by default `adapt` finds it.
        idf_weights: of the words of `vocabulary`, for "tf_idf".
        sparse, ragged: False.
        encoding: of strings that are bytes.

    Raises ValueError for invalid arguments and for those that exclude one another.
    """

    absent = {"ragged": (False, None)}
    harmless = unrecorded = IndexLookup.unrecorded

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Any = "lower_and_strip_punctuation",
        split: Any = "whitespace",
        ngrams: int | Sequence[int] | None = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool | None = False,
        ragged: bool | None = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **kwargs,
    ):
        size = kwargs.pop("vocabulary_size", None)
        super().__init__(sparse=sparse, ragged=ragged, name=name, **kwargs)
        modes = (None, "lower_and_strip_punctuation", "lower", "strip_punctuation")
        if standardize not in modes and not callable(standardize):
            raise self.error(f"standardize must be one of {modes} or a function, got {standardize!r}")
        if split not in (None, "whitespace", "character") and not callable(split):
            raise self.error(f'split must be "whitespace", "character", None or a function, got {split!r}')
        if ngrams is not None and not isinstance(ngrams, (int, tuple, list)):
            raise self.error(f"ngrams must be an integer or a tuple of them, got {ngrams!r}")
        self.standardize = standardize
        self.split = split
        self.ngrams = tuple(ngrams) if isinstance(ngrams, list) else ngrams
        self._lookup = StringLookup(
            max_tokens,
            mask_token="",
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            output_mode=output_mode,
            pad_to_max_tokens=pad_to_max_tokens,
            encoding=encoding,
            vocabulary_size=size,
            name=self.name,
            dtype=self.dtype,
        )
        self.max_tokens = self._lookup.max_tokens
        self.output_mode = self._lookup.output_mode
        self.pad_to_max_tokens = self._lookup.pad_to_max_tokens
        self.encoding = encoding
        self.output_sequence_length = output_sequence_length
        if output_sequence_length is not None:
            check_positive_int(self, "output_sequence_length", output_sequence_length)
            if self.output_mode != "int":
                raise self.error(f'output_sequence_length needs output_mode="int", got {output_mode!r}')

    # ---- the vocabulary ----

    @property
    def has_given_vocabulary(self):
        """Whether the constructor was given it, so that there is nothing to adapt."""
        return self._lookup.has_given_vocabulary

    def adapt(self, data, batch_size=None, steps=None):
        """Make the vocabulary of the words of texts.

        Args:
            data: an array or list of strings, or an iterable of batches of them.
            batch_size: has no effect.
            steps: how many batches to take.
        """
        self._lookup.learn(self._documents(data, steps))

    def _documents(self, data, steps):
        if isinstance(data, (list, tuple)) or hasattr(data, "__array__"):
            yield from self.words_of(np.asarray(data))
            return
        for k, batch in enumerate(data):
            if k == steps:
                return
            yield from self.words_of(np.atleast_1d(batch[0] if isinstance(batch, tuple) else batch))

    def set_vocabulary(self, vocabulary, idf_weights=None):
        """Take this vocabulary; as of `StringLookup`."""
        self._lookup.set_vocabulary(vocabulary, idf_weights)

    def get_vocabulary(self, include_special_tokens=True):
        """The words in the order of their numbers, "" for padding and "[UNK]" for unknown ones first."""
        return self._lookup.get_vocabulary(include_special_tokens)

    def vocabulary_size(self):
        """How many numbers there are."""
        return self._lookup.vocabulary_size()

    # ---- forward ----

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "*")
        if self.output_mode == "int":
            return (*input_shape[:1], self.output_sequence_length)
        return (*input_shape[:1], self._lookup.compute_output_shape((1, 2))[-1])

    def forward(self, x, training=False):
        if x.ndim == 0:  # one text
            rows, _ = self.forward(x[None])
            return rows[0], None
        documents = self.words_of(x)
        words = [word for document in documents for word in document]
        numbers = self._lookup.numbers_of(words)
        lengths = np.array([len(document) for document in documents], np.int64)
        T = self.output_sequence_length if self.output_mode == "int" else None
        rows = np.full((len(documents), max(lengths.max(initial=0), T or 0)), 0 if self.output_mode == "int" else -1)
        rows[np.arange(rows.shape[1]) < lengths[:, None]] = numbers
        rows = rows[:, :T].astype(np.int64)
        return (rows if self.output_mode == "int" else self._lookup.encoded_numbers(rows)), None

    def words_of(self, x):
        """The words of each text of an array, as lists."""
        x = self._standardized(x)
        if self.split is None:
            documents = [[word] for word in x] if x.ndim == 1 else x.tolist()
        else:
            documents = self._cut(x)
        if self.ngrams is None:
            return documents
        sizes = range(1, self.ngrams + 1) if isinstance(self.ngrams, int) else self.ngrams
        return [
            [" ".join(words[k : k + n]) for n in sizes for k in range(len(words) - n + 1)] for words in documents
        ]  # fmt: skip

    def _standardized(self, x):
        words = as_words(x, self.encoding)
        if self.standardize in ("lower", "lower_and_strip_punctuation"):
            words = [word.translate(_LOWER) for word in words]
        if self.standardize in ("strip_punctuation", "lower_and_strip_punctuation"):
            words = [word.translate(_STRIP) for word in words]
        x = np.array(words, dtype=str).reshape(np.shape(x))
        if not callable(self.standardize):
            return x
        y = np.asarray(self.standardize(x))
        if y.shape != x.shape:
            raise self.error(f"standardize made {y.shape} of an array of {x.shape}: it must keep the shape")
        return np.array(as_words(y, self.encoding), dtype=str).reshape(y.shape)

    def _cut(self, x):
        if x.ndim > 1:
            if x.shape[1:] != (1,):
                raise self.error(f"expected texts of shape (N,) or (N, 1), got {x.shape}; split=None takes words")
            x = x[:, 0]
        if callable(self.split):
            return [as_words(np.asarray(words), self.encoding) for words in self.split(x)]
        return [list(text) if self.split == "character" else _WORDS.findall(text) for text in x.tolist()]

    # ---- files ----

    @classmethod
    def from_config(cls, config):
        StringLookup.refuse_files(config)
        return super().from_config(config)

    def get_config(self):
        return self.config_with(vocabulary=self._lookup.vocabulary, idf_weights=self._lookup.idf_weights)

    def load_vocabulary(self, text, idf_weights=None):
        """Take the vocabulary as Keras saves it; as of `StringLookup`."""
        self._lookup.load_vocabulary(text, idf_weights)

    def word_weights(self):
        """The weights of all numbers, as Keras saves them; None where there are none."""
        return self._lookup.word_weights()
