"""The batches that an `ImageDataGenerator` gives."""

import numpy as np

from scratchnet.utils.py_dataset import PyDataset


class ImageBatches(PyDataset):
    """Batches of changed pictures, ``(x, y)`` or ``(x, y, sample_weight)``; `next` gives them for ever.

    Attributes: n and samples (how many pictures), batch_size; from a folder also class_indices, classes, filenames.
    """

    def __init__(self, generator, picture, count, parts, batch_size, shuffle, seed, targets_are_pictures=False):
        super().__init__()
        self.generator, self._picture, self.n = generator, picture, count
        self._parts, self.batch_size, self.shuffle = parts, batch_size, shuffle
        self._rng = np.random if seed is None else np.random.RandomState(seed)
        self._targets_are_pictures = targets_are_pictures
        self._next = 0
        self.reset()

    @property
    def samples(self):
        return self.n

    def __len__(self):
        return -(-self.n // self.batch_size)

    def __getitem__(self, index):
        rows = self._order[index * self.batch_size : (index + 1) * self.batch_size]
        change = lambda x: self.generator.standardize(self.generator.random_transform(x, self._rng))
        x = np.stack([change(self._picture(k)) for k in rows])
        y, weights = (None if part is None else part[rows] for part in self._parts)
        if self._targets_are_pictures:
            y = x
        if y is None:
            return x
        return (x, y) if weights is None else (x, y, weights)

    def __iter__(self):
        return self

    def __next__(self):
        if self._next == len(self):
            self.on_epoch_end()
        self._next += 1
        return self[self._next - 1]

    def reset(self):
        """Begin again, in an order of its own."""
        self._next = 0
        self._order = self._rng.permutation(self.n) if self.shuffle else np.arange(self.n)

    on_epoch_end = reset
