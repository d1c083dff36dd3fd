"""Ranks: the same program, running several times, on one machine or on many.

`mpiexec -n 4 python program.py` starts a program four times. Each of the four is a rank, with a number from 0; they
share no memory and talk in messages (MPI, through mpi4py). Each computes some parts of every batch, and then all know
the same sums. Here is all that they say to one another:

    ranks.gather("figures", value)           every rank's value, in the order of the ranks, on every rank
    ranks.trade(outgoing, sizes)             arrays of bytes, from each to each; on one machine by shared memory

While a rank waits, it checks whether another rank has failed, and whether the other is in the same place of the
program. So nobody waits for ever. A program that no `mpiexec` has started is `Alone`: there is one
rank, and nothing is said.
"""

import contextlib
import os
import pickle
import time

import numpy as np

from scratchnet.parallel.mailboxes import FREE_SHARE, as_bytes, free_shared_memory

OBJECT, BYTES, FAILURE, PLACE = 1, 2, 3, 4  # tags of messages
_MEANWHILE = 0.5  # seconds: who fails so much later fails because of the same thing
_GRACE = 0.2  # seconds: what a rank has sent before it failed still arrives, and may make this one fail alike
_SPIN = 2e-4  # seconds: so long a rank that waits asks again at once; then it lets others use the processor


class RankFailed(RuntimeError):
    """Another rank has failed; the user is shown the error of that rank."""


class Alone:
    """One process by itself: rank 0 of 1."""

    rank, size, here = 0, 1, 1

    def gather(self, what, value, among=1):
        return [value]

    def operation(self, what):
        return contextlib.nullcontext()


