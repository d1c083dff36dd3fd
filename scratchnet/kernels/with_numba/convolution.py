"""Convolution, compiled; the method is explained at the head of `scratchnet.kernels.with_numpy.convolution`.

Forward, windows are multiplied where they lie in the image (`windows`). Backward, the patches under them are copied
into a matrix, which both adjoints need, and multiplied, one piece of the batch after the other. No line of Python runs
between the first piece and the last: threads that compute side by side would wait for the interpreter's lock at each of
them, which took a quarter of the time of a small convolution.

* A piece is a number of whole images, as many as stay in the L2 cache with their patches. The matrix of its patches is
  `P` (M, KH KW C), a window to a row; with few channels P^T (KH KW C, M) stands in memory instead, where an image row
  is a run (`few`). Pieces of one call are equal; the images that are left over are a second call.
* A last column of ones in P gives dbias.
* Where the window is one pixel, a row of `x` is a row of P: nothing is copied (`affine`).
* With fewer filters than channels, pixels are multiplied by the whole kernel first, and the products added, shifted.
* Kernels of 3 x 3 with many channels and filters are left to `winograd`, which multiplies less; those of 4 x 4 under
  stride 2 to `winograd_strided`, and those of three to five along a sequence to `sequences`.
* A relu that follows is applied to y, and its slope to a piece of dy, while it is in the cache; and one pass over the
  patches gives both dx and dkernel. `scratchnet.kernels.fused` asks for these.
* Where max pooling of 2 x 2 follows as well, z never goes to memory, only one of four numbers does, and relu comes
  last, on a quarter of them, since max(relu(a), relu(b)) = relu(max(a, b)). If somebody will go back, a byte says which
  of the four it was (`pooled_windows`).

Cost: 2 M KH KW C F floating-point operations for each of y, dx and dkernel, and backward KH KW C copied elements for
each row.
"""

import functools
from typing import NamedTuple

import numpy as np

from scratchnet.kernels import grouped
from scratchnet.kernels.geometry import mirrored, window_counts
from scratchnet.kernels.with_numba import depthwise, pooled_windows, sequences, windows, winograd, winograd_strided
from scratchnet.kernels.with_numba.affine import affine_backward, affine_forward, is_narrow
from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.elementwise import add_columns
from scratchnet.kernels.with_numba.elementwise import relu as limited
from scratchnet.kernels.with_numba.matrix_product import add_matmul_by, matmul_into_by, multiplier
from scratchnet.kernels.with_numba.patches import add_planes, add_rows, gather_planes, gather_rows
from scratchnet.kernels.with_numba.pooling import max_pool2d_backward, max_pool2d_forward
from scratchnet.kernels.with_numba.team import added, by_rows, sums_of

_CACHE = 256 * 1024  # bytes to work on at a time
_LARGE, _ENOUGH = 1 << 20, 256  # bytes of a kernel that has to come from afar, and rows for which that is worth while
_FEW = 5  # channels; with fewer an image row is the longer run
_LANES = 16  # numbers that fill vectors on every processor
_POOL = (2, 2), (2, 2), ((0, 0), (0, 0))  # windows side by side


def conv2d_forward(x, kernel, bias, strides, padding, dilation):
    return _conv2d(x, kernel, bias, strides, padding, dilation, relu=False)


def conv2d_relu_forward(x, kernel, bias, strides, padding, dilation, most=np.inf):
    """``min(max(conv2d_forward(...), 0), most)``."""
    return _conv2d(x, kernel, bias, strides, padding, dilation, True, most)


