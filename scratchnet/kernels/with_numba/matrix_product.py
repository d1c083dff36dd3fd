"""Matrix products of the sizes that layers have, for compiled code without the interpreter; BLAS where it is quicker.

BLAS is made for large matrices: before it multiplies, it copies both into an order of its own. For the product of a
time step, 64 rows by 128 columns, or of a convolution, one of whose matrices has 32 columns, that takes up to half of
the time. Here the left one is read where it lies, some rows at a time, so that they stay in the cache while they meet
one block of the right one after the other:

    c[m : m + rows, n : n + width] += a[m : m + rows, k : k + depth] @ block     block = b[k : k + depth, n : n + width]

The blocks are read where they lie too, unless enough rows meet them to pay for a copy in which their rows follow one
another (on AVX2 it makes up to 1.7 times as fast, on AVX-512 1.3 times, on Zen 4 1.1 times and only large ones), or
they come from memory, or their rows fall into one place of the cache, or the columns of a block do not lie one after
the other or do not fill a vector. Then b is gone through in panels of so many columns as the second-level cache holds
with AVX-512, or the third with AVX2, where the rows of a lose more by coming back for each panel. Of a some rows are
copied where it is transposed, as x is for x.T @ dz, and its columns lie so far apart that few fit the cache. Two
threads share the rows; or the columns of b, where both would fetch all of it from far for a few rows.

Cost: 2 M K N floating-point operations.
"""

import contextlib
import functools
import threading

import numba
import numpy as np

from scratchnet.kernels.with_numba import team
from scratchnet.kernels.with_numba.address import address_of, call_at
from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.tile import (
    MULTIPLIES_HALVES,
    TALLEST,
    VECTOR_BYTES,
    copy_pair,
    copy_square,
    make_tile,
)

_DEPTH = 256  # rows of a block, at most: with two vectors of columns it has up to 32 KB
_FEW, _THRICE, _LARGE = 16, 48, 8 << 20  # rows of a that meet so many bytes of b, which come from memory:
_FEWER, _LESS_FEW = 24, 40  # beyond, `b.T @ a.T` is quicker; the second if b is much taller than wide
_DEPTH_OF_FEW = 16  # up to `_FEW`, so few rows of b at a time: read from end to end, up to twice as fast as far apart
_ROWS = 96  # of a, which with that depth has 96 KB
# From so many rows of a on copying b pays, if b has more bytes, and more from row to row:
_ENOUGH, _LARGER, _FURTHER = (64, 1 << 20, 512) if MULTIPLIES_HALVES else (_ROWS, 0, 0)
_WAITS = VECTOR_BYTES == 64 and not MULTIPLIES_HALVES  # for what is not in the first-level cache
_FROM_FAR = 2 << 20 if _WAITS else _LARGE  # bytes of b: with more it is copied from `_FEW` rows of a on
_APART = 4096 if VECTOR_BYTES < 64 else 1 << 62  # bytes from row to row of b, of which any multiple puts the rows of a
# block into one place of the cache: from `_FEW` rows of a it is copied, as is a large one
_NEARER = 2048 if VECTOR_BYTES == 32 else 4096 if _WAITS else 1 << 62  # and with any multiple of these from `_THRICE`
_APART_OF_A, _FAR_OF_A = (4096, 1 << 62) if VECTOR_BYTES == 64 else (1024, 2048)  # from column to column of a that is
# transposed: of any multiple of the first, or from the second on, rows are copied that several blocks of b meet
_PANEL = 1024 if VECTOR_BYTES == 64 else 1 << 15  # bytes of each row of b that are copied one after the other

_FAR = 2 << 20  # bytes of b, which two threads would both fetch from far

_PAIR = 2  # rows, with which OpenBLAS takes twice as long as with four
_MORE = {16: _FEW, 32: 8, 64: 7}[VECTOR_BYTES]  # rows that are more than few
# Multiply-adds, the second by bytes of a number, see `_is_for_blas`; on AVX-512 with kernels that others have not:
_SMALL_FOR_BLAS, _THIN_FOR_BLAS = {16: (1 << 16, 0), 32: (1 << 18, 1 << 23), 64: (1_000_000, 1 << 20)}[VECTOR_BYTES]
_FEW_OF_THIN = 32 if VECTOR_BYTES > 16 else 0  # rows of float32 that meet a b whose rows end within a vector
_SMALL_RESULT = 1200 if VECTOR_BYTES == 64 else 1 << 62  # numbers of c
_SMALL = 1 << 14  # multiply-adds, of which Python's lines around them take the longer part
_SOON_CLEARED = 1 << 16  # bytes of c, which `dot` fills with zeros before it multiplies
_SHALLOW = 16  # rows of b: so few products to a number of c, or of b, that to write or copy it counts

