"""Texts as numbers, as old programs do it; new ones use the layer TextVectorization."""

import collections
import hashlib

import numpy as np

from scratchnet.names import defined_in

_PUNCTUATION = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


def text_to_word_sequence(input_text, filters=_PUNCTUATION, lower=True, split=" "):
    """The words of a text: what stands between `split`, without the letters in `filters`."""
    text = input_text.lower() if lower else input_text
    return [word for word in text.translate({ord(c): split for c in filters}).split(split) if word]


def hashing_trick(text, n, hash_function=None, filters=_PUNCTUATION, lower=True, split=" ", analyzer=None):
    """For each word of a text a number from 1 to n - 1: its hash, so that two words may share one.

    Args:
        n: how many numbers there are, with 0, which stands for no word.
        hash_function: of a word; None is Python's `hash`, which differs from process to process, and "md5" does not.
        filters, lower, split: as for `text_to_word_sequence`.
        analyzer: a function from the text to its words, instead of splitting.
    """
    if hash_function == "md5":
        hash_function = lambda word: int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)
    hash_function = hash_function or hash
    words = text_to_word_sequence(text, filters, lower, split) if analyzer is None else analyzer(text)
    return [int(hash_function(word) % (n - 1) + 1) for word in words]


def one_hot(input_text, n, filters=_PUNCTUATION, lower=True, split=" ", analyzer=None):
    """`hashing_trick` by Python's `hash`; no vector is made, whatever the name says."""
    return hashing_trick(input_text, n, None, filters, lower, split, analyzer)


class Tokenizer:
    """Numbers the words of texts, the most frequent one 1; 0 stands for none.

    Args:
        num_words: texts become the numbers below this one; the other words are left out.
        filters, lower, split: as for `text_to_word_sequence`.
        char_level: whether each letter is a word.
        oov_token: a word that stands for all that are unknown or left out; its number is 1.
        analyzer: a function from a text to its words, instead of splitting.

    Attributes: word_index (from word to number) and index_word, word_counts (in the order of their first use),
    word_docs and index_docs (in how many texts a word stands), document_count.
    """

    def __init__(
        self,
        num_words=None,
        filters=_PUNCTUATION,
        lower=True,
        split=" ",
        char_level=False,
        oov_token=None,
        analyzer=None,
    ):
        self.num_words = num_words
        self.filters = filters
        self.lower = lower
        self.split = split
        self.char_level = char_level
        self.oov_token = oov_token
        self.analyzer = analyzer
        self.document_count = 0
        self.word_counts = {}
        self.word_docs = collections.Counter()
        self.index_docs = collections.Counter()
        self.word_index = {}
        self.index_word = {}

    def fit_on_texts(self, texts):
        """Count the words of more texts and number them anew. A text is a string, or a list of words."""
        for text in texts:
            words = self._words(text)
            self.document_count += 1
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            self.word_docs.update(set(words))
        ranked = sorted(self.word_counts, key=self.word_counts.get, reverse=True)
        vocabulary = ([] if self.oov_token is None else [self.oov_token]) + ranked
        self.word_index = {word: number for number, word in enumerate(vocabulary, start=1)}
        self.index_word = {number: word for word, number in self.word_index.items()}
        self.index_docs.update({self.word_index[word]: count for word, count in self.word_docs.items()})

    def fit_on_sequences(self, sequences):
        """Count texts that are numbers already, for the mode "tfidf"."""
        self.document_count += len(sequences)
        for sequence in sequences:
            self.index_docs.update(set(sequence))

    def texts_to_sequences(self, texts):
        """For each text the list of its words' numbers."""
        unknown = self.word_index.get(self.oov_token)
        numbers = ((self._known(self.word_index.get(word), unknown) for word in self._words(text)) for text in texts)
        return [[number for number in text if number is not None] for text in numbers]

    def sequences_to_texts(self, sequences):
        """For each list of numbers its words, with spaces between."""
        unknown = self.word_index.get(self.oov_token)
        known = ((self._known(n if n in self.index_word else None, unknown) for n in s) for s in sequences)
        return [" ".join(self.index_word[number] for number in text if number is not None) for text in known]

    def texts_to_matrix(self, texts, mode="binary"):
        """A row for each text, as `sequences_to_matrix`."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences, mode="binary"):
        """An array (texts, words) that says of each word if it is there ("binary"), how often ("count"), what share of
        the text it is ("freq"), or how telling ("tfidf").

        tfidf is (1 + log count) log(1 + texts / (1 + texts with the word)).
        """
        if mode not in ("binary", "count", "freq", "tfidf"):
            raise ValueError(f'Tokenizer: mode must be "binary", "count", "freq" or "tfidf", got {mode!r}')
        if not self.num_words and not self.word_index:
            raise ValueError("Tokenizer: give num_words, or call fit_on_texts first")
        if mode == "tfidf" and not self.document_count:
            raise ValueError('Tokenizer: call fit_on_texts before the mode "tfidf"')
        matrix = np.zeros((len(sequences), self.num_words or len(self.word_index) + 1))
        for row, sequence in zip(matrix, sequences):
            for number, count in collections.Counter(sequence).items():
                if number < len(row):
                    row[number] = self._weight(mode, number, count, len(sequence))
        return matrix

    def _weight(self, mode, number, count, length):
        if mode == "tfidf":
            rarity = np.log(1 + self.document_count / (1 + self.index_docs[number]))
            return (1 + np.log(count)) * rarity
        return {"binary": 1, "count": count, "freq": count / length}[mode]

    def _words(self, text):
        if self.char_level or isinstance(text, list):
            if not self.lower:
                return list(text)
            return [word.lower() for word in text]
        if self.analyzer is not None:
            return self.analyzer(text)
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def _known(self, number, unknown):
        """The number itself, or that of the word for unknown ones where it is none or too large."""
        return unknown if number is None or (self.num_words and number >= self.num_words) else number


def __dir__():
    return defined_in(globals())
