"""Two threads in one product, for a step of which there is too little to give each thread a part of the batch.

The threads of `scratchnet.parallel.threads` take turns at the interpreter's lock, and in a small step they wait for it
longer than they compute. Here one thread alone runs Python. When it comes to a product, it lays down what is to be
multiplied, and takes one chunk of the rows after the other; so does a helper, which never needs the lock, since it
waits within compiled code. To wait it reads one number again and again: a thread that sleeps would be woken after a
small product is done. If for a while there is nothing, it sleeps nevertheless.

Whoever is quicker takes more chunks, and a helper that comes late takes none. No bit depends on it: every row of a
product is computed by itself.

`box` is what the two share; each of its numbers has a line of the cache for itself. A chunk is claimed by adding 1 to
`_NEXT`; the claim is good if there were less than `_CHUNKS` before. The number is set back after all else has been laid
down, so whoever has a good claim finds the product that it belongs to. A chunk for which there is no memory is counted
as done, too: the one who leads goes on only when nobody writes into the result any more.
"""

import threading

import numpy as np
from numba import carray, types
from numba.extending import intrinsic

from scratchnet.kernels.with_numba.address import call_at, succeeds_at
from scratchnet.kernels.with_numba.compile import njit

_CHUNKS = 2  # of the rows of a product: in smaller ones the right matrix would be read more often
_ROWS = 8  # of which a chunk is a multiple, as high as a tile
_LEAST = 1 << 18  # multiply-adds that are worth sharing: some microseconds
_PATIENCE = 1 << 20  # how often a helper looks until it sleeps: about a millisecond

_NEXT, _DONE, _END, _PRODUCT, _FAILED = 0, 8, 16, 24, 32  # places in the box

_mine = threading.local()  # its `team` is that of the thread that asks


def at_work():
    """The `Team` of the calling thread, the innermost; None if it has none."""
    return getattr(_mine, "team", None)


class Team:
    """The thread that makes it, and a helper, for the length of a ``with`` block.

    Args:
        multiplier: the address of the product of float32.
    """

    def __init__(self, multiplier):
        self._multiplier = multiplier
        self._box = np.zeros(64, np.int64)
        self._box[_NEXT] = _CHUNKS
        self._wanted, self._is_ending, self._sleeps = threading.Event(), False, True

    def __enter__(self):
        _help(self._multiplier, self._box, 0)  # compiled by this thread
        self._helper = threading.Thread(target=self._wait_and_help, name="scratchnet helper", daemon=True)
        self._helper.start()
        self._outer, _mine.team = at_work(), self
        return self

    def __exit__(self, *exception):
        _mine.team = self._outer
        self._is_ending = True
        self._box[_END] = 1
        self._wanted.set()
        self._helper.join()

    def wake(self):
        """Products are about to come."""
        if self._sleeps:
            self._wanted.set()

    def shares(self, a, b):
        """Whether the product of these is for the team: of float32, and large enough."""
        (M, K), N = a.shape, b.shape[1]
        return a.dtype == np.float32 and M * K * N >= _LEAST

    def multiply(self, a, b, c):
        """``c = a @ b``, `a` and `b` row by row or column by column in memory."""
        a_is_transposed, b_is_transposed = not a.flags.c_contiguous, not b.flags.c_contiguous
        a, b = a.T if a_is_transposed else a, b.T if b_is_transposed else b
        _lead(self._multiplier, self._box, a, a_is_transposed, b, b_is_transposed, c)

    def _wait_and_help(self):
        while not self._is_ending:
            self._wanted.wait()
            self._wanted.clear()
            self._sleeps = False
            _help(self._multiplier, self._box, _PATIENCE)
            self._sleeps = True


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
def _floats_at(typing_context, address):
    """The address as that of float32 numbers."""
    kind = types.CPointer(types.float32)

    def generate(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], context.get_value_type(kind))

    return kind(types.intp), generate


@njit
def _lead(times, box, a, a_is_transposed, b, b_is_transposed, c):
    a_rows, a_columns = a.shape[::-1] if a_is_transposed else a.shape
    b_rows, b_columns = b.shape[::-1] if b_is_transposed else b.shape
    if a_columns != b_rows or c.shape != (a_rows, b_columns):
        raise ValueError("matmul: the shapes of a, b and c do not fit together")
    box[_PRODUCT], box[_PRODUCT + 1], box[_PRODUCT + 2] = a.ctypes.data, b.ctypes.data, c.ctypes.data
    box[_PRODUCT + 3], box[_PRODUCT + 4] = a_is_transposed, b_is_transposed
    box[_PRODUCT + 5], box[_PRODUCT + 6], box[_PRODUCT + 7] = a_rows, a_columns, b_columns
    box[_FAILED] = 0
    _write(box, _DONE, 0)
    _write(box, _NEXT, 0)
    while _take_a_chunk(times, box):
        pass
    while _read(box, _DONE) < _CHUNKS:
        pass
    if _read(box, _FAILED):  # alone it succeeds, or raises here what is wrong
        left = _matrix(box[_PRODUCT], a_rows, a_columns, a_is_transposed)
        right = _matrix(box[_PRODUCT + 1], b_rows, b_columns, b_is_transposed)
        call_at(times, left, right, c, np.bool_(False))


@njit
def _help(times, box, patience):
    """Take chunks until there have been none for a while."""
    waited = 0
    while waited < patience and _read(box, _END) == 0:
        if _read(box, _NEXT) < _CHUNKS and _take_a_chunk(times, box):
            waited = 0
        else:
            waited += 1


@njit
def _take_a_chunk(times, box):
    """Compute a chunk that nobody has taken; whether there was one."""
    chunk = _count(box, _NEXT)
    if chunk >= _CHUNKS:
        return False
    product = box[_PRODUCT : _PRODUCT + 8]
    M, K, N = product[5], product[6], product[7]
    rows = (M + _CHUNKS * _ROWS - 1) // (_CHUNKS * _ROWS) * _ROWS
    first, stop = min(chunk * rows, M), min((chunk + 1) * rows, M)
    if first < stop:
        a, b = _matrix(product[0], M, K, product[3]), _matrix(product[1], K, N, product[4])
        c = carray(_floats_at(product[2]), (M, N))
        if not succeeds_at(times, a[first:stop], b, c[first:stop], np.bool_(False)):
            _write(box, _FAILED, 1)
    _count(box, _DONE)
    return True


@njit
def _matrix(address, rows, columns, is_transposed):
    if is_transposed:
        return carray(_floats_at(address), (columns, rows)).T[:, ::1]
    return carray(_floats_at(address), (rows, columns))[:, ::1]
