"""Reuters: 11,228 news of an agency from 1987, each on one of 46 subjects.

D. D. Lewis, "Reuters-21578 text categorization test collection", 1997. The files are the ones that Keras publishes: a
text is a list of numbers, each the rank of a word, see ``scratchnet/datasets/words.py``.
"""

from scratchnet.datasets import sources, splitting, words
from scratchnet.names import defined_in

URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

TEXTS = sources.Source(
    dataset="Reuters",
    cached="reuters/reuters.npz",
    places=("reuters.npz", "reuters/reuters.npz"),
    urls=(f"{URL}reuters.npz",),
    known_hash="d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916",
    size=2110848,
    needed="the file reuters.npz",
)
INDEX = sources.Source(
    dataset="Reuters' index of words",
    cached="reuters/reuters_word_index.json",
    places=("reuters_word_index.json", "reuters/reuters_word_index.json"),
    urls=(f"{URL}reuters_word_index.json",),
    known_hash="md5:4d44cc38712099c9e383dc6e5f11a921",
    size=550378,
    needed="the file reuters_word_index.json",
)
MOST_BYTES = 8 << 20  # of the texts, unfolded
MOST_WORDS = 2_000_000

LABELS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass "
    "crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi "
    "iron-steel rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead"
)


def load_data(
    path="reuters.npz",
    num_words=None,
    skip_top=0,
    maxlen=None,
    test_split=0.2,
    seed=113,
    start_char=1,
    oov_char=2,
    index_from=3,
):
    """The news, from the folder named by SCRATCHNET_DATA, else the cache, else the download.

    Args:
        path: its default stands for "wherever the data is". An existing file of the same form is read instead, which
            holds the arrays x and y.
        num_words: only numbers below this one are kept, which are those of the most frequent words; None: all.
        skip_top: the numbers below this one, of the very most frequent words, are left out.
        maxlen: only texts shorter than this are kept; None: all.
        test_split: the part of the texts that is kept for testing, at the end of the order.
        seed: of the order of the texts, which is Keras's.
        start_char: number that begins each text; None: none does.
        oov_char: number in the place of each one that is left out; None: they are just left out.
        index_from: what is added to the rank of each word.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: x are arrays of type object that hold lists of numbers, y arrays of
        integers 0..45, see ``get_label_names``.

    Raises:
        FileNotFoundError: the data is neither here nor to be had; the message says what to do.
        ValueError: no text is shorter than ``maxlen``; test_split outside of [0, 1); the file is damaged, refused, or
            is not the published one; or ``path`` names no file of this form.
    """
    splitting.check(test_split, "reuters.load_data")
    [(texts, labels)] = sources.fetch_or_open(TEXTS, path, "reuters.load_data", _read)
    [order] = splitting.orders(seed, len(texts))
    texts, labels = words.shift([texts[i] for i in order], start_char, index_from), labels[order]
    texts, labels = words.drop_long(texts, labels, maxlen, "reuters.load_data")
    return splitting.split(words.keep_frequent(texts, num_words, skip_top, oov_char), labels, test_split)


def get_word_index(path="reuters_word_index.json"):
    """The dict from words to their ranks: the most frequent word has 1, and ``1 + index_from`` in a loaded text.

    Args:
        path: its default stands for "wherever the data is". An existing JSON file is read instead.

    Raises:
        FileNotFoundError, ValueError: as ``load_data``.
    """
    return words.load_index(INDEX, path, "reuters.get_word_index")


def get_label_names():
    """The names of the 46 subjects, in the order of the labels."""
    return tuple(LABELS.split())


def _read(path):
    return words.read_texts(path, [("x", "y")], MOST_BYTES, MOST_WORDS)


def __dir__():
    return defined_in(globals())
