"""Convolution by kernels of 4 x 4 under stride 2 with 9/16 of the multiplications, and the transposed one.

Between a small image s and a large one L, of twice as many rows and columns and a zero on each side, such a kernel g
stands like this, in one dimension:

    L[2 q + b] = sum over d of  s[q + d] g[b + 1 - 2 d]        d = -1, 0, 1; what lies outside of g is 0

These are two convolutions of s, one for the even rows of L and one for the odd ones, each by a kernel of three of which
the first or the last element is 0; in two dimensions four, by kernels of 3 x 3. Winograd's filtering, as in `winograd`,
multiplies sums of the input by these sums of a kernel (h_0, h_1, h_2):

    h_0        (h_0 + h_1 + h_2) / 2        (h_0 - h_1 + h_2) / 2        h_2

Where h_0 or h_2 is 0, so is one of the four: two outputs take three multiplications instead of four, and 2 x 2 outputs
nine instead of sixteen. The sums of the input, V, are the same for all four phases of L. The convolution from L to s is
the adjoint, the sum of four convolutions of what L is on even and odd rows and columns, by the kernels the other way
round; and the kernel's gradient is dU[k] = V[k]^T dZ[k], as there. As there, too, an infinity or NaN reaches the whole
of its tile.

Cost: 72 M C F floating-point operations for M tiles of 2 x 2 pixels of s.
"""

import functools

import numpy as np

from scratchnet.kernels.with_numba.compile import njit
from scratchnet.kernels.with_numba.matrix_product import add_matmul_by, matmul_into_by, multiplier
from scratchnet.kernels.with_numba.team import by_rows, sums_of
from scratchnet.kernels.with_numba.winograd import (
    as_tiles,
    frame_pixels,
    images_at_a_time,
    invert,
    tiles_of,
    transform,
)

_FEWEST = 32  # channels and filters with which the products are worth the transforms
_SMALLEST = 4  # rows and columns of the small image


def applies(kernel_shape, strides, padding, dilation, large, small):
    """Whether such a convolution, from images of size `large` to `small`, is computed here."""
    KH, KW, C, F = kernel_shape
    possible = (KH, KW) == (4, 4) and strides == (2, 2) and max(dilation) == 1 and padding == ((1, 1), (1, 1))
    fits = tuple(large) == (2 * small[0], 2 * small[1])
    return possible and fits and min(C, F) >= _FEWEST and min(small) >= _SMALLEST


