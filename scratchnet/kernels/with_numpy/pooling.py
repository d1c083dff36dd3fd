"""Pooling, one element of the window at a time: each is a strided view of the image, with the shape of the output.

A window of KH x KW takes KH KW passes over the output; each pass is a plain vectorised operation.
"""

import numpy as np

from scratchnet.kernels.geometry import window_counts


def max_pool2d_forward(x, pool_size, strides, padding):
    OH, OW = window_counts(x.shape[1:3], pool_size, strides, padding)
    views = list(_views(_pad(x, padding, -np.inf), pool_size, strides, OH, OW))
    y = views[0].copy()
    for view in views[1:]:
        np.maximum(y, view, out=y)  # NaN wins
    # Where the maximum was: as many places as come before the first that equals it. Padding may equal it, too, in a
    # window of minus infinities, but is never chosen.
    inside = _views(_pad(np.ones((1, *x.shape[1:3], 1), bool), padding, False), pool_size, strides, OH, OW)
    argmax = np.zeros(y.shape, np.uint8 if len(views) <= 256 else np.int32)
    found = np.zeros(y.shape, bool)
    for view, is_inside in zip(views[:-1], inside):
        found |= ((view == y) | np.isnan(view)) & is_inside
        argmax += ~found
    return y, argmax


def max_pool2d_backward(dy, argmax, x_shape, pool_size, strides, padding):
    N, OH, OW, C = dy.shape
    bits = dy.view(f"i{dy.itemsize}")  # to be multiplied in place of dy, since 0 * inf is NaN
    dpadded = np.zeros(_padded_shape(x_shape, padding), dy.dtype)
    for place, view in enumerate(_views(dpadded, pool_size, strides, OH, OW)):
        view += (bits * (argmax == place)).view(dy.dtype)
    return _unpad(dpadded, x_shape, padding)


def average_pool2d_forward(x, pool_size, strides, padding):
    OH, OW = window_counts(x.shape[1:3], pool_size, strides, padding)
    padded = _pad(x, padding, 0)
    y = np.zeros((x.shape[0], OH, OW, x.shape[3]), x.dtype)
    for view in _views(padded, pool_size, strides, OH, OW):
        y += view
    y /= _counts(x.shape, pool_size, strides, padding, OH, OW, x.dtype)
    return y


def average_pool2d_backward(dy, x_shape, pool_size, strides, padding):
    N, OH, OW, C = dy.shape
    dtotal = dy / _counts(x_shape, pool_size, strides, padding, OH, OW, dy.dtype)  # y = total / count
    dpadded = np.zeros(_padded_shape(x_shape, padding), dy.dtype)
    for view in _views(dpadded, pool_size, strides, OH, OW):
        view += dtotal
    return _unpad(dpadded, x_shape, padding)


def _views(padded, pool_size, strides, OH, OW):
    """One view (N, OH, OW, C) for each element of the window, in order: that element in all windows."""
    for a in range(pool_size[0]):
        for b in range(pool_size[1]):
            rows = slice(a, a + (OH - 1) * strides[0] + 1, strides[0])
            columns = slice(b, b + (OW - 1) * strides[1] + 1, strides[1])
            yield padded[:, rows, columns]


def _counts(x_shape, pool_size, strides, padding, OH, OW, dtype):
    """How many elements of each window lie inside the image: (1, OH, OW, 1)."""
    inside = _pad(np.ones((1, *x_shape[1:3], 1), dtype), padding, 0)
    return sum(_views(inside, pool_size, strides, OH, OW))


def _pad(x, padding, value):
    if padding == ((0, 0), (0, 0)):
        return x
    return np.pad(x, ((0, 0), *padding, (0, 0)), constant_values=value)


def _padded_shape(x_shape, padding):
    N, H, W, C = x_shape
    return N, H + sum(padding[0]), W + sum(padding[1]), C


def _unpad(dpadded, x_shape, padding):
    if padding == ((0, 0), (0, 0)):
        return dpadded
    (top, _), (left, _) = padding
    return np.ascontiguousarray(dpadded[:, top : top + x_shape[1], left : left + x_shape[2]])
