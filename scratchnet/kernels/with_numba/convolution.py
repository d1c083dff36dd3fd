"""Convolution: compiled gathering of patches, matrix products by BLAS.

    patches (M, KH KW C + 1) @ [kernel; bias] (KH KW C + 1, F) = y (M, F)        M = images in a piece x OH x OW

* The patches are gathered for so few images at a time that they are still in the L2 cache when BLAS reads them.
* A last column of ones multiplies the bias, so that adding it costs no pass over y; in backward the same column gives
  dbias with dkernel.
* Padding is never stored: the gathering writes zeros where a window leaves the image.
* With few filters (a decoder's last layer) the patches would be many times larger than y. There each pixel is multiplied
  first, x (N H W, C) @ (C, KH KW F), and the KH KW products are shifted and added after.
* Backward with stride 1 gathers dy instead of x: for each pixel, the dy of all windows that saw it. The one matrix D
  gives both dx = D kernel^T and dkernel = x^T D. It is used where it is the smaller one (F <= C) or dx is needed.

Cost: 2 M KH KW C F multiply-adds in BLAS for each of y, dx and dkernel, and KH KW C copied elements for each row.
"""

import numpy as np

from scratchnet.kernels.with_numba.compile import njit

_CACHE = 512 * 1024  # bytes of patches to work on at a time


def conv2d_forward(x, kernel, bias, strides, padding, dilation):
    x = np.ascontiguousarray(x)
    N, H, W, C = x.shape
    KH, KW, _, F = kernel.shape
    OH = (H + sum(padding[0]) - (KH - 1) * dilation[0] - 1) // strides[0] + 1
    OW = (W + sum(padding[1]) - (KW - 1) * dilation[1] - 1) // strides[1] + 1
    y = np.empty((N, OH, OW, F), x.dtype)
    top_left = padding[0][0], padding[1][0]
    if F * 4 <= C:
        y[...] = 0 if bias is None else bias
        weights = np.ascontiguousarray(kernel.transpose(2, 0, 1, 3)).reshape(C, -1)  # (C, KH KW F)
        for piece in _pieces(N, H * W * KH * KW * F, x.itemsize):
            products = x[piece].reshape(-1, C) @ weights
            _shift_add(products.reshape(-1, H, W, KH, KW, F), *strides, *top_left, *dilation, y[piece])
        return y
    weights = np.zeros((KH * KW * C + 1, F), x.dtype)
    weights[:-1] = kernel.reshape(-1, F)
    if bias is not None:
        weights[-1] = bias
    for piece in _pieces(N, OH * OW * len(weights), x.itemsize):
        patches = np.empty((len(x[piece]) * OH * OW, len(weights)), x.dtype)
        _gather(x[piece], KH, KW, *strides, *top_left, *dilation, OH, OW, patches)
        np.dot(patches, weights, out=y[piece].reshape(-1, F))
    return y


def conv2d_backward(dy, x, kernel, strides, padding, dilation, needs_dx=True):
    x, dy = np.ascontiguousarray(x), np.ascontiguousarray(dy)
    F, C = kernel.shape[3], kernel.shape[2]
    if strides == (1, 1) and (needs_dx or F <= C):
        return _backward_by_gathering_dy(dy, x, kernel, padding, dilation, needs_dx)
    return _backward_by_gathering_x(dy, x, kernel, strides, padding, dilation, needs_dx)


def _backward_by_gathering_dy(dy, x, kernel, padding, dilation, needs_dx):
    N, H, W, C = x.shape
    KH, KW, _, F = kernel.shape
    # y[i] reads x[i + a dil - top], so x[p] was read by y[p + top - a dil]: a window that runs backwards. Gathered
    # forwards, from p + top - (KH - 1) dil on, its elements come with the kernel flipped.
    top_left = (KH - 1) * dilation[0] - padding[0][0], (KW - 1) * dilation[1] - padding[1][0]
    flipped = kernel[::-1, ::-1].transpose(0, 1, 3, 2).reshape(-1, C)  # (KH KW F, C)
    weights = np.zeros((len(flipped) + 1, C), x.dtype)
    weights[:-1] = flipped
    dx = np.empty(x.shape, x.dtype) if needs_dx else None
    dflipped = np.zeros((C, len(weights)), x.dtype)
    for piece in _pieces(N, H * W * len(weights), x.itemsize):
        D = np.empty((len(x[piece]) * H * W, len(weights)), x.dtype)
        _gather(dy[piece], KH, KW, 1, 1, *top_left, *dilation, H, W, D)
        if needs_dx:
            np.dot(D, weights, out=dx[piece].reshape(-1, C))
        dflipped += x[piece].reshape(-1, C).T @ D
    dkernel = dflipped[:, :-1].reshape(C, KH, KW, F)[:, ::-1, ::-1].transpose(1, 2, 0, 3)
    return dx, np.ascontiguousarray(dkernel), dy.reshape(-1, F).sum(axis=0)


