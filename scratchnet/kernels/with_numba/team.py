"""Two threads in one kernel, for a step of which there is too little to give each thread a part of the batch.

The threads of `scratchnet.parallel.threads` take turns at the interpreter's lock, and in a small step they wait for it
longer than they compute. Here one thread alone runs Python. When it comes to a kernel whose rows do not depend on each
other, it lays down what is to be computed, and takes one chunk of the rows after the other; so does a helper, which
never needs the lock, since it waits within compiled code. To wait it reads one number again and again: a thread that
sleeps would be woken after a small product is done. Between two looks it pauses, for the sake of the other thread: that
one may be running on the same core. If for a while there is nothing, it sleeps nevertheless, within compiled code, too:
`scratchnet.kernels.with_numba.bell`.

Whoever is quicker takes more chunks, and a helper that comes late takes none. No bit depends on it, because every row
is computed by itself.

How to share a kernel: it gets the rows that it is to compute in front of its other arguments, and `by_rows` calls it.

    @njit
    def _scale(first, stop, x, factor, y):
        for n in range(first, stop):
            for k in range(x.shape[1]):
                y[n, k] = factor * x[n, k]

    by_rows(_scale, len(x), x.size, x, factor, y)  # _scale(0, len(x), x, factor, y), on two threads if there is a team

Its arguments are `plain` arrays, numbers, bools and None. It returns nothing. Where a chunk has failed, for want of
memory, all is computed once more: so what asks for memory writes nothing that it reads, and sets its sums to zero
itself.

`box` is what the two threads share; each of its numbers has a line of the cache for itself. A chunk is claimed by
adding 1 to `_NEXT`; the claim is good if there were less than `_CHUNKS` before. The number is set back after all else
has been laid down, so whoever has a good claim finds the kernel that it belongs to. A chunk that has failed is counted
as done, too: the one who leads goes on only when nobody writes into the result any more.
"""

import threading

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba._dispatcher import compute_fingerprint
from numba.core import cgutils
from numba.extending import intrinsic

from scratchnet.kernels.with_numba.address import address_of, call_at, call_with, place_of, succeeds_at
from scratchnet.kernels.with_numba.bell import Bell, wait_for
from scratchnet.kernels.with_numba.compile import njit
from scratchnet.kernels.with_numba.subnormals import float_mode, set_float_mode
from scratchnet.kernels.with_numba.tile import SSE
from scratchnet.processors import current_processor, keep_off
from scratchnet.spare import Spare

_CHUNKS = 2  # of the rows: in smaller ones a product would read the right matrix more often
_ROWS = 8  # of which a chunk is a multiple, as high as a tile, unless something else is said
_LEAST = 1 << 18  # multiply-adds that are worth sharing: some microseconds
_MANY = 1024  # rows of a sum of matrices, each the product of a row by a row, that are worth two of them
_LOOKS = 1 << 17 if SSE else 1 << 22  # how often a helper looks until it sleeps: some milliseconds

_NEXT, _DONE, _END, _JOB, _FAILED, _SLEEPS, _PATIENCE, _GOES = range(0, 64, 8)  # places in the box


class _OfThread(threading.local):
    """What each thread has for itself."""

    team = None


_mine = _OfThread()
_resting = Spare()  # a `_Helper`, who sleeps: to start a thread takes as long as some small kernels
_compiled = {}  # what `_compiled_for` has found


def at_work():
    """The `Team` of the calling thread, the innermost; None if it has none."""
    return _mine.team


def shares(work):
    """Whether the calling thread has a team, and so many multiply-adds are worth sharing."""
    return work >= _LEAST and _mine.team is not None


