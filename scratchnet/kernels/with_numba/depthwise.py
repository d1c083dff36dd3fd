"""Depthwise convolution, a group for each channel: the channels are the innermost loop, as in pooling.

A channel that has M filters is first repeated M times, so that channel and filter are one axis; the kernel is
(KH, KW, 1, C M). `scratchnet.kernels.loops.convolution` documents it, like every convolution.
"""

import numpy as np

from scratchnet.kernels.geometry import window_counts
from scratchnet.kernels.with_numba.compile import njit, plain


def forward(x, kernel, bias, strides, padding, dilation):
    N, H, W, C = x.shape
    KH, KW, _, F = kernel.shape
    z = np.empty((N, *window_counts((H, W), (KH, KW), strides, padding, dilation), F), x.dtype)
    bias = np.zeros(F, x.dtype) if bias is None else plain(bias)
    _forward(_repeated(x, F), plain(kernel).reshape(KH, KW, F), bias, _geometry(strides, padding, dilation), z)
    return z


def dx(dz, kernel, x_shape, strides, padding, dilation):
    KH, KW, _, F = kernel.shape
    dx = np.zeros((*x_shape[:3], F), dz.dtype)
    _dx(plain(dz), plain(kernel).reshape(KH, KW, F), _geometry(strides, padding, dilation), dx)
    return dx if F == x_shape[3] else dx.reshape(*x_shape, -1).sum(axis=4)  # x was repeated


def dkernel(dz, x, kernel_shape, strides, padding, dilation):
    KH, KW, _, F = kernel_shape
    dkernel = np.zeros((KH, KW, F), dz.dtype)
    _dkernel(plain(dz), _repeated(x, F), _geometry(strides, padding, dilation), dkernel)
    return dkernel.reshape(kernel_shape)


def _repeated(x, F):
    return plain(x) if x.shape[3] == F else np.repeat(x, F // x.shape[3], axis=3)


def _geometry(strides, padding, dilation):
    """(SH, SW, DH, DW, top, left)"""
    (top, _), (left, _) = padding
    return tuple(int(k) for k in (*strides, *dilation, top, left))


@njit
def _forward(x, kernel, bias, geometry, z):
    SH, SW, DH, DW, top, left = geometry
    _, H, W, _ = x.shape
    N, OH, OW, F = z.shape
    KH, KW, _ = kernel.shape
    for n in range(N):
        for i in range(OH):
            for j in range(OW):
                z_nij = z[n, i, j]
                for f in range(F):
                    z_nij[f] = bias[f]
                for a in range(KH):
                    p = i * SH + a * DH - top
                    for b in range(KW):
                        q = j * SW + b * DW - left
                        if 0 <= p < H and 0 <= q < W:
                            x_pq, kernel_ab = x[n, p, q], kernel[a, b]
                            for f in range(F):
                                z_nij[f] += x_pq[f] * kernel_ab[f]


@njit
def _dx(dz, kernel, geometry, dx):
    SH, SW, DH, DW, top, left = geometry
    _, H, W, _ = dx.shape
    N, OH, OW, F = dz.shape
    KH, KW, _ = kernel.shape
    for n in range(N):
        for i in range(OH):
            for j in range(OW):
                dz_nij = dz[n, i, j]
                for a in range(KH):
                    p = i * SH + a * DH - top
                    for b in range(KW):
                        q = j * SW + b * DW - left
                        if 0 <= p < H and 0 <= q < W:
                            dx_pq, kernel_ab = dx[n, p, q], kernel[a, b]
                            for f in range(F):
                                dx_pq[f] += kernel_ab[f] * dz_nij[f]


@njit
def _dkernel(dz, x, geometry, dkernel):
    SH, SW, DH, DW, top, left = geometry
    _, H, W, _ = x.shape
    N, OH, OW, F = dz.shape
    KH, KW, _ = dkernel.shape
    for n in range(N):
        for i in range(OH):
            for j in range(OW):
                dz_nij = dz[n, i, j]
                for a in range(KH):
                    p = i * SH + a * DH - top
                    for b in range(KW):
                        q = j * SW + b * DW - left
                        if 0 <= p < H and 0 <= q < W:
                            x_pq, dkernel_ab = x[n, p, q], dkernel[a, b]
                            for f in range(F):
                                dkernel_ab[f] += x_pq[f] * dz_nij[f]
