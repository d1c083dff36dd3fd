"""Convolution: the same moves as in `scratchnet.kernels.with_numpy.convolution`, whose head explains them, compiled.

Piece after piece, the patches under the windows are copied together and multiplied. From the first piece to the
last no line of Python runs: threads that compute side by side would wait for the interpreter's lock at each of them,
which took a quarter of the time of a small convolution.

* A piece is a number of whole images, as many as stay in the L2 cache with their patches. The matrix of its patches is
  `P` (M, KH KW C), a window to a row; with few channels P^T (KH KW C, M) stands in memory instead, where an image row
  is a run (`few`). Pieces of one call are equal; the images that are left over are a second call.
* A last column of ones in P multiplies the bias; in backward it gives dbias.
* Kernels of 3 x 3 with many channels and filters are left to `winograd`, which multiplies less.
* A relu that follows is applied to a piece of y, and its slope to a piece of dy, while it is in the cache.

Cost: 2 M KH KW C F floating-point operations for each of y, dx and dkernel, and KH KW C copied elements for each row.
"""

import numpy as np

from scratchnet.kernels.geometry import mirrored, window_counts
from scratchnet.kernels.with_numba import winograd
from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.matrix_product import add_matmul, matmul_into

_CACHE = 256 * 1024  # bytes to work on at a time
_FEW = 5  # channels; with fewer an image row is the longer run
_LANES = 16  # numbers that fill vectors on every processor


def conv2d_forward(x, kernel, bias, strides, padding, dilation, relu=False):
    x, kernel = plain(x), plain(kernel)
    N, H, W, C = x.shape
    KH, KW, _, F = kernel.shape
    bias = np.zeros(F, x.dtype) if bias is None else plain(bias)
    OH, OW = window_counts((H, W), (KH, KW), strides, padding, dilation)
    if winograd.applies(kernel, strides, padding, dilation, (OH, OW)):
        return winograd.conv2d_forward(x, kernel, bias, padding, relu)
    geometry = _geometry(kernel, strides, padding, dilation)
    y = np.empty((N, OH, OW, F), x.dtype)
    if max(strides) == 1 and F < min(_FEW, C):
        filled = KH * KW * F
        weights = np.zeros((C, filled + -filled % _LANES), x.dtype)  # (C, KH KW F and zeros)
        weights[:, :filled] = kernel.transpose(2, 0, 1, 3).reshape(C, -1)
        size = (H * W * (C + weights.shape[1]) + OH * OW * F) * x.itemsize
        for images, rows in _pieces(N, size):
            _forward_adding(x[rows], weights, bias, relu, geometry, images, y[rows])
    else:
        weights = np.concatenate([kernel.reshape(-1, F), bias[None]])  # (KH KW C + 1, F)
        size = (H * W * C + OH * OW * (len(weights) + F)) * x.itemsize
        for images, rows in _pieces(N, size):
            P = _patches(images * OH * OW, len(weights), C, x.dtype)
            _forward_gathering(x[rows], weights, relu, geometry, images, C < _FEW, P, y[rows])
    return y


