"""Data that come in batches: what `fit`, `evaluate` and `predict` take besides whole arrays.

A `Dataset` can be gone through again and again; nothing is held that has not been asked for. Its methods are those of
`tf.data.Dataset` that programs around Keras use, with the same names.
"""

import functools
import itertools

import numpy as np

from scratchnet.ops.creation import convert_to_tensor
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

    @classmethod
    def from_tensors(cls, tensors):
        """One element: an array, or a tuple or dict of arrays; a list is an array."""
        return cls(lambda: iter([_arrays(tensors)]), 1)

    @classmethod
    def from_generator(cls, generator, output_types=None, output_shapes=None, args=None, output_signature=None):
        """What ``generator(*args)``, called anew for each pass, gives.

        Args:
            output_types, output_signature: one of them: dtypes, or `tf.TensorSpec`s, nested as an element is.
        """
        types = output_types if output_signature is None else _map(lambda spec: spec.dtype, output_signature)
        return cls(lambda: (_typed(element, types) for element in generator(*(args or ()))))

    @classmethod
    def range(cls, *args):
        """The numbers of Python's ``range(*args)``."""
        numbers = range(*args)
        return cls(lambda: (np.asarray(number) for number in numbers), len(numbers))

    @staticmethod
    def zip(*args):
        """The elements of several data sets side by side, as a tuple; the shortest ends it."""
        datasets = args[0] if isinstance(args[0], tuple) else args
        lengths = [dataset._length for dataset in datasets]
        length = None if None in lengths else min(lengths)
        return Dataset(lambda: zip(*datasets), length, datasets[0].batch_size)

    def __iter__(self):
        return (_map(_as_array, element) for element in self._elements())

    def __len__(self):
        if self._length is None:
            raise TypeError("the length of this data set is not known")
        return self._length

    def cardinality(self):
        """How many elements there are; -2 where nobody knows."""
        return as_array(np.asarray(-2 if self._length is None else self._length))

    def map(self, map_func, num_parallel_calls=None, deterministic=None):
        """`map_func` of each element; the parts of a tuple are its arguments. The other arguments change no result."""
        return self._like(lambda: (_called(map_func, element) for element in self), self._length)

    def filter(self, predicate):
        """The elements of which `predicate` is true."""
        return self._like(lambda: (element for element in self if _called(predicate, element)), None)

    def flat_map(self, map_func):
        """The elements of the data sets that `map_func` makes of each element."""
        return Dataset(lambda: (inner for element in self for inner in _called(map_func, element)))

    def enumerate(self, start=0):
        """Pairs of a number, from `start` on, and an element."""
        return self._like(lambda: ((np.asarray(k), element) for k, element in enumerate(self, start)), self._length)

    def concatenate(self, dataset):
        """The elements, and then those of another data set."""
        lengths = self._length, dataset._length
        return self._like(lambda: itertools.chain(self, dataset), None if None in lengths else sum(lengths))

    def reduce(self, initial_state, reduce_func):
        """``reduce_func(state, element)``, from element to element."""
        return functools.reduce(reduce_func, self, initial_state)

    def take(self, count):
        """The first `count` elements; -1: all."""
        if count < 0:
            return self
        return self._like(lambda: itertools.islice(self, count), self._length and min(count, self._length))

    def skip(self, count):
        """What comes after the first `count` elements."""
        return self._like(lambda: itertools.islice(self, count, None), self._length and max(self._length - count, 0))

    def batch(self, batch_size, drop_remainder=False, num_parallel_calls=None, deterministic=None):
        """`batch_size` elements at a time, stacked along a new first axis; the last batch may be smaller."""
        return self._grouped(batch_size, drop_remainder, np.stack)

    def padded_batch(self, batch_size, padded_shapes=None, padding_values=None, drop_remainder=False):
        """As `batch`, of samples of different sizes: they get as long as the longest of their batch.

        Args:
            padded_shapes: taken as TensorFlow's, if it says None or -1 of each axis.
            padding_values: one value to fill up with; by default zeros, and empty strings.

        Raises ValueError for shapes with sizes, and for several values.
        """
        if any(size not in (None, -1) for size in flatten(padded_shapes)):
            raise ValueError(f"Dataset.padded_batch pads to the longest sample, not to {padded_shapes!r}")
        if isinstance(padding_values, (tuple, list, dict)):
            raise ValueError(f"Dataset.padded_batch takes one of padding_values for all, got {padding_values!r}")
        return self._grouped(batch_size, drop_remainder, lambda arrays: _padded(arrays, padding_values))

    def _grouped(self, batch_size, drop_remainder, stack):
        def elements():
            samples = iter(self)
            while group := list(itertools.islice(samples, batch_size)):
                if len(group) == batch_size or not drop_remainder:
                    yield _column_by_column(stack, group)

        length = self._length
        if length is not None:
            length = length // batch_size if drop_remainder else -(-length // batch_size)
        return Dataset(elements, length, batch_size)

    def window(self, size, shift=None, stride=1, drop_remainder=False):
        """Data sets of `size` elements, each `stride` from the last, that begin `shift` apart.

        Where an element is a tuple or dict, so is a window, of data sets. Without `drop_remainder` the last ones are
        shorter.
        """
        shift = size if shift is None else shift

        def elements():
            rest, waiting = iter(self), []
            while True:
                waiting += itertools.islice(rest, (size - 1) * stride + 1 - len(waiting))
                group = waiting[::stride]
                if not group or (drop_remainder and len(group) < size):
                    return
                yield _column_by_column(lambda column: Dataset(lambda: iter(column), len(column)), group)
                for _ in range(shift - len(waiting)):  # what lies between this window and the next
                    next(rest, None)
                waiting = waiting[shift:]

        return Dataset(elements)

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
        """An iterator over the elements as plain arrays, single values as NumPy's scalars."""
        return (_map(lambda array: np.asarray(array)[()], element) for element in self._elements())

    def _like(self, elements, length):
        return Dataset(elements, length, self.batch_size)


