"""MNIST: 70,000 handwritten digits, 28 by 28 pixels, white (255) on black (0).

Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", 1998, after databases of NIST; terms:
Creative Commons Attribution-Share Alike 3.0. The digits are centred by mass, the writers of the two parts are disjoint.
"""

from pathlib import Path

import numpy as np

from scratchnet.datasets import idx, npz, sources
from scratchnet.names import defined_in

# name of the idx file: shape, sha256 after decompression
FILES = {
    "train-images-idx3-ubyte": ((60000, 28, 28), "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    "train-labels-idx1-ubyte": ((60000,), "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    "t10k-images-idx3-ubyte": ((10000, 28, 28), "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    "t10k-labels-idx1-ubyte": ((10000,), "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
}

# the same file gzipped, as it is published: sha256, bytes
PUBLISHED = {
    "train-images-idx3-ubyte": ("440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", 9912422),
    "train-labels-idx1-ubyte": ("3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c", 28881),
    "t10k-images-idx3-ubyte": ("8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6", 1648877),
    "t10k-labels-idx1-ubyte": ("f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", 4542),
}

# The first two are kept by the PyTorch and CVDF foundations for exactly this use; the author's own page often refuses.
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
)

KERAS_FILE = "mnist.npz"
MOST_NPZ_BYTES = 48 << 20  # of an array; the training images have 47 MB
SAMPLES = Path(__file__).parent / "samples"
SAMPLE_SIZES = {"train": 10000, "t10k": 2000}


def load_data(path=KERAS_FILE):
    """The whole of MNIST.

    Args:
        path: as in Keras. Its default stands for "wherever the data is": the folder named by SCRATCHNET_DATA (the four
            idx files, gzipped or not, in it or in its folder "mnist"), else the cache, else the download. The path of
            an existing .npz file in Keras's form (arrays x_train, y_train, x_test, y_test) is read instead.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: uint8 arrays of shapes (60000, 28, 28), (60000,), (10000, 28, 28) and
        (10000,); pixels 0..255, labels 0..9.

    Raises:
        FileNotFoundError: the data is neither here nor to be had; the message says what to do.
        ValueError: a file is damaged or is not MNIST; or ``path`` names no .npz file of this form.
    """
    if str(path) != KERAS_FILE:
        return _load_keras_file(sources.own_file(path, "mnist.load_data"))
    return _two_parts(lambda name: sources.fetch(_source(name), lambda file: idx.read_idx(file, *FILES[name])))


def load_sample():
    """The first 10,000 training digits and the first 2,000 test digits, which the package embeds.

    Returns:
        as ``load_data``, with shapes (10000, 28, 28), (10000,), (2000, 28, 28) and (2000,).
    """
    return _two_parts(lambda name: idx.read_idx(SAMPLES / f"mnist-{name}.gz", sample_shape(name)))


def sample_shape(name):
    """Shape of the embedded beginning of the idx file of this name."""
    return (SAMPLE_SIZES[name.split("-")[0]], *FILES[name][0][1:])


def _two_parts(read):
    x_train, y_train, x_test, y_test = (read(name) for name in FILES)
    return (x_train, y_train), (x_test, y_test)


def _source(name):
    # Some unpackers write "idx3-ubyte" as a suffix.
    names = (f"{name}.gz", name, name.replace("-idx", ".idx"))
    known_hash, size = PUBLISHED[name]
    return sources.Source(
        dataset="MNIST",
        cached=f"mnist/{name}.gz",
        places=tuple(folder + file for folder in ("", "mnist/") for file in names),
        urls=tuple(f"{mirror}{name}.gz" for mirror in MIRRORS),
        known_hash=known_hash,
        size=size,
        needed="the files " + ", ".join(f"{file}.gz" for file in FILES),
        sample="mnist.load_sample()",
    )


def _load_keras_file(path):
    names = ("x_train", "y_train", "x_test", "y_test")
    wanted = {name: (shape, np.uint8) for name, (shape, _) in zip(names, FILES.values())}
    x_train, y_train, x_test, y_test = npz.read_npz(path, wanted, MOST_NPZ_BYTES).values()
    return (x_train, y_train), (x_test, y_test)


def __dir__():
    return defined_in(globals())
