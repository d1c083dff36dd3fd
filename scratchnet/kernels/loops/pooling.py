"""Max and average pooling as they are defined: each window of each channel by itself."""

import numpy as np

from scratchnet.kernels.geometry import window_counts


def max_pool2d_forward(x, pool_size, strides, padding):
    """The largest value of each window, and where it was: ``(y, argmax)``, both (N, OH, OW, C).

    Padding is never chosen. argmax numbers the elements of the window row by row. The first of several equal values
    wins, and NaN wins over any number.
    """
    N, H, W, C = x.shape
    y = np.empty((N, *window_counts(x.shape[1:3], pool_size, strides, padding), C), x.dtype)
    argmax = np.empty(y.shape, np.int32)
    for n, i, j, c in np.ndindex(*y.shape):  # each window
        best, place = None, 0
        for a in range(pool_size[0]):
            for b in range(pool_size[1]):
                p = i * strides[0] + a - padding[0][0]
                q = j * strides[1] + b - padding[1][0]
                if not (0 <= p < H and 0 <= q < W):
                    continue  # padding is never chosen
                value = x[n, p, q, c]
                # Later equal values do not win; NaN wins over numbers, and then stays.
                if best is None or value > best or (np.isnan(value) and not np.isnan(best)):
                    best, place = value, a * pool_size[1] + b
        y[n, i, j, c], argmax[n, i, j, c] = best, place
    return y, argmax


def max_pool2d_backward(dy, argmax, x_shape, pool_size, strides, padding):
    """dx of `max_pool2d_forward`: each dy goes to the element that was chosen; where windows overlap, they add up."""
    dx = np.zeros(x_shape, dy.dtype)
    for n, i, j, c in np.ndindex(*dy.shape):
        a, b = divmod(argmax[n, i, j, c], pool_size[1])
        p = i * strides[0] + a - padding[0][0]
        q = j * strides[1] + b - padding[1][0]
        dx[n, p, q, c] += dy[n, i, j, c]
    return dx


def average_pool2d_forward(x, pool_size, strides, padding):
    """The mean of each window (N, OH, OW, C); elements outside of the image do not count."""
    N, H, W, C = x.shape
    y = np.empty((N, *window_counts(x.shape[1:3], pool_size, strides, padding), C), x.dtype)
    for n, i, j, c in np.ndindex(*y.shape):
        rows, columns = _window(i, j, x.shape, pool_size, strides, padding)
        total = x.dtype.type(0)
        for p in rows:
            for q in columns:
                total += x[n, p, q, c]
        y[n, i, j, c] = total / (len(rows) * len(columns))
    return y


def average_pool2d_backward(dy, x_shape, pool_size, strides, padding):
    """dx of `average_pool2d_forward`: every element of a window receives dy / count."""
    dx = np.zeros(x_shape, dy.dtype)
    for n, i, j, c in np.ndindex(*dy.shape):
        rows, columns = _window(i, j, x_shape, pool_size, strides, padding)
        for p in rows:
            for q in columns:
                dx[n, p, q, c] += dy[n, i, j, c] / (len(rows) * len(columns))
    return dx


def _window(i, j, x_shape, pool_size, strides, padding):
    """The rows and the columns of the image under window (i, j)."""
    top = i * strides[0] - padding[0][0]
    left = j * strides[1] - padding[1][0]
    rows = range(max(top, 0), min(top + pool_size[0], x_shape[1]))
    columns = range(max(left, 0), min(left + pool_size[1], x_shape[2]))
    return rows, columns