def conv2d_forward(x, kernel, bias, relu):
    """From the large image to the small one: y (N, H / 2, W / 2, F)."""
    (N, H, W, C), F = x.shape, kernel.shape[3]
    y = np.empty((N, H // 2, W // 2, F), x.dtype)
    terms = _terms(outer=(3, 0))  # those of kernels the other way round
    known = multiplier(x.dtype), _by_phase(x), _transformed(kernel), terms, bias, relu, images_at_a_time(y, C, F)
    by_rows(_gather, N, 9 * y.size * C, *known, y, multiple=1)
    return y


def conv2d_dx(dz, kernel):
    """From the small image to the large one: dx (N, 2 OH, 2 OW, C)."""
    (N, OH, OW, F), C = dz.shape, kernel.shape[2]
    dx = np.empty((N, 2 * OH, 2 * OW, C), dz.dtype)
    U = _transformed(np.ascontiguousarray(kernel.transpose(0, 1, 3, 2)))
    known = multiplier(dz.dtype), dz, U, _terms(), images_at_a_time(dz, C, F)
    by_rows(_spread, N, 9 * dz.size * C, *known, _by_phase(dx), multiple=1)
    return dx


def kernel_gradient(dz, x):
    """dkernel (4, 4, C, F) for dz, the small image, and x, the large one."""
    F, C = dz.shape[3], x.shape[3]
    dU = np.empty((4, sums_of(4 * len(dz) * tiles_of(dz)), 9, F, C), x.dtype)
    known = multiplier(x.dtype), dz, _by_phase(x), _terms(), images_at_a_time(dz, C, F)
    by_rows(_collect, dU.shape[1], 9 * dz.size * C, *known, dU, multiple=1)
    dkernel = np.empty((4, 4, F, C), x.dtype)
    by_rows(_transform_back, F, dU.size, dU, dkernel, multiple=1)
    return np.ascontiguousarray(dkernel.transpose(0, 1, 3, 2))


def _by_phase(large):
    """(N, H, W, C) as (N, H / 2, 2, W / 2, 2, C)."""
    N, H, W, C = large.shape
    return large.reshape(N, H // 2, 2, W // 2, 2, C)


@functools.cache
def _terms(outer=(0, 3)):
    """(4, 9), for each phase which of the 16 products are not always 0: of each axis the outer one comes first."""
    of_axis = [(first, 1, 2) for first in outer]
    return np.array([[4 * i + j for i in of_axis[p] for j in of_axis[q]] for p, q in np.ndindex(2, 2)])


def _transformed(kernel):
    """U (4, 9, D, E): what is multiplied in each phase, from a kernel (4, 4, D, E)."""
    U = np.empty((4, 9, *kernel.shape[2:]), kernel.dtype)
    by_rows(_transform_kernels, U.shape[2], 4 * U.size, kernel, U, multiple=1)
    return U


@njit
def _transform_kernels(first, stop, kernel, U):
    half, rows = kernel.dtype.type(0.5), np.empty((3, 2, kernel.shape[3]), kernel.dtype)
    for d in range(first, stop):
        for phase in range(len(U)):
            near, far = _elements(phase // 2)
            for b, column in enumerate(_elements(phase % 2)):
                _of_two(kernel[near, column, d], kernel[far, column, d], half, rows[0, b], rows[1, b], rows[2, b])
            for a in range(len(rows)):
                _of_two(
                    rows[a, 0], rows[a, 1], half, U[phase, 3 * a, d], U[phase, 3 * a + 1, d], U[phase, 3 * a + 2, d]
                )


@njit
def _transform_back(first, stop, dU, dkernel):
    """The adjoint of `_transform_kernels`, of the sum of all dU (4, sums, 9, D, E)."""
    half, E = dU.dtype.type(0.5), dU.shape[4]
    total, rows = np.empty((9, E), dU.dtype), np.empty((3, 2, E), dU.dtype)
    for d in range(first, stop):
        for phase in range(len(dU)):
            for t in range(len(total)):
                total[t] = dU[phase, 0, t, d]
                for part in range(1, dU.shape[1]):
                    total[t] += dU[phase, part, t, d]
            for a in range(len(rows)):
                _of_two_adjoint(total[3 * a], total[3 * a + 1], total[3 * a + 2], half, rows[a, 0], rows[a, 1])
            near, far = _elements(phase // 2)
            for b, column in enumerate(_elements(phase % 2)):
                _of_two_adjoint(
                    rows[0, b], rows[1, b], rows[2, b], half, dkernel[near, column, d], dkernel[far, column, d]
                )


@njit(inner=True)
def _elements(phase):
    """Which of four elements a phase has: the one of its own place, and the other."""
    return 1 + phase, 3 - 3 * phase


@njit(inner=True)
def _of_two(near, far, half, outer, second, third):
    for e in range(outer.size):
        outer[e] = far[e]
        second[e] = (far[e] + near[e]) * half
        third[e] = (far[e] - near[e]) * half


@njit(inner=True)
def _of_two_adjoint(outer, second, third, half, near, far):
    for e in range(near.size):
        near[e] = (second[e] - third[e]) * half
        far[e] = outer[e] + (second[e] + third[e]) * half


# ---- piece after piece ----


@njit
def _spread(first, stop, times, dz, U, terms, images, dx):
    _, OH, OW, F = dz.shape
    C, images = dx.shape[5], max(min(images, stop - first), 1)
    TH, TW = (OH + 1) // 2, (OW + 1) // 2
    frame = np.empty((images, 2 * TH + 2, 2, TW + 1, F), dz.dtype)
    V, Z = np.empty((16, images * TH, TW * F), dz.dtype), np.empty((9, images * TH, TW * C), dz.dtype)
    pixels = dz.reshape(len(dz), OH, 1, OW, 1, F)
    for n in range(first, stop, images):
        here = min(images, stop - n)
        M = here * TH * TW
        frame_pixels(pixels[n : n + here], pixels[n : n + here], np.bool_(False), 0, 0, 1, 1, frame)
        transform(frame, here, V)
        for phase in range(len(U)):
            for t in range(len(Z)):
                k = terms[phase, t]
                matmul_into_by(times, as_tiles(V[k], M, F), U[phase, t], as_tiles(Z[t], M, C))
            _invert(Z, phase // 2, phase % 2, dx[n : n + here])


@njit
def _gather(first, stop, times, x, U, terms, bias, relu, images, y):
    _, OH, OW, F = y.shape
    C, images = x.shape[5], max(min(images, stop - first), 1)
    TH, TW = (OH + 1) // 2, (OW + 1) // 2
    frame = np.empty((images, 2 * TH + 2, 2, TW + 1, C), x.dtype)
    V, Z = np.empty((16, images * TH, TW * C), x.dtype), np.empty((16, images * TH, TW * F), x.dtype)
    pixels = y.reshape(len(y), OH, 1, OW, 1, F)
    for n in range(first, stop, images):
        here = min(images, stop - n)
        M = here * TH * TW
        Z[:] = 0
        for phase in range(len(U)):
            frame_pixels(x[n : n + here], x[n : n + here], np.bool_(False), phase // 2, phase % 2, 1, 1, frame)
            transform(frame, here, V)
            for t in range(U.shape[1]):
                k = terms[phase, t]
                add_matmul_by(times, as_tiles(V[k], M, C), U[phase, t], as_tiles(Z[k], M, F))
        invert(Z, bias, relu, 0, 0, pixels[n : n + here])


@njit
def _collect(first, stop, times, dz, x, terms, images, dU):
    N, OH, OW, F = dz.shape
    C, sums = x.shape[5], dU.shape[1]
    TH, TW = (OH + 1) // 2, (OW + 1) // 2
    frame = np.empty((images, 2 * TH + 2, 2, TW + 1, F), dz.dtype)
    large = np.empty((images, 2 * TH, 2, TW, C), dz.dtype)
    V, dZ = np.empty((16, images * TH, TW * F), dz.dtype), np.empty((9, images * TH, TW * C), dz.dtype)
    pixels = dz.reshape(len(dz), OH, 1, OW, 1, F)
    for part in range(first, stop):
        end = N * (part + 1) // sums
        dU[:, part] = 0
        for n in range(N * part // sums, end, images):
            here = min(images, end - n)
            M = here * TH * TW
            frame_pixels(pixels[n : n + here], pixels[n : n + here], np.bool_(False), 0, 0, 1, 1, frame)
            transform(frame, here, V)
            for phase in range(len(dU)):
                row, column = phase // 2, phase % 2
                frame_pixels(x[n : n + here], x[n : n + here], np.bool_(False), row, column, 0, 0, large)
                _invert_adjoint(large, here, row, column, dZ)
                for t in range(len(dZ)):
                    k = terms[phase, t]
                    add_matmul_by(times, as_tiles(V[k], M, F).T, as_tiles(dZ[t], M, C), dU[phase, part, t])


# ---- from products to pixels: of the four products of an axis the outer one that is 0 is left out ----


@njit(inner=True)
def _invert(Z, row, column, y):
    """The pixels of one phase of y (N, OH, 2, OW, 2, C) from Z (9, lines of tiles, TW C)."""
    N, OH, _, OW, _, C = y.shape
    TH, run = (OH + 1) // 2, Z.shape[2]
    rows, columns = np.empty((3, run), y.dtype), np.empty((2, run), y.dtype)
    pixels = columns.reshape(2, run // C, C)
    for n in range(N):
        for i in range(OH):
            line = n * TH + i // 2
            for b in range(len(rows)):
                _add_up(Z[b, line], Z[3 + b, line], Z[6 + b, line], i % 2, row, rows[b])
            for b in range(len(columns)):
                _add_up(rows[0], rows[1], rows[2], b, column, columns[b])
                for j in range((OW - b + 1) // 2):
                    for c in range(C):
                        y[n, i, row, 2 * j + b, column, c] = pixels[b, j, c]


@njit(inner=True)
def _add_up(outer, second, third, which, phase, y):
    """The first or the second of two outputs, of the phase whose outer product is the first, or the last."""
    if which == 0 and phase == 0:
        for k in range(y.size):
            y[k] = outer[k] + second[k] + third[k]
    elif which == 0:
        for k in range(y.size):
            y[k] = second[k] + third[k]
    elif phase == 0:
        for k in range(y.size):
            y[k] = second[k] - third[k]
    else:
        for k in range(y.size):
            y[k] = second[k] - third[k] - outer[k]


@njit(inner=True)
def _invert_adjoint(frame, images, row, column, dZ):
    """dZ (9, lines of tiles, TW C) from the pixels of a phase, (images, 2 TH, 2, TW, C) with odd columns apart."""
    _, FH, _, TW, C = frame.shape
    TH, run = FH // 2, TW * C
    lines = frame.reshape(len(frame), FH, 2, run)
    rows = np.empty((3, 2, run), frame.dtype)
    for n in range(images):
        for i in range(TH):
            line = n * TH + i
            for b in range(2):
                _divide(lines[n, 2 * i, b], lines[n, 2 * i + 1, b], row, rows[0, b], rows[1, b], rows[2, b])
            for a in range(len(rows)):
                _divide(rows[a, 0], rows[a, 1], column, dZ[3 * a, line], dZ[3 * a + 1, line], dZ[3 * a + 2, line])


@njit(inner=True)
def _divide(dy_0, dy_1, phase, outer, second, third):
    """The adjoint of `_add_up`, for both outputs."""
    for k in range(outer.size):
        outer[k] = dy_0[k] if phase == 0 else -dy_1[k]
    for k in range(outer.size):
        second[k] = dy_0[k] + dy_1[k]
    for k in range(outer.size):
        third[k] = dy_0[k] - dy_1[k]
