"""Windows of images as columns, and back: `unfold` is what a convolution multiplies its kernel with ("im2col").

    unfold   (N, C, H, W) -> (N, C KH KW, L)    L windows, row by row
    fold     (N, C KH KW, L) -> (N, C, H, W)    adds the windows up where they overlap: the adjoint of unfold

Images have their channels first here, as in Keras.
"""

import math

import numpy as np

from scratchnet.ops.operation import operation, shape_of
from scratchnet.ops.selection import get_item
from scratchnet.ops.shapes import pad, reshape


def _pair(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def _counts(size, kernel, dilation, stride):
    """How many windows there are along the height and the width."""
    return [(n - d * (k - 1) - 1) // s + 1 for n, k, d, s in zip(size, kernel, dilation, stride)]


def _places(size, kernel, dilation, stride):
    """For each place (i, j) in the kernel, which pixels stand there, one for each window."""
    OH, OW = _counts(size, kernel, dilation, stride)
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            top, left = i * dilation[0], j * dilation[1]
            rows = slice(top, top + stride[0] * OH, stride[0])
            yield i, j, (..., rows, slice(left, left + stride[1] * OW, stride[1]))


def _gathered(x, size, kernel, dilation, stride):
    N, C, *_ = x.shape
    windows = np.empty((N, C, *kernel, *_counts(size, kernel, dilation, stride)), x.dtype)
    for i, j, pixels in _places(size, kernel, dilation, stride):
        windows[:, :, i, j] = x[pixels]
    return windows  # (N, C, KH, KW, OH, OW)


def _scattered(windows, size, kernel, dilation, stride):
    x = np.zeros((*windows.shape[:2], *size), windows.dtype)
    for i, j, pixels in _places(size, kernel, dilation, stride):
        x[pixels] += windows[:, :, i, j]
    return x


_OPTIONS = ("size", "kernel", "dilation", "stride")
_gather = operation(_gathered, "gather_windows", x=_scattered, options=_OPTIONS)
_scatter = operation(_scattered, "scatter_windows", windows=_gathered, options=_OPTIONS)


def _checked(name, size, kernel_size, dilation, padding, stride):
    """The options of both operations, and the margins, as pairs."""
    kernel, dilation, margin, stride = map(_pair, (kernel_size, dilation, padding, stride))
    if None in size:
        raise ValueError(f"{name}: the size of the images must be known, got {tuple(size)}")
    size = tuple(n + 2 * p for n, p in zip(size, margin))
    if min(_counts(size, kernel, dilation, stride)) < 1:
        raise ValueError(f"{name}: a window of {kernel}, dilation {dilation}, does not fit into {size}")
    return size, kernel, dilation, stride, margin


def unfold(x, kernel_size, dilation=1, padding=0, stride=1):
    """The windows of images x (N, C, H, W) as columns (N, C KH KW, L)."""
    N, C, *size = shape_of(x)
    *options, margin = _checked("unfold", size, kernel_size, dilation, padding, stride)
    if any(margin):
        x = pad(x, [(0, 0), (0, 0), *((p, p) for p in margin)])
    rows, columns = C * math.prod(options[1]), math.prod(_counts(*options))
    return reshape(_gather(x, *options), (-1 if N is None else N, rows, columns))


def fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Images (N, C, H, W) of `output_size` from columns x (N, C KH KW, L): what overlaps is added."""
    N, rows, L = shape_of(x)
    size, kernel, dilation, stride, margin = _checked(
        "fold", _pair(output_size), kernel_size, dilation, padding, stride
    )
    counts = _counts(size, kernel, dilation, stride)
    C, rest = divmod(rows, math.prod(kernel))
    if rest or math.prod(counts) != L:
        raise ValueError(f"fold: columns of shape {shape_of(x)} are not those of {counts} windows of {kernel}")
    windows = reshape(x, (-1 if N is None else N, C, *kernel, *counts))
    z = _scatter(windows, size, kernel, dilation, stride)
    return get_item(z, (..., *(slice(p, n - p) for p, n in zip(margin, size))))
