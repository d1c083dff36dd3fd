"""Depthwise convolution, a group for each channel: one place of the window after the other, for all windows at once.

It contains no matrix product: each channel has a kernel of its own and is multiplied with that only. A channel that has
M filters is first repeated M times, so that channel and filter are one axis; the kernel is (KH, KW, 1, C M).

Cost: 2 N OH OW KH KW C M floating-point operations for each of z, dx and dkernel, and as many numbers moved.
"""

import numpy as np

from scratchnet.kernels.geometry import window_counts


def forward(x, kernel, bias, strides, padding, dilation):
    N, H, W, C = x.shape
    KH, KW, _, F = kernel.shape
    OH, OW = window_counts((H, W), (KH, KW), strides, padding, dilation)
    padded = _padded(np.repeat(x, F // C, axis=3), padding)
    z = np.zeros((N, OH, OW, F), x.dtype)
    for a, b, place in _places(kernel.shape, (OH, OW), strides, dilation):
        z += padded[place] * kernel[a, b, 0]
    return z if bias is None else np.add(z, bias, out=z)


def dx(dz, kernel, x_shape, strides, padding, dilation):
    N, H, W, C = x_shape
    F = kernel.shape[3]
    (top, bottom), (left, right) = padding
    dpadded = np.zeros((N, H + top + bottom, W + left + right, F), dz.dtype)
    for a, b, place in _places(kernel.shape, dz.shape[1:3], strides, dilation):
        dpadded[place] += dz * kernel[a, b, 0]  # z += padded kernel
    dx = dpadded[:, top : top + H, left : left + W]
    return np.ascontiguousarray(dx) if F == C else dx.reshape(N, H, W, C, -1).sum(axis=4)  # x was repeated


def dkernel(dz, x, kernel_shape, strides, padding, dilation):
    C, F = x.shape[3], kernel_shape[3]
    padded = _padded(np.repeat(x, F // C, axis=3), padding)
    dkernel = np.empty(kernel_shape, dz.dtype)
    for a, b, place in _places(kernel_shape, dz.shape[1:3], strides, dilation):
        dkernel[a, b, 0] = np.einsum("nijf,nijf->f", padded[place], dz)  # z += padded kernel
    return dkernel


def _padded(x, padding):
    return np.pad(x, ((0, 0), *padding, (0, 0)))


def _places(kernel_shape, output_size, strides, dilation):
    """For each element (a, b) of the window, where all windows have it: ``(a, b, index of the padded image)``."""
    for a in range(kernel_shape[0]):
        for b in range(kernel_shape[1]):
            starts = a * dilation[0], b * dilation[1]
            spans = [slice(s, s + (n - 1) * step + 1, step) for s, n, step in zip(starts, output_size, strides)]
            yield a, b, (slice(None), *spans)
