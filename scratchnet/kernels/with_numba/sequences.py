"""Convolution of sequences with half of the multiplications or less: Winograd's minimal filtering, F(4, K).

As in `scratchnet.kernels.with_numba.winograd`, outputs are computed several at a time from sums of the input and sums
of the kernel: here four of them, of a kernel of K elements, from K + 3 products where there would be 4 K. d are K + 3
numbers of the input one after the other, g is the kernel:

    Z = (B d) * (G g)        y = A Z                                    A (4, K + 3), G (K + 3, K), B (K + 3, K + 3)

The matrices are those of a product of polynomials: two of them are evaluated at K + 3 points, of which the last is
infinity, multiplied number by number, and interpolated (Toom 1963, Cook 1966). Filtering is its adjoint in one of them,
so A evaluates, transposed, and B interpolates. With the points 0, 1, -1, 2, -2, 1/2, -1/2 the result of five elements
has 2.5 times the rounding error of a plain sum, and the gradient of the kernel four times. In images that would come
twice, once for rows and once for columns, which is why `winograd` stops at two outputs.

With channels and filters each of the products is one of matrices, V[k] U[k] for V = B d, U = G g, over some tiles of
four outputs, as many as the cache holds. A, G and B and their adjoints have tiles of their own (`constant_tile`), with
channels as columns.

    dZ = A^T dy        dU[k] = V[k]^T dZ[k]        dg = G^T dU

and dx is the convolution of dy with the flipped kernel. An infinity or NaN reaches outputs beside those that it should.

Cost: (K + 3) / 2 M C F floating-point operations for M outputs, for each of y, dx and dkernel, where there would be
2 K M C F; and for each output up to 9 C + 5 F multiply-adds, for the sums.
"""

import functools

import numpy as np

from scratchnet.kernels.geometry import is_filter_of_sequences, mirrored
from scratchnet.kernels.with_numba.affine import slopes
from scratchnet.kernels.with_numba.compile import njit
from scratchnet.kernels.with_numba.constant_tile import make_constant_tile
from scratchnet.kernels.with_numba.matrix_product import add_matmul_by, copy_block, matmul_into_by, multiplier
from scratchnet.kernels.with_numba.team import by_rows
from scratchnet.kernels.with_numba.tile import VECTOR_BYTES

_CACHE = 256 * 1024  # bytes of V and Z at a time, unless that is too few tiles to read U for:
_ENOUGH = 128  # or as many as U has rows or columns, if these are fewer
_APART = 16  # numbers between matrices, which otherwise begin at one place of the cache
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
    return _convolved(x, kernel[:, 0], bias, padding, relu)


def conv2d_backward(dy, x, kernel, padding, needs_dx, relu, y):
    """As that of `scratchnet.kernels`; y is forward's if `relu`, and else not used."""
    K, _, C, F = kernel.shape
    columns = F + _missing(kernel)
    dz = np.empty(dy.shape, dy.dtype) if relu else dy
    dU, dbias = np.empty((_HALVES, K + 3, C * columns + _APART), x.dtype), np.empty((_HALVES, F), x.dtype)
    _, block = _tiles_and_block(dy, kernel)
    arguments = multiplier(x.dtype), _steps(dy), _steps(y), relu, _steps(x), padding[0][0], block
    by_rows(_weights_backward, _HALVES, dy.size * C * K, *arguments, _steps(dz), dU, dbias, multiple=1)
    dkernel = np.empty((K, 1, C, columns), x.dtype)
    _transform_back(dU.reshape(_HALVES * (K + 3), -1), dkernel.reshape(K, -1))
    dx = None
    if needs_dx:
        flipped = np.empty((K, F, C), x.dtype)
        _flip(kernel[:, 0], flipped)
        dx = _convolved(dz, flipped, np.zeros(C, x.dtype), mirrored(padding, (K, 1), (1, 1)), False)
    return dx, np.ascontiguousarray(dkernel[..., :F]), dbias[0] + dbias[1]


