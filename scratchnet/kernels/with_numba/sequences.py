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
four outputs. B, A and their adjoints are applied by matrix products, too: the numbers of all tiles stand side by side.

    dZ = A^T dy        dU[k] = V[k]^T dZ[k]        dg = G^T dU

and dx is the convolution of dy with the flipped kernel. An infinity or NaN reaches outputs beside those that it should.

Cost: (K + 3) / 2 M C F floating-point operations for M outputs, for each of y, dx and dkernel, where there would be
2 K M C F; and (K + 3) (2 C + F) for each output, for the sums.
"""

import functools

import numpy as np

from scratchnet.kernels.geometry import mirrored
from scratchnet.kernels.with_numba.compile import njit
from scratchnet.kernels.with_numba.matrix_product import add_matmul_by, matmul_into_by, multiplier
from scratchnet.kernels.with_numba.team import by_rows

_CACHE = 1024 * 1024  # bytes to work on at a time
_OUTPUTS = 4  # of a tile
_LENGTHS = 3, 5  # of kernels, from and to
_POINTS = 0, 1, -1, 2, -2, 1 / 2, -1 / 2
_FEWEST = 16  # channels and filters with which the products are worth the sums
_SHORTEST = 8  # outputs: of a tile some are computed for nothing
_HALVES, _ROWS_OF_A_HALF = 2, 8  # of the batch, whose gradients are added up one after the other, team or not


def applies(x_shape, kernel, strides, padding, dilation, output_size):
    """Whether such a convolution can be computed here, and faster than by its windows."""
    K, KW, C, F = kernel.shape
    is_sequence = KW == x_shape[2] == 1 and padding[1] == (0, 0) and max(*strides, *dilation) == 1
    possible = _LENGTHS[0] <= K <= _LENGTHS[1] and 0 <= min(padding[0]) <= max(padding[0]) < K
    return is_sequence and possible and min(C, F) >= _FEWEST and output_size[0] >= _SHORTEST


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
    dU, dbias = np.empty((_HALVES, len(G), C, F), x.dtype), np.empty((_HALVES, F), x.dtype)
    arguments = multiplier(x.dtype), _steps(dy), _steps(y), relu, _steps(x), B, np.ascontiguousarray(A.T), padding[0][0]
    work, images = dy.size * C * K, _images(dy, C, K)
    by_rows(_weights_backward, _HALVES * _ROWS_OF_A_HALF, work, *arguments, images, _steps(dz), dU, dbias)
    dkernel = (G.T @ (dU[0] + dU[1]).reshape(len(G), -1)).reshape(kernel.shape)
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
    """G g for each channel and filter: (K, 1, C, F) -> (K + 3, C, F)."""
    return (G @ kernel.reshape(len(kernel), -1)).reshape(len(G), *kernel.shape[2:])


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
    _, OT, F = y.shape
    C, (outputs, K3) = x.shape[2], A.shape
    tiles = (OT + outputs - 1) // outputs
    most = images * tiles
    d, V = np.empty(K3 * most * C, x.dtype), np.empty(K3 * most * C, x.dtype)
    Z, phases = np.empty(K3 * most * F, x.dtype), np.empty(outputs * most * F, x.dtype)
    zero = x.dtype.type(0)
    for n in range(first, stop, images):
        here = min(images, stop - n)
        M = here * tiles
        _take(x[n : n + here], before, tiles, outputs, d[: K3 * M * C].reshape(K3, M, C))
        matmul_into_by(times, B, _lines(d, K3, M * C), _lines(V, K3, M * C))
        for k in range(K3):
            matmul_into_by(times, _matrix(V, k, M, C), U[k], _matrix(Z, k, M, F))
        matmul_into_by(times, A, _lines(Z, K3, M * F), _lines(phases, outputs, M * F))
        for i in range(outputs):
            part = _matrix(phases, i, M, F)
            for image in range(here):
                for t in range(i, OT, outputs):
                    z, target = part[image * tiles + t // outputs], y[n + image, t]
                    for f in range(F):
                        total = z[f] + bias[f]
                        target[f] = max(total, zero) if relu else total


@njit
def _weights_backward(first, stop, times, dy, y, relu, x, B, AT, before, images, dz, dU, dbias):
    N, OT, F = dy.shape
    C, (K3, outputs) = x.shape[2], AT.shape
    tiles, halves = (OT + outputs - 1) // outputs, len(dU)
    most = images * tiles
    d, V = np.empty(K3 * most * C, x.dtype), np.empty(K3 * most * C, x.dtype)
    phases, dZ = np.empty(outputs * most * F, x.dtype), np.empty(K3 * most * F, x.dtype)
    for half in range(first // _ROWS_OF_A_HALF, stop // _ROWS_OF_A_HALF):
        dU[half] = 0
        dbias[half] = 0
        end = N * (half + 1) // halves
        for n in range(N * half // halves, end, images):
            here = min(images, end - n)
            M = here * tiles
            _slopes(dy[n : n + here], y[n : n + here], relu, dz[n : n + here], dbias[half])
            _take(dz[n : n + here], 0, tiles, outputs, phases[: outputs * M * F].reshape(outputs, M, F))
            matmul_into_by(times, AT, _lines(phases, outputs, M * F), _lines(dZ, K3, M * F))
            _take(x[n : n + here], before, tiles, outputs, d[: K3 * M * C].reshape(K3, M, C))
            matmul_into_by(times, B, _lines(d, K3, M * C), _lines(V, K3, M * C))
            for k in range(K3):
                add_matmul_by(times, _matrix(V, k, M, C).T, _matrix(dZ, k, M, F), dU[half, k])


@njit
def _lines(room, count, size):
    """The first `count` lines of so many numbers."""
    return room[: count * size].reshape(count, size)


@njit
def _matrix(room, k, M, C):
    """The k-th matrix (M, C) of those one behind the other in `room`."""
    return room[k * M * C : (k + 1) * M * C].reshape(M, C)


@njit
def _take(x, before, tiles, outputs, d):
    """d (..., all tiles, C): number j of tile t is x[:, 4 t + j - before]; 0 outside."""
    N, T, C = x.shape
    for j in range(len(d)):
        for n in range(N):
            for t in range(tiles):
                p, target = t * outputs + j - before, d[j, n * tiles + t]
                if 0 <= p < T:
                    source = x[n, p]
                    for c in range(C):
                        target[c] = source[c]
                else:
                    for c in range(C):
                        target[c] = 0


@njit
def _slopes(dy, y, relu, dz, dbias):
    """dz = dy where y = relu(z) > 0, else 0; without relu dz is dy already. dbias += the sum of dz."""
    zero = dy.dtype.type(0)
    for n in range(len(dy)):
        for t in range(dy.shape[1]):
            d, y_t, dz_t = dy[n, t], y[n, t], dz[n, t]
            if relu:
                for f in range(dbias.size):
                    dz_t[f] = d[f] if y_t[f] > zero else zero
            for f in range(dbias.size):
                dbias[f] += dz_t[f]
