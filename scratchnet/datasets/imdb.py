"""IMDB: 50,000 reviews of films, half of them for training, each praising (1) or damning (0).

A. L. Maas et al., "Learning Word Vectors for Sentiment Analysis", ACL 2011. The files are those that Keras publishes:
a text is a list of numbers, each the rank of a word, see ``scratchnet/datasets/words.py``.
"""

from scratchnet.datasets import sources, splitting, words
from scratchnet.names import defined_in

URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

TEXTS = sources.Source(
    dataset="IMDB",
    cached="imdb/imdb.npz",
    places=("imdb.npz", "imdb/imdb.npz"),
    urls=(f"{URL}imdb.npz",),
    known_hash="69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    size=17464789,
    needed="the file imdb.npz",
)
INDEX = sources.Source(
    dataset="IMDB's index of words",
    cached="imdb/imdb_word_index.json",
    places=("imdb_word_index.json", "imdb/imdb_word_index.json"),
    urls=(f"{URL}imdb_word_index.json",),
    known_hash="md5:bfafd718b763782e994055a2d397834f",
    size=1641221,
    needed="the file imdb_word_index.json",
)
MOST_BYTES = 32 << 20  # of the texts of one part, unfolded
MOST_WORDS = 6_000_000  # of the texts of one part


def load_data(
    path="imdb.npz",
    num_words=None,
    skip_top=0,
    maxlen=None,
    seed=113,
    start_char=1,
    oov_char=2,
    index_from=3,
    **kwargs,
):
    """The reviews, from the folder named by SCRATCHNET_DATA, else the cache, else the download.

    Args:
        path: its default stands for "wherever the data is". An existing file of the same form is read instead, which
            holds the arrays x_train, y_train, x_test and y_test.
        num_words: only numbers below this one are kept, which are those of the most frequent words; None: all.
        skip_top: the numbers below this one, of the very most frequent words, are left out.
        maxlen: only texts shorter than this are kept; None: all.
        seed: of the order of the texts, which is Keras's.
        start_char: number that begins each text; None: none does.
        oov_char: number in the place of each one that is left out; None: they are just left out.
        index_from: what is added to the rank of each word.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: x are arrays of type object that hold lists of numbers, y arrays of
        integers 0 and 1; 25,000 texts each unless ``maxlen`` leaves some out.

    Raises:
        FileNotFoundError: the data is neither here nor to be had; the message says what to do.
        ValueError: no text is shorter than ``maxlen``; the file is damaged, refused, or is not the published one; or
            ``path`` names no file of this form.
        TypeError: an argument that Keras's ``load_data`` does not document.
    """
    if kwargs:
        raise TypeError(f"imdb.load_data: unknown arguments {', '.join(kwargs)} (nb_words is called num_words today)")
    parts = sources.fetch_or_open(TEXTS, path, "imdb.load_data", _read)
    orders = splitting.orders(seed, *(len(texts) for texts, _ in parts))
    xs, ys = [], []
    for (texts, labels), order in zip(parts, orders):
        texts, labels = words.shift([texts[i] for i in order], start_char, index_from), labels[order]
        texts, labels = words.drop_long(texts, labels, maxlen, "imdb.load_data")
        xs.append(texts)
        ys.append(labels)
    x = words.keep_frequent(xs[0] + xs[1], num_words, skip_top, oov_char)
    n = len(xs[0])
    return (x[:n], ys[0]), (x[n:], ys[1])


def get_word_index(path="imdb_word_index.json"):
    """The dict from words to their ranks: the most frequent word has 1, and ``1 + index_from`` in a loaded text.

    Args:
        path: its default stands for "wherever the data is". An existing JSON file is read instead.

    Raises:
        FileNotFoundError, ValueError: as ``load_data``.
    """
    return words.load_index(INDEX, path, "imdb.get_word_index")


def _read(path):
    return words.read_texts(path, [("x_train", "y_train"), ("x_test", "y_test")], MOST_BYTES, MOST_WORDS)


def __dir__():
    return defined_in(globals())