def _convolved(x, kernel, bias, padding, relu):
    """y for a kernel (K, C, F)."""
    N, T, _, _ = x.shape
    K, C, F = kernel.shape
    (before, after), _ = padding
    y = np.empty((N, T + before + after - K + 1, 1, F), x.dtype)
    if _missing(kernel):
        kernel, bias = _filled_up(kernel), _filled_up(bias)
    U = np.empty((K + 3, kernel[0].size + _APART), x.dtype)
    _transform(kernel.reshape(K, -1), U)
    tiles, block = _tiles_and_block(y, kernel)
    least = y.dtype.type(0 if relu else -np.inf)
    arguments = multiplier(x.dtype), _steps(x), U, bias, least, before, block
    by_rows(_forward, tiles, y.size * C * K, *arguments, _steps(y), multiple=block)
    return y


def _steps(x):
    """(N, T, 1, C) as (N, T, C)."""
    return x[:, :, 0]


def _tiles_and_block(y, kernel):
    """How many tiles y has, and how many are worked on at a time: such that both halves of all take whole blocks."""
    N, T, _, _ = y.shape
    K, *_, C, F = kernel.shape
    tiles = N * -(-T // _OUTPUTS)
    most = max(_CACHE // ((C + F) * (K + 3) * y.itemsize), min(max(C, F), _ENOUGH))
    blocks = 2 * -(-tiles // (2 * most))
    return tiles, -(-tiles // blocks) if tiles else 1


def _filled_up(array):
    """With columns of zeros behind its own, so that rows fill vectors."""
    *rows, F = array.shape
    filled = np.zeros((*rows, F + _missing(array)), array.dtype)
    filled[..., :F] = array
    return filled


def _missing(array):
    """How many columns it lacks for rows that fill vectors."""
    return -array.shape[-1] % (VECTOR_BYTES // array.itemsize)


@functools.lru_cache
def _matrices(K):
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
    return A, G, B


# ---- what is done to each kernel ----

_KINDS = {K + 3: _matrices(K) for K in (3, 4, 5)}
_transform_kernel = make_constant_tile({K3: G for K3, (_, G, _) in _KINDS.items()})
_transform_kernel_back = make_constant_tile({K3: np.hstack([G.T] * _HALVES) for K3, (_, G, _) in _KINDS.items()})
_interpolate = make_constant_tile({K3: B for K3, (_, _, B) in _KINDS.items()})
_evaluate = make_constant_tile({K3: A for K3, (A, _, _) in _KINDS.items()}, ends=True)
_evaluate_back = make_constant_tile({K3: A.T for K3, (A, _, _) in _KINDS.items()})


@njit
def _transform(g, U):
    """U = G g, for each channel and filter."""
    _transform_kernel(len(U), g, 0, 0, U, 0, 0, g.shape[1])


@njit
def _transform_back(dU, dg):
    """dg = G^T dU, for each channel and filter, of the sum of both halves."""
    _transform_kernel_back(len(dU) // _HALVES, dU, 0, 0, dg, 0, 0, dg.shape[1])


@njit
def _flip(kernel, flipped):
    """The kernel (K, F, C) through which dx is seen in dy."""
    K, C, F = kernel.shape
    for k in range(K):
        copy_block(kernel[K - 1 - k].T[:, ::1], 0, F, 0, C, flipped[k])


# ---- block after block of tiles ----


@njit
def _forward(first, stop, times, x, U, bias, least, before, block, y):
    OT, F = y.shape[1:]
    K3, C, columns = len(U), x.shape[2], bias.size
    tiles = (OT + _OUTPUTS - 1) // _OUTPUTS
    window, outputs = np.empty((K3, _filled(C, x)), x.dtype), np.empty((_OUTPUTS, columns), x.dtype)
    V, Z = _room(K3, block, window.shape[1], x), _room(K3, block, columns, x)
    for start in range(first, stop, block):
        M = min(block, stop - start)
        _interpolate_tiles(x, before, tiles, start, M, window, V)
        for k in range(K3):
            V_k = _matrix(V, k, M, window.shape[1])[:, :C]
            matmul_into_by(times, V_k, _matrix(U, k, C, columns), _matrix(Z, k, M, columns))
        for m in range(M):
            n, t = (start + m) // tiles, (start + m) % tiles * _OUTPUTS
            if _lies_in(y, t, outputs):
                _evaluate(K3, Z, 0, m * columns, y[n], t, 0, F, bias, least)
            else:
                _evaluate(K3, Z, 0, m * columns, outputs, 0, 0, columns, bias, least)
                for i in range(min(_OUTPUTS, OT - t)):
                    source, target = outputs[i], y[n, t + i]
                    for f in range(F):
                        target[f] = source[f]


@njit
def _weights_backward(first, stop, times, dy, y, relu, x, before, block, dz, dU, dbias):
    N, OT, F = dy.shape
    halves, K3, _ = dU.shape
    C, columns = x.shape[2], _filled(F, x)
    tiles = (OT + _OUTPUTS - 1) // _OUTPUTS
    window, outputs = np.empty((K3, _filled(C, x)), x.dtype), np.empty((_OUTPUTS, columns), x.dtype)
    V, dZ = _room(K3, block, window.shape[1], x), _room(K3, block, columns, x)
    if columns > F:
        dZ[:] = 0  # where nothing is written
    dy_lines, y_lines, dz_lines = dy.reshape(N * OT, F), y.reshape(-1, F), dz.reshape(N * OT, F)
    for half in range(first, stop):
        dU[half] = 0
        dbias[half] = 0
        end = N * tiles * (half + 1) // halves
        for start in range(N * tiles * half // halves, end, block):
            M = min(block, end - start)
            a, b = _line(start, tiles, OT), _line(start + M, tiles, OT)
            slopes(dy_lines[a:b], y_lines[a:b], relu, dz_lines[a:b], dbias[half])
            _evaluate_tiles_back(dz, tiles, start, M, outputs, dZ)
            _interpolate_tiles(x, before, tiles, start, M, window, V)
            for k in range(K3):
                V_k = _matrix(V, k, M, window.shape[1])[:, :C]
                add_matmul_by(times, V_k.T, _matrix(dZ, k, M, columns), _matrix(dU[half], k, C, columns))


@njit(inner=True)
def _line(m, tiles, T):
    """Where in the lines of all sequences the m-th tile begins."""
    return m // tiles * T + m % tiles * _OUTPUTS


@njit(inner=True)
def _interpolate_tiles(x, before, tiles, first, M, window, V):
    """B d for the windows of x that M tiles have; each row of the results is a matrix in V."""
    K3, width = window.shape
    for m in range(M):
        n, t = (first + m) // tiles, (first + m) % tiles * _OUTPUTS - before
        if _lies_in(x, t, window):
            _interpolate(K3, x[n], t, 0, V, 0, m * width, x.shape[2])
        else:
            _copy(x[n], t, window)
            _interpolate(K3, window, 0, 0, V, 0, m * width, width)


@njit(inner=True)
def _evaluate_tiles_back(dz, tiles, first, M, window, dZ):
    """A^T dz for the steps of M tiles; each row of the results is a matrix in dZ."""
    K3, width = len(dZ), window.shape[1]
    for m in range(M):
        n, t = (first + m) // tiles, (first + m) % tiles * _OUTPUTS
        if _lies_in(dz, t, window):
            _evaluate_back(K3, dz[n], t, 0, dZ, 0, m * width, dz.shape[2])
        else:
            _copy(dz[n], t, window)
            _evaluate_back(K3, window, 0, 0, dZ, 0, m * width, width)


@njit(inner=True)
def _lies_in(x, t, window):
    """Whether x has all steps of the window from step t on, and channels that fill a vector."""
    return 0 <= t <= x.shape[1] - len(window) and x.shape[2] * x.itemsize >= VECTOR_BYTES


@njit(inner=True)
def _copy(x, t, window):
    """x from step t on, with zeros where there is none."""
    T, C = x.shape
    for k in range(len(window)):
        source, target = x[min(max(t + k, 0), T - 1)], window[k]
        for c in range(C):
            target[c] = source[c] if 0 <= t + k < T else 0
        for c in range(C, target.size):
            target[c] = 0


@njit(inner=True)
def _filled(columns, like):
    lanes = VECTOR_BYTES // like.itemsize
    return (columns + lanes - 1) // lanes * lanes


@njit(inner=True)
def _room(K3, M, C, like):
    """Room for K + 3 matrices (M, C)."""
    return np.empty((K3, M * C + _APART), like.dtype)


@njit(inner=True)
def _matrix(room, k, M, C):
    """The k-th matrix (M, C) of those in `room`."""
    return room[k, : M * C].reshape(M, C)