def _conv2d(x, kernel, bias, strides, padding, dilation, relu, most=np.inf):
    x, kernel = plain(x), plain(kernel)
    way = _way_of(x.shape, kernel.shape, strides, padding, dilation, x.itemsize)
    if way.kind == _DEPTHWISE:
        return depthwise.forward(x, kernel, bias, strides, padding, dilation, relu, most)
    if way.kind == _PIXELS:
        C, F = kernel.shape[2:]
        y = affine_forward(x.reshape(-1, C), kernel.reshape(C, F), bias, relu, most)
        return y.reshape(*x.shape[:3], F)
    if way.kind == _GROUPED:
        y = grouped.forward(conv2d_forward, x, kernel, bias, strides, padding, dilation)
        return limited(y, y, most) if relu else y
    bias = np.zeros(kernel.shape[3], x.dtype) if bias is None else plain(bias)
    if way.kind == _WINOGRAD:
        y = winograd.conv2d_forward(x, kernel, bias, padding, relu)
    elif way.kind == _STRIDED:
        y = winograd_strided.conv2d_forward(x, kernel, bias, relu)
    elif way.kind == _SEQUENCES:
        y = sequences.conv2d_forward(x, kernel, bias, padding, relu)
    elif way.kind == _WINDOWS:
        y = windows.forward(x, kernel, bias, way.geometry, padding, way.counts, relu)
    else:
        y = _conv2d_adding(x, kernel, bias, way, relu)
    return y if most == np.inf else limited(y, y, most)


def _conv2d_adding(x, kernel, bias, way, relu):
    N, H, W, C = x.shape
    KH, KW, _, F = kernel.shape
    OH, OW = way.counts
    y = np.empty((N, OH, OW, F), x.dtype)
    filled = KH * KW * F
    weights = np.zeros((C, filled + -filled % _LANES), x.dtype)  # (C, KH KW F and zeros)
    weights[:, :filled] = kernel.transpose(2, 0, 1, 3).reshape(C, -1)
    images = _images(N, (H * W * (C + weights.shape[1]) + OH * OW * F) * x.itemsize)
    known = multiplier(x.dtype), x, weights, bias, relu, way.geometry, images
    by_rows(_forward_adding, N, N * H * W * kernel.size, *known, y, multiple=1)
    return y


