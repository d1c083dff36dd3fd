"""The whole batch, seen from one of its parts.

A training step is computed in parts of the batch, each in a thread of its own. Two things depend on more than the rows
of a part: what is random (a row must draw the same numbers whatever part it is in, see `scratchnet.streams`) and what
looks across samples, such as a mean over the batch. A layer or a loss that looks across samples says so with one word:

    M, total = sum_over_batch(x.size / x.shape[-1], x.sum(axes))
    mean = total / M

Every part hands in its own sums, and all parts get the same total. The sums are added up in the order of the parts, so
speed never changes a bit. Outside of a training step the batch is simply x, and the sums are returned as they are.

All parts must ask for the same sums in the same order. Each waits for the others at a barrier; if one fails, the
barrier breaks, so that nobody waits for ever, and the first real error is the one that is raised.

The parts of a batch may belong to several ranks (`scratchnet.parallel.ranks`). They are numbered through, rank after
rank: for every sum it is the same whether four parts are four threads, two ranks of two threads, or four ranks.
"""

import contextvars
import itertools
import threading
from typing import NamedTuple

import numpy as np

from scratchnet.parallel.ranks import Alone

_current = contextvars.ContextVar("scratchnet_part_of_batch", default=None)


class PartFailed(RuntimeError):
    """Another part of the batch has failed; the user is shown the error of that part."""


class Division(NamedTuple):
    """The parts of a batch, and which of them are computed here."""

    parts: list  # slices of the batch's rows
    first: int  # the number of the first part of this rank
    stop: int  # and of the first after its last

    @classmethod
    def among(cls, parts, ranks):
        """How the `parts` are divided among the ranks, in order; the first ranks may get one more than the last."""
        if ranks.size == 1:
            return cls(parts, 0, len(parts))
        edges = [0, *itertools.accumulate(cls(parts, 0, 0).counts(ranks))]
        return cls(parts, *edges[ranks.rank : ranks.rank + 2])

    def counts(self, ranks):
        """How many parts each rank has."""
        least, more = divmod(len(self.parts), ranks.size)
        return [least + (rank < more) for rank in range(ranks.size)]

    def leaves_out(self, ranks):
        """Whether some of the ranks have no part."""
        return len(self.parts) < ranks.size

    @property
    def size(self):
        """Rows of the whole batch."""
        return self.parts[-1].stop

    @property
    def own(self):
        """The parts that are computed here."""
        return self.parts[self.first : self.stop]

    @property
    def rows(self):
        """The rows of these; none where there are more ranks than parts."""
        return slice(self.own[0].start, self.own[-1].stop) if self.own else slice(0, 0)


class WholeBatch:
    """Where the parts of one batch meet.

    Args:
        division: the `Division` of its rows. The parts that are computed here must all run at the same time.
        ranks: whose the others are.
    """

    def __init__(self, division, ranks=None):
        self.size = division.size
        self.parts = len(division.parts)
        self._first, count = division.first, len(division.own)
        self._ranks = ranks or Alone()
        self._handed_in = [None] * count
        self._everybody = threading.Barrier(count) if count > 1 else None
        self._values = None

    def exchange(self, index, value):
        """Hand in the `value` of part number `index`; returns the list of all parts' values, in their order.

        Raises PartFailed if another part has failed, RankFailed if another rank has.
        """
        if self.parts == 1:
            return [value]
        self._handed_in[index - self._first] = value
        try:
            self._meet()  # all have handed in
            if index == self._first:
                self._values = self._from_all_ranks()
            self._meet()  # all may read; what is handed in next lies elsewhere
        except threading.BrokenBarrierError:
            raise PartFailed("another part of the batch has failed") from None
        return self._values

    def _meet(self):
        if self._everybody is not None:
            self._everybody.wait()

    def _from_all_ranks(self):
        among = min(self.parts, self._ranks.size)
        return [value for values in self._ranks.gather("the whole batch", self._handed_in, among) for value in values]

    def abort(self):
        """Wake all who wait: a part has failed and will not arrive."""
        if self._everybody is not None:
            self._everybody.abort()