_MANY = 1 << 14  # numbers of c that are turned round: NumPy reads them from far apart, and needs nine times as long

_FEW_ROWS, _FEW_COLUMNS = 2, 4  # of c, up to which it is quicker computed number by number

_tall_2, _tile_4_2, _tile_2_2, _tile_1_2 = (make_tile(rows, vectors=2) for rows in (TALLEST, 4, 2, 1))
_tall_1, _tile_4_1, _tile_2_1, _tile_1_1 = (make_tile(rows, vectors=1) for rows in (TALLEST, 4, 2, 1))
_WIDE = 8  # vectors of the tile of a single row, whose sums would otherwise wait for one another
_tile_1_wide = make_tile(1, vectors=_WIDE)
_HALVED = 8 if TALLEST == 6 else 0  # the last 8 rows are quicker as 4 and 4 than as 6 and 2


class _OfThread(threading.local):
    """What each thread has for itself."""

    rows_are_alone = False


_mine = _OfThread()


@contextlib.contextmanager
def row_by_row():
    """A ``with`` block in which this thread leaves no product to BLAS: that may round a row by how many there are."""
    before, _mine.rows_are_alone = _mine.rows_are_alone, True
    try:
        yield
    finally:
        _mine.rows_are_alone = before


def matmul(a, b):
    if a.dtype != b.dtype:
        raise TypeError(f"matmul: expected two matrices of one dtype, got {a.dtype} and {b.dtype}")
    (M, K), (depth, N) = a.shape, b.shape
    if depth != K:
        raise ValueError(f"matmul: the shapes of a and b do not fit together, {a.shape} and {b.shape}")
    work = M * K * N
    if K == 1 and (M == 1 or N == 1):
        return a * b  # BLAS would leave out what is multiplied by zero, NaN or not
    may_be_blas = not _mine.rows_are_alone
    by_blas = may_be_blas and work <= _SMALL
    if may_be_blas and not by_blas and K > 1:
        is_small = work <= _SMALL_FOR_BLAS and M != _PAIR and (M * N <= _SMALL_RESULT or b.flags.c_contiguous)
        by_blas = is_small or _is_for_blas(a, b)
    if by_blas:
        return a.dot(b) if K > _SHALLOW or M * N * a.itemsize <= _SOON_CLEARED else np.matmul(a, b)
    c = np.empty((M, N), a.dtype)
    a_is_transposed = b_is_transposed = False
    if not a.flags.carray:
        a, a_is_transposed = _stored(a)
    if not b.flags.carray:
        b, b_is_transposed = _stored(b)
    if not a_is_transposed and (N <= _FEW_COLUMNS or (b_is_transposed and M <= _FEW_ROWS)):
        _dot_products(a, plain(b.T), c)
    elif _is_better_transposed(M, K, N, a_is_transposed, b_is_transposed, a.itemsize):
        c_T = np.empty((N, M), a.dtype)
        _product(b.T, a.T, c_T)
        if c.size < _MANY:
            c[...] = c_T.T
        else:
            _turn(c_T, c)
    else:
        _product(a, b, c)
    return c


def is_in_tiles(a, b):
    """Whether a b, both stored row by row, is as quick in tiles, and has the same bits chunk by chunk of its rows."""
    (M, K), N = a.shape, b.shape[1]
    if N <= _FEW_COLUMNS:
        return False
    may_be_blas = not _mine.rows_are_alone and (M * K * N <= _SMALL_FOR_BLAS or _is_for_blas(a, b))
    return can_share(M, b) and not (may_be_blas or _is_better_transposed(M, K, N, False, False, b.itemsize))


