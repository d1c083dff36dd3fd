"""A grouped convolution, made of ordinary ones: each group of channels is computed by itself.

The arguments are those of `scratchnet.kernels.loops.convolution`, after the function that computes one group.
"""

import numpy as np


def group_count(channels, kernel_shape):
    """G, of `channels` of the image and a kernel (KH, KW, C / G, F)."""
    return channels // kernel_shape[2]


def forward(conv2d_forward, x, kernel, bias, *geometry):
    groups = group_count(x.shape[3], kernel.shape)
    biases = [None] * groups if bias is None else np.split(bias, groups)
    parts = zip(np.split(x, groups, axis=3), np.split(kernel, groups, axis=3), biases)
    return np.concatenate([conv2d_forward(*part, *geometry) for part in parts], axis=3)


def dx(conv2d_dx, dz, kernel, x_shape, *geometry):
    groups = group_count(x_shape[3], kernel.shape)
    shape = (*x_shape[:3], x_shape[3] // groups)
    parts = zip(np.split(dz, groups, axis=3), np.split(kernel, groups, axis=3))
    return np.concatenate([conv2d_dx(*part, shape, *geometry) for part in parts], axis=3)


def dkernel(conv2d_dkernel, dz, x, kernel_shape, *geometry):
    groups = group_count(x.shape[3], kernel_shape)
    shape = (*kernel_shape[:3], kernel_shape[3] // groups)
    parts = zip(np.split(dz, groups, axis=3), np.split(x, groups, axis=3))
    return np.concatenate([conv2d_dkernel(*part, shape, *geometry) for part in parts], axis=3)
