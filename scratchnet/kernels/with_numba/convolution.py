"""Convolution: the same two moves as `scratchnet.kernels.with_numpy.convolution`, of which only the second is compiled.

The products are BLAS's. Copying windows out of an image is left to NumPy, whose strided copy moves whole runs of
neighbours: compiled loops were never faster, and with few channels half as fast. Adding windows back into an image is
another matter. NumPy makes one pass over all windows for each place in them; here the runs that overlap are added while
they are in the first-level cache.

Cost: one addition, one read and one write in cache, for each of the KH KW C values of a window.
"""

import functools

from scratchnet.kernels.with_numba.compile import njit
from scratchnet.kernels.with_numpy import convolution as with_numpy


def add_windows(values, framed, strides, dilation):
    """As `with_numpy.convolution.add_windows`, for its two ways round in memory: pixels of channels, or planes."""
    if values.flags.c_contiguous and framed.flags.c_contiguous:
        _add_pixels(values, *strides, *dilation, framed)
    else:
        _add_planes(values.transpose(3, 4, 5, 0, 1, 2), *strides, *dilation, framed.transpose(3, 0, 1, 2))


conv2d_forward = functools.partial(with_numpy.conv2d_forward, add=add_windows)
conv2d_backward = functools.partial(with_numpy.conv2d_backward, add=add_windows)


@njit
def _add_pixels(values, SH, SW, DH, DW, framed):
    N, OH, OW, KH, KW, C = values.shape
    run = KW if DW == 1 else 1  # columns of the window that are neighbours in the image
    windows = values.reshape(N, OH, OW, KH, KW * C)
    rows = framed.reshape(N, framed.shape[1], framed.shape[2] * C)
    for n in range(N):
        for i in range(OH):
            for j in range(OW):
                for a in range(KH):
                    for b in range(0, KW, run):
                        q = j * SW + b * DW
                        source = windows[n, i, j, a, b * C : (b + run) * C]
                        target = rows[n, i * SH + a * DH, q * C : (q + run) * C]
                        for c in range(run * C):
                            target[c] += source[c]


@njit
def _add_planes(values, SH, SW, DH, DW, framed):
    KH, KW, C, N, OH, OW = values.shape
    for c in range(C):
        for n in range(N):
            for i in range(OH):
                for a in range(KH):
                    for b in range(KW):
                        source = values[a, b, c, n, i]
                        target = framed[c, n, i * SH + a * DH, b * DW :]
                        if SW == 1:  # said apart, because the compiler then knows neighbours from strangers
                            for j in range(OW):
                                target[j] += source[j]
                        else:
                            for j in range(OW):
                                target[j * SW] += source[j]
