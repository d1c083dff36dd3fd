"""Convolution of volumes, by that of images: the depth of a window becomes channels.

    z[n, d, i, j, f] = sum over e, a, b, c of  x[n, S d + E e, S i + E a, S j + E b, c]  W[e, a, b, c, f]

For every output slice d the slices of x under its window stand behind one another along the channels; what is left is a
convolution of images with KD C channels. The adjoints go the same way back. With groups, the channels of a group stay
together, behind one another for all slices.

x (N, D, H, W, C), kernel (KD, KH, KW, C / G, F); strides, padding and dilation have an entry for each of D, H and W.
"""

import numpy as np

from scratchnet import kernels


def conv3d_forward(x, kernel, strides, padding, dilation):
    """z (N, OD, OH, OW, F)."""
    images, OD = _slices_as_channels(x, kernel.shape, strides, padding, dilation)
    z = kernels.conv2d_forward(images, _depth_as_channels(kernel), None, strides[1:], padding[1:], dilation[1:])
    return z.reshape(len(x), OD, *z.shape[1:])


def conv3d_dx(dz, kernel, x_shape, strides, padding, dilation):
    """The adjoint of `conv3d_forward` in x; also the transposed convolution."""
    N, D, H, W, C = x_shape
    KD, KH, KW, CG, F = kernel.shape
    OD = dz.shape[1]
    dimages = kernels.conv2d_dx(
        dz.reshape(N * OD, *dz.shape[2:]),
        _depth_as_channels(kernel),
        (N * OD, H, W, KD * C),
        strides[1:],
        padding[1:],
        dilation[1:],
    )
    dslices = dimages.reshape(N, OD, H, W, C // CG, KD, CG)
    framed = np.zeros((N, D + sum(padding[0]), H, W, C), dz.dtype)
    for e in range(KD):  # slice S d + E e of the framed volume stands at place e of window d
        at = slice(e * dilation[0], e * dilation[0] + (OD - 1) * strides[0] + 1, strides[0])
        framed[:, at] += dslices[..., e, :].reshape(N, OD, H, W, C)
    return framed[:, padding[0][0] : padding[0][0] + D]


def conv3d_dkernel(dz, x, kernel_shape, strides, padding, dilation):
    """The adjoint of `conv3d_forward` in the kernel."""
    KD, KH, KW, CG, F = kernel_shape
    images, OD = _slices_as_channels(x, kernel_shape, strides, padding, dilation)
    dkernel = kernels.conv2d_dkernel(
        dz.reshape(-1, *dz.shape[2:]), images, (KH, KW, KD * CG, F), strides[1:], padding[1:], dilation[1:]
    )
    return dkernel.reshape(KH, KW, KD, CG, F).transpose(2, 0, 1, 3, 4)


def _depth_as_channels(kernel):
    """(KD, KH, KW, CG, F) -> (KH, KW, KD CG, F)."""
    KD, KH, KW, CG, F = kernel.shape
    return np.ascontiguousarray(kernel.transpose(1, 2, 0, 3, 4)).reshape(KH, KW, KD * CG, F)


def _slices_as_channels(x, kernel_shape, strides, padding, dilation):
    """The images (N OD, H, W, KD C), and OD."""
    N, D, H, W, C = x.shape
    KD, KH, KW, CG, F = kernel_shape
    framed = np.pad(x, ((0, 0), padding[0], (0, 0), (0, 0), (0, 0)))
    OD = (framed.shape[1] - (KD - 1) * dilation[0] - 1) // strides[0] + 1
    under = np.arange(OD)[:, None] * strides[0] + np.arange(KD) * dilation[0]  # (OD, KD): which slices
    windows = framed[:, under].reshape(N, OD, KD, H, W, C // CG, CG)
    return windows.transpose(0, 1, 3, 4, 5, 2, 6).reshape(N * OD, H, W, KD * C), OD
