"""Convolution as it is defined, and its two adjoints: the same six nested loops, with the assignment turned round.

Deep-learning libraries call this convolution; strictly it is a cross-correlation, since the kernel is not flipped.

The channels may be divided into groups with filters of their own (Krizhevsky, Sutskever and Hinton, "ImageNet
classification with deep convolutional neural networks", 2012): the kernel has C / G input channels then, and that tells
how many groups there are. With a group for each channel, a kernel (KH, KW, 1, C M), it is a depthwise convolution.

`conv2d_dx` is also the transposed convolution (Zeiler et al., "Deconvolutional networks", 2010), which spreads each
number of a small image over a window of a large one; its adjoint is `conv2d_forward`.
"""

import numpy as np

from scratchnet.kernels.geometry import window_counts


def conv2d_forward(x, kernel, bias, strides, padding, dilation):
    """``z[n, i, j, f] = bias[f] + sum over a, b, c of x[n, i S + a E, j S + b E, c] kernel[a, b, c, f]``.

    x (N, H, W, C), kernel (KH, KW, C / G, F), bias (F,) or None -> z (N, OH, OW, F). S is the stride, E the dilation, c
    runs over the channels of f's group, and x, which begins `padding` before the first window's end, is 0 outside.
    """
    N, H, W, C = x.shape
    KH, KW, CG, F = kernel.shape  # CG: channels of a group
    OH, OW = window_counts((H, W), (KH, KW), strides, padding, dilation)
    z = np.zeros((N, OH, OW, F), x.dtype)
    for n in range(N):  # each image
        for i in range(OH):  # each window
            for j in range(OW):
                for f in range(F):  # each filter
                    first = f // (F * CG // C) * CG  # channel of the filter's group
                    total = x.dtype.type(0) if bias is None else bias[f]
                    for a in range(KH):  # each element under the window that lies inside the image
                        for b in range(KW):
                            p = i * strides[0] + a * dilation[0] - padding[0][0]
                            q = j * strides[1] + b * dilation[1] - padding[1][0]
                            if 0 <= p < H and 0 <= q < W:
                                for c in range(CG):
                                    total += x[n, p, q, first + c] * kernel[a, b, c, f]
                    z[n, i, j, f] = total
    return z


def conv2d_dx(dz, kernel, x_shape, strides, padding, dilation):
    """The adjoint of `conv2d_forward` in x: dx of shape `x_shape`, for dz (N, OH, OW, F)."""
    N, H, W, C = x_shape
    KH, KW, CG, F = kernel.shape
    _, OH, OW, _ = dz.shape
    dx = np.zeros(x_shape, dz.dtype)
    for n in range(N):
        for i in range(OH):
            for j in range(OW):
                for f in range(F):
                    first = f // (F * CG // C) * CG
                    for a in range(KH):
                        for b in range(KW):
                            p = i * strides[0] + a * dilation[0] - padding[0][0]
                            q = j * strides[1] + b * dilation[1] - padding[1][0]
                            if 0 <= p < H and 0 <= q < W:
                                for c in range(CG):  # z += x kernel
                                    dx[n, p, q, first + c] += kernel[a, b, c, f] * dz[n, i, j, f]
    return dx


def conv2d_dkernel(dz, x, kernel_shape, strides, padding, dilation):
    """The adjoint of `conv2d_forward` in the kernel: dkernel of shape `kernel_shape`, for dz (N, OH, OW, F)."""
    N, H, W, C = x.shape
    KH, KW, CG, F = kernel_shape
    _, OH, OW, _ = dz.shape
    dkernel = np.zeros(kernel_shape, dz.dtype)
    for n in range(N):
        for i in range(OH):
            for j in range(OW):
                for f in range(F):
                    first = f // (F * CG // C) * CG
                    for a in range(KH):
                        for b in range(KW):
                            p = i * strides[0] + a * dilation[0] - padding[0][0]
                            q = j * strides[1] + b * dilation[1] - padding[1][0]
                            if 0 <= p < H and 0 <= q < W:
                                for c in range(CG):  # z += x kernel
                                    dkernel[a, b, c, f] += x[n, p, q, first + c] * dz[n, i, j, f]
    return dkernel
