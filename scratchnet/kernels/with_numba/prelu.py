"""PReLU in one pass over memory, and both of its adjoints in another. The equations stand in the layer.

Where one slope serves all pixels of an image, rows are short: several are computed as one, beside as many copies of the
slopes. Where each pixel has its own they are long: on the way back they are cut into pieces, so that what is added up
over the rows stays in the cache, and two threads have something to share though there are few rows.
"""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.team import by_rows, sums_of

_WIDTH = 512  # numbers of a row, or of a piece of it
_ROWS = 256  # that are added up in x's dtype, before their sum is added to the total
_WORK = 2  # multiply-adds that take as long as a number


def prelu_forward(x, alpha):
    """``y = x where x > 0, else alpha x``: rows x (M, D), at least one slope alpha (D,)."""
    x, slopes = plain(x), _repeated(alpha, len(x))
    y = np.empty(x.shape, x.dtype)
    by_rows(_forward, -(-x.size // slopes.size), _WORK * x.size, x.reshape(-1), slopes, y.reshape(-1))
    return y


def prelu_backward(dy, x, alpha):
    """The adjoint of `prelu_forward`: ``dx, dalpha``"""
    dy, x, slopes = plain(dy), plain(x), _repeated(alpha, len(x))
    dx, sums = np.empty(x.shape, x.dtype), np.empty((sums_of(len(x)), slopes.size))
    pieces = -(-slopes.size // _WIDTH)
    arrays = dy.reshape(-1), x.reshape(-1), slopes, dx.reshape(-1), sums
    by_rows(_backward, len(sums) * pieces, _WORK * x.size, pieces, *arrays, multiple=1)
    return dx, sums.reshape(-1, alpha.size).sum(axis=0).astype(x.dtype)


def _repeated(alpha, rows):
    """The slopes of as many of the rows as are computed as one."""
    return alpha[None].repeat(max(1, min(_WIDTH // alpha.size, rows)), axis=0).reshape(-1)


@njit(reorder=False)
def _forward(first, stop, x, alpha, y):
    width, zero = alpha.size, x.dtype.type(0)
    for m in range(first, stop):
        row, target = x[m * width : (m + 1) * width], y[m * width : (m + 1) * width]  # the last may be shorter
        for k in range(row.size):
            value = row[k]
            below = alpha[k] * value
            target[k] = value if value > zero else below  # NaN stays NaN


@njit(reorder=False)
def _backward(first, stop, pieces, dy, x, alpha, dx, sums):
    """dx and the sums over rows, of which each is for a part of the rows; number n is a piece of those of a part."""
    parts, width = sums.shape
    rows, zero = (x.size + width - 1) // width, x.dtype.type(0)
    room = np.empty(_WIDTH, x.dtype)
    for n in range(first, stop):
        part, piece = n // pieces, n % pieces
        left, right = width * piece // pieces, width * (piece + 1) // pieces
        slopes, total, block = alpha[left:right], sums[part, left:right], room[: right - left]
        total[:] = 0
        last = rows * (part + 1) // parts
        for start in range(rows * part // parts, last, _ROWS):
            block[:] = zero
            for begin in range(start * width, min(start + _ROWS, last) * width, width):
                row, d_row = x[begin + left : begin + right], dy[begin + left : begin + right]
                target = dx[begin + left : begin + right]
                for k in range(row.size):
                    value, d, before = row[k], d_row[k], block[k]
                    dslope, below = d * value, slopes[k] * d
                    block[k] = before + (zero if value > zero else dslope)
                    target[k] = d if value > zero else below
            for k in range(total.size):
                total[k] += block[k]