class Ranks:
    """All ranks, as one of them sees them.

    Args:
        comm: an mpi4py communicator, or what has its methods isend, improbe, Isend and Irecv.
        rank, size: the number of this rank, and how many there are.
        any_source: what `improbe` takes for "whoever".
        mailboxes: the `Mailboxes` of the ranks that are on this machine; by default this one is alone on it.
    """

    def __init__(self, comm, rank, size, any_source, mailboxes=None):
        self.comm, self.rank, self.size = comm, rank, size
        self._mailboxes = mailboxes
        self._any_source = any_source
        self._operation = 0  # number of the operation that is under way, or was the last
        self._depth = 0  # of operations within operations: a callback of fit may call evaluate
        self._told = []  # of failures by other ranks
        self.bytes = self.messages = 0  # that this rank has sent
        self._room = 0  # bytes of a trade that `make_room` has prepared
        self._boxes = {}  # ("in" or "out", rank) -> array of bytes

    def __deepcopy__(self, memo):
        return self

    @property
    def here(self):
        """How many of the ranks are on this machine."""
        return 1 if self._mailboxes is None else len(self._mailboxes.members)

    # ---- operations ----

    @contextlib.contextmanager
    def operation(self, what):
        """A ``with`` block in which all ranks do the same; an error on this one is sent to all who wait for it."""
        self._depth += 1
        if self._depth == 1:
            self._operation += 1
        try:
            yield
        except BaseException as error:
            if self._depth == 1 and not isinstance(error, RankFailed):
                self.tell_failure(error)
            raise
        finally:
            self._depth -= 1

    def tell_failure(self, error, last=False):
        """Tell all other ranks of an error here; `last`: the program ends with it, so that it never grows old."""
        note = self.rank, None if last else self._operation, f"{type(error).__name__}: {error}"
        requests = [self.comm.isend(note, other, FAILURE) for other in range(self.size) if other != self.rank]
        until = time.monotonic() + 1  # a rank that has ended takes no messages
        while not all(request.test()[0] for request in requests) and time.monotonic() < until:
            _give_way()

    def failures(self):
        """``{rank: what it said}`` of failures that other ranks have told of."""
        while (message := self.comm.improbe(self._any_source, FAILURE)) is not None:
            self._told.append(message.recv())
        # older ones were met on all ranks, and caught
        return {rank: text for rank, number, text in self._told if number is None or number >= self._operation}

    def is_first_to_fail(self, error):
        """Whether this rank shows `error`, which ends the program; of several ranks that fail alike, the first does."""
        if isinstance(error, RankFailed):
            return False
        self.tell_failure(error, last=True)
        found, until = {}, time.monotonic() + _MEANWHILE
        while time.monotonic() < until:
            found.update(self.failures())
            _give_way(True)
        return all(rank > self.rank for rank in found)

    # ---- messages ----

    def gather(self, what, value, among=None):
        """Every rank's `value`, in the order of the ranks.

        In round k = 0, 1, ... a rank sends what it knows to the rank 2^k before it, and so knows twice as many values
        afterwards: R ranks need log2(R) rounds of one message each (Bruck et al., "Efficient algorithms for all-to-all
        communications in multiport message-passing systems", 1997).

        Args:
            what: the place in the program, a text.
            value: anything that can be pickled; arrays are not changed afterwards.
            among: how many ranks, counted from 0, take part; by default all.

        Raises RankFailed if a rank has failed, RuntimeError if one is in another place of the program.
        """
        count = self.size if among is None else among
        if count == 1:
            return [value]
        known = [pickle.dumps(value, pickle.HIGHEST_PROTOCOL)]  # of this rank, the next one, and so on
        while len(known) < count:
            distance = len(known)
            told = known[: count - distance]
            source = (self.rank + distance) % count
            request = self.comm.isend((what, told), (self.rank - distance) % count, OBJECT)
            self._count(sum(map(len, told)))
            known += self._hear(what, source, request)
        values = [pickle.loads(note) for note in known[1:]]
        values.insert(0, value)
        return values[count - self.rank :] + values[: count - self.rank]

    def _hear(self, what, source, request):
        """The values that the rank `source` sends in this place of the program; returns when `request` is done, too."""
        told = []

        def look():
            message = None if told else self.comm.improbe(source, OBJECT)
            if message is not None:
                place, notes = message.recv()
                if place != what:
                    raise RuntimeError(
                        f"rank {self.rank} is at {what!r} while rank {source} is at {place!r}: all ranks must run the "
                        "same program, and call fit, evaluate, predict and save in the same order"
                    )
                told.append(notes)
            return told and request.test()[0]

        self._wait(look)
        return told[0]

    def make_room(self, size):
        """Prepare trades in which no rank sends more than `size` bytes; all ranks call this with the same number.

        Ranks on one machine share memory for it, if the system has enough to spare. The others send messages.
        """
        if size <= self._room:
            return
        self._room = size
        free = min(self.gather("room for gradients", free_shared_memory()))
        most = max(self.gather("ranks on a machine", self.here))
        if self.here > 1:
            self._mailboxes.resize(size if 2 * size * most <= FREE_SHARE * free else 0)

    def trade(self, outgoing, sizes):
        """Send arrays to other ranks and receive theirs; all ranks call this together.

        Args:
            outgoing: dict from rank to a list of arrays, which arrive as their bytes, one after the other.
            sizes: dict from rank to how many bytes will come from it.

        Returns a dict from rank to the array of bytes (uint8) that came; it is valid until the next trade.
        """
        near = self._near()
        incoming = {other: self._box("in", other, size) for other, size in sizes.items() if other not in near}
        requests = [self.comm.Irecv(array, other, BYTES) for other, array in incoming.items()]
        places = self._mailboxes.put({other: outgoing.get(other, []) for other in near}) if near else {}
        found = {other: np.empty(1, np.int64) for other in near}
        requests += [self.comm.Irecv(place, other, PLACE) for other, place in found.items()]
        for other in near:
            requests.append(self.comm.Isend(np.array([places[other]], np.int64), other, PLACE))
            self._count(sum(array.nbytes for array in outgoing.get(other, [])))
        for other, arrays in outgoing.items():
            if other not in near:
                packed = self._box("out", other, sum(array.nbytes for array in arrays))
                np.concatenate([as_bytes(array) for array in arrays], out=packed)
                requests.append(self.comm.Isend(packed, other, BYTES))
                self._count(packed.nbytes)

        def look():
            requests[:] = [request for request in requests if not request.Test()]
            return not requests

        self._wait(look)
        for other, size in sizes.items():
            if other in near:
                incoming[other] = self._mailboxes.look(other, int(found[other][0]), size)
        return incoming

    def _box(self, way, other, size):
        """Memory for a message, the same at every step: MPI would have to make each new piece ready to be sent."""
        box = self._boxes.get((way, other))
        if box is None or box.size < size:
            box = self._boxes[way, other] = np.empty(size, np.uint8)
        return box[:size]

    def _near(self):
        """The ranks that read this one's mailbox."""
        if self._mailboxes is None or not self._mailboxes.is_open:
            return []
        return [other for other in self._mailboxes.members if other != self.rank]

    def _count(self, size):
        self.bytes += size
        self.messages += 1

    def _wait(self, done):
        began = time.perf_counter()
        failed = None
        while not done():
            for rank, text in self.failures().items():
                failed = time.perf_counter() if failed is None else failed
                if time.perf_counter() - failed > _GRACE:
                    raise RankFailed(f"rank {rank} has failed: {text}")
            _give_way(time.perf_counter() - began > _SPIN)


def _give_way(long=False):
    """Let another process or thread of this machine go on."""
    if long or not hasattr(os, "sched_yield"):
        time.sleep(5e-5)
    else:
        os.sched_yield()


_ranks = Alone()


def current_ranks():
    """The `Ranks` that this process is one of, or `Alone`."""
    return _ranks


def set_ranks(ranks):
    """From now on divide batches among `ranks`; `Alone()` is the default."""
    global _ranks
    _ranks = ranks