def conv2d_relu_max_pool_forward(x, kernel, bias, strides, padding, dilation):
    """`conv2d_relu_forward` and the largest of each 2 x 2 of it: (N, OH // 2, OW // 2, F)."""
    x, kernel = plain(x), plain(kernel)
    N, F, way = len(x), kernel.shape[3], _way_of(x.shape, kernel.shape, strides, padding, dilation, x.itemsize)
    if way.can_pool:
        bias = np.zeros(F, x.dtype) if bias is None else plain(bias)
        return windows.forward(x, kernel, bias, way.geometry, padding, way.counts, relu=True, pools=True)
    OH, OW = way.counts
    y = np.empty((N, OH // 2, OW // 2, F), x.dtype)
    images = _images(N, OH * OW * F * x.itemsize // 4)  # more of them: each piece begins with a call of Python
    for n in range(0, N, images):
        _pool_relu(conv2d_forward(x[n : n + images], kernel, bias, strides, padding, dilation), y[n : n + images])
    return y


def conv2d_relu_max_pool_places(x, kernel, bias, strides, padding, dilation):
    """``y, places`` for y of `conv2d_relu_max_pool_forward`; both (N, OH // 2, OW // 2, F).

    places: bytes; which of the four outputs y is, from 1 (the first of several), or 0 where it is not above zero.
    """
    x, kernel = plain(x), plain(kernel)
    way = _way_of(x.shape, kernel.shape, strides, padding, dilation, x.itemsize)
    if way.can_pool:
        bias = np.zeros(kernel.shape[3], x.dtype) if bias is None else plain(bias)
        return pooled_windows.forward(x, kernel, bias, way.geometry, padding, way.counts)
    y, argmax = max_pool2d_forward(conv2d_relu_forward(x, kernel, bias, strides, padding, dilation), *_POOL)
    return y, (argmax + np.uint8(1)) * (y > 0)


def conv2d_relu_max_pool_backward(dy, places, x, kernel, strides, padding, dilation, needs_dx=True):
    """The adjoint of `conv2d_relu_max_pool_places`: ``dx, dkernel, dbias``, dx None without `needs_dx`."""
    dy, places, x, kernel = plain(dy), plain(places), plain(x), plain(kernel)
    way = _way_of(x.shape, kernel.shape, strides, padding, dilation, x.itemsize)
    if way.can_pool and not needs_dx:
        return None, *pooled_windows.backward(dy, places, x, kernel.shape, way.geometry, padding, way.counts)
    z_shape = len(x), *way.counts, dy.shape[3]
    dz = max_pool2d_backward(dy, places - np.uint8(1), z_shape, *_POOL)  # 0 - 1 is no place: 255
    return conv2d_backward(dz, x, kernel, strides, padding, dilation, needs_dx)


def conv2d_dx(dz, kernel, x_shape, strides, padding, dilation):
    dz, kernel = plain(dz), plain(kernel)
    N, H, W, C = x_shape
    KH, KW, CG, F = kernel.shape
    _, OH, OW, _ = dz.shape
    if CG == 1 < C:
        return depthwise.dx(dz, kernel, x_shape, strides, padding, dilation)
    if CG < C:
        return grouped.dx(conv2d_dx, dz, kernel, x_shape, strides, padding, dilation)
    if winograd_strided.applies(kernel.shape, strides, padding, dilation, (H, W), (OH, OW)):
        return winograd_strided.conv2d_dx(dz, kernel)
    flipped = kernel[::-1, ::-1].transpose(0, 1, 3, 2)  # (KH, KW, F, C)
    geometry = strides, mirrored(padding, (KH, KW), dilation), dilation
    if max(strides) == 1 and (F <= 2 * C or winograd.applies(flipped.shape, *geometry, (H, W))):
        return conv2d_forward(dz, flipped, None, *geometry)  # the image that dz is, seen through the flipped windows
    dx = np.empty(x_shape, dz.dtype)
    weights = kernel.reshape(-1, F)  # (KH KW C, F)
    geometry = _geometry(kernel.shape, strides, padding, dilation)
    images = _images(N, (H * W * C + OH * OW * (len(weights) + F)) * dz.itemsize, OH * OW, kernel)
    known = multiplier(dz.dtype), dz, weights, np.ascontiguousarray(weights.T), geometry, images, C < _FEW
    by_rows(_dx_adding, N, N * OH * OW * kernel.size, *known, dx, multiple=1)
    return dx


def conv2d_dkernel(dz, x, kernel_shape, strides, padding, dilation):
    C, CG = x.shape[3], kernel_shape[2]
    if CG == 1 < C:
        return depthwise.dkernel(dz, x, kernel_shape, strides, padding, dilation)
    if CG < C:
        return grouped.dkernel(conv2d_dkernel, dz, x, kernel_shape, strides, padding, dilation)
    nothing = np.empty(kernel_shape, x.dtype)
    return conv2d_backward(dz, x, nothing, strides, padding, dilation, needs_dx=False)[1]


def conv2d_backward(dy, x, kernel, strides, padding, dilation, needs_dx=True, relu_output=None):
    """``dx, dkernel, dbias`` in one pass, dx None without `needs_dx`; `relu_output` is y of `conv2d_relu_forward`."""
    dy, x, kernel = plain(dy), plain(x), plain(kernel)
    N, H, W, C = x.shape
    KH, KW, _, F = kernel.shape
    way = _way_of(x.shape, kernel.shape, strides, padding, dilation, x.itemsize)
    if way.kind == _DEPTHWISE:
        return depthwise.backward(dy, x, kernel, strides, padding, dilation, needs_dx, relu_output)
    if way.kind == _GROUPED:
        dz = dy if relu_output is None else dy * (relu_output > 0)
        dkernel = conv2d_dkernel(dz, x, kernel.shape, strides, padding, dilation)
        dx = conv2d_dx(dz, kernel, x.shape, strides, padding, dilation) if needs_dx else None
        return dx, dkernel, dz.sum(axis=(0, 1, 2))
    (OH, OW), relu = way.counts, relu_output is not None
    y = plain(relu_output) if relu else dy
    if way.kind == _WINOGRAD:
        return winograd.conv2d_backward(dy, x, kernel, padding, needs_dx, relu, y)
    if way.kind == _SEQUENCES:
        return sequences.conv2d_backward(dy, x, kernel, padding, needs_dx, relu, y)
    if way.kind == _PIXELS:
        rows, y = x.reshape(-1, C), y.reshape(-1, F) if relu else None
        dx, dkernel, dbias = affine_backward(dy.reshape(-1, F), rows, kernel.reshape(C, F), needs_dx, y)
        return dx.reshape(x.shape) if needs_dx else None, dkernel.reshape(kernel.shape), dbias
    if way.kind == _STRIDED or way.kind == _WINDOWS and windows.gains(C, F, x.itemsize):
        dz = _after_relu(dy, y) if relu else dy
        if way.kind == _STRIDED:
            dkernel, dbias = winograd_strided.kernel_gradient(dz, x), np.ones(N * OH * OW, dz.dtype) @ dz.reshape(-1, F)
        else:
            dkernel, dbias = windows.kernel_gradient(dz, x, kernel.shape, way.geometry, padding, way.counts)
        return conv2d_dx(dz, kernel, x.shape, strides, padding, dilation) if needs_dx else None, dkernel, dbias
    dx = np.empty(x.shape, x.dtype) if needs_dx else x[:0]
    if max(strides) == 1 and (F <= 2 * C if needs_dx else F < C):
        flipped = np.ascontiguousarray(kernel[::-1, ::-1].transpose(0, 1, 3, 2)).reshape(-1, C)  # (KH KW F, C)
        sums = sums_of(N * H * W)
        dflipped, dbias = np.empty((sums, *flipped.shape), x.dtype), np.empty((sums, F), x.dtype)
        geometry = _geometry(kernel.shape, strides, mirrored(padding, (KH, KW), dilation), dilation)
        images = _images(N, (OH * OW * 2 * F + H * W * (len(flipped) + 2 * C)) * x.itemsize, H * W, kernel)
        known = multiplier(dy.dtype), dy, y, relu, x, flipped, geometry, images, needs_dx, F < _FEW
        by_rows(_backward_gathering_dy, sums, N * H * W * kernel.size, *known, dflipped, dbias, dx, multiple=1)
        dbias = added(dbias)
        dkernel = added(dflipped).reshape(KH, KW, F, C)[::-1, ::-1].transpose(0, 1, 3, 2)
    else:
        weights = kernel.reshape(-1, F)  # (KH KW C, F)
        weights_T = np.ascontiguousarray(weights.T)
        sums = sums_of(N * OH * OW)
        dweights = np.empty((sums, len(weights) + 1, F), x.dtype)
        images = _images(N, (H * W * 2 * C + OH * OW * (len(weights) + 2 * F)) * x.itemsize, OH * OW, kernel)
        known = multiplier(dy.dtype), dy, y, relu, x, weights, weights_T, way.geometry, images, needs_dx, C < _FEW
        by_rows(_backward_gathering_x, sums, N * OH * OW * kernel.size, *known, dweights, dx, multiple=1)
        dweights = added(dweights)
        dkernel, dbias = dweights[:-1].reshape(kernel.shape), dweights[-1]
    return dx if needs_dx else None, np.ascontiguousarray(dkernel), dbias


def _after_relu(dy, y):
    """dz, given dy and y = relu(z)."""
    dz = np.empty(dy.shape, dy.dtype)
    by_rows(_part_after_relu, dy.size, dy.size, dy.reshape(-1), y.reshape(-1), dz.reshape(-1))
    return dz


class _Way(NamedTuple):
    """How a convolution of such sizes is computed."""

    kind: str  # one of those below
    counts: tuple  # (OH, OW)
    geometry: tuple  # (KH, KW, SH, SW, DH, DW, top, left), as all compiled functions here take it
    can_pool: bool  # whether relu and max pooling are done while y is in registers, and nobody multiplies less


_GROUPED, _DEPTHWISE, _PIXELS, _WINOGRAD, _SEQUENCES = "grouped", "depthwise", "pixels", "winograd", "sequences"
_WINDOWS, _ADDING, _STRIDED = "windows", "adding", "strided"


@functools.lru_cache(maxsize=512)  # the same at every step
def _way_of(x_shape, kernel_shape, strides, padding, dilation, itemsize):
    """The `_Way` of images and a kernel of these shapes."""
    KH, KW, CG, F = kernel_shape
    C = x_shape[3]
    counts = window_counts(x_shape[1:3], (KH, KW), strides, padding, dilation)
    is_adding = max(strides) == 1 and F < min(_FEW, C)
    is_pixel = KH == KW == 1 and max(strides) == 1 and padding == ((0, 0), (0, 0))
    if CG < C:
        kind = _DEPTHWISE if CG == 1 else _GROUPED
    elif winograd.applies(kernel_shape, strides, padding, dilation, counts):
        kind = _WINOGRAD
    elif winograd_strided.applies(kernel_shape, strides, padding, dilation, x_shape[1:3], counts):
        kind = _STRIDED
    elif sequences.applies(x_shape, kernel_shape, strides, padding, dilation, counts):
        kind = _SEQUENCES
    elif is_pixel and not is_narrow((C, F), itemsize):
        kind = _PIXELS
    else:
        kind = _ADDING if is_adding else _WINDOWS
    geometry = _geometry(kernel_shape, strides, padding, dilation)
    return _Way(kind, counts, geometry, CG == C and kind not in (_WINOGRAD, _STRIDED) and not is_adding)


@functools.lru_cache(maxsize=512)
def _geometry(kernel_shape, strides, padding, dilation):
    """That of a `_Way`."""
    (top, _), (left, _) = padding
    return tuple(int(k) for k in (*kernel_shape[:2], *strides, *dilation, top, left))


def _images(N, bytes_of_image, rows_of_image=1, kernel=None):
    """How many images there are in a piece: as the cache holds, and more where its rows meet a `kernel` it does not."""
    images = _CACHE // max(bytes_of_image, 1)
    if kernel is not None and kernel.nbytes > _LARGE:
        images = max(images, _ENOUGH // max(rows_of_image, 1))
    return max(min(images, N), 1)


@njit
def _patches(M, K, few, like):
    """Room for the patches of a piece, filled with ones: P (M, K), or for few channels P^T (K, M) and more columns.

    Without these, columns of P^T would often lie a power of two apart, where a cache has few places for them all.
    """
    return np.ones((K, M + 64 // like.itemsize) if few else (M, K), like.dtype)


@njit
def _matrix(room, M, K):
    """A matrix (M, K) at the beginning of `room`."""
    return room[: M * K].reshape(M, K)


# ---- piece after piece ----


@njit
def _pool_relu(z, y):
    """y = relu of the largest of each 2 x 2 in z; NaN, where one of the four is."""
    N, H, W, F = y.shape
    zero = y.dtype.type(0)
    for n in range(N):
        for i in range(H):
            for j in range(W):
                a, b = z[n, 2 * i, 2 * j], z[n, 2 * i, 2 * j + 1]
                c, d = z[n, 2 * i + 1, 2 * j], z[n, 2 * i + 1, 2 * j + 1]
                target = y[n, i, j]
                for f in range(F):
                    best = b[f] if a[f] <= b[f] or b[f] != b[f] else a[f]
                    best = c[f] if best <= c[f] or c[f] != c[f] else best
                    best = d[f] if best <= d[f] or d[f] != d[f] else best
                    target[f] = zero if best <= zero else best


@njit
def _forward_adding(first, stop, times, x, weights, bias, relu, geometry, images, y):
    """Each pixel is first multiplied by the whole kernel; y is the sum of the shifted products. For few filters."""
    KH, KW, _, _, DH, DW, top, left = geometry
    _, H, W, C = x.shape
    _, OH, OW, F = y.shape
    products = np.empty((images * H * W, weights.shape[1]), x.dtype)
    lines = products.reshape(images, H, W, weights.shape[1])
    total = np.empty(OW, x.dtype)
    for start in range(first, stop, images):
        pixels = x[start : min(start + images, stop)].reshape(-1, C)
        matmul_into_by(times, pixels, weights, products[: len(pixels)])
        for n in range(min(images, stop - start)):
            for i in range(OH):
                for f in range(F):
                    total[:] = bias[f]
                    for a in range(KH):
                        p = i + a * DH - top
                        if 0 <= p < H:
                            for b in range(KW):
                                q = b * DW - left  # of j = 0
                                line, target = lines[n, p, max(q, 0) :, (a * KW + b) * F + f], total[max(-q, 0) :]
                                for j in range(min(line.size, target.size)):
                                    target[j] += line[j]
                    for j in range(OW):
                        y[start + n, i, j, f] = max(total[j], x.dtype.type(0)) if relu else total[j]


@njit
def _dx_adding(first, stop, times, dz, weights, weights_T, geometry, images, few, dx):
    """dP = dz weights^T, whose windows add up to dx."""
    _, OH, OW, F = dz.shape
    K = len(weights)
    dP = np.empty(images * OH * OW * K, dz.dtype)
    for n in range(first, stop, images):
        here = slice(n, min(n + images, stop))
        rows = dz[here].reshape(-1, F)  # (M, F)
        M = len(rows)
        if few:
            matmul_into_by(times, weights, rows.T, _matrix(dP, K, M))
            add_planes(_matrix(dP, K, M), OH, OW, geometry, dx[here])
        else:
            matmul_into_by(times, rows, weights_T, _matrix(dP, M, K))
            add_rows(_matrix(dP, M, K), OH, OW, geometry, dx[here])


@njit
def _backward_gathering_x(
    first, stop, times, dy, y, relu, x, weights, weights_T, geometry, images, needs_dx, few, dweights, dx
):
    """dweights += P^T dz; dP = dz weights^T, whose windows add up to dx."""
    N, OH, OW, F = dy.shape
    K = len(weights)
    P = _patches(images * OH * OW, K + 1, few, dy)
    scratch, dP = np.empty(images * OH * OW * F, dy.dtype), np.empty(images * OH * OW * K if needs_dx else 0, dy.dtype)
    for k in range(first, stop):
        end = N * (k + 1) // len(dweights)
        dweights[k] = 0
        for n in range(N * k // len(dweights), end, images):
            here = slice(n, min(n + images, end))
            dz = dy[here].reshape(-1, F)  # (M, F)
            M = len(dz)
            if relu:
                dz = _through_relu(dz, y[here].reshape(-1, F), _matrix(scratch, M, F))
            if few:
                gather_planes(x[here], OH, OW, geometry, P[:, :M])
                add_matmul_by(times, P[:, :M], dz, dweights[k])
            else:
                gather_rows(x[here], OH, OW, geometry, P[:M])
                add_matmul_by(times, P[:M].T, dz, dweights[k])
            if needs_dx and few:
                matmul_into_by(times, weights, dz.T, _matrix(dP, K, M))
                add_planes(_matrix(dP, K, M), OH, OW, geometry, dx[here])
            elif needs_dx:
                matmul_into_by(times, dz, weights_T, _matrix(dP, M, K))
                add_rows(_matrix(dP, M, K), OH, OW, geometry, dx[here])


@njit
def _backward_gathering_dy(
    first, stop, times, dy, y, relu, x, flipped, geometry, images, needs_dx, few, dflipped, dbias, dx
):
    """P holds the windows of dz that each pixel of x took part in: dflipped += P^T x, dx = P flipped. For stride 1."""
    N, H, W, C = x.shape
    _, OH, OW, F = dy.shape
    P = _patches(images * H * W, len(flipped), few, dy)
    scratch = np.empty(images * OH * OW * F, dy.dtype)
    for k in range(first, stop):
        end = N * (k + 1) // len(dflipped)
        dflipped[k], dbias[k] = 0, 0
        for n in range(N * k // len(dflipped), end, images):
            here = slice(n, min(n + images, end))
            dz = dy[here].reshape(-1, F)  # (M, F)
            if relu:
                dz = _through_relu(dz, y[here].reshape(-1, F), _matrix(scratch, len(dz), F))
            add_columns(dz, dbias[k])
            pixels = x[here].reshape(-1, C)
            if few:
                gather_planes(dz.reshape(-1, OH, OW, F), H, W, geometry, P[:, : len(pixels)])
                add_matmul_by(times, P[:, : len(pixels)], pixels, dflipped[k])
            else:
                gather_rows(dz.reshape(-1, OH, OW, F), H, W, geometry, P[: len(pixels)])
                add_matmul_by(times, P[: len(pixels)].T, pixels, dflipped[k])
            if needs_dx and few:
                matmul_into_by(times, P[:, : len(pixels)].T, flipped, dx[here].reshape(-1, C))
            elif needs_dx:
                matmul_into_by(times, P[: len(pixels)], flipped, dx[here].reshape(-1, C))


@njit
def _part_after_relu(first, stop, dy, y, dz):
    _through_relu(dy[first:stop], y[first:stop], dz[first:stop])


@njit(inner=True)
def _through_relu(dy, y, dz):
    """dz = dy where y = relu(z) > 0, else 0."""
    sources, outputs, targets, zero = dy.reshape(-1), y.reshape(-1), dz.reshape(-1), dz.dtype.type(0)
    for k in range(targets.size):
        targets[k] = sources[k] if outputs[k] > zero else zero
    return dz