def _is_for_blas(a, b):
    """Whether NumPy's BLAS is quicker, small or not; by sizes and orders, for the same bits with a team and without.

    A matrix by a vector it reads at the pace of memory. OpenBLAS has kernels for small matrices, which copy nothing; on
    AVX-512 for up to a million multiply-adds, but with the right matrix transposed for few results only. Measured on
    7,000 shapes of layers, over half of which were slower than with BLAS by more than 5 %.

    NumPy has two ways to it: `dot` begins half a microsecond earlier, but first fills the result with zeros.
    """
    (M, K), N = a.shape, b.shape[1]
    if M == 1 or N == 1:
        return True
    work, width = M * K * N, N * b.itemsize
    is_thin = K <= _SHALLOW or (width < 4 * VECTOR_BYTES and width % (2 * VECTOR_BYTES) > 0)  # a tile is half empty
    if is_thin and work * b.itemsize <= _THIN_FOR_BLAS and (M != _PAIR or b.flags.c_contiguous):
        return True
    is_few = M < _FEW_OF_THIN or (M == _FEW_OF_THIN and a.flags.c_contiguous)  # else, turned round, they fill vectors
    is_ragged = width % VECTOR_BYTES > 0 and (width < VECTOR_BYTES or b.flags.c_contiguous)
    if is_thin and is_few and is_ragged and b.itemsize == 4:
        return True
    if M <= _FEW and width % _APART == 0 and b.flags.c_contiguous:
        return True  # the rows of a block fall into one place of the cache, and meet too few of a to pay for a copy
    if K <= _SHALLOW and M <= _ROWS and not b.flags.c_contiguous:
        return True  # few products to each number that would be copied
    if _MORE < M <= _THRICE and K * width > _LARGE:  # few rows, and b comes from memory
        return (VECTOR_BYTES < 64 or b.itemsize == 8) and b.flags.c_contiguous
    return VECTOR_BYTES == 64 and work <= _SMALL_FOR_BLAS and (M * N <= _SMALL_RESULT or b.flags.c_contiguous)


def _is_better_transposed(M, K, N, a_is_transposed, b_is_transposed, itemsize):
    """Whether `b.T @ a.T` is quicker: its rows fill vectors, where those of c do not; or far less is copied; or few
    rows meet a b from memory, whose rows are read once then, half of each by one of two threads.

    Where rows are alone they are also computed so if they are very few: for those alone blocks have another depth.
    """
    if not (a_is_transposed or b_is_transposed):
        if K * N * itemsize <= _LARGE:
            return False
        if M <= _FEW:
            return _mine.rows_are_alone
        return VECTOR_BYTES == 64 and itemsize == 4 and _FEWER < M <= _THRICE and (K < 3 * N or M > _LESS_FEW)
    if a_is_transposed and N * itemsize < 2 * VECTOR_BYTES <= M * itemsize and N < M:
        return True
    return b_is_transposed and M >= _FEW and 3 * M * (K + N) < K * N


def _product(a, b, c):
    """``c = a @ b``, by two threads where there is a team for it."""
    M, K = a.shape
    work = M * K * b.shape[1]
    if not team.shares(work) or c.itemsize > 4 or not can_share(M, b):
        _compiled(c.dtype)[0](a, b, c, False)
        return
    a_is_transposed, b_is_transposed = not a.flags.c_contiguous, not b.flags.c_contiguous
    known = multiplier(c.dtype), a.T if a_is_transposed else a, a_is_transposed
    known += b.T if b_is_transposed else b, b_is_transposed, c
    if goes_by_columns(M, b):
        team.by_rows(_columns_of_product, b.shape[1], work, *known, multiple=multiple_of_columns(c))
    else:
        team.by_rows(_rows_of_product, M, work, *known)


def goes_by_columns(rows, b):
    """Whether two threads should share the columns of b, and not so few rows: each of them reads half of a large b."""
    return _THRICE < rows < 2 * _ROWS and b.nbytes > _FAR


def multiple_of_columns(c):
    """Of how many columns a chunk of them is a multiple, for the same bits as in one piece."""
    return 2 * VECTOR_BYTES // c.itemsize


def can_share(rows, b):
    """Whether `rows` times b have the same bits chunk by chunk: not if few rows make blocks of another depth."""
    return not (_FEW < rows <= _THRICE and b.nbytes > _LARGE)


def _stored(matrix):
    """``(matrix, is_transposed)``: as it lies in memory, row by row or, transposed, column by column; else a copy."""
    is_transposed = matrix.flags.f_contiguous and not matrix.flags.c_contiguous
    return plain(matrix.T).T if is_transposed else plain(matrix), is_transposed


@functools.cache
def _compiled(dtype):
    """``(function, address)`` of `_multiply` for matrices of one dtype, for Python and for `add_matmul_by`.

    Left to itself, Numba would compile it anew for matrices whose rows lie one after the other.
    """
    if numba.config.DISABLE_JIT:
        return _multiply, _multiply
    any_order, by_rows = (numba.types.Array(numba.from_dtype(dtype), 2, order) for order in "AC")
    signature = any_order, any_order, by_rows, numba.types.boolean
    return _multiply.compile(signature), address_of(_multiply, signature)


def multiplier(dtype):
    """What `matmul_into_by` and `add_matmul_by` have to be given."""
    return _compiled(np.dtype(dtype))[1]


