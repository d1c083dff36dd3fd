"""What CIFAR-10 and CIFAR-100 have in common: archives of Python pickles, each of some thousand images with labels.

A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", technical report, University of Toronto, 2009.
A row of a batch is one image of 3072 bytes: its red plane, its green plane, its blue plane, each by rows.
"""

import numpy as np

from scratchnet.datasets import archive, restricted_pickle

OPCODES_PER_IMAGE = 10  # of the pickle: two for each label and each name of a file would do


def batches(path, folder_known_by, most_bytes):
    """Yields name, place (for errors) and content of the batches, in whatever order they lie there.

    Args:
        path: pathlib.Path of the official archive, or, of a folder of batches, the batch called ``folder_known_by``.
        folder_known_by: the name of one batch.
        most_bytes: dict from the names of the batches to the lengths in bytes that they may have at most.

    Raises:
        ValueError: the archive is damaged, or a batch is larger than it may be; names the file.
    """
    if path.name != folder_known_by:
        yield from archive.wanted_members(path, most_bytes, sum(most_bytes.values()))
        return
    for name, most in most_bytes.items():
        file = path.with_name(name)
        if file.exists():
            with open(file, "rb") as opened:
                content = opened.read(most + 1)
            if len(content) > most:
                raise ValueError(f"{file}: refused: more than the {most} bytes that a batch can have")
            yield name, str(file), content


def read_batch(content, place, labels_key, classes, size):
    """Read one pickled batch.

    Args:
        content: the bytes of the pickle.
        place: where they come from, for the errors.
        labels_key: name of the labels in the pickle, such as ``b"labels"``.
        classes: how many classes there are.
        size: how many images the batch may have at most.

    Returns:
        the images as they lie in the file (N, 3072), read-only, and the labels (N,), both uint8.

    Raises:
        ValueError: the pickle is refused or damaged, or it is not such a batch.
    """
    batch = restricted_pickle.load(content, place, OPCODES_PER_IMAGE * size + 1000)
    data, labels = batch.get(b"data"), batch.get(labels_key)
    if not (isinstance(data, np.ndarray) and data.dtype == np.uint8 and data.ndim == 2 and data.shape[1] == 3072):
        found = f"{data.dtype} {data.shape}" if isinstance(data, np.ndarray) else type(data).__name__
        raise ValueError(f"{place}: not a batch of CIFAR: expected b'data' to be uint8 (N, 3072), found {found}")
    if not (
        isinstance(labels, list)
        and len(labels) == len(data)
        and all(isinstance(label, int) and 0 <= label < classes for label in labels)
    ):
        raise ValueError(
            f"{place}: not a batch of CIFAR: expected {labels_key} to be a list of {len(data)} numbers 0..{classes - 1}"
        )
    return data, np.array(labels, np.uint8)


def to_images(rows):
    """A view of the rows (N, 3072) as images (N, 32, 32, 3)."""
    return rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