def conv2d_backward(dy, x, kernel, strides, padding, dilation, needs_dx=True, relu_output=None):
    dy, x, kernel = plain(dy), plain(x), plain(kernel)
    N, H, W, C = x.shape
    KH, KW, _, F = kernel.shape
    OH, OW = dy.shape[1:3]
    relu, y = relu_output is not None, dy if relu_output is None else plain(relu_output)
    if winograd.applies(kernel, strides, padding, dilation, (OH, OW)):
        return winograd.conv2d_backward(dy, x, kernel, padding, needs_dx, relu, y)
    dx = np.empty(x.shape, x.dtype) if needs_dx else x[:0]
    if max(strides) == 1 and (F <= 2 * C if needs_dx else F < C):
        flipped = np.ascontiguousarray(kernel[::-1, ::-1].transpose(0, 1, 3, 2)).reshape(-1, C)  # (KH KW F, C)
        dflipped, dbias = np.zeros_like(flipped), np.zeros(F, x.dtype)
        geometry = _geometry(kernel, strides, mirrored(padding, (KH, KW), dilation), dilation)
        size = (OH * OW * 2 * F + H * W * (len(flipped) + 2 * C)) * x.itemsize
        for images, rows in _pieces(N, size):
            P = _patches(images * H * W, len(flipped), F, x.dtype)
            _backward_gathering_dy(
                dy[rows],
                y[rows],
                relu,
                x[rows],
                flipped,
                geometry,
                images,
                needs_dx,
                F < _FEW,
                P,
                dflipped,
                dbias,
                dx[rows],
            )
        dkernel = dflipped.reshape(KH, KW, F, C)[::-1, ::-1].transpose(0, 1, 3, 2)
    else:
        weights = kernel.reshape(-1, F)  # (KH KW C, F)
        weights_T = np.ascontiguousarray(weights.T)
        dweights = np.zeros((len(weights) + 1, F), x.dtype)
        geometry = _geometry(kernel, strides, padding, dilation)
        size = (H * W * 2 * C + OH * OW * (len(weights) + 2 * F)) * x.itemsize
        for images, rows in _pieces(N, size):
            P = _patches(images * OH * OW, len(dweights), C, x.dtype)
            _backward_gathering_x(
                dy[rows],
                y[rows],
                relu,
                x[rows],
                weights,
                weights_T,
                geometry,
                images,
                needs_dx,
                C < _FEW,
                P,
                dweights,
                dx[rows],
            )
        dkernel, dbias = dweights[:-1].reshape(kernel.shape), dweights[-1]
    return dx if needs_dx else None, np.ascontiguousarray(dkernel), dbias


def _geometry(kernel, strides, padding, dilation):
    """(KH, KW, SH, SW, DH, DW, top, left), as all compiled functions here take it."""
    (top, _), (left, _) = padding
    return tuple(int(k) for k in (*kernel.shape[:2], *strides, *dilation, top, left))


