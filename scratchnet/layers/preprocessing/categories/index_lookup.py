"""A vocabulary: tokens and their numbers, one way and back.

    number      0           1 ...                       then
    stands for  mask_token  tokens out of vocabulary    the vocabulary, the most frequent first

There is a mask only if it is asked for, and only numbers as such have a place for it. `adapt` counts the tokens of
data; where two are as frequent, the one that sorts behind the other comes first. With several numbers for tokens out of
vocabulary, which one a token gets depends on the token alone.

With "tf_idf" a token counts the more the fewer documents it occurs in (Spärck Jones 1972), here

    weight = log(1 + documents / (1 + documents with the token))

and for a token out of vocabulary the mean of these weights.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from scratchnet.checks import check_count
from scratchnet.layers.preprocessing.categories.hashing import check_salt, hashed
from scratchnet.layers.preprocessing.categories.token_layer import TokenLayer

_MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")


class IndexLookup(TokenLayer):
    """Base of `StringLookup` and `IntegerLookup`. A subclass says what a token is: `tokens_of` and `as_token`.

    Args:
        max_tokens: how many numbers there may be, those of the mask and of what is out of vocabulary among them.
        num_oov_indices: how many numbers stand for tokens out of vocabulary; 0 makes these an error.
        mask_token: what gets number 0, and counts for nothing in other modes than "int"; None for nothing.
        oov_token: what numbers that stand for no token become with `invert`.
        vocabulary: a list of tokens, or the path of a file with one in each line; by default `adapt` finds it.
        idf_weights: of the tokens of `vocabulary`, for "tf_idf".
        invert: whether numbers become tokens.
        output_mode: "int", "one_hot", "multi_hot", "count" or "tf_idf".
        pad_to_max_tokens: whether vectors have `max_tokens` places, however many tokens there are.
        salt: a secret key for choosing between several numbers out of vocabulary.
    """

    harmless = unrecorded = (*TokenLayer.unrecorded, "has_input_vocabulary", "vocabulary_size")  # of saved layers

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Any,
        idf_weights: Any,
        invert: bool,
        output_mode: str,
        pad_to_max_tokens: bool,
        salt: Any,
        **kwargs,
    ):
        self._expected_size = kwargs.pop("vocabulary_size", None)  # of a saved layer, whose vocabulary comes later
        super().__init__(**kwargs)
        self.max_tokens = check_count(type(self).__name__, "max_tokens", max_tokens, at_least=2)
        self.num_oov_indices = check_count(type(self).__name__, "num_oov_indices", num_oov_indices, at_least=0)
        self.mask_token = mask_token
        self.oov_token = oov_token
        self.invert = bool(invert)
        self.output_mode = self.check_output_mode(output_mode, _MODES)
        self.pad_to_max_tokens = bool(pad_to_max_tokens)
        self.salt = check_salt(self, salt)
        if self.invert and self.output_mode != "int":
            raise self.error(f'invert needs output_mode="int", got {output_mode!r}')
        if self.pad_to_max_tokens and max_tokens is None:
            raise self.error("pad_to_max_tokens needs max_tokens")
        self.vocabulary, self.idf_weights = None, None
        self._numbers, self._weights = {}, None  # by token; of each number
        self.has_given_vocabulary = vocabulary is not None
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)
        elif idf_weights is not None:
            raise self.error("idf_weights need a vocabulary, whose weights they are")

    def tokens_of(self, x):
        """The entries of an array, or of a list, as a flat list of tokens."""
        raise NotImplementedError

    def token_array(self, tokens):
        """A list of tokens as an array."""
        raise NotImplementedError

    # ---- the vocabulary ----

    @property
    def _first(self):
        """The number of the first token of the vocabulary."""
        return self._first_unknown + self.num_oov_indices

    @property
    def _first_unknown(self):
        return 1 if self.mask_token is not None and self.output_mode == "int" else 0

    @property
    def _special(self):
        return [self.mask_token] * self._first_unknown + [self.oov_token] * self.num_oov_indices

    def vocabulary_size(self):
        """How many numbers there are."""
        return self._first + len(self._numbers)

    def get_vocabulary(self, include_special_tokens=True):
        """The tokens in the order of their numbers; the mask and what stands for unknown ones first."""
        return (self._special if include_special_tokens else []) + list(self._numbers)

    def set_vocabulary(self, vocabulary, idf_weights=None):
        """Take this vocabulary, a list or the path of a file, and for "tf_idf" the weights of its tokens.

        Raises ValueError for no tokens, too many, or one that is there twice.
        """
        if isinstance(vocabulary, (str, Path)):
            vocabulary = Path(vocabulary).read_text(encoding="utf-8").splitlines()
        given = self.tokens_of(vocabulary)
        with_special = given[: self._first] == self._special and self._first > 0
        tokens = given[self._first :] if with_special else given
        twice = [token for token, count in Counter(tokens).items() if count > 1]
        reserved = [self.mask_token] + [self.oov_token] * self.invert
        if not given or twice:
            raise self.error(f"the vocabulary has {f'{twice[0]!r} twice' if twice else 'no tokens'}")
        if any(token is not None and token in tokens for token in reserved):
            raise self.error(f"mask and unknown tokens may only stand in front of the vocabulary, as {self._special}")
        if self.max_tokens is not None and self._first + len(tokens) > self.max_tokens:
            raise self.error(f"the vocabulary has {self._first + len(tokens)} tokens, max_tokens is {self.max_tokens}")
        if (idf_weights is not None) != (self.output_mode == "tf_idf"):
            raise self.error(f'idf_weights belong to output_mode="tf_idf", which is {self.output_mode!r}')
        weights = None
        if idf_weights is not None:
            weights = np.asarray(idf_weights, np.float64)
            if weights.shape != (len(given),):
                raise self.error(f"idf_weights must be {len(given)} numbers, as many as tokens, got {weights.shape}")
            if not with_special:
                weights = np.concatenate([np.full(self._first, weights.mean()), weights])
        self.vocabulary = given
        self.idf_weights = None if idf_weights is None else [float(w) for w in idf_weights]
        self._numbers, self._weights = {token: self._first + k for k, token in enumerate(tokens)}, weights

    def adapt(self, data, steps=None):
        """Make the vocabulary of the tokens in `data`.

        Args:
            data: an array or list, whose rows are documents (a flat one's entries, each), or an iterable of batches.
            steps: how many batches to take.
        """
        self.learn(self._documents(data, steps))

    def learn(self, documents):
        """Make the vocabulary of an iterable of documents, lists of tokens. Raises ValueError where it is given."""
        if self.has_given_vocabulary:
            raise self.error("was made with a vocabulary: there is nothing to adapt")
        tokens, with_token, count = Counter(), Counter(), 0
        for document in documents:
            tokens.update(document)
            with_token.update(set(document))
            count += 1
        for special in (self.mask_token, self.oov_token):
            tokens.pop(special, None)
        ordered = sorted(tokens, key=lambda token: (tokens[token], self.sorted_by(token)), reverse=True)
        if self.max_tokens is not None:
            ordered = ordered[: self.max_tokens - self._first]
        weights = None
        if self.output_mode == "tf_idf":
            weights = [float(np.log(1 + count / (1 + with_token[token]))) for token in ordered]
        self.set_vocabulary(ordered, weights)

    def sorted_by(self, token):
        """What puts equally frequent tokens in order."""
        return token

    def _documents(self, data, steps):
        if isinstance(data, (list, tuple)) or hasattr(data, "__array__"):
            x = np.asarray(data)
            yield from ([token] for token in self.tokens_of(x)) if x.ndim == 1 else map(self.tokens_of, x)
            return
        for k, batch in enumerate(data):
            if k == steps:
                return
            x = np.asarray(batch[0] if isinstance(batch, tuple) else batch)
            yield from [self.tokens_of(x)] if x.ndim < 2 else map(self.tokens_of, x)

    # ---- forward ----

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "*")
        return self.encoded_shape(input_shape, self._depth())

    def output_dtype(self, inputs):
        return super().output_dtype(inputs) if not self.invert else self.token_dtype

    def forward(self, x, training=False):
        if self.invert:
            tokens = dict(enumerate(self.get_vocabulary()))
            return self.token_array([tokens.get(k, self.oov_token) for k in x.ravel().tolist()]).reshape(x.shape), None
        return self.encoded_numbers(self.numbers_of(self.tokens_of(x)).reshape(x.shape)), None

    def encoded_numbers(self, numbers):
        """Numbers (N, K, ...) in the `output_mode`."""
        y = self.encoded(numbers, self._depth())
        if self.output_mode != "tf_idf":
            return y
        return y * self._padded_weights()

    def numbers_of(self, tokens):
        """The numbers of a flat list of tokens."""
        masked = 0 if self.output_mode == "int" else -1
        known = self._numbers if self.mask_token is None else {**self._numbers, self.mask_token: masked}
        numbers = np.array([known.get(token, -2) for token in tokens], np.int64)
        unknown = numbers == -2
        if unknown.any():
            if self.num_oov_indices == 0:
                token = tokens[int(np.argmax(unknown))]
                raise self.error(f"{token!r} is not in the vocabulary; num_oov_indices=1 gives such tokens a number")
            strangers = self.token_array([token for token, is_one in zip(tokens, unknown) if is_one])
            numbers[unknown] = self._first_unknown + self._choice(strangers)
        return numbers

    def _choice(self, strangers):
        """Which of the numbers out of vocabulary each of the tokens gets."""
        return 0 if self.num_oov_indices == 1 else hashed(strangers, self.num_oov_indices, self.salt)

    def _depth(self):
        if self.pad_to_max_tokens:
            return self.max_tokens
        if self.output_mode != "int" and not self._numbers and self._expected_size is not None:
            return self._expected_size
        if self.output_mode != "int" and not self._numbers:
            raise self.error("has no vocabulary yet: adapt(data) finds it, set_vocabulary sets it")
        return self.vocabulary_size()

    # ---- files ----

    @staticmethod
    def refuse_files(config):
        """Raise ValueError where a configuration would have a file read."""
        if isinstance(config.get("vocabulary"), str):
            raise ValueError(f"the configuration of a layer may not name a file to be read, {config['vocabulary']!r}")

    @classmethod
    def from_config(cls, config):
        cls.refuse_files(config)
        return super().from_config(config)

    def get_config(self):
        return self.config_with(vocabulary=self.vocabulary, idf_weights=self.idf_weights)

    def load_vocabulary(self, text, idf_weights=None):
        """Take the vocabulary as Keras saves it: one token in each line, the special ones too; and all weights."""
        lines = text.split("\n")
        while lines and not lines[-1]:
            lines.pop()
        self.set_vocabulary(lines, None if idf_weights is None else idf_weights[: len(lines)])

    def word_weights(self):
        """The weights of all numbers, as Keras saves them; None where there are none."""
        return None if self._weights is None else self._padded_weights()

    def _padded_weights(self):
        weights = np.zeros(self._depth(), self.dtype)
        weights[: len(self._weights)] = self._weights
        return weights
