"""Convolution as it is defined: six nested loops, of which backward reverses every assignment.

Deep-learning libraries call this convolution; strictly it is a cross-correlation, since the kernel is not flipped.
"""

import numpy as np

from scratchnet.kernels.geometry import window_counts


def conv2d_forward(x, kernel, bias, strides, padding, dilation, relu=False):
    """``y[n, i, j, f] = bias[f] + sum over a, b, c of x[n, i S + a dil, j S + b dil, c] kernel[a, b, c, f]``.

    x (N, H, W, C), kernel (KH, KW, C, F), bias (F,) or None -> y (N, OH, OW, F); x counts as 0 outside.
    """
    N, H, W, C = x.shape
    KH, KW, _, F = kernel.shape
    OH, OW = window_counts((H, W), (KH, KW), strides, padding, dilation)
    y = np.zeros((N, OH, OW, F), x.dtype)
    for n in range(N):  # each image
        for i in range(OH):  # each window
            for j in range(OW):
                for f in range(F):  # each filter
                    total = x.dtype.type(0) if bias is None else bias[f]
                    for a in range(KH):  # each element under the window that lies inside the image
                        for b in range(KW):
                            p = i * strides[0] + a * dilation[0] - padding[0][0]
                            q = j * strides[1] + b * dilation[1] - padding[1][0]
                            if 0 <= p < H and 0 <= q < W:
                                for c in range(C):
                                    total += x[n, p, q, c] * kernel[a, b, c, f]
                    y[n, i, j, f] = max(total, x.dtype.type(0)) if relu else total
    return y


def conv2d_backward(dy, x, kernel, strides, padding, dilation, needs_dx=True, relu_output=None):
    """The adjoints of `conv2d_forward` for dy (N, OH, OW, F): ``(dx, dkernel, dbias)``, dx None without `needs_dx`."""
    N, H, W, C = x.shape
    KH, KW, _, F = kernel.shape
    _, OH, OW, _ = dy.shape
    dx = np.zeros(x.shape, x.dtype) if needs_dx else None
    dkernel = np.zeros(kernel.shape, kernel.dtype)
    dbias = np.zeros(F, kernel.dtype)
    for n in range(N):
        for i in range(OH):
            for j in range(OW):
                for f in range(F):
                    dtotal = dy[n, i, j, f]
                    if relu_output is not None and not relu_output[n, i, j, f] > 0:
                        continue  # the slope of relu is 0
                    dbias[f] += dtotal  # total = bias + ...
                    for a in range(KH):
                        for b in range(KW):
                            p = i * strides[0] + a * dilation[0] - padding[0][0]
                            q = j * strides[1] + b * dilation[1] - padding[1][0]
                            if 0 <= p < H and 0 <= q < W:
                                for c in range(C):  # total += x kernel
                                    dkernel[a, b, c, f] += x[n, p, q, c] * dtotal
                                    if needs_dx:
                                        dx[n, p, q, c] += kernel[a, b, c, f] * dtotal
    return dx, dkernel, dbias