def _pieces(N, bytes_per_image):
    """``(images in a piece, slice of the batch)``: once for all pieces of equal size, once for the images left over."""
    images = max(min(_CACHE // max(bytes_per_image, 1), N), 1)
    whole = N - N % images
    return [(n, rows) for n, rows in ((images, slice(whole)), (N - whole, slice(whole, N))) if n and rows.stop]


def _patches(M, K, channels, dtype):
    """Room for the patches of a piece, filled with ones: P (M, K), or for few channels P^T (K, M) and more columns.

    Without these, columns of P^T would often lie a power of two apart, where a cache has few places for them all.
    """
    return np.ones((K, M + 64 // dtype.itemsize) if channels < _FEW else (M, K), dtype)


# ---- piece after piece ----


@njit
def _forward_gathering(x, weights, relu, geometry, images, few, P, y):
    """y = P weights, whose last row is the bias."""
    N, OH, OW, F = y.shape
    zero = y.dtype.type(0)
    PT = P[:, : images * OH * OW]  # what P is where there are few
    for n in range(0, N, images):
        z = y[n : n + images].reshape(-1, F)  # (M, F)
        if few:
            _gather_planes(x[n : n + images], OH, OW, geometry, PT)
            matmul_into(PT.T, weights, z)
        else:
            _gather_rows(x[n : n + images], OH, OW, geometry, P)
            matmul_into(P, weights, z)
        if relu:
            values = z.reshape(-1)
            for k in range(values.size):
                values[k] = max(values[k], zero)


@njit
def _forward_adding(x, weights, bias, relu, geometry, images, y):
    """Each pixel is multiplied by all of the kernel first; y adds up the products, shifted. For few filters."""
    KH, KW, _, _, DH, DW, top, left = geometry
    N, H, W, C = x.shape
    _, OH, OW, F = y.shape
    products = np.empty((images * H * W, weights.shape[1]), x.dtype)
    lines = products.reshape(images, H, W, weights.shape[1])
    total = np.empty(OW, x.dtype)
    for start in range(0, N, images):
        matmul_into(x[start : start + images].reshape(-1, C), weights, products)
        for n in range(images):
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
def _backward_gathering_x(dy, y, relu, x, weights, weights_T, geometry, images, needs_dx, few, P, dweights, dx):
    """dweights += P^T dz; dP = dz weights^T, whose windows add up to dx."""
    N, OH, OW, F = dy.shape
    M, K = images * OH * OW, len(weights)
    PT = P[:, :M]
    scratch = np.empty((M, F), dy.dtype)
    dP = np.empty((K, M) if few else (M, K), dy.dtype) if needs_dx else P[:0]
    for n in range(0, N, images):
        dz = dy[n : n + images].reshape(-1, F)  # (M, F)
        if relu:
            dz = _through_relu(dz, y[n : n + images].reshape(-1, F), scratch)
        if few:
            _gather_planes(x[n : n + images], OH, OW, geometry, PT)
            add_matmul(PT, dz, dweights)
        else:
            _gather_rows(x[n : n + images], OH, OW, geometry, P)
            add_matmul(P.T, dz, dweights)
        if needs_dx and few:
            matmul_into(weights, dz.T, dP)
            _add_planes(dP, OH, OW, geometry, dx[n : n + images])
        elif needs_dx:
            matmul_into(dz, weights_T, dP)
            _add_rows(dP, OH, OW, geometry, dx[n : n + images])


@njit
def _backward_gathering_dy(dy, y, relu, x, flipped, geometry, images, needs_dx, few, P, dflipped, dbias, dx):
    """P holds the windows of dz that each pixel of x took part in: dflipped += P^T x, dx = P flipped. For stride 1."""
    N, H, W, C = x.shape
    _, OH, OW, F = dy.shape
    PT = P[:, : images * H * W]
    scratch = np.empty((images * OH * OW, F), dy.dtype)
    for n in range(0, N, images):
        dz = dy[n : n + images].reshape(-1, F)  # (M, F)
        if relu:
            dz = _through_relu(dz, y[n : n + images].reshape(-1, F), scratch)
        _add_columns(dz, dbias)
        pixels = x[n : n + images].reshape(-1, C)
        if few:
            _gather_planes(dz.reshape(images, OH, OW, F), H, W, geometry, PT)
            add_matmul(PT, pixels, dflipped)
        else:
            _gather_rows(dz.reshape(images, OH, OW, F), H, W, geometry, P)
            add_matmul(P.T, pixels, dflipped)
        if needs_dx and few:
            matmul_into(PT.T, flipped, dx[n : n + images].reshape(-1, C))
        elif needs_dx:
            matmul_into(P, flipped, dx[n : n + images].reshape(-1, C))


@njit
def _add_columns(dz, dbias):
    """dbias += the sum over the rows of dz."""
    for m in range(len(dz)):
        row = dz[m]
        for f in range(dbias.size):
            dbias[f] += row[f]


@njit
def _through_relu(dy, y, dz):
    """dz = dy where y = relu(z) > 0, else 0."""
    sources, outputs, targets, zero = dy.reshape(-1), y.reshape(-1), dz.reshape(-1), dz.dtype.type(0)
    for k in range(targets.size):
        targets[k] = sources[k] if outputs[k] > zero else zero
    return dz


# ---- between an image and its patches ----


@njit
def _gather_rows(x, OH, OW, geometry, P):
    """Copy the windows of x (images, H, W, C) into P (images OH OW, KH KW C); x counts as 0 outside."""
    KH, KW, SH, SW, DH, DW, top, left = geometry
    N, H, W, C = x.shape
    pixels = x.reshape(N, H, W * C)
    run = KW * C
    m = 0
    for n in range(N):
        for i in range(OH):
            for j in range(OW):
                q = j * SW - left
                inside = DW == 1 and 0 <= q <= W - KW  # then the columns of the window are neighbours
                for a in range(KH):
                    p = i * SH + a * DH - top
                    if 0 <= p < H and inside:
                        source, target = pixels[n, p, q * C :], P[m, a * run : (a + 1) * run]
                        for c in range(run):
                            target[c] = source[c]
                    else:
                        for b in range(KW):
                            s, target = q + b * DW, P[m, a * run + b * C :]
                            if 0 <= p < H and 0 <= s < W:
                                for c in range(C):
                                    target[c] = x[n, p, s, c]
                            else:
                                for c in range(C):
                                    target[c] = 0
                m += 1


@njit
def _add_rows(P, OH, OW, geometry, dx):
    """The adjoint of `_gather_rows`: dx becomes the sum of the windows in P, each where it was copied from."""
    KH, KW, SH, SW, DH, DW, top, left = geometry
    N, H, W, C = dx.shape
    pixels = dx.reshape(N, H, W * C)
    pixels[:] = 0
    run = KW * C
    m = 0
    for n in range(N):
        for i in range(OH):
            for j in range(OW):
                q = j * SW - left
                inside = DW == 1 and 0 <= q <= W - KW
                for a in range(KH):
                    p = i * SH + a * DH - top
                    if 0 <= p < H and inside:
                        source, target = P[m, a * run : (a + 1) * run], pixels[n, p, q * C :]
                        for c in range(run):
                            target[c] += source[c]
                    elif 0 <= p < H:
                        for b in range(KW):
                            s, source = q + b * DW, P[m, a * run + b * C :]
                            if 0 <= s < W:
                                for c in range(C):
                                    dx[n, p, s, c] += source[c]
                m += 1


@njit
def _framed(x, OH, OW, geometry):
    """The channels of x as planes (C, N FH FW), each image amid zeros, or cut, so that no window leaves it."""
    KH, KW, SH, SW, DH, DW, top, left = geometry
    N, H, W, C = x.shape
    FH, FW = (OH - 1) * SH + (KH - 1) * DH + 1, (OW - 1) * SW + (KW - 1) * DW + 1
    planes = np.zeros((C, N * FH * FW), x.dtype)
    frames = planes.reshape(C, N, FH, FW)
    for c in range(C):
        for n in range(N):
            for p in range(max(-top, 0), min(FH - top, H)):
                target, source = frames[c, n, p + top, max(left, 0) :], x[n, p, max(-left, 0) :, c]
                for q in range(min(target.size, source.size)):
                    target[q] = source[q]
    return planes, FH, FW


@njit
def _gather_planes(x, OH, OW, geometry, PT):
    """As `_gather_rows`, but P^T."""
    KH, KW, SH, SW, DH, DW, _, _ = geometry
    N, _, _, C = x.shape
    planes, FH, FW = _framed(x, OH, OW, geometry)
    for k in range(KH * KW * C):
        a, b, c = k // (KW * C), k // C % KW, k % C
        line, plane = PT[k], planes[c]
        for n in range(N):
            for i in range(OH):
                o, s = (n * OH + i) * OW, (n * FH + i * SH + a * DH) * FW + b * DW
                target, source = line[o : o + OW], plane[s:]
                if SW == 1:  # said apart, because the compiler then knows neighbours from strangers
                    for j in range(OW):
                        target[j] = source[j]
                else:
                    for j in range(OW):
                        target[j] = source[j * SW]


@njit
def _add_planes(PT, OH, OW, geometry, dx):
    """As `_add_rows`, but from P^T."""
    KH, KW, SH, SW, DH, DW, top, left = geometry
    N, H, W, C = dx.shape
    planes, FH, FW = _framed(dx[:, :0], OH, OW, geometry)  # zeros
    for n in range(N):  # image by image, so that what is added up stays in the first-level cache
        for k in range(KH * KW * C):
            a, b, c = k // (KW * C), k // C % KW, k % C
            line, plane = PT[k], planes[c]
            for i in range(OH):
                o, s = (n * OH + i) * OW, (n * FH + i * SH + a * DH) * FW + b * DW
                source, target = line[o : o + OW], plane[s:]
                if SW == 1:
                    for j in range(OW):
                        target[j] += source[j]
                else:
                    for j in range(OW):
                        target[j * SW] += source[j]
    frames = planes.reshape(C, N, FH, FW)
    dx[:] = 0
    for n in range(N):
        for p in range(min(FH - top, H)):
            for q in range(min(FW - left, W)):
                for c in range(C):
                    dx[n, p, q, c] = frames[c, n, p + top, q + left]
