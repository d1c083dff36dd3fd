"""Convolution of sequences with half of the multiplications or less: Winograd's minimal filtering, F(4, K).

As in `scratchnet.kernels.with_numba.winograd`, outputs are computed several at a time from sums of the input and sums
of the kernel: here four of them, of a kernel of K elements, from K + 3 products where there would be 4 K. d are K + 3
numbers of the input one after the other, g is the kernel:

    Z = (B d) * (G g)        y = A Z                                    A (4, K + 3), G (K + 3, K), B (K + 3, K + 3)

The matrices are those of a product of polynomials: two of them are evaluated at K + 3 points, of which the last is
infinity, multiplied number by number, and interpolated (Toom 1963, Cook 1966). Filtering is its adjoint in one of them,
so A evaluates, transposed, and B interpolates. With the points 0, 1, -1, 2, -2, 1/2, -1/2 the result of five elements
has 2.5 times the rounding error of a plain sum. In images that would come twice, once for rows and once for columns,
which is why `winograd` stops at two outputs.

With channels and filters each of the products is one of matrices, V[k] U[k] for V = B d, U = G g, over all tiles of
four outputs. B, A and their adjoints are applied by the tiles of a matrix product, too, with channels as columns.

    dZ = A^T dy        dU[k] = V[k]^T dZ[k]        dg = G^T dU

and dx is the convolution of dy with the flipped kernel. An infinity or NaN reaches outputs beside those that it should.

Cost: (K + 3) / 2 M C F floating-point operations for M outputs, for each of y, dx and dkernel, where there would be
2 K M C F; and (K + 3) (2 C + F) for each output, for the sums.
"""

import functools

import numpy as np

from scratchnet.kernels.geometry import is_filter_of_sequences, mirrored
from scratchnet.kernels.with_numba.affine import slopes
from scratchnet.kernels.with_numba.compile import njit
from scratchnet.kernels.with_numba.matrix_product import add_matmul_by, column_of_tiles, matmul_into_by, multiplier
from scratchnet.kernels.with_numba.team import by_rows
from scratchnet.kernels.with_numba.tile import VECTOR_BYTES

_CACHE = 1024 * 1024  # bytes to work on at a time
_OUTPUTS = 4  # of a tile
_POINTS = 0, 1, -1, 2, -2, 1 / 2, -1 / 2
_SHORTEST = 8  # outputs: of a tile some are computed for nothing
_HALVES = 2  # of the batch, whose gradients are added up one after the other, team or not


def applies(x_shape, kernel_shape, strides, padding, dilation, output_size):
    """Whether such a convolution can be computed here, and faster than by its windows."""
    K, KW, *channels = kernel_shape
    is_sequence = KW == x_shape[2] == 1 and padding[1] == (0, 0) and 0 <= min(padding[0]) <= max(padding[0]) < K
    return is_sequence and is_filter_of_sequences((K, *channels), strides, dilation) and output_size[0] >= _SHORTEST


def conv2d_forward(x, kernel, bias, padding, relu):
    """As that of `scratchnet.kernels`, for arrays as kernels are compiled for."""
    N, T, _, C = x.shape
    K, _, _, F = kernel.shape
    (before, after), _ = padding
    y = np.empty((N, T + before + after - K + 1, 1, F), x.dtype)
    A, G, B = _matrices(K, x.dtype)
    arguments = multiplier(x.dtype), _steps(x), _transformed(G, kernel), B, A, bias, relu, before
    by_rows(_forward, N, y.size * C * K, *arguments, _images(y, C, K), _steps(y))
    return y


def conv2d_backward(dy, x, kernel, padding, needs_dx, relu, y):
    """As that of `scratchnet.kernels`; y is forward's if `relu`, and else not used."""
    K, _, C, F = kernel.shape
    A, G, B = _matrices(K, x.dtype)
    dz = np.empty(dy.shape, dy.dtype) if relu else dy
    dU, dbias = np.empty((_HALVES, len(G), C, F + _missing(kernel)), x.dtype), np.empty((_HALVES, F), x.dtype)
    arguments = multiplier(x.dtype), _steps(dy), _steps(y), relu, _steps(x), B, np.ascontiguousarray(A.T), padding[0][0]
    work, images = dy.size * C * K, _images(dy, C, K)
    by_rows(_weights_backward, _HALVES, work, *arguments, images, _steps(dz), dU, dbias, multiple=1)
    dkernel = (G.T @ (dU[0] + dU[1])[..., :F].reshape(len(G), -1)).reshape(kernel.shape)
    flipped = np.ascontiguousarray(kernel[::-1].transpose(0, 1, 3, 2))
    back = mirrored(padding, (K, 1), (1, 1))
    dx = conv2d_forward(dz, flipped, np.zeros(C, x.dtype), back, False) if needs_dx else None
    return dx, dkernel, dbias[0] + dbias[1]


def _steps(x):
    """(N, T, 1, C) as (N, T, C)."""
    return x[:, :, 0]