def _backward_by_gathering_x(dy, x, kernel, strides, padding, dilation, needs_dx):
    N, OH, OW, F = dy.shape
    KH, KW, C, _ = kernel.shape
    top_left = padding[0][0], padding[1][0]
    weights = kernel.reshape(-1, F)  # (KH KW C, F)
    dweights = np.zeros((len(weights) + 1, F), x.dtype)
    dx = np.zeros(x.shape, x.dtype) if needs_dx else None
    for piece in _pieces(N, OH * OW * len(dweights), x.itemsize):
        dz = dy[piece].reshape(-1, F)
        patches = np.empty((len(dz), len(dweights)), x.dtype)
        _gather(x[piece], KH, KW, *strides, *top_left, *dilation, OH, OW, patches)
        dweights += patches.T @ dz
        if needs_dx:
            dpatches = (dz @ weights.T).reshape(-1, OH, OW, KH, KW, C)
            _scatter(dpatches, *strides, *top_left, *dilation, dx[piece])
    return dx, dweights[:-1].reshape(kernel.shape), dweights[-1].copy()


def _pieces(N, elements_per_image, itemsize):
    """Slices of the batch with about `_CACHE` bytes of patches each."""
    images = max(_CACHE // (elements_per_image * itemsize), 1)
    for start in range(0, N, images):
        yield slice(start, start + images)


@njit
def _gather(x, KH, KW, SH, SW, top, left, DH, DW, OH, OW, patches):
    """Row (n, i, j) of `patches`: the elements of x under that window, zeros outside the image, then a one."""
    N, H, W, C = x.shape
    row = 0
    for n in range(N):
        for i in range(OH):
            for j in range(OW):
                k = 0
                for a in range(KH):
                    p = i * SH + a * DH - top
                    q = j * SW - left
                    if p < 0 or p >= H:
                        for c in range(KW * C):
                            patches[row, k + c] = 0
                    else:
                        for b in range(KW):
                            if 0 <= q < W:
                                for c in range(C):
                                    patches[row, k + b * C + c] = x[n, p, q, c]
                            else:
                                for c in range(C):
                                    patches[row, k + b * C + c] = 0
                            q += DW
                    k += KW * C
                patches[row, k] = 1
                row += 1


@njit
def _scatter(dpatches, SH, SW, top, left, DH, DW, dx):
    """The adjoint of `_gather`: each window's values (n, i, j, a, b, c) are added to the pixels they came from."""
    _, OH, OW, KH, KW, C = dpatches.shape
    N, H, W, _ = dx.shape
    for n in range(N):
        for i in range(OH):
            for j in range(OW):
                for a in range(KH):
                    p = i * SH + a * DH - top
                    if 0 <= p < H:
                        for b in range(KW):
                            q = j * SW + b * DW - left
                            if 0 <= q < W:
                                for c in range(C):
                                    dx[n, p, q, c] += dpatches[n, i, j, a, b, c]


@njit
def _shift_add(products, SH, SW, top, left, DH, DW, y):
    """Add to each window of y the products that its pixels have made with their places in the kernel."""
    N, H, W, KH, KW, F = products.shape
    _, OH, OW, _ = y.shape
    for n in range(N):
        for i in range(OH):
            for j in range(OW):
                for a in range(KH):
                    p = i * SH + a * DH - top
                    if 0 <= p < H:
                        for b in range(KW):
                            q = j * SW + b * DW - left
                            if 0 <= q < W:
                                for f in range(F):
                                    y[n, i, j, f] += products[n, p, q, a, b, f]