class Part:
    """Some rows of a batch, as the thread that computes them sees them.

    Args:
        step: an int, or a tuple of ints, that gives each step its own random numbers.
        first_row: where the part begins in the whole batch.
        rows: how many rows it has; None where nobody has said.
        index: the number of the part.
        batch: the `WholeBatch`; None for a part by itself.
    """

    def __init__(self, step, first_row=0, rows=None, index=0, batch=None):
        self.step = step if isinstance(step, tuple) else (step,)
        self.first_row = first_row
        self.rows = rows
        self.index = index
        self.batch = batch
        self.draws = {}  # id of a random stream -> how often it has drawn in this step
        self.looks_across = False  # whether the rest of the batch has been asked for

    @property
    def is_row_by_row(self):
        """Whether so far each row has been computed from itself alone, without drawing random numbers."""
        return not self.draws and not self.looks_across

    def first_row_of(self, count):
        """Where `count` rows that this part draws for begin in the whole batch.

        Where time, say, is folded into the batch, each sample stands in several rows. Something that has nothing to do
        with the batch begins at 0: all parts draw the same.
        """
        if self.rows is None:
            return self.first_row
        return self.first_row * (count // self.rows) if count % self.rows == 0 else 0


def current_part():
    """The `Part` that this thread computes, or None outside of a step."""
    return _current.get()


class computing:
    """A context in which this thread computes `part` of a batch; each step enters one for each of its parts."""

    def __init__(self, part):
        self._part = part

    def __enter__(self):
        self._token = _current.set(self._part)

    def __exit__(self, *exception):
        _current.reset(self._token)


def drawing_rows(step, first_row, rows=None):
    """Inside, random layers draw what the whole batch of step number `step` would draw from row `first_row` on."""
    return computing(Part(step, first_row, rows))


def map_parts(function, slices, step, workers):
    """``[function(rows) for rows in slices]``, all at the same time, as the parts of one batch in order.

    Args: see `map_own_parts`; `slices` are all the parts there are.
    """
    return map_own_parts(function, Division(slices, 0, len(slices)), step, workers)


def map_own_parts(function, division, step, workers, ranks=None):
    """``[function(rows) for rows in division.own]``, all at the same time, as parts of one batch in order.

    Args:
        function: takes a slice of the batch's rows.
        division: the `Division` of the batch; at most as many parts are computed here as `workers` computes at a time,
            since they wait for one another.
        step: the number of the step.
        workers: a `scratchnet.parallel.Workers`.
        ranks: where the other parts are computed.

    Raises the first error of a part, after all parts have ended.
    """
    own = division.own
    if len(own) > workers.count:
        raise ValueError(f"{len(own)} parts cannot wait for one another on {workers.count} threads")
    batch = WholeBatch(division, ranks)

    def compute(item):
        index, rows = item
        try:
            with computing(Part(step, rows.start, rows.stop - rows.start, index, batch)):
                return function(rows)
        except BaseException:
            batch.abort()
            raise

    return workers.map(compute, enumerate(own, division.first))


def in_several_parts(asking=False):
    """Whether this thread computes one of several parts of a batch; `asking`: in order to ask for the others."""
    part = _asking() if asking else _current.get()
    return part is not None and part.batch is not None and part.batch.parts > 1


def counted_here():
    """1 in the first part of a batch, 0 in the others: the factor of a value that all parts share."""
    part = _current.get()
    return 1 if part is None or part.index == 0 else 0


def _asking():
    """The part that this thread computes, if it is part of a batch; the caller needs the whole batch."""
    part = _current.get()
    if part is None:
        return None
    part.looks_across = True
    return None if part.batch is None else part


def sum_over_batch(*values):
    """The sum of each of `values` over all parts of the batch: a list of numbers and arrays, the same in every part.

    Called outside of a training step, the batch is the data at hand: the values themselves.
    """
    part = _asking()
    if part is None:
        return list(values)
    first, *others = part.batch.exchange(part.index, values)
    totals = list(first)
    for handed_in in others:
        totals = [total + value for total, value in zip(totals, handed_in)]
    return totals


def gather_over_batch(x):
    """``(whole, rows)``: the rows of all parts as one array, and the slice of it that is this part's `x`."""
    part = _asking()
    if part is None:
        return x, slice(0, len(x))
    pieces = part.batch.exchange(part.index, x)
    first = sum(len(piece) for piece in pieces[: part.index])
    return np.concatenate(pieces), slice(first, first + len(x))


def rows_of_batch(rows):
    """How many rows the whole batch has, given that this part has `rows`; counts what is folded into the batch."""
    part = _asking()
    if part is None or not part.rows:
        return rows
    return part.batch.size * rows // part.rows
