"""The two data sets of the examples, MNIST and CIFAR-10, in the form in which Keras returns them.

    from scratchnet.datasets import mnist

    (x_train, y_train), (x_test, y_test) = mnist.load_data()      # all of it
    (x_train, y_train), (x_test, y_test) = mnist.load_sample()    # a part that the package embeds: no network needed

``load_data`` takes the files from the first of these places:

1. the folder that the environment variable ``SCRATCHNET_DATA`` names. If the variable is set, it is the only place:
   files that are missing there are an error and are not downloaded behind the user's back;
2. the cache: ``$SCRATCHNET_CACHE``, or ``scratchnet`` in the user's cache folder;
3. the official download or one of its mirrors, which fills the cache.

Wherever the files come from, their content is compared with the checksums of the published data.
"""

from scratchnet.datasets import cifar10, mnist

__all__ = ["cifar10", "mnist"]
