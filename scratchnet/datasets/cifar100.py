"""CIFAR-100: 60,000 colour photographs, 32 by 32 pixels, of a hundred kinds of things in twenty groups.

A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", technical report, University of Toronto, 2009.
The official archive holds two Python pickles, of 50,000 and of 10,000 images.
"""

import numpy as np

from scratchnet.datasets import checksums, cifar, sources
from scratchnet.names import defined_in

FOLDER = "cifar-100-python"
ARCHIVE = "cifar-100-python.tar.gz"

# name: number of images, md5 of the file as the archive holds it, bytes that it has at most
BATCHES = {
    "train": (50000, "16019d7e3df5f24257cddd939b257f8d", 160 << 20),
    "test": (10000, "f0ef6b0ae62326f3e7ffdfab6717acfc", 32 << 20),
}
CLASSES = {"fine": 100, "coarse": 20}

SOURCE = sources.Source(
    dataset="CIFAR-100",
    cached=f"cifar100/{ARCHIVE}",
    places=(f"{FOLDER}/train", ARCHIVE, f"{FOLDER}/{ARCHIVE}"),
    urls=(
        "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        "https://dataset.bj.bcebos.com/cifar/cifar-100-python.tar.gz",
    ),
    known_hash="85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    size=169001437,
    needed=f"{ARCHIVE}, or the folder {FOLDER} that it holds",
)


def load_data(label_mode="fine"):
    """The whole of CIFAR-100, from the folder named by SCRATCHNET_DATA, else the cache, else the download.

    Args:
        label_mode: ``"fine"`` for the hundred classes, ``"coarse"`` for the twenty groups.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: uint8 images of shapes (50000, 32, 32, 3) and (10000, 32, 32, 3),
        pixels 0..255 in the order red, green, blue; int64 labels of shapes (50000, 1) and (10000, 1).

    Raises:
        FileNotFoundError: the data is neither here nor to be had; the message says what to do.
        ValueError: another label_mode; or a file is damaged, or is not CIFAR-100.
    """
    if label_mode not in CLASSES:
        raise ValueError(f"cifar100.load_data: label_mode={label_mode!r} is neither 'fine' nor 'coarse'")
    return sources.fetch(SOURCE, lambda path: read_data(path, label_mode))


def read_data(path, label_mode):
    """Read the official archive, or, given its file ``train`` in a folder, the files of that folder.

    Raises:
        ValueError: a batch is missing, damaged, refused, or not the published one.
    """
    parts = dict.fromkeys(BATCHES)
    most_bytes = {name: most for name, (_, _, most) in BATCHES.items()}
    for name, place, content in cifar.batches(path, "train", most_bytes):
        size, known_hash, _ = BATCHES[name]
        checksums.check_bytes(content, place, f"md5:{known_hash}")
        rows, labels = cifar.read_batch(content, place, f"{label_mode}_labels".encode(), CLASSES[label_mode], size)
        parts[name] = np.ascontiguousarray(cifar.to_images(rows)), labels.astype(np.int64)[:, np.newaxis]
    missing = [name for name, part in parts.items() if part is None]
    if missing:
        raise ValueError(f"{path}: CIFAR-100 is incomplete: {', '.join(missing)} not found")
    return parts["train"], parts["test"]


def __dir__():
    return defined_in(globals())
