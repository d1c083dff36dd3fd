"""One set of data as two."""

import random

import numpy as np

from scratchnet.utils.dataset import Dataset


def split_dataset(dataset, left_size=None, right_size=None, shuffle=False, seed=None, preferred_backend=None):
    """Two `Dataset`s of the samples of one: ``(left, right)``.

    Args:
        dataset: an array, a tuple or list of arrays, a `Dataset`, or any iterable of samples. A `Dataset` of batches
            gives two of batches of the same size; otherwise they give samples one by one, for their `batch`.
        left_size, right_size: shares, or numbers of samples; the one that is None gets the rest.
        shuffle: whether the samples are drawn at random.
        seed: of the drawing.
        preferred_backend: taken as Keras's; what comes out are NumPy's arrays.

    Raises ValueError for sizes that are not positive or together more than there are samples; TypeError for sizes that
    are no numbers, and for something that has no samples.
    """
    batch_size = dataset.batch_size if isinstance(dataset, Dataset) else None
    samples = _samples(dataset)
    if shuffle:
        random.Random(seed).shuffle(samples)
    left, right = _sizes(left_size, right_size, len(samples))
    parts = samples[:left], samples[len(samples) - right :]
    datasets = [Dataset(part.__iter__, len(part)) for part in parts]
    return tuple(d.batch(batch_size) if batch_size else d for d in datasets)


def _samples(dataset):
    if isinstance(dataset, np.ndarray):
        return list(dataset)
    if isinstance(dataset, (tuple, list)) and all(isinstance(array, np.ndarray) for array in dataset):
        lengths = {len(array) for array in dataset}
        if len(lengths) > 1:
            raise ValueError(f"split_dataset: the arrays have different numbers of samples: {sorted(lengths)}")
        return list(zip(*dataset))
    if isinstance(dataset, Dataset) and dataset.batch_size:
        return list(dataset.unbatch())
    try:
        return list(dataset)
    except TypeError:
        raise TypeError(f"split_dataset: expected arrays or an iterable of samples, got {dataset!r}") from None


def _sizes(left, right, total):
    """Both sizes as numbers of samples."""
    if left is None and right is None:
        raise ValueError("split_dataset: left_size or right_size must be given")
    counts = []
    for name, size in (("left_size", left), ("right_size", right)):
        if size is not None and (isinstance(size, bool) or not isinstance(size, (int, float))):
            raise TypeError(f"split_dataset: {name} must be a share or a number of samples, got {size!r}")
        if size is not None and not 0 < size < (1 if isinstance(size, float) else total):
            raise ValueError(
                f"split_dataset: {name} must be a share below 1 or fewer than {total} samples, got {size!r}"
            )
        counts.append(round(size * total) if isinstance(size, float) else size)
    left, right = counts
    left = total - right if left is None else left
    right = total - left if right is None else right
    if left + right > total:
        raise ValueError(f"split_dataset: {left} and {right} samples are more than the {total} that there are")
    return left, right