def by_rows(kernel, rows, work, *arguments, multiple=_ROWS):
    """``kernel(0, rows, *arguments)``, by two threads where there is a team: see above.

    Args:
        kernel: compiled by `njit`; ``kernel(first, stop, *arguments)`` computes the rows from `first` to `stop`.
        rows: how many there are.
        work: how many multiply-adds that is; what is small is not shared.
        multiple: of so many rows all chunks are multiples, but for the last.
    """
    if shares(work):
        at_work().share(kernel, rows, arguments, multiple)
    else:
        kernel(0, rows, *arguments)


def sums_of(rows):
    """Into how many sums, that are added up in the end, one over so many rows is divided: to share it, or 1.

    By sizes alone, for the same bits with a team and without. Of few rows it would take as long to add up the sums.
    """
    return 2 if rows >= _MANY else 1


def added(sums):
    """The total over the first axis of as many sums as `sums_of` has said."""
    return sums[0] if len(sums) == 1 else sums.sum(axis=0)


def helper():
    """A `Team` for this thread; None without the compiler, since nothing could do without the interpreter's lock."""
    return None if numba.config.DISABLE_JIT else Team()


class Team:
    """The thread that makes it, and a helper, for the length of a ``with`` block. Behind it the helper sleeps."""

    def __enter__(self):
        self._helper = _resting.exchange() or _Helper()
        self._helper.box[_END] = 0
        self._outer, _mine.team = at_work(), self
        return self

    def __exit__(self, *exception):
        _mine.team = self._outer
        self._helper.box[_END] = 1
        if (other := _resting.exchange(self._helper)) is not None:
            other.end()

    def wake(self):
        """Kernels are about to come."""
        _mine.team = self
        self._helper.wake()

    def rest(self):
        """Until it is woken again the thread that has made it computes alone: others are busy with other parts."""
        _mine.team = None

    def share(self, kernel, rows, arguments, multiple=_ROWS):
        """``kernel(0, rows, *arguments)``"""
        self.wake()
        lead, *addresses = _compiled_for(kernel, arguments)
        if not lead(*addresses, self._helper.box, rows, multiple, arguments):
            kernel(0, rows, *arguments)  # alone it succeeds, or raises here what is wrong


class _Helper:
    """A thread that takes chunks, and sleeps where for a while there are none, or from the end of a team on."""

    def __init__(self):
        self.box = np.zeros(64, np.int64)
        self.box[_NEXT], self.box[_SLEEPS] = _CHUNKS, 1
        self._bell, self._kept_off = Bell(), None
        arguments = self._bell.waits, self._bell.lock, self.box
        _help_when_woken.compile(tuple(map(numba.typeof, arguments)))  # by this thread
        self.thread = threading.Thread(target=_help_when_woken, args=arguments, name="scratchnet helper", daemon=True)
        self.thread.start()

    @property
    def sleeps(self):
        return self.box[_SLEEPS] == 1

    def wake(self):
        if self.sleeps:
            self.box[_SLEEPS], self.box[_PATIENCE] = 0, _LOOKS
            if (here := current_processor()) != self._kept_off:
                keep_off(here, self.thread.native_id)
                self._kept_off = here
            self._bell.ring()

    def end(self):
        """It takes no more chunks."""
        self.box[_GOES] = 1
        while self.thread.is_alive():  # it may be about to fall asleep
            self.wake()
            self.thread.join(0.001)
        self._bell.remove()


def _compiled_for(kernel, arguments):
    """`_lead`, and the addresses of `_share`, of `_chunk` and of the kernel, compiled for arguments of these types.

    The arguments are asked for their types one by one: of a tuple that takes more than 40 bytes to describe, Numba
    before 0.61 forgets what is in front, and would call what was compiled for others. So `_lead` is not looked up by
    Numba, either.
    """
    key = kernel, *map(compute_fingerprint, arguments)
    if key not in _compiled:
        kinds, box, number = numba.typeof(arguments), numba.typeof(np.empty(0, np.int64)), types.intp
        lead = _lead.compile((*[number] * 3, box, number, number, kinds))
        share = address_of(_share, (*[number] * 2, box, *[number] * 3))
        chunk = address_of(_chunk, (*[number] * 3, types.CPointer(kinds)))
        _compiled[key] = lead, share, chunk, address_of(kernel, (number, number, *kinds.types))
    return _compiled[key]


