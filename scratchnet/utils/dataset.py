"""Data that come in batches: what `fit`, `evaluate` and `predict` take besides whole arrays.

A `Dataset` can be gone through again and again; nothing is held that has not been asked for. Its methods are those of
`tf.data.Dataset` that programs around Keras use, with the same names.
"""

import itertools

import numpy as np

from scratchnet.structure import flatten, map_structure
from scratchnet.variables import as_array


class Dataset:
    """An iterable of elements: batches, or samples where nothing has been batched.

    Args:
        elements: a function that gives a new iterator over the elements.
        length: how many there are; None if nobody knows.
        batch_size: samples in an element; None where the elements are samples.

    An element is an array, or a tuple such as ``(x, y)``; parts may be dicts of arrays. Arrays answer ``.numpy()``.
    """

    def __init__(self, elements, length=None, batch_size=None):
        self._elements = elements
        self._length = length
        self.batch_size = batch_size

    @classmethod
    def from_samples(cls, size, samples, batch_size, shuffle=False, seed=None):
        """A data set of the batches that ``samples(rows)`` gives for an array of row numbers.

        Args:
            size: number of samples.
            batch_size: None gives the samples one by one, without the batch axis.
            shuffle: whether each pass has an order of its own.
            seed: of the orders; None draws one.
        """
        seed = int(np.random.randint(1_000_000)) if seed is None else seed
        passes = itertools.count()

        def elements():
            order = np.arange(size)
            if shuffle:
                np.random.default_rng([seed, next(passes)]).shuffle(order)
            for start in range(0, size, batch_size or 1):
                batch = samples(order[start : start + (batch_size or 1)])
                yield batch if batch_size else _map(lambda array: array[0], batch)

        return cls(elements, -(-size // (batch_size or 1)), batch_size)

    @classmethod
    def from_tensor_slices(cls, tensors):
        """The samples of an array, or of a tuple or dict of arrays, one by one; a list is an array."""
        arrays = _arrays(tensors)
        size = len(flatten(arrays)[0])
        return cls.from_samples(size, lambda rows: _map(lambda array: array[rows], arrays), None)

    def __iter__(self):
        return (_map(as_array, element) for element in self._elements())

    def __len__(self):
        if self._length is None:
            raise TypeError("the length of this data set is not known")
        return self._length

    def map(self, map_func, num_parallel_calls=None, deterministic=None):
        """`map_func` of each element; the parts of a tuple are its arguments. The other arguments change no result."""
        return self._like(lambda: (map_func(*e) if isinstance(e, tuple) else map_func(e) for e in self), self._length)

    def take(self, count):
        """The first `count` elements; -1: all."""
        if count < 0:
            return self
        return self._like(lambda: itertools.islice(self, count), self._length and min(count, self._length))

    def skip(self, count):
        """What comes after the first `count` elements."""
        return self._like(lambda: itertools.islice(self, count, None), self._length and max(self._length - count, 0))

    def batch(self, batch_size, drop_remainder=False):
        """`batch_size` elements at a time, stacked along a new first axis; the last batch may be smaller."""

        def elements():
            samples = iter(self)
            while group := list(itertools.islice(samples, batch_size)):
                if len(group) == batch_size or not drop_remainder:
                    yield _stack(group)

        length = self._length
        if length is not None:
            length = length // batch_size if drop_remainder else -(-length // batch_size)
        return Dataset(elements, length, batch_size)

    def unbatch(self):
        """The samples of the batches, one by one."""

        def elements():
            for batch in self:
                for row in range(len(flatten(batch)[0])):
                    yield _map(lambda array, row=row: array[row], batch)

        return Dataset(elements)

    def shuffle(self, buffer_size, seed=None, reshuffle_each_iteration=True):
        """The elements in another order: each is drawn among the next `buffer_size`."""
        seed = int(np.random.randint(1_000_000)) if seed is None else seed
        passes = itertools.count() if reshuffle_each_iteration else itertools.repeat(0)

        def elements():
            rng = np.random.default_rng([seed, next(passes)])
            rest = iter(self)
            waiting = list(itertools.islice(rest, buffer_size))
            while waiting:
                drawn = rng.integers(len(waiting))
                yield waiting[drawn]
                waiting[drawn : drawn + 1] = itertools.islice(rest, 1)

        return self._like(elements, self._length)

    def repeat(self, count=None):
        """The elements `count` times over; for ever if it is None or -1."""
        if count is None or count < 0:
            return self._like(lambda: itertools.chain.from_iterable(itertools.repeat(self)), None)
        return self._like(lambda: itertools.chain(*[self] * count), self._length and self._length * count)

    def cache(self, filename=""):
        """The same elements, computed in the first pass and kept in memory for those that follow."""
        if filename:
            raise ValueError("Dataset.cache keeps the elements in memory only: call it without a file name")
        kept = []

        def elements():
            if not kept:
                kept.append(list(self))
            return iter(kept[0])

        return self._like(elements, self._length)

    def prefetch(self, buffer_size):
        """The same elements: nothing is computed ahead."""
        return self

    def as_numpy_iterator(self):
        """An iterator over the elements as plain arrays."""
        return (_map(np.asarray, element) for element in self._elements())

    def _like(self, elements, length):
        return Dataset(elements, length, self.batch_size)


def _arrays(tensors):
    if isinstance(tensors, dict):
        return {key: _arrays(part) for key, part in tensors.items()}
    return tuple(_arrays(part) for part in tensors) if isinstance(tensors, tuple) else np.asarray(tensors)


def _map(function, element):
    """`function` of each array in an element; a tuple stays a tuple."""
    if isinstance(element, tuple):
        return tuple(_map(function, part) for part in element)
    return map_structure(function, element)


def _stack(samples):
    """Samples of the same structure as one batch."""
    first = samples[0]
    if isinstance(first, (tuple, list)):
        return type(first)(_stack(parts) for parts in zip(*samples))
    if isinstance(first, dict):
        return {key: _stack([sample[key] for sample in samples]) for key in first}
    return np.stack(samples)
