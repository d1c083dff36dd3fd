"""Ranks that are threads of one process: what needs no MPI of the library's work among ranks is tested with them."""

import collections
import itertools
import os
import pickle
import threading
from types import SimpleNamespace

import numpy as np

from scratchnet.parallel import ranks as ranks_module
from scratchnet.parallel.mailboxes import Mailboxes
from scratchnet.parallel.ranks import Alone, Ranks

ANY = -1
_LONGEST = 15 if os.environ.get("HYPOTHESIS_PROFILE") == "mutation" else 60  # seconds; mutants hang often


class FakeComm:
    """A communicator whose messages are kept in a dict that all ranks share."""

    def __init__(self, rank, mail):
        self.rank, self.mail = rank, mail
        self.aborted = None

    def isend(self, value, dest, tag):
        self.mail[self.rank, dest, tag].append(pickle.dumps(value))
        return SimpleNamespace(test=lambda: (True, None))

    def improbe(self, source, tag):
        sources = [source] if source != ANY else sorted({s for s, dest, t in list(self.mail) if dest == self.rank})
        for found in sources:
            queue = self.mail[found, self.rank, tag]
            if queue:
                note = queue.popleft()
                return SimpleNamespace(recv=lambda note=note: pickle.loads(note))
        return None

    def Isend(self, array, dest, tag):
        assert array.flags.c_contiguous
        note = SimpleNamespace(array=array, received=False)  # as MPI, which reads the array when it likes
        self.mail[self.rank, dest, tag].append(note)
        return SimpleNamespace(Test=lambda: note.received)

    def Irecv(self, array, source, tag):
        queue = self.mail[source, self.rank, tag]

        def test():
            if not queue:
                return False
            note = queue.popleft()
            assert note.array.nbytes == array.nbytes and note.array.dtype == array.dtype
            array[...] = note.array
            note.received = True
            return True

        return SimpleNamespace(Test=test)

    def Abort(self, code):
        self.aborted = code


class OfThisThread:
    """In each thread the ranks as that thread's rank sees them."""

    def __init__(self):
        self.local = threading.local()

    def __getattr__(self, name):
        return getattr(getattr(self.local, "ranks", Alone()), name)


class FakeWindow:
    """Memory that threads share anyway: `memory` holds an array for each member."""

    def __init__(self, memory):
        self.memory = memory
        self.locked = False

    def Shared_query(self, member):
        return self.memory[member], 1

    def Lock_all(self):
        self.locked = True

    def Sync(self):
        assert self.locked

    def Unlock_all(self):
        self.locked = False

    def Free(self):
        assert not self.locked


def fake_mailboxes(count):
    """`Mailboxes` as each of `count` ranks sees them; what the k-th window holds belongs to all k-th windows."""
    memory, lock = [], threading.Lock()

    def opener():
        windows = itertools.count()

        def open_window(size):
            k = next(windows)
            with lock:
                if k == len(memory):
                    memory.append([np.zeros(size, np.uint8) for _ in range(count)])
            assert len(memory[k][0]) == size
            return FakeWindow(memory[k])

        return open_window

    return [Mailboxes(rank, list(range(count)), opener()) for rank in range(count)]


def fake_ranks(count, one_machine=True):
    """`Ranks` as each of `count` ranks sees them."""
    mail = collections.defaultdict(collections.deque)
    boxes = fake_mailboxes(count) if one_machine else [None] * count
    return [Ranks(FakeComm(rank, mail), rank, count, ANY, boxes[rank]) for rank in range(count)]


def run_ranks(count, function, expect=(), one_machine=True):
    """``[function(rank) for rank in range(count)]``, each in a thread that is this rank.

    Of the exceptions that are expected, the exception itself takes the place of a result.
    """
    everybody = fake_ranks(count, one_machine)
    proxy, before = OfThisThread(), ranks_module.current_ranks()
    results, errors = [None] * count, []

    def run(rank):
        proxy.local.ranks = everybody[rank]
        try:
            results[rank] = function(rank)
        except expect as error:
            results[rank] = error
        except BaseException as error:
            errors.append(error)
            everybody[rank].tell_failure(error, last=True)

    ranks_module.set_ranks(proxy)
    try:
        threads = [threading.Thread(target=run, args=(rank,), daemon=True) for rank in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(_LONGEST)
        assert not any(thread.is_alive() for thread in threads), "a rank hangs"
    finally:
        ranks_module.set_ranks(before)
    if errors:
        raise next((e for e in errors if not isinstance(e, ranks_module.RankFailed)), errors[0])
    return results


def bits(*values):
    """All bits of arrays, lists and dicts of numbers, to be compared."""
    return [np.asarray(v).tobytes() if not isinstance(v, dict) else repr(v).encode() for v in values]