@intrinsic
def _read(typing_context, box, place):
    """``box[place]`` as it is now, whoever has written it."""

    def generate(context, builder, signature, arguments):
        return builder.load_atomic(_pointer(context, builder, signature, arguments), "seq_cst", 8)

    return types.int64(box, types.intp), generate


@intrinsic
def _write(typing_context, box, place, value):
    """``box[place] = value``, after all that was written before."""

    def generate(context, builder, signature, arguments):
        builder.store_atomic(arguments[2], _pointer(context, builder, signature, arguments), "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(box, types.intp, types.int64), generate


@intrinsic
def _count(typing_context, box, place):
    """``box[place] += 1`` in one go; what it was before."""

    def generate(context, builder, signature, arguments):
        pointer, one = _pointer(context, builder, signature, arguments), context.get_constant(types.int64, 1)
        return builder.atomic_rmw("add", pointer, one, "seq_cst")

    return types.int64(box, types.intp), generate


def _pointer(context, builder, signature, arguments):
    box = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.gep(box.data, [arguments[1]])


@intrinsic
def _pause(typing_context):
    """Let a moment pass, in which the processor does not compute ahead."""

    def generate(context, builder, signature, arguments):
        if SSE:  # has an instruction for that, of some ten nanoseconds
            kind = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse2.pause"), [])
        return context.get_dummy_value()

    return types.void(), generate


@njit
def _chunk(kernel, first, stop, place):
    """Some rows of a kernel, given its address and where its arguments lie: a machine code for each of their types."""
    call_with(kernel, first, stop, place)


@njit
def _lead(share, chunk, kernel, box, rows, multiple, arguments):
    """All chunks, some of them by the helper; whether each has succeeded. `share` is compiled once for all types."""
    call_at(share, chunk, kernel, box, rows, multiple, place_of(arguments))
    return _read(box, _FAILED) == 0


@njit
def _share(chunk, kernel, box, rows, multiple, place):
    box[_JOB], box[_JOB + 1], box[_JOB + 2] = chunk, kernel, place
    box[_JOB + 3], box[_JOB + 4], box[_JOB + 5] = rows, multiple, float_mode()
    box[_FAILED] = 0
    _write(box, _DONE, 0)
    _write(box, _NEXT, 0)
    while _take_a_chunk(box):
        pass
    while _read(box, _DONE) < _CHUNKS:
        _pause()


@njit
def _help_when_woken(waits, lock, box):
    """What a helper does: sleep until the bell rings, take chunks until there have been none for a while, sleep."""
    while True:
        wait_for(waits, lock)
        if _read(box, _GOES) == 1:
            return
        waited, patience = 0, box[_PATIENCE]
        while waited < patience and _read(box, _END) == 0:
            if _read(box, _NEXT) < _CHUNKS and _take_a_chunk(box):
                waited = 0
            else:
                waited += 1
                _pause()
        _write(box, _SLEEPS, 1)


@njit(inner=True)
def _take_a_chunk(box):
    """Compute a chunk that nobody has taken; whether there was one."""
    number = _count(box, _NEXT)
    if number >= _CHUNKS:
        return False
    chunk, kernel, place = box[_JOB], box[_JOB + 1], box[_JOB + 2]
    rows, multiple = box[_JOB + 3], box[_JOB + 4]
    set_float_mode(box[_JOB + 5])
    size = (rows + _CHUNKS * multiple - 1) // (_CHUNKS * multiple) * multiple
    first, stop = min(number * size, rows), min((number + 1) * size, rows)
    if first < stop and not succeeds_at(chunk, kernel, first, stop, place):
        _write(box, _FAILED, 1)
    _count(box, _DONE)
    return True
