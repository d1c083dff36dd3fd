"""Data sets of your own: a class that gives batch number k."""

import itertools


class PyDataset:
    """Base of a data set whose batches are made when they are asked for; also called `Sequence`.

    A subclass defines ``__getitem__(self, index)``, which gives the batch of that number, ``(x, y)`` or
    ``(x, y, sample_weight)``, and ``__len__``, their number, or the property `num_batches` (None: without end). It may
    define `on_epoch_begin` and `on_epoch_end`, for example to shuffle.

    Args:
        workers, use_multiprocessing, max_queue_size: kept as attributes. Batches are made one after the other, in the
            thread that trains, so they change no result.
    """

    workers, use_multiprocessing, max_queue_size = 1, False, 10  # for subclasses that do not call super().__init__()

    def __init__(self, workers=1, use_multiprocessing=False, max_queue_size=10):
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index):
        raise NotImplementedError(f"{type(self).__name__} has no __getitem__(self, index), which gives batch `index`")

    @property
    def num_batches(self):
        """The number of batches in an epoch; None if there is no end."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(f"{type(self).__name__} has neither __len__ nor num_batches")

    def __iter__(self):
        """The batches of one epoch."""
        batches = self.num_batches
        for index in itertools.count() if batches is None else range(batches):
            yield self[index]

    def on_epoch_begin(self):
        """Before each epoch."""

    def on_epoch_end(self):
        """After each epoch."""