def _images(y, C, K):
    """How many sequences are worked on at a time."""
    N, T, _, F = y.shape
    numbers = -(-T // _OUTPUTS) * ((2 * C + F) * (K + _OUTPUTS - 1) + _OUTPUTS * F)
    return max(min(_CACHE // (numbers * y.itemsize), N), 1)


def _transformed(G, kernel):
    """G g for each channel and filter: (K, 1, C, F) -> (K + 3, C, F and more)."""
    U = (G @ kernel.reshape(len(kernel), -1)).reshape(len(G), *kernel.shape[2:])
    return np.pad(U, ((0, 0), (0, 0), (0, _missing(kernel)))) if _missing(kernel) else U


def _missing(kernel):
    """How many columns of zeros the kernel lacks for rows that fill vectors."""
    return -kernel.shape[3] % (VECTOR_BYTES // kernel.itemsize)


@functools.lru_cache
def _matrices(K, dtype):
    """A (4, K + 3), G (K + 3, K) and B (K + 3, K + 3)."""
    points = _POINTS[: K + _OUTPUTS - 2]
    A, G, B = np.zeros((_OUTPUTS, K + 3)), np.zeros((K + 3, K)), np.zeros((K + 3, K + 3))
    for k, point in enumerate(points):
        others = [other for other in points if other != point]
        A[:, k] = point ** np.arange(_OUTPUTS)
        G[k] = point ** np.arange(K) / np.prod([point - other for other in others])
        B[k, :-1] = np.poly(others)[::-1]  # of the polynomial that is 0 at the others, the lowest coefficient first
    A[-1, -1] = G[-1, -1] = 1  # at infinity only the highest counts
    B[-1] = np.poly(points)[::-1]
    return tuple(matrix.astype(dtype) for matrix in (A, G, B))


# ---- piece after piece ----


@njit
def _forward(first, stop, times, x, U, B, A, bias, relu, before, images, y):
    OT, F = y.shape[1:]
    (outputs, K3), C, columns = A.shape, x.shape[2], U.shape[2]
    tiles = (OT + outputs - 1) // outputs
    frame = np.zeros((images, (tiles - 1) * outputs + K3, _filled(C, x)), x.dtype)
    V, Z = np.empty(K3 * images * tiles * frame.shape[2], x.dtype), np.empty(K3 * images * tiles * columns, x.dtype)
    results = np.empty((images, tiles * outputs, columns), x.dtype)
    zero = x.dtype.type(0)
    for n in range(first, stop, images):
        here = min(images, stop - n)
        M = here * tiles
        _copy(x[n : n + here], before, frame)
        _sums(B, frame[:here], tiles, outputs, V)
        for k in range(K3):
            matmul_into_by(times, _matrix(V, k, M, frame.shape[2])[:, :C], U[k], _matrix(Z, k, M, columns))
        Z_lines = Z[: K3 * M * columns].reshape(K3, M * columns)
        for m in range(M):
            target = results[m // tiles, m % tiles * outputs : (m % tiles + 1) * outputs]
            _multiply(A, Z_lines[:, m * columns : (m + 1) * columns], target, 0)
        for image in range(here):
            for t in range(OT):
                z, target = results[image, t], y[n + image, t]
                for f in range(F):
                    total = z[f] + bias[f]
                    target[f] = max(total, zero) if relu else total


@njit
def _weights_backward(first, stop, times, dy, y, relu, x, B, AT, before, images, dz, dU, dbias):
    N, OT, F = dy.shape
    (K3, outputs), C, columns = AT.shape, x.shape[2], dU.shape[3]
    tiles = (OT + outputs - 1) // outputs
    frame = np.zeros((images, (tiles - 1) * outputs + K3, _filled(C, x)), x.dtype)
    dresults = np.zeros((images, tiles * outputs, columns), x.dtype)
    V, dZ = np.empty(K3 * images * tiles * frame.shape[2], x.dtype), np.empty(K3 * images * tiles * columns, x.dtype)
    for half in range(first, stop):
        dU[half] = 0
        dbias[half] = 0
        end = N * (half + 1) // len(dU)
        for n in range(N * half // len(dU), end, images):
            here = min(images, end - n)
            M = here * tiles
            for i in range(n, n + here):
                slopes(dy[i], y[i], relu, dz[i], dbias[half])
            _copy(dz[n : n + here], 0, dresults)
            _sums(AT, dresults[:here], tiles, outputs, dZ)
            _copy(x[n : n + here], before, frame)
            _sums(B, frame[:here], tiles, outputs, V)
            for k in range(K3):
                V_k = _matrix(V, k, M, frame.shape[2])[:, :C]
                add_matmul_by(times, V_k.T, _matrix(dZ, k, M, columns), dU[half, k])


@njit(inner=True)
def _filled(columns, like):
    lanes = VECTOR_BYTES // like.itemsize
    return (columns + lanes - 1) // lanes * lanes


@njit(inner=True)
def _matrix(room, k, M, C):
    """The k-th matrix (M, C) of those one behind the other in `room`."""
    return room[k * M * C : (k + 1) * M * C].reshape(M, C)


@njit(inner=True)
def _copy(x, before, frame):
    """x amid the zeros of a frame, from step `before` on, or what of it there is room for."""
    N, T, C = x.shape
    for n in range(N):
        for t in range(min(T, frame.shape[1] - before)):
            source, target = x[n, t], frame[n, t + before]
            for c in range(C):
                target[c] = source[c]


@njit(inner=True)
def _sums(matrix, frame, tiles, outputs, room):
    """For each tile of a frame `matrix` times its numbers; each of the sums of all tiles is a matrix in `room`."""
    K3, depth = matrix.shape
    N, _, C = frame.shape
    sums = room[: K3 * N * tiles * C].reshape(K3, N * tiles * C)
    for n in range(N):
        for t in range(tiles):
            _multiply(matrix, frame[n, t * outputs : t * outputs + depth], sums, (n * tiles + t) * C)


@njit(inner=True)
def _multiply(a, b, c, column):
    """``c[:, column : column + N] = a @ b``, where rows of b (K, N) fill vectors."""
    K, N = b.shape
    width = 2 * VECTOR_BYTES // b.itemsize
    for n in range(0, N, width):
        column_of_tiles(a[:, ::1], 0, len(a), 0, K, b[:, n : n + width][:, ::1], c, column + n, False)
