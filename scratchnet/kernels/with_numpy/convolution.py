"""Convolution as matrix products: the patches under the windows become the rows of a matrix (im2col).

    patches (M, KH KW C) @ kernel (KH KW C, F) = y (M, F)                    M = images in a piece x OH x OW

Two moves do all the work, each the adjoint of the other: `_gather` copies windows out of an image, `_add_windows` adds
windows back into one. Forward gathers x; so does dkernel = patches^T dz; dx adds up the windows dz kernel^T. With
stride 1 there is a second way for each, in which the channels change places, because the image that z is, is seen
through the same windows, flipped:

* forward multiplies each pixel first and adds up the windows after; chosen where F is small (a decoder's last layer);
* dx is the convolution of dz with the flipped kernel; chosen where F is not much larger than C;
* dkernel gathers dz, D, and is x^T D; chosen where F is smaller than C.

Why it is shaped like this:

* Patches repeat each pixel up to KH KW times (Chellapilla et al., "High performance convolutional neural networks for
  document processing", 2006). They are made for a few images at a time, few enough to stay in the L2 cache between the
  copy and the product: a product from main memory runs at about half the speed.
* One strided copy by NumPy moves whole runs of neighbours, as long as no window leaves the image; so each piece is
  first copied into a frame of zeros. With many channels a run is KW C elements. With few it would be short; there the
  matrix lies in memory the other way round, an image row to a run, which is all the same to BLAS.
* With few channels a product has so few multiply-adds to a byte that OpenBLAS's repacking of its operands shows. It is
  left out for small products, so there a piece is no larger than what counts as small.
* Not smaller than that either: between two calls of NumPy a thread needs the interpreter's lock, and threads that
  compute side by side wait for each other there.

Cost: 2 M KH KW C F floating-point operations for each of z, dx and dkernel, and KH KW C copied elements for each row.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from scratchnet.kernels import grouped
from scratchnet.kernels.geometry import mirrored, window_counts
from scratchnet.kernels.with_numpy import depthwise

_CACHE = 1024 * 1024  # bytes to work on at a time: the patches, what they are made of, and what is made of them
_SMALL = 100**3  # multiply-adds; up to here OpenBLAS takes a product for a small one
_FEW = 5  # channels; with fewer an image row is the longer run


def conv2d_forward(x, kernel, bias, strides, padding, dilation):
    N, H, W, C = x.shape
    KH, KW, CG, F = kernel.shape
    if CG == 1 < C:
        return depthwise.forward(x, kernel, bias, strides, padding, dilation)
    if CG < C:
        return grouped.forward(conv2d_forward, x, kernel, bias, strides, padding, dilation)
    OH, OW = window_counts((H, W), (KH, KW), strides, padding, dilation)
    z = np.empty((N, OH, OW, F), x.dtype)
    mirror = mirrored(padding, (KH, KW), dilation)
    if max(strides) == 1 and F < min(_FEW, C) and np.min(mirror) >= 0:
        flipped = kernel[::-1, ::-1].transpose(2, 0, 1, 3).reshape(C, -1)  # (C, KH KW F)
        for piece in _pieces(N, (H * W * (C + KH * KW * F) + OH * OW * F) * x.itemsize, N):
            _multiply_and_add(x[piece], flipped, (KH, KW), strides, mirror, dilation, z[piece])
            if bias is not None:
                z[piece] += bias
    else:
        weights = kernel.reshape(-1, F)  # (KH KW C, F)
        for piece, patches in _gather(x, F, (KH, KW), strides, padding, dilation):
            rows = z[piece].reshape(-1, F)
            np.dot(patches, weights, out=rows)
            if bias is not None:
                rows += bias
    return z


def conv2d_dx(dz, kernel, x_shape, strides, padding, dilation):
    N, H, W, C = x_shape
    KH, KW, CG, F = kernel.shape
    if CG == 1 < C:
        return depthwise.dx(dz, kernel, x_shape, strides, padding, dilation)
    if CG < C:
        return grouped.dx(conv2d_dx, dz, kernel, x_shape, strides, padding, dilation)
    mirror = mirrored(padding, (KH, KW), dilation)
    if max(strides) == 1 and F <= 2 * C and np.min(mirror) >= 0:
        flipped = np.ascontiguousarray(kernel[::-1, ::-1].transpose(0, 1, 3, 2))  # (KH, KW, F, C)
        return conv2d_forward(dz, flipped, None, strides, mirror, dilation)
    dx = np.empty(x_shape, dz.dtype)
    weights_T = kernel.reshape(-1, F).T  # (F, KH KW C)
    OH, OW = dz.shape[1:3]
    for piece in _pieces(N, (H * W * C + OH * OW * (KH * KW * C + F)) * dz.itemsize, N):
        _multiply_and_add(dz[piece], weights_T, (KH, KW), strides, padding, dilation, dx[piece])
    return dx


def conv2d_dkernel(dz, x, kernel_shape, strides, padding, dilation):
    C, (KH, KW, CG, F) = x.shape[3], kernel_shape
    if CG == 1 < C:
        return depthwise.dkernel(dz, x, kernel_shape, strides, padding, dilation)
    if CG < C:
        return grouped.dkernel(conv2d_dkernel, dz, x, kernel_shape, strides, padding, dilation)
    mirror = mirrored(padding, (KH, KW), dilation)
    if max(strides) == 1 and F < C and np.min(mirror) >= 0:
        dflipped = np.zeros((C, KH * KW * F), x.dtype)
        for piece, D in _gather(dz, C, (KH, KW), strides, mirror, dilation):
            dflipped += x[piece].reshape(-1, C).T @ D
        return np.ascontiguousarray(dflipped.reshape(C, KH, KW, F)[:, ::-1, ::-1].transpose(1, 2, 0, 3))
    dweights = np.zeros((KH * KW * C, F), x.dtype)
    for piece, patches in _gather(x, F, (KH, KW), strides, padding, dilation):
        dweights += patches.T @ dz[piece].reshape(-1, F)  # z = patches weights
    return dweights.reshape(kernel_shape)


def _gather(x, F, kernel_size, strides, padding, dilation):
    """For each piece of the batch its slice and its matrix (M, KH KW C), a window to a row.

    Each matrix is overwritten by the next. `F`: the columns of the other side of the product.
    """
    N, H, W, C = x.shape
    (top, _), (left, _) = padding
    OH, OW = window_counts((H, W), kernel_size, strides, padding, dilation)
    K = kernel_size[0] * kernel_size[1] * C
    few = C < _FEW
    at_most = _SMALL // max(OH * OW * K * F, 1) if few else N
    pieces = _pieces(N, (H * W * C + OH * OW * (K + F)) * x.itemsize, at_most)
    images = pieces[0].stop if pieces else 0
    framed = _frame(images, (H, W), C, padding, x.dtype, few)
    windows = _windows(framed, (OH, OW), kernel_size, strides, dilation)  # (images, OH, OW, KH, KW, C)
    M = images * OH * OW
    matrix = np.empty((K, M), x.dtype).T if few else np.empty((M, K), x.dtype)
    rows = _rows_as_windows(matrix, windows.shape)
    for piece in pieces:
        part = x[piece]
        framed[: len(part), top : top + H, left : left + W] = part
        rows[: len(part)] = windows[: len(part)]
        yield piece, matrix[: len(part) * OH * OW]


def _multiply_and_add(z, weights, kernel_size, strides, padding, dilation, image):
    """Write into `image` (n, H, W, C) the sum of the windows ``z weights``, each where `_gather` takes it from."""
    n, OH, OW, F = z.shape
    _, H, W, C = image.shape
    (top, _), (left, _) = padding
    few = C < _FEW
    z = z.reshape(-1, F)
    products = np.dot(weights.T, z.T).T if few else np.dot(z, weights)  # (n OH OW, KH KW C)
    framed = _frame(n, (H, W), C, padding, z.dtype, few)
    _add_windows(_rows_as_windows(products, (n, OH, OW, *kernel_size, C)), framed, strides, dilation)
    image[...] = framed[:, top : top + H, left : left + W]


def _add_windows(values, framed, strides, dilation):
    """The adjoint of copying `_windows`: each place of the window in turn, for all windows at once."""
    _, OH, OW, KH, KW, _ = values.shape
    for a in range(KH):
        for b in range(KW):
            p, q = a * dilation[0], b * dilation[1]
            rows = slice(p, p + (OH - 1) * strides[0] + 1, strides[0])
            columns = slice(q, q + (OW - 1) * strides[1] + 1, strides[1])
            framed[:, rows, columns] += values[:, :, :, a, b]


def _windows(framed, output_size, kernel_size, strides, dilation):
    """All windows as a view (N, OH, OW, KH, KW, C)."""
    sn, sh, sw, sc = framed.strides
    steps = (sn, sh * strides[0], sw * strides[1], sh * dilation[0], sw * dilation[1], sc)
    return as_strided(framed, (len(framed), *output_size, *kernel_size, framed.shape[3]), steps, writeable=False)


def _rows_as_windows(matrix, shape):
    """A view (N, OH, OW, KH, KW, C) of a matrix of patches."""
    _, OH, OW, _, KW, C = shape
    row, column = matrix.strides
    return as_strided(matrix, shape, (OH * OW * row, OW * row, row, KW * C * column, C * column, column))


def _frame(N, size, C, padding, dtype, few):
    """Zeros (N, H + padding, W + padding, C); with `few` channels each channel is a plane by itself in memory."""
    H, W = (size[k] + sum(padding[k]) for k in range(2))
    return np.zeros((C, N, H, W), dtype).transpose(1, 2, 3, 0) if few else np.zeros((N, H, W, C), dtype)


def _pieces(N, bytes_per_image, at_most):
    """Slices of the batch with about `_CACHE` bytes each, and no more than `at_most` images, but one at least."""
    images = max(min(_CACHE // max(bytes_per_image, 1), at_most), 1)
    return [slice(start, min(start + images, N)) for start in range(0, N, images)]
