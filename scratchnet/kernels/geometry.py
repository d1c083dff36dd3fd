"""Sizes and paddings of windows that slide over an image, per axis, as Keras (and TensorFlow) count them.

What layers ask for at every step, for the same few shapes, is kept.
"""

import functools
import math

_SHAPES = 512  # of which the answers are kept


def output_size(size, kernel, stride, padding, dilation=1):
    """How many windows of `kernel` elements fit on an axis of `size`; None where the size is unknown.

    "valid": only windows inside the image, ``ceil((size - extent + 1) / stride)``, with
    ``extent = (kernel - 1) dilation + 1``.
    "same": ``ceil(size / stride)``.
    """
    if size is None:
        return None
    if padding == "same":
        return -(-size // stride)
    return max(-(-(size - _extent(kernel, dilation) + 1) // stride), 0)


def pad_amounts(size, kernel, stride, padding, dilation=1):
    """``(before, after)``: how many elements to add to an axis of `size`; of an odd total, the end gets one more."""
    if padding == "valid":
        return 0, 0
    covered = (output_size(size, kernel, stride, "same") - 1) * stride + _extent(kernel, dilation)
    total = max(covered - size, 0)
    return total // 2, total - total // 2


@functools.lru_cache(maxsize=_SHAPES)
def paddings(sizes, kernel_size, strides, padding, dilation=None):
    """`pad_amounts` for each axis, ``((top, bottom), (left, right))`` of an image; all arguments but one are tuples."""
    windows = zip(sizes, kernel_size, strides, dilation or (1,) * len(sizes))
    return tuple(pad_amounts(size, k, s, padding, d) for size, k, s, d in windows)


@functools.lru_cache(maxsize=_SHAPES)
def transposed(size, kernel, stride, padding, dilation=1, output_padding=None):
    """``(grown, (before, after))``: what an axis of `size` grows to, and the padding of the windows that lie on that.

    With `output_padding` it is what "valid" or "same" windows reach, and so many elements more. Raises ValueError where
    another number of windows would fit then.
    """
    extent = _extent(kernel, dilation)
    if output_padding is None:
        grown = size * stride + (max(extent - stride, 0) if padding == "valid" else 0)
    else:
        grown = (size - 1) * stride + (extent if padding == "valid" else extent % 2) + output_padding
    total = max((size - 1) * stride + extent - grown, 0)
    if (grown + total - extent) // stride + 1 != size:
        raise ValueError(f"output_padding {output_padding} must be less than the stride {stride}")
    return grown, (total // 2, total - total // 2)


def _extent(kernel, dilation):
    return (kernel - 1) * dilation + 1


def adaptive_windows(size, count):
    """``[(begin, end), ...]`` of `count` windows that cover an axis of `size`; neighbours meet, or share a place."""
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


@functools.lru_cache(maxsize=_SHAPES)
def window_counts(size, kernel_size, strides, padding, dilation=(1, 1)):
    """(OH, OW): how many windows fit into an image of `size` (H, W) with `padding` ((top, bottom), (left, right))."""
    reach = [(kernel_size[k] - 1) * dilation[k] for k in range(2)]
    return tuple((size[k] + sum(padding[k]) - reach[k] - 1) // strides[k] + 1 for k in range(2))


@functools.lru_cache(maxsize=_SHAPES)
def mirrored(padding, kernel_size, dilation):
    """The padding of dz for the backward pass at stride 1; negative where forward pads more than a window reaches."""
    reach = [(kernel_size[k] - 1) * dilation[k] for k in range(2)]
    return tuple((reach[k] - padding[k][0], reach[k] - padding[k][1]) for k in range(2))


def is_filter_of_sequences(kernel_shape, strides, dilation):
    """Whether a kernel (K, C, F) is of the kind whose compiled convolution takes the fewest multiplications.

    See `scratchnet.kernels.with_numba.sequences`, which says why: three to five elements, and channels and filters
    enough for the products to be worth the sums: with five elements 20, with three 32.
    """
    K, C, F = kernel_shape
    return 3 <= K <= 5 and K * min(C, F) >= 96 and max(*strides, *dilation) == 1


def is_cheaper_transposed(size, kernel_shape, strides, dilation):
    """Whether a convolution behind an upsampling by `size` is quicker as one transposed convolution.

    See `scratchnet.kernels.with_numba.upsampling`. It adds up what each pixel gives to its window, which takes longer
    than the multiplications where there are few channels, or more filters than channels.
    """
    KH, KW, C, F = kernel_shape
    return min(size) > 1 and min(KH, KW) >= 3 and max(*strides, *dilation) == 1 and C >= max(8, F)


def places(x):
    """(N, M, C), all places (steps, pixels, cells) one after the other."""
    N, *sizes, C = x.shape
    return x.reshape(N, math.prod(sizes), C)