@njit
def _rows_of_product(first, stop, times, a, a_is_transposed, b, b_is_transposed, c):
    left = a.T[:, ::1] if a_is_transposed else a[:, ::1]
    right = b.T[:, ::1] if b_is_transposed else b[:, ::1]
    matmul_into_by(times, left[first:stop], right, c[first:stop])


@njit
def _columns_of_product(first, stop, times, a, a_is_transposed, b, b_is_transposed, c):
    left = a.T[:, ::1] if a_is_transposed else a[:, ::1]
    right = b.T[:, ::1] if b_is_transposed else b[:, ::1]
    c[:, first:stop] = product_of_columns(times, left, right, first, stop)


@njit(inline="always")
def product_of_columns(multiplier, a, b, first, stop):
    """Some columns of ``a @ b``, multiples of two vectors or the last, by themselves."""
    part = np.empty((len(a), stop - first), b.dtype)
    matmul_into_by(multiplier, a, b[:, first:stop], part)
    return part


@njit
def _turn(c_T, c):
    """``c = c_T.T``, square by square."""
    copy_block(c_T.T[:, ::1], 0, len(c), 0, c.shape[1], c[:, ::1])


@njit
def _dot_products(a, b_T, c):
    """``c = a @ b_T.T`` for a few rows or columns, of which the tiles would leave most of a vector empty."""
    if a.shape[1] != b_T.shape[1]:
        raise ValueError("matmul: the shapes of a, b and c do not fit together")
    for m in range(len(a)):
        a_m = a[m]
        for n in range(len(b_T)):
            b_n, total = b_T[n], c.dtype.type(0)
            for k in range(a_m.size):
                total += a_m[k] * b_n[k]
            c[m, n] = total


@njit(inline="always")
def matmul_into_by(multiplier, a, b, c):
    """``c = a @ b``: (M, K), (K, N) -> (M, N). c is contiguous; a and b may have any strides, or b is `laid_out`.

    The product is called by its address, so that it is compiled once and not for each of its callers (see `address`).
    """
    call_at(multiplier, a[:, ::1], b[:, ::1], c, np.bool_(False))


@njit(inline="always")
def add_matmul_by(multiplier, a, b, c):
    """``c += a @ b``, as `matmul_into_by`."""
    call_at(multiplier, a[:, ::1], b[:, ::1], c, np.bool_(True))


# Of what is sliced with a step Numba does not know in which order it lies: so one product does for all orders.


