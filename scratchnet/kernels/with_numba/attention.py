"""Scaled dot products, compiled: all of a head in one go, while it stays in the cache.

    A^T = k q^T        P^T = softmax(scale A^T) over its rows        y = P v

The adjoints stand in `scratchnet.layers.attention.scaled_dot_product`. A head is small: products of some 28 x 28 x 16,
of which a batch has hundreds. So its matrices are read and written where the layers have them, (N, T, heads, D), in the
tiles of a matrix product; only q and dy are copied, transposed. The scores stand in memory transposed, too, with a
column for each query and some more that fill vectors: then a softmax is not a sum and a maximum of each row, for which
28 numbers are too few, but of whole rows. So does what a query may see, where that is not everything. Of long
sequences the scores of some queries at a time are enough, and stay in the cache. On the way back they are computed
again: that takes less time than to fetch them from memory (Dao and others, "FlashAttention", 2022; there some keys at a
time, too).

Cost: 2 T S (D + E) floating-point operations for each head forward, and 4 T S (D + E) backward.
"""

import math

import numpy as np

from scratchnet.kernels.loops.softmax import HIDDEN
from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.elementwise import exp32
from scratchnet.kernels.with_numba.matrix_product import column_of_tiles
from scratchnet.kernels.with_numba.team import by_rows
from scratchnet.kernels.with_numba.tile import VECTOR_BYTES, copy_square

_CACHE = 1 << 18  # bytes of scores to work on at a time