def _arrays(tensors):
    if isinstance(tensors, dict):
        return {key: _arrays(part) for key, part in tensors.items()}
    if isinstance(tensors, tuple):
        return tuple(_arrays(part) for part in tensors)
    return np.asarray(convert_to_tensor(tensors) if isinstance(tensors, list) else tensors)


def _map(function, element):
    """`function` of each array in an element; a tuple stays a tuple."""
    if isinstance(element, tuple):
        return tuple(_map(function, part) for part in element)
    return map_structure(function, element)


def _called(function, element):
    """`function` of an element, whose parts are its arguments if it is a tuple."""
    return function(*element) if isinstance(element, tuple) else function(element)


def _as_array(value):
    return value if isinstance(value, Dataset) else as_array(value)


def _typed(element, types):
    """An element as arrays of these dtypes."""
    if isinstance(types, dict):
        return {key: _typed(element[key], dtype) for key, dtype in types.items()}
    if isinstance(types, tuple):
        return tuple(_typed(part, dtype) for part, dtype in zip(element, types))
    return np.asarray(element, None if types in (None, "string") else types)


def _padded(arrays, value):
    """Arrays of different sizes as one, filled up behind their ends."""
    arrays = [np.asarray(array) for array in arrays]
    sizes = [max(axis) for axis in zip(*(array.shape for array in arrays))]
    dtype = np.result_type(*arrays)
    y = np.full((len(arrays), *sizes), dtype.type() if value is None else value, dtype)
    for k, array in enumerate(arrays):
        y[(k, *map(slice, array.shape))] = array
    return y


def _column_by_column(make, samples):
    """What `make` makes of each part of samples of the same structure, in that structure."""
    first = samples[0]
    if isinstance(first, (tuple, list)):
        return type(first)(_column_by_column(make, parts) for parts in zip(*samples))
    if isinstance(first, dict):
        return {key: _column_by_column(make, [sample[key] for sample in samples]) for key in first}
    return make(samples)
