"""Convolution of sequences (N, T, C), images (N, H, W, C) and volumes (N, D, H, W, C) by the same functions.

A sequence is an image one pixel wide; volumes go by `scratchnet.kernels.volumes`. Strides, padding and dilation have an
entry for each axis of space.
"""

import numpy as np

from scratchnet import kernels
from scratchnet.kernels import volumes


def conv_forward(x, kernel, strides, padding, dilation, bias=None):
    """The convolution of `scratchnet.kernels.loops.convolution`."""
    if x.ndim == 5:
        z = volumes.conv3d_forward(x, kernel, strides, padding, dilation)
        return z if bias is None else z + bias
    if x.ndim == 4:
        return kernels.conv2d_forward(x, kernel, bias, strides, padding, dilation)
    geometry = (*strides, 1), (*padding, (0, 0)), (*dilation, 1)
    return kernels.conv2d_forward(x[:, :, np.newaxis], kernel[:, np.newaxis], bias, *geometry)[:, :, 0]


def conv_dx(dz, kernel, x_shape, strides, padding, dilation):
    """Its adjoint in x."""
    if dz.ndim == 5:
        return volumes.conv3d_dx(dz, kernel, x_shape, strides, padding, dilation)
    if dz.ndim == 4:
        return kernels.conv2d_dx(dz, kernel, x_shape, strides, padding, dilation)
    geometry = (*strides, 1), (*padding, (0, 0)), (*dilation, 1)
    N, T, C = x_shape
    return kernels.conv2d_dx(dz[:, :, np.newaxis], kernel[:, np.newaxis], (N, T, 1, C), *geometry)[:, :, 0]


def conv_dkernel(dz, x, kernel_shape, strides, padding, dilation):
    """Its adjoint in the kernel."""
    if dz.ndim == 5:
        return volumes.conv3d_dkernel(dz, x, kernel_shape, strides, padding, dilation)
    if dz.ndim == 4:
        return kernels.conv2d_dkernel(dz, x, kernel_shape, strides, padding, dilation)
    geometry = (*strides, 1), (*padding, (0, 0)), (*dilation, 1)
    K, *rest = kernel_shape
    return kernels.conv2d_dkernel(dz[:, :, np.newaxis], x[:, :, np.newaxis], (K, 1, *rest), *geometry)[:, 0]


def conv_dweights(dz, x, kernel_shape, strides, padding, dilation):
    """Its adjoints in the kernel and in the bias, ``dkernel, dbias``: in one pass, if the backend can do that."""
    geometry = strides, padding, dilation
    if dz.ndim == 5 or kernels.conv2d_backward is None:
        rows = dz.reshape(-1, dz.shape[-1])
        return conv_dkernel(dz, x, kernel_shape, *geometry), np.ones(len(rows), dz.dtype) @ rows
    kernel = np.empty(kernel_shape, x.dtype)  # which only dx would read
    if dz.ndim == 4:
        return kernels.conv2d_backward(dz, x, kernel, *geometry, needs_dx=False)[1:]
    geometry = (*strides, 1), (*padding, (0, 0)), (*dilation, 1)
    images = dz[:, :, np.newaxis], x[:, :, np.newaxis], kernel[:, np.newaxis]
    _, dkernel, dbias = kernels.conv2d_backward(*images, *geometry, needs_dx=False)
    return dkernel[:, 0], dbias
