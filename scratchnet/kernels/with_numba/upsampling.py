"""Nearest-neighbour upsampling: rows of channels are copied, so memory sets the pace, not arithmetic.

With a convolution behind it there is a better way than to copy. Upsampling by S spreads each pixel over S x S, which is
a transposed convolution with strides S and a kernel of ones. A convolution of stride 1 by W is a transposed one by W
turned round. One after the other they are a single transposed convolution with strides S, of K + S - 1 elements:

    z[n, S i + a - P, :] += x[n, i, :] V[a]        V[a] = sum over s < S of  W[K - 1 - (a - s)]      P = K - 1 - padding

and in two dimensions the same for rows and columns. So four outputs of a kernel of 3 x 3 behind an upsampling by 2 take
16 multiplications instead of 36, for each channel and filter, and no upsampled image is in memory. The adjoints are
those of a transposed convolution, and dW adds up what dV has where V has W. Entries of W are added before they meet a
pixel: where that is infinite, what comes out may be infinite instead of NaN.
"""

import numpy as np

from scratchnet.kernels.geometry import mirrored, window_counts
from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.convolution import conv2d_dkernel, conv2d_dx, conv2d_forward


def upsample2d_forward(x, size):
    N, H, W, C = x.shape
    y = np.empty((N, H * size[0], W * size[1], C), x.dtype)
    _repeat(plain(x), size[0], size[1], y)
    return y


def upsample2d_backward(dy, size):
    N, OH, OW, C = dy.shape
    dx = np.empty((N, OH // size[0], OW // size[1], C), dy.dtype)
    if tuple(size) == (2, 2):
        _sum_2x2(plain(dy), dx)
    else:
        _sum_blocks(plain(dy), size[0], size[1], dx)
    return dx


def upsample2d_conv2d_forward(x, size, kernel, bias, padding):
    """``conv2d_forward(upsample2d_forward(x, size), kernel, bias, (1, 1), padding, (1, 1))``."""
    N, H, W, C = x.shape
    KH, KW, _, F = kernel.shape
    V, geometry = _transposed(kernel, size, padding)
    OH, OW = window_counts((H * size[0], W * size[1]), (KH, KW), (1, 1), padding)
    z = conv2d_dx(x, V, (N, OH, OW, F), *geometry)
    if bias is not None:
        z += bias
    return z


def upsample2d_conv2d_backward(dz, x, size, kernel, padding, needs_dx=True):
    """The adjoint of `upsample2d_conv2d_forward`: ``dx, dkernel, dbias``, dx None without `needs_dx`."""
    V, geometry = _transposed(kernel, size, padding)
    dx = conv2d_forward(dz, V, None, *geometry) if needs_dx else None
    dV = conv2d_dkernel(x, dz, V.shape, *geometry)
    dkernel = np.zeros_like(kernel)
    for part in _places_of(dkernel, dV, size):
        dkernel += part
    rows = dz.reshape(-1, dz.shape[3])
    return dx, dkernel, np.ones(len(rows), dz.dtype) @ rows  # a product is quicker than a sum over rows


def _transposed(kernel, size, padding):
    """``V, (strides, padding, dilation)`` of the convolution whose adjoint is upsampling and convolution."""
    KH, KW, C, F = kernel.shape
    V = np.zeros((KH + size[0] - 1, KW + size[1] - 1, F, C), kernel.dtype)
    for place in _places_of(kernel, V, size):
        place += kernel
    return V, (tuple(size), mirrored(padding, (KH, KW), (1, 1)), (1, 1))


def _places_of(kernel, V, size):
    """Views of V, with the axes of the kernel: wherever it lies in V, for each pixel of a block."""
    KH, KW = kernel.shape[:2]
    for a in range(size[0]):
        for b in range(size[1]):
            yield V[a : a + KH, b : b + KW][::-1, ::-1].transpose(0, 1, 3, 2)


@njit
def _repeat(x, SH, SW, y):
    N, H, W, C = x.shape
    for n in range(N):
        for i in range(H):
            for a in range(SH):
                for j in range(W):
                    for b in range(SW):
                        for c in range(C):
                            y[n, i * SH + a, j * SW + b, c] = x[n, i, j, c]


@njit
def _sum_2x2(dy, dx):
    """`_sum_blocks` of the most common size, twice as fast: the sum of four stays in a register."""
    N, H, W, C = dx.shape
    for n in range(N):
        for i in range(H):
            for j in range(W):
                for c in range(C):
                    above = dy[n, 2 * i, 2 * j, c] + dy[n, 2 * i, 2 * j + 1, c]
                    below = dy[n, 2 * i + 1, 2 * j, c] + dy[n, 2 * i + 1, 2 * j + 1, c]
                    dx[n, i, j, c] = above + below


@njit
def _sum_blocks(dy, SH, SW, dx):
    N, H, W, C = dx.shape
    for n in range(N):
        for i in range(H):
            for j in range(W):
                for c in range(C):
                    dx[n, i, j, c] = dy[n, i * SH, j * SW, c]
                for a in range(SH):
                    for b in range(SW):
                        if a + b > 0:
                            for c in range(C):
                                dx[n, i, j, c] += dy[n, i * SH + a, j * SW + b, c]
