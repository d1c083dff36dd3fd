"""Convolution as matrix products: the patches under the windows become the rows of a matrix (im2col).

    patches (M, KH KW C) @ kernel (KH KW C, F) = y (M, F)          M = images in a piece x OH x OW

The patches repeat each pixel up to KH KW times, so they are gathered for a few images at a time, few enough to stay in
the L2 cache between the gathering and the product (Chellapilla et al., "High performance convolutional neural networks
for document processing", 2006, without the memory that it is known for).
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

_CACHE = 512 * 1024  # bytes of patches to work on at a time


def conv2d_forward(x, kernel, bias, strides, padding, dilation):
    KH, KW, C, F = kernel.shape
    padded = _pad(x, padding)
    windows = _windows(padded, KH, KW, strides, dilation)  # (N, OH, OW, KH, KW, C)
    N, OH, OW = windows.shape[:3]
    W = kernel.reshape(-1, F)
    y = np.empty((N, OH, OW, F), np.result_type(x, kernel))
    for piece in _pieces(windows):
        np.dot(_patches(windows[piece]), W, out=y[piece].reshape(-1, F))
    if bias is not None:
        y += bias
    return y


def conv2d_backward(dy, x, kernel, strides, padding, dilation, needs_dx=True):
    KH, KW, C, F = kernel.shape
    padded = _pad(x, padding)
    windows = _windows(padded, KH, KW, strides, dilation)
    W = kernel.reshape(-1, F)
    dW = np.zeros(W.shape, kernel.dtype)
    dpadded = np.zeros(padded.shape, dy.dtype) if needs_dx else None
    for piece in _pieces(windows):
        dz = np.ascontiguousarray(dy[piece]).reshape(-1, F)  # (M, F)
        dW += _patches(windows[piece]).T @ dz  # z = patches W
        if needs_dx:
            dpatches = (dz @ W.T).reshape(windows[piece].shape)
            _scatter(dpatches, dpadded[piece], strides, dilation)
    dbias = dy.reshape(-1, F).sum(axis=0)
    dx = None
    if needs_dx:
        (top, _), (left, _) = padding
        dx = np.ascontiguousarray(dpadded[:, top : top + x.shape[1], left : left + x.shape[2]])
    return dx, dW.reshape(kernel.shape), dbias


def _windows(padded, KH, KW, strides, dilation):
    """All windows as a view (N, OH, OW, KH, KW, C) of the padded image."""
    N, H, W, C = padded.shape
    OH = (H - (KH - 1) * dilation[0] - 1) // strides[0] + 1
    OW = (W - (KW - 1) * dilation[1] - 1) // strides[1] + 1
    sn, sh, sw, sc = padded.strides
    steps = (sn, sh * strides[0], sw * strides[1], sh * dilation[0], sw * dilation[1], sc)
    return as_strided(padded, (N, OH, OW, KH, KW, C), steps, writeable=False)


def _pieces(windows):
    """Slices of the batch whose patches fill about `_CACHE` bytes."""
    per_image = int(np.prod(windows.shape[1:])) * windows.itemsize
    images = max(_CACHE // max(per_image, 1), 1)
    for start in range(0, len(windows), images):
        yield slice(start, start + images)


def _patches(windows):
    """The windows copied into the rows of a matrix (M, KH KW C)."""
    return windows.reshape(-1, int(np.prod(windows.shape[3:])))


def _scatter(dpatches, dpadded, strides, dilation):
    """Add each window's adjoint (N, OH, OW, KH, KW, C) to the pixels it was read from."""
    N, OH, OW, KH, KW, C = dpatches.shape
    for a in range(KH):
        for b in range(KW):
            p, q = a * dilation[0], b * dilation[1]
            rows = slice(p, p + (OH - 1) * strides[0] + 1, strides[0])
            columns = slice(q, q + (OW - 1) * strides[1] + 1, strides[1])
            dpadded[:, rows, columns] += dpatches[:, :, :, a, b]


def _pad(x, padding):
    if padding == ((0, 0), (0, 0)):
        return x
    return np.pad(x, ((0, 0), *padding, (0, 0)))
