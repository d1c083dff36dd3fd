"""The data sets of Keras, in the form in which Keras returns them.

    from scratchnet.datasets import mnist

    (x_train, y_train), (x_test, y_test) = mnist.load_data()      # all of it
    (x_train, y_train), (x_test, y_test) = mnist.load_sample()    # a part that the package embeds: no network needed

MNIST and CIFAR-10 have a ``load_sample``; so has `electrocardiogram`, which Keras does not know and which is nothing
but a sample. `csv_column` reads a series of your own. ``load_data`` takes the files from the first of these places:

1. the folder that the environment variable ``SCRATCHNET_DATA`` names. If the variable is set, it is the only place:
   files that are missing there are an error and are not downloaded behind the user's back;
2. the cache: ``$SCRATCHNET_CACHE``, or ``scratchnet`` in the user's cache folder;
3. the official download or one of its mirrors, which fills the cache; this needs pooch, ``pip install pooch``.

Wherever the files come from, their content is compared with the checksums of the published data, and none of it is run:
the pickles among them are read by ``restricted_pickle``.
"""

from scratchnet.datasets import (
    boston_housing,
    california_housing,
    cifar10,
    cifar100,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
)

__all__ = [
    "boston_housing",
    "california_housing",
    "cifar10",
    "cifar100",
    "fashion_mnist",
    "imdb",
    "mnist",
    "reuters",
]


def __dir__():
    return __all__
