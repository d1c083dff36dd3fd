"""Convolution by 3 x 3 kernels with 4/9 of the multiplications: Winograd's minimal filtering, F(2 x 2, 3 x 3).

(Winograd, "Arithmetic complexity of computations", 1980; Lavin and Gray, "Fast algorithms for convolutional neural
networks", 2016.) In one dimension, two outputs of a kernel g of three take four numbers d of the input and six
multiplications. They can be had with four:

    m_0 = (d_0 - d_2) g_0                          y_0 = m_0 + m_1 + m_2
    m_1 = (d_1 + d_2) (g_0 + g_1 + g_2) / 2        y_1 = m_1 - m_2 - m_3
    m_2 = (d_2 - d_1) (g_0 - g_1 + g_2) / 2
    m_3 = (d_1 - d_3) g_2

or y = A^T [(G g) * (B^T d)] with constant matrices. In two dimensions this is done to the rows and then to the columns:
4 x 4 numbers of the input make a tile of 2 x 2 outputs with 16 multiplications instead of 36:

    Y = A^T [(G g G^T) * (B^T D B)] A

With channels and filters each of the 16 becomes a matrix product, Z[k] = V[k] U[k], (tiles, C) by (C, F), in which the
sum over the channels is taken. V, U and Z are D, g and Y on the other side of the transforms. These are linear, so
their adjoints are their transposes:

    dz -> dZ = A dz A^T        dU[k] = V[k]^T dZ[k]        dkernel = G^T dU G

and dx is, as always, a convolution of dz with the flipped kernel.

The transforms only add and subtract, and lose few digits; tiles of 4 x 4 outputs would save more products and lose
more. An infinity or NaN reaches all four outputs of its tile. Transforms run over lines of tiles whose even and odd
columns lie apart: then all tiles of a line are neighbours in memory, and each addition is one long loop.

Cost: 32 M C F floating-point operations for M tiles, for each of y, dx and dkernel; 8 additions for each number that is
transformed, and 6 for each that is transformed back.
"""

import numpy as np

from scratchnet.kernels.geometry import mirrored, window_counts
from scratchnet.kernels.with_numba.compile import njit
from scratchnet.kernels.with_numba.matrix_product import add_matmul_by, matmul_into_by, multiplier
from scratchnet.kernels.with_numba.team import added, by_rows, sums_of

_CACHE = 1024 * 1024  # bytes of V and Z at a time, unless that is too few tiles to read U, or write dU, for:
_ENOUGH = 128  # or as many as U has rows or columns, if these are fewer
_FEWEST = 16  # channels and filters with which the products are worth the transforms
_SMALLEST = 4  # rows and columns of y; with three, seven of sixteen outputs are computed for nothing
# G times a flipped g is G g with its first and last row exchanged: so of a flipped kernel U[k] is the transpose of the
# kernel's U[_OTHER_WAY_ROUND[k]].
_OTHER_WAY_ROUND = np.array([4 * a + b for a in (3, 1, 2, 0) for b in (3, 1, 2, 0)])


def applies(kernel_shape, strides, padding, dilation, output_size):
    """Whether such a convolution can be computed here, and faster than by its patches."""
    KH, KW, C, F = kernel_shape
    (top, bottom), (left, right) = padding
    possible = (KH, KW) == (3, 3) and max(*strides, *dilation) == 1 and {top, bottom, left, right} <= {0, 1}
    return possible and min(C, F) >= _FEWEST and min(output_size) >= _SMALLEST


def conv2d_forward(x, kernel, bias, padding, relu):
    """As that of `scratchnet.kernels`, for arrays as kernels are compiled for."""
    N, H, W, C = x.shape
    F = kernel.shape[3]
    y = np.empty((N, *window_counts((H, W), (3, 3), (1, 1), padding), F), x.dtype)
    corner = padding[0][0], padding[1][0]
    known = multiplier(x.dtype), x, _transformed(kernel), bias, relu, *corner, images_at_a_time(y, C, F)
    by_rows(_forward, N, 4 * y.size * C, *known, y, multiple=1)
    return y


def conv2d_backward(dy, x, kernel, padding, needs_dx, relu, y):
    """As that of `scratchnet.kernels`; y is forward's if `relu`, and else not used."""
    C, F = kernel.shape[2:]
    dx = np.empty(x.shape, x.dtype) if needs_dx else x[:0]
    back = mirrored(padding, (3, 3), (1, 1))
    U = _transformed(kernel) if needs_dx else np.empty((0, C, F), x.dtype)
    sums = sums_of(len(dy) * 4 * tiles_of(dy))  # outputs of whole tiles
    dU, dbias = np.empty((sums, 16, C, F), x.dtype), np.empty((sums, F), x.dtype)
    corners = padding[0][0], padding[1][0], back[0][0], back[1][0]
    known = multiplier(x.dtype), dy, y, relu, x, U, corners, images_at_a_time(x, C, F), needs_dx
    by_rows(_backward, sums, 4 * dy.size * C, *known, dU, dbias, dx, multiple=1)
    return dx if needs_dx else None, _untransformed(dU), added(dbias)


