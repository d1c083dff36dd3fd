"""Memory that the ranks of one machine share: long arrays go through it, with one copy in place of several.

A message of a megabyte is copied by its sender into the memory of MPI, piece by piece, and out of it by its receiver.
Here each rank has a mailbox, memory that the others of its machine can read (a shared window of MPI-3): the sender
copies its arrays into it, a short message says where they begin, and the receiver reads them where they lie.

A mailbox has two halves, used in turns: what a rank has put into one half stays until the next but one trade. By then
the others have sent their messages of the next trade, and so have read what was there. Nobody has to tell the sender
that a half is free.
"""

import os

import numpy as np

FREE_SHARE = 0.25  # of the system's shared memory that is free, at most, for all mailboxes of a machine
_LINE = 64  # bytes: arrays begin where a line of the cache does


class Mailboxes:
    """The mailboxes of the ranks on one machine, as one of them sees them.

    Args:
        rank: the number of this rank, among all.
        members: the numbers of the ranks on this machine, in order.
        open_window: takes a number of bytes, gives each member so many, and returns the MPI window. All members call
            it together.
    """

    def __init__(self, rank, members, open_window):
        self.rank, self.members = rank, members
        self._open_window = open_window
        self._window, self._boxes = None, {}
        self._half, self._size = 0, 0  # the half that is filled next, and the bytes of a half

    @property
    def is_open(self):
        """Whether there is room for anything."""
        return self._window is not None

    def resize(self, size):
        """Make room for `size` bytes a rank and trade, or for none; all members call this together."""
        self._boxes, self._half, self._size = {}, 0, _rounded(size)
        if self._window is not None:
            self._window.Unlock_all()
            self._window.Free()
            self._window = None
        if size:
            self._window = self._open_window(2 * self._size)
            self._window.Lock_all()  # from now on `Sync` shows the others what one has written
            for k, member in enumerate(self.members):
                self._boxes[member] = np.frombuffer(self._window.Shared_query(k)[0], np.uint8)

    def put(self, outgoing):
        """Copy what goes to each member (a list of arrays) into this rank's mailbox; returns where each begins.

        A list that goes to several is copied once.
        """
        box, start, places, known = self._boxes[self.rank], self._half * self._size, {}, {}
        for member, arrays in outgoing.items():
            if id(arrays) not in known:
                known[id(arrays)] = start
                for array in arrays:
                    box[start : start + array.nbytes] = as_bytes(array)
                    start += array.nbytes
                start = _rounded(start)
            places[member] = known[id(arrays)]
        self._half = 1 - self._half
        self._window.Sync()
        return places

    def look(self, member, start, size):
        """The `size` bytes that `member` has put into its mailbox from `start` on."""
        self._window.Sync()
        return self._boxes[member][start : start + size]


def as_bytes(array):
    """The bytes of an array, without a copy where they lie one after the other."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def free_shared_memory():
    """How many bytes of shared memory the system has left; 0 where it does not say."""
    try:
        found = os.statvfs("/dev/shm")
    except (AttributeError, OSError):
        return 0
    return found.f_bavail * found.f_frsize


def _rounded(size):
    return -(-size // _LINE) * _LINE