def attention_forward(q, k, v, scale, may=None, blind_sees_nothing=False, keeps=True):
    """``y, PT`` for q (N, heads, T, D), k (N, heads, S, D) and v (N, heads, S, E).

    y is (N, heads, T, E), and PT (N, heads, S, T and more) all P transposed, or None.

    Args:
        may: where a query may look, (N or 1, heads or 1, T, S), or None.
        blind_sees_nothing: whether P is 0 for a query that may look nowhere; otherwise it looks everywhere alike.
        keeps: whether P is kept.
    """
    E = v.shape[3]
    q, k, v = _by_place(q, k, v)
    (N, T, H, D), S = q.shape, k.shape[1]
    y, PT = np.empty((N, T, H, v.shape[3]), q.dtype), None
    numbers = q.dtype.type(scale), q.dtype.type(HIDDEN / scale), blind_sees_nothing  # hidden before it is scaled
    work = N * H * T * S * (D + E)
    if keeps:
        PT = np.empty((N, H, S, _filled(T, q)), q.dtype)
        by_rows(_forward, N, work, q, k, v, _by_key(may, PT.shape[3], S), *numbers, PT, y, multiple=1)
    else:
        columns = queries_at_a_time(T, S, q)
        seen = _by_key(may, -(-T // columns) * columns, S)
        by_rows(_forward_alone, N, work, q, k, v, seen, *numbers, columns, y, multiple=1)
    return y.swapaxes(1, 2)[..., :E], PT


def attention_backward(dy, q, k, v, PT, scale, may=None, blind_sees_nothing=False):
    """``dq, dk, dv``; where `PT` is None P is computed again."""
    D, E = q.shape[3], v.shape[3]
    dy, q, k, v = _by_place(dy, q, k, v)
    (N, T, H, _), S = q.shape, k.shape[1]
    made = np.empty if T > 0 else np.zeros  # where nobody looks there is nothing to add up
    dq, dk, dv = (made(array.shape, array.dtype) for array in (q, k, v))
    work, t = 2 * N * H * T * S * (D + E), q.dtype.type
    columns = queries_at_a_time(T, S, q) if PT is None else PT.shape[3]
    PT = np.empty((0, H, S, columns), q.dtype) if PT is None else PT
    known = PT, _by_key(may, -(-T // columns) * columns, S), t(scale), t(HIDDEN / scale), blind_sees_nothing
    by_rows(_backward, N, work, dy, q, k, v, *known, dq, dk, dv, multiple=1)
    return dq.swapaxes(1, 2)[..., :D], dk.swapaxes(1, 2)[..., :D], dv.swapaxes(1, 2)[..., :E]


def queries_at_a_time(T, S, array):
    """Of how many queries all scores fit the cache: they fill vectors, and there are about as many each time."""
    blocks = -(-T * S * array.itemsize // _CACHE)
    return _filled(-(-T // max(1, blocks)), array)


def _by_key(may, columns, S):
    """Where queries may look, transposed as P is, with so many columns; nothing for None."""
    if may is None:
        return np.empty((0, 0, 0, 0), bool)
    found = np.zeros((*may.shape[:2], S, columns), bool)
    found[..., : may.shape[2]] = may.swapaxes(2, 3)
    return found


def _by_place(*arrays):
    """(N, heads, T, D) as (N, T, heads, D), as layers have it in memory; with zeros behind, if rows fill no vectors."""
    arrays = [array.swapaxes(1, 2) for array in arrays]
    missing = [(_filled(array.shape[3], array) - array.shape[3]) for array in arrays]
    return [plain(np.pad(a, [(0, 0)] * 3 + [(0, more)]) if more else a) for a, more in zip(arrays, missing)]


def _filled(columns, array):
    """So many columns and some more that fill vectors, at least one of them."""
    lanes = VECTOR_BYTES // array.itemsize
    return max(columns + -columns % lanes, lanes)


@njit
def _forward(first, stop, q, k, v, may, scale, hidden, blind_sees_nothing, PT, y):
    _, _, H, D = q.shape
    qT = np.zeros((D, PT.shape[3]), q.dtype)
    room = np.empty(PT.shape[3], q.dtype)
    for n in range(first, stop):
        for h in range(H):
            of_head = q[n, :, h], k[n, :, h], v[n, :, h], scale
            if may.size == 0:
                head_forward(*of_head, qT, room, PT[n, h], y[n, :, h])
            else:
                seen = may[n % len(may), h % may.shape[1]]  # of all samples, or heads, where there is one
                _head_forward_seeing(*of_head, seen, hidden, blind_sees_nothing, qT, room, PT[n, h], y[n, :, h])


@njit
def _forward_alone(first, stop, q, k, v, may, scale, hidden, blind_sees_nothing, columns, y):
    """As `_forward`, some queries at a time, and what they have seen is forgotten."""
    _, T, H, D = q.shape
    qT, P_T = np.zeros((D, columns), q.dtype), np.empty((k.shape[1], columns), q.dtype)
    room = np.empty(columns, q.dtype)
    for n in range(first, stop):
        for h in range(H):
            if may.size == 0:
                head_alone(q[n, :, h], k[n, :, h], v[n, :, h], scale, qT, room, P_T, y[n, :, h])
                continue
            seen = may[n % len(may), h % may.shape[1]]
            for t in range(0, T, columns):
                of_head = q[n, t : t + columns, h], k[n, :, h], v[n, :, h], scale, seen[:, t : t + columns]
                y_t = y[n, t : t + columns, h]
                _head_forward_seeing(*of_head, hidden, blind_sees_nothing, qT, room, P_T, y_t)


@njit
def _backward(first, stop, dy, q, k, v, PT, may, scale, hidden, blind_sees_nothing, dq, dk, dv):
    """Without `PT` P is computed again, as in `_forward_alone`, for as many queries at a time as it has columns."""
    (_, T, H, D), (S, columns) = q.shape, PT.shape[2:]
    again = len(PT) == 0
    qT, P_again = np.zeros((D, columns), q.dtype), np.empty((S if again else 0, columns), q.dtype)
    dyT, dAT = np.zeros((v.shape[3], columns), q.dtype), np.empty((S, columns), q.dtype)
    room = np.empty(columns, q.dtype)
    dy_n, q_n = np.empty(dy.shape[1:], dy.dtype), np.empty(q.shape[1:], q.dtype)
    k_n, v_n = np.empty(k.shape[1:], k.dtype), np.empty(v.shape[1:], v.dtype)
    for n in range(first, stop):
        fetch(dy[n], dy_n)
        fetch(v[n], v_n)
        fetch(q[n], q_n)
        fetch(k[n], k_n)
        for h in range(H):
            for t in range(0, T, columns):
                q_t, P_T = q_n[t : t + columns, h], P_again if again else PT[n, h]
                of_head = dy_n[t : t + columns, h], q_t, k_n[:, h], v_n[:, h], P_T, scale
                found = dq[n, t : t + columns, h], dk[n, :, h], dv[n, :, h], t > 0
                if again:
                    _transpose(q_t, qT)
                    _multiply(k_n[:, h], qT, P_T, False)
                if may.size == 0:
                    if again:
                        _softmax(P_T, scale, room)
                    head_backward(*of_head, dyT, dAT, room, *found)
                else:
                    seen = may[n % len(may), h % may.shape[1]][:, t : t + columns]
                    if again:
                        _softmax_of_seen(P_T, seen, hidden, scale, blind_sees_nothing, room)
                    _head_backward_seeing(*of_head, seen, dyT, dAT, room, *found)


# Of a head, with q (T, D), k (S, D) and v (S, E). `qT`, `dyT`, `dAT` and `room` are as wide as P^T. Nobody reads what
# they hold behind T.


@njit(inner=True)
def head_forward(q, k, v, scale, qT, room, P_T, y):
    _transpose(q, qT)
    _multiply(k, qT, P_T, False)
    _softmax(P_T, scale, room)
    _multiply(P_T.T[: len(q)], v, y, False)


@njit(inner=True)
def head_alone(q, k, v, scale, qT, room, P_T, y):
    """As many queries at a time as `room` has numbers."""
    for t in range(0, len(q), room.size):
        head_forward(q[t : t + room.size], k, v, scale, qT, room, P_T, y[t : t + room.size])


@njit(inner=True)
def _head_forward_seeing(q, k, v, scale, seen, hidden, blind_sees_nothing, qT, room, P_T, y):
    _transpose(q, qT)
    _multiply(k, qT, P_T, False)
    _softmax_of_seen(P_T, seen, hidden, scale, blind_sees_nothing, room)
    _multiply(P_T.T[: len(q)], v, y, False)


@njit(inner=True)
def head_backward(dy, q, k, v, P_T, scale, dyT, dAT, room, dq, dk, dv, adds):
    """dk and dv are added to what is there, if `adds`."""
    T = len(q)
    _multiply(P_T[:, :T], dy, dv, adds)  # y = P v
    _transpose(dy, dyT)
    _multiply(v, dyT, dAT, False)
    _through_softmax(P_T, scale, room, dAT)  # P = softmax(scale A)
    _multiply(dAT.T[:T], k, dq, False)  # A = q k^T
    _multiply(dAT[:, :T], q, dk, adds)


@njit(inner=True)
def _head_backward_seeing(dy, q, k, v, P_T, scale, seen, dyT, dAT, room, dq, dk, dv, adds):
    T = len(q)
    _multiply(P_T[:, :T], dy, dv, adds)
    _transpose(dy, dyT)
    _multiply(v, dyT, dAT, False)
    _through_softmax(P_T, scale, room, dAT)
    _hide_unseen(dAT, seen, room)
    _multiply(dAT.T[:T], k, dq, False)
    _multiply(dAT[:, :T], q, dk, adds)


@njit(inner=True)
def fetch(source, target):
    """A copy in the cache, read as it lies: number by number of a head, each line of memory would be waited for."""
    numbers, copies = source.reshape(-1), target.reshape(-1)
    for i in range(numbers.size):
        copies[i] = numbers[i]


@njit(inner=True)
def _multiply(a, b, c, add):
    """c = a @ b, or c += a @ b, where rows of b and c fill vectors."""
    K, N = b.shape
    width = 2 * VECTOR_BYTES // c.itemsize
    for n in range(0, N, width):
        column_of_tiles(a[:, ::1], 0, len(a), 0, K, b[:, n : n + width][:, ::1], c[:, ::1], n, add)


@njit(inner=True)
def _transpose(source, target):
    """``target[:, :T] = source.T``, in squares: the last ones begin earlier, some numbers are copied twice."""
    T, lanes, columns = len(source), VECTOR_BYTES // source.itemsize, source.T
    if T < lanes:
        for d in range(len(target)):
            for t in range(T):
                target[d, t] = columns[d, t]
        return
    for d in range(0, len(target), lanes):
        for t in range(0, T, lanes):
            begin = min(t, T - lanes)
            copy_square(columns, d, begin, target, d, begin)


# `room` has a number for each column. It is read and written once for four rows: what has just been written is waited
# for, which takes longer than a maximum or a sum.


@njit(inner=True)
def _softmax(A, scale, room):
    """A becomes softmax(scale A) over the first axis."""
    fours = len(A) - len(A) % 4
    room[:] = -np.inf
    for s in range(0, fours, 4):
        a, b, c, d = A[s], A[s + 1], A[s + 2], A[s + 3]
        for t in range(room.size):
            room[t] = max(room[t], max(max(a[t], b[t]), max(c[t], d[t])))
    for s in range(fours, len(A)):
        a = A[s]
        for t in range(room.size):
            room[t] = max(room[t], a[t])
    for s in range(len(A)):
        row = A[s]
        for t in range(row.size):
            row[t] = (row[t] - room[t]) * scale
    _normalized_powers(A, room)


@njit(inner=True)
def _softmax_of_seen(A, seen, hidden, scale, blind_sees_nothing, room):
    _scores_of_seen(A, seen, hidden, scale, room)
    _normalized_powers(A, room)
    if blind_sees_nothing:
        _hide_unseen(A, seen, room)


@njit(inner=True)
def _scores_of_seen(A, seen, hidden, scale, room):
    """scale A less the largest of each column, as in `_softmax`; `hidden` counts for what is not seen."""
    room[:] = -np.inf
    for s in range(len(A)):
        a, may = A[s], seen[s]
        for t in range(room.size):
            score = a[t] if may[t] else hidden
            room[t] = max(room[t], score)
    for s in range(len(A)):
        row, may = A[s], seen[s]
        for t in range(row.size):
            score = row[t] if may[t] else hidden
            row[t] = (score - room[t]) * scale


@njit(inner=True)
def _hide_unseen(A, seen, room):
    """0 for what is not seen; by way of `room`, or the compiler would write only what changes, number by number."""
    zero = A.dtype.type(0)
    for s in range(len(A)):
        row, may = A[s], seen[s]
        for t in range(room.size):
            room[t] = row[t] if may[t] else zero
        for t in range(room.size):
            row[t] = room[t]


@njit(inner=True)
def _normalized_powers(A, room):
    """Powers of e, divided by their sums over the first axis."""
    fours = len(A) - len(A) % 4
    powers = A.reshape(-1)
    if A.itemsize == 4:
        for k in range(powers.size):
            powers[k] = exp32(powers[k])
    else:
        for k in range(powers.size):
            powers[k] = math.exp(powers[k])
    room[:] = 0
    for s in range(0, fours, 4):
        a, b, c, d = A[s], A[s + 1], A[s + 2], A[s + 3]
        for t in range(room.size):
            room[t] += (a[t] + b[t]) + (c[t] + d[t])
    for s in range(fours, len(A)):
        a = A[s]
        for t in range(room.size):
            room[t] += a[t]
    for t in range(room.size):
        room[t] = 1 / room[t]
    for s in range(len(A)):
        row = A[s]
        for t in range(row.size):
            row[t] *= room[t]


@njit(inner=True)
def _through_softmax(P, scale, room, dA):
    """dA, which is dP so far, becomes the adjoint of A."""
    fours = len(P) - len(P) % 4
    room[:] = 0
    for s in range(0, fours, 4):
        a, b, c, d = P[s], P[s + 1], P[s + 2], P[s + 3]
        da, db, dc, dd = dA[s], dA[s + 1], dA[s + 2], dA[s + 3]
        for t in range(room.size):
            room[t] += (da[t] * a[t] + db[t] * b[t]) + (dc[t] * c[t] + dd[t] * d[t])
    for s in range(fours, len(P)):
        a, da = P[s], dA[s]
        for t in range(room.size):
            room[t] += da[t] * a[t]
    for s in range(len(P)):
        row, d_row = P[s], dA[s]
        for t in range(row.size):
            d_row[t] = row[t] * (d_row[t] - room[t]) * scale