@njit
def _multiply(a, b, c, add):
    M, K = a.shape
    N = c.shape[1]
    lanes = VECTOR_BYTES // c.itemsize
    width = 2 * lanes
    in_panels = b.shape != (K, N)  # `panels.laid_out`: those of two vectors' width, one below the other
    panels = (N + width - 1) // width
    if len(c) != M or (in_panels and b.shape != (panels * K, width)):  # a tile would read and write whatever lies there
        raise ValueError("matmul: the shapes of a, b and c do not fit together")
    if M == 0 or N == 0:
        return
    left = N % width
    turned = b.strides[1] != b.itemsize
    copies = turned or (M >= _ENOUGH and b.nbytes > _LARGER and b.strides[0] > _FURTHER)
    copies = copies or (M > _FEW and (b.nbytes > _FROM_FAR or b.strides[0] % _APART == 0))
    copies = (copies or (M > _THRICE and b.strides[0] % _NEARER == 0)) and not in_panels
    deep = _DEPTH_OF_FEW if M <= _FEW and b.nbytes > _LARGE and not copies else _DEPTH
    blocks = (K - 1) // deep + 1 if K > 0 else 1  # once even for K = 0, which writes zeros
    deepest = (K + blocks - 1) // blocks  # of about the same depth
    # of columns, whose blocks are copied into `room`
    panel = min(N, _PANEL // c.itemsize) if copies else N
    apart = deepest if copies else 0
    room = np.empty(((panel - 1) // width * apart + deepest, width), c.dtype)
    rest = np.empty((M if left % lanes else 0, lanes if left < lanes else width), c.dtype)  # see the end
    wide = 0 if M > 1 or copies or in_panels else N - N % (_WIDE * lanes)  # columns of a single row
    packs = (
        a.strides[0] == a.itemsize
        and (a.strides[1] % _APART_OF_A == 0 or a.strides[1] >= _FAR_OF_A)
        and min(M, N) > width
    )
    tall = np.empty((deepest if packs else 0, _ROWS), c.dtype)
    packed = tall.T[:, ::1]
    for first in range(0, N, panel):
        last = min(first + panel, N)
        for i in range(blocks):
            k = i * deepest
            depth = min(deepest, K - k)
            if copies and not turned:
                _copy_rows(b, k, depth, first, last, room, apart)
            for n in range(first, wide, _WIDE * lanes):
                _tile_1_wide(a, 0, k, depth, b[k : k + depth, n : n + _WIDE * lanes], c, n, k > 0 or add)
            for m in range(0, M, _ROWS):
                stop = min(m + _ROWS, M)
                base = min(m, M - width) if packs else m
                rows, k_of_rows = a[base:stop], k
                if packs:
                    _copy_columns(a.T, k, depth, base, stop, tall)
                    rows, k_of_rows = packed, 0
                for n in range(first + wide, last, width):
                    columns = min(width, N - n)
                    vectors = lanes if columns <= lanes else width
                    row, begin, across = (n // width * K + k, 0, vectors) if in_panels else (k, n, columns)
                    block = b[row : row + depth, begin : begin + across]
                    if copies or across < vectors:
                        block = room[(n - first) // width * apart :, :vectors]
                        if m == 0 and (turned or columns < width):
                            copy_block(b, k, depth, n, columns, block)
                    target, column = (c, n) if columns == vectors else (rest, 0)
                    target, adds = target[base:stop], k > 0 or (add and columns == vectors)
                    column_of_tiles(rows, m - base, stop - base, k_of_rows, depth, block, target, column, adds)
    for m in range(len(rest)):  # the last columns, which fill no vector
        source, target = rest[m], c[m, N - left :]
        for j in range(left):
            target[j] = target[j] + source[j] if add else source[j]


@njit(inline="always")
def _copy_rows(b, k, depth, first, last, room, apart):
    """The whole blocks between two columns of b, row by row: memory is quickest with what lies together."""
    width = room.shape[1]
    for d in range(depth):
        for n in range(first, last - width + 1, width):
            copy_pair(b, k + d, n, room, (n - first) // width * apart + d, 0)


@njit(inner=True)
def _copy_columns(a_T, k, depth, m, stop, tall):
    """Some rows of a transposed matrix, k after k: read from far apart they would drive each other out of the cache."""
    width = 2 * VECTOR_BYTES // tall.itemsize
    for d in range(depth):
        for first in range(m, stop, width):
            n = min(first, stop - width)  # the last ones begin earlier: some numbers are copied twice
            copy_pair(a_T, k + d, n, tall, d, n - m)


@njit(inner=True)
def copy_block(b, k, depth, n, columns, block):
    """``block[:depth, :columns] = b[k : k + depth, n : n + columns]``, and zeros behind it; b may be transposed."""
    for d in range(depth):
        behind = block[d, columns:]
        for j in range(behind.size):
            behind[j] = 0
    size = VECTOR_BYTES // b.itemsize
    if b.strides[0] == b.itemsize and b.strides[1] != b.itemsize and min(depth, columns) >= size:  # transposed
        for j0 in range(0, columns, size):
            j = min(j0, columns - size)  # the last squares begin earlier: some numbers are copied twice
            for d0 in range(0, depth, size):
                d = min(d0, depth - size)
                copy_square(b, k + d, n + j, block, d, j)
        return
    for d in range(depth):
        source, target = b[k + d, n : n + columns], block[d]
        for j in range(columns):
            target[j] = source[j]


@njit(inner=True)
def column_of_tiles(a, m, stop, k, depth, block, c, n, add):
    """``c[m:stop, n : n + width] = a[m:stop, k : k + depth] @ block``, or ``+=``."""
    two = block.shape[1] * block.itemsize > VECTOR_BYTES
    while m < stop:
        rows = stop - m
        if rows >= TALLEST and rows != _HALVED:
            if two:
                _tall_2(a, m, k, depth, block, c, n, add)
            else:
                _tall_1(a, m, k, depth, block, c, n, add)
            m += TALLEST
        elif rows >= 4:
            if two:
                _tile_4_2(a, m, k, depth, block, c, n, add)
            else:
                _tile_4_1(a, m, k, depth, block, c, n, add)
            m += 4
        elif rows >= 2:
            if two:
                _tile_2_2(a, m, k, depth, block, c, n, add)
            else:
                _tile_2_1(a, m, k, depth, block, c, n, add)
            m += 2
        else:
            if two:
                _tile_1_2(a, m, k, depth, block, c, n, add)
            else:
                _tile_1_1(a, m, k, depth, block, c, n, add)
            m += 1