def images_at_a_time(y, C, F):
    """How many images are worked on at a time."""
    N, tiles = len(y), tiles_of(y)
    most = max(_CACHE // (16 * (C + F) * y.itemsize), min(max(C, F), _ENOUGH))
    return max(min(most // tiles, N), 1)


def tiles_of(y):
    """How many tiles of 2 x 2 there are in an image."""
    _, OH, OW, _ = y.shape
    return ((OH + 1) // 2) * ((OW + 1) // 2)


def _transformed(kernel):
    """G g G^T for each channel and filter: (3, 3, C, F) -> (16, C, F)."""
    _, _, C, F = kernel.shape
    U = np.empty((16, C, F), kernel.dtype)
    by_rows(_transform_kernel, C, 4 * U.size, kernel, U, multiple=1)
    return U


def _untransformed(dU):
    """The adjoint of `_transformed`, of the sum of all dU (sums, 16, C, F)."""
    _, _, C, F = dU.shape
    dkernel = np.empty((3, 3, C, F), dU.dtype)
    by_rows(_transform_back, C, 4 * dU.size, dU, dkernel, multiple=1)
    return dkernel


@njit
def _transform_kernel(first, stop, kernel, U):
    half, F = U.dtype.type(0.5), U.shape[2]
    rows = np.empty((4, 3, F), U.dtype)
    for c in range(first, stop):
        for b in range(kernel.shape[1]):
            _by_g(kernel[0, b, c], kernel[1, b, c], kernel[2, b, c], half, rows[:, b])
        for a in range(len(rows)):
            _by_g(rows[a, 0], rows[a, 1], rows[a, 2], half, U[4 * a : 4 * a + 4, c])


@njit(inner=True)
def _by_g(g_0, g_1, g_2, half, of_four):
    first, second, third, fourth = of_four[0], of_four[1], of_four[2], of_four[3]
    for f in range(g_0.size):
        outer, middle = (g_0[f] + g_2[f]) * half, g_1[f] * half
        first[f] = g_0[f]
        second[f] = outer + middle
        third[f] = outer - middle
        fourth[f] = g_2[f]


@njit
def _transform_back(first, stop, dU, dkernel):
    sums, half, F = len(dU), dU.dtype.type(0.5), dU.shape[3]
    total, rows = np.empty((4, F), dU.dtype), np.empty((4, 3, F), dU.dtype)
    for c in range(first, stop):
        for a in range(len(rows)):
            for b in range(len(total)):
                target, source = total[b], dU[0, 4 * a + b, c]
                for f in range(F):
                    target[f] = source[f]
                for part in range(1, sums):
                    source = dU[part, 4 * a + b, c]
                    for f in range(F):
                        target[f] += source[f]
            _by_g_adjoint(total, half, rows[a])
        for b in range(dkernel.shape[1]):
            _by_g_adjoint(rows[:, b], half, dkernel[:, b, c])


@njit(inner=True)
def _by_g_adjoint(of_four, half, of_three):
    first, second, third, fourth = of_four[0], of_four[1], of_four[2], of_four[3]
    dg_0, dg_1, dg_2 = of_three[0], of_three[1], of_three[2]
    for f in range(first.size):
        outer = (second[f] + third[f]) * half
        dg_0[f] = first[f] + outer
        dg_1[f] = (second[f] - third[f]) * half
        dg_2[f] = outer + fourth[f]


# ---- piece after piece ----


@njit
def _forward(first, stop, times, x, U, bias, relu, top, left, images, y):
    _, OH, OW, F = y.shape
    C, images = x.shape[3], max(min(images, stop - first), 1)
    TH, TW = (OH + 1) // 2, (OW + 1) // 2
    frame = np.empty((images, 2 * TH + 2, 2, TW + 1, C), x.dtype)
    V = np.empty((16, images * TH, TW * C), x.dtype)
    Z = np.empty((16, images * TH, TW * F), x.dtype)
    pixels, outputs = x.reshape(len(x), x.shape[1], 1, x.shape[2], 1, C), y.reshape(len(y), OH, 1, OW, 1, F)
    for n in range(first, stop, images):
        here = min(images, stop - n)
        frame_pixels(pixels[n : n + here], pixels[n : n + here], np.bool_(False), 0, 0, top, left, frame)
        transform(frame, here, V)
        _multiply(times, V, here * TH * TW, U, Z)
        invert(Z, bias, relu, 0, 0, outputs[n : n + here])


@njit
def _backward(first, stop, times, dy, y, relu, x, U, corners, images, needs_dx, dU, dbias, dx):
    N, OH, OW, F = dy.shape
    _, H, W, C = x.shape
    top, left, back_top, back_left = corners
    TH, TW = (OH + 1) // 2, (OW + 1) // 2  # tiles of y
    BH, BW = (H + 1) // 2, (W + 1) // 2  # of dx
    frame = np.empty((images, 2 * TH + 2, 2, TW + 1, C), x.dtype)
    dframe = np.empty((images, 2 * BH + 2, 2, BW + 1, F), x.dtype)
    V = np.empty((16, images * TH, TW * C), x.dtype)
    dZ = np.empty((16, images * TH, TW * F), x.dtype)
    dV = np.empty((16, images * BH, BW * F) if needs_dx else (0, 0, 0), x.dtype)
    dD = np.empty((16, images * BH, BW * C) if needs_dx else (0, 0, 0), x.dtype)
    nothing = np.zeros(C, x.dtype)
    pixels, outputs, found = (N, H, 1, W, 1, C), (N, OH, 1, OW, 1, F), (len(dx), H, 1, W, 1, C)
    x, dy, y, dx = x.reshape(pixels), dy.reshape(outputs), y.reshape(outputs), dx.reshape(found)
    for part in range(first, stop):
        end = N * (part + 1) // len(dU)
        dU[part], dbias[part] = 0, 0
        for n in range(N * part // len(dU), end, images):
            here = min(images, end - n)
            M = here * TH * TW
            frame_pixels(dy[n : n + here], y[n : n + here], relu, 0, 0, back_top, back_left, dframe)
            _invert_adjoint(dframe, here, back_top, back_left, dZ)
            frame_pixels(x[n : n + here], x[n : n + here], np.bool_(False), 0, 0, top, left, frame)
            transform(frame, here, V)
            for k in range(16):
                add_matmul_by(times, as_tiles(V[k], M, C).T, as_tiles(dZ[k], M, F), dU[part, k])
            sums = as_tiles(dZ[5], M, F)  # the second row and column of A are ones: this is the sum of a tile's dz
            for m in range(M):
                line = sums[m]
                for f in range(F):
                    dbias[part, f] += line[f]
            if needs_dx:
                transform(dframe, here, dV)
                for k in range(16):
                    matmul_into_by(
                        times,
                        as_tiles(dV[k], here * BH * BW, F),
                        U[_OTHER_WAY_ROUND[k]].T,
                        as_tiles(dD[k], here * BH * BW, C),
                    )
                invert(dD, nothing, np.bool_(False), 0, 0, dx[n : n + here])


@njit(inner=True)
def as_tiles(lines, M, C):
    """The first M tiles (M, C) of lines of them."""
    return lines.reshape(-1)[: M * C].reshape(M, C)


@njit(inner=True)
def _multiply(times, V, M, U, Z):
    """Z[k] = V[k] U[k]."""
    _, C, F = U.shape
    for k in range(16):
        matmul_into_by(times, as_tiles(V[k], M, C), U[k], as_tiles(Z[k], M, F))


# ---- the transforms ----
#
# How often the outer loops run is read from a shape where it could be written as 2 or 4: what the compiler knows it
# unrolls, and then takes twice as long for the many copies of the long loops inside.


@njit(inner=True)
def frame_pixels(x, y, relu, row, column, top, left, frame):
    """x amid zeros, even and odd columns apart: pixel (p, q) of the frame is ``frame[n, p, q % 2, q // 2]``.

    Of x (N, H, SH, W, SW, C), every SH-th row from `row` on, every SW-th column from `column` on, and with `relu` only
    what is where y > 0.
    """
    N, H, _, W, _, C = x.shape
    _, FH, parities, half, _ = frame.shape
    zero = x.dtype.type(0)
    for n in range(N):
        for p in range(FH):
            r = p - top
            for b in range(parities):
                for j in range(half):
                    s = 2 * j + b - left
                    if not (0 <= r < H and 0 <= s < W):
                        for c in range(C):
                            frame[n, p, b, j, c] = zero
                    elif relu:
                        for c in range(C):
                            value = x[n, r, row, s, column, c]
                            frame[n, p, b, j, c] = value if y[n, r, row, s, column, c] > zero else zero
                    else:
                        for c in range(C):
                            frame[n, p, b, j, c] = x[n, r, row, s, column, c]


@njit(inner=True)
def transform(frame, images, V):
    """V = B^T D B for the 4 x 4 tiles D of a frame, which overlap by two rows and columns."""
    _, FH, _, half, C = frame.shape
    TH, width, run = (FH - 2) // 2, half * C, (half - 1) * C
    lines = frame.reshape(len(frame), FH, 2 * width)
    rows = np.empty((4, 2, width), frame.dtype)  # B^T D, for a line of tiles
    flat = rows.reshape(4, 2 * width)
    for n in range(images):
        for i in range(TH):
            p, line = 2 * i, n * TH + i
            for k in range(2 * width):
                flat[0, k] = lines[n, p, k] - lines[n, p + 2, k]
            for k in range(2 * width):
                flat[1, k] = lines[n, p + 1, k] + lines[n, p + 2, k]
            for k in range(2 * width):
                flat[2, k] = lines[n, p + 2, k] - lines[n, p + 1, k]
            for k in range(2 * width):
                flat[3, k] = lines[n, p + 1, k] - lines[n, p + 3, k]
            for a in range(len(V) // 4):  # a tile's columns are even, odd, and the next even, odd
                d0, d1, d2, d3 = rows[a, 0], rows[a, 1], rows[a, 0, C:], rows[a, 1, C:]
                for k in range(run):
                    V[4 * a, line, k] = d0[k] - d2[k]
                for k in range(run):
                    V[4 * a + 1, line, k] = d1[k] + d2[k]
                for k in range(run):
                    V[4 * a + 2, line, k] = d2[k] - d1[k]
                for k in range(run):
                    V[4 * a + 3, line, k] = d1[k] - d3[k]


@njit(inner=True)
def invert(Z, bias, relu, row, column, y):
    """A^T Z A + bias for the 2 x 2 tiles of y (N, OH, SH, OW, SW, F): of the rows and columns as in `frame_pixels`."""
    N, OH, _, OW, _, F = y.shape
    TH, run = (OH + 1) // 2, Z.shape[2]
    rows = np.empty((4, run), y.dtype)  # a row of A^T Z, for a line of tiles
    columns = np.empty((2, run), y.dtype)  # (A^T Z) A: even columns of y, and odd ones
    pixels = columns.reshape(2, run // F, F)
    zero = y.dtype.type(0)
    for n in range(N):
        for i in range(OH):
            line = n * TH + i // 2
            for b in range(len(Z) // 4):
                if i % 2 == 0:
                    for k in range(run):
                        rows[b, k] = Z[b, line, k] + Z[4 + b, line, k] + Z[8 + b, line, k]
                else:
                    for k in range(run):
                        rows[b, k] = Z[4 + b, line, k] - Z[8 + b, line, k] - Z[12 + b, line, k]
            for k in range(run):
                columns[0, k] = rows[0, k] + rows[1, k] + rows[2, k]
            for k in range(run):
                columns[1, k] = rows[1, k] - rows[2, k] - rows[3, k]
            for b in range(2):
                for j in range((OW - b + 1) // 2):
                    for f in range(F):
                        z = pixels[b, j, f] + bias[f]
                        y[n, i, row, 2 * j + b, column, f] = max(z, zero) if relu else z


@njit(inner=True)
def _invert_adjoint(frame, images, top, left, dZ):
    """dZ = A dz A^T for the 2 x 2 tiles of dz, which lies in a frame from row `top` and column `left` on."""
    _, FH, parities, half, F = frame.shape
    TH, run = dZ.shape[1] // len(frame), dZ.shape[2]
    lines = frame.reshape(len(frame), FH, 2, half * F)
    rows = np.empty((4, 2, run), frame.dtype)  # A dz, for the two columns of a line of tiles
    for n in range(images):
        for i in range(TH):
            p, line = 2 * i + top, n * TH + i
            for b in range(parities):
                q, start = (left + b) % 2, (left + b) // 2 * F
                above, below = lines[n, p, q, start:], lines[n, p + 1, q, start:]
                for k in range(run):
                    rows[0, b, k] = above[k]
                for k in range(run):
                    rows[1, b, k] = above[k] + below[k]
                for k in range(run):
                    rows[2, b, k] = above[k] - below[k]
                for k in range(run):
                    rows[3, b, k] = -below[k]
            for a in range(len(dZ) // 4):
                for k in range(run):
                    dZ[4 * a, line, k] = rows[a, 0, k]
                for k in range(run):
                    dZ[4 * a + 1, line, k] = rows[a, 0, k] + rows[a, 1, k]
                for k in range(run):
                    dZ[4 * a + 2, line, k] = rows[a, 0, k] - rows[a, 1, k]
                for k in range(run):
                    dZ[4 * a + 3, line, k] = -rows[a, 1, k]
