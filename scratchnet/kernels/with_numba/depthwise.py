"""Depthwise convolution, a group for each channel: the channels are the innermost loop, as in pooling.

A channel that has M filters is first repeated M times, so that channel and filter are one axis; the kernel is
(KH, KW, 1, C M). `scratchnet.kernels.loops.convolution` documents it, like every convolution.

With few channels a loop over them is over before it is quick. But with a stride of 1 the columns of a row of z meet
columns of x that lie side by side as well. So the loop goes over several columns with all their channels, some `_RUN`
numbers, and the weights of a window's place are laid out as often beforehand.
"""

import numpy as np

from scratchnet.kernels.geometry import window_counts
from scratchnet.kernels.with_numba.compile import njit, plain

_RUN = 512  # numbers: of the nine places of a window, 18 KB of float32 weights, which stay in the nearest cache


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
def _columns(OW, F, SW):
    """How many columns of z are computed in one loop."""
    return max(1, min(OW, _RUN // F)) if SW == 1 else 1


@njit
def _laid_out(kernel, columns):
    """The kernel (KH, KW, F), the F weights of a place as often as there are columns."""
    KH, KW, F = kernel.shape
    repeated = np.empty((KH, KW, columns * F), kernel.dtype)
    for a in range(KH):
        for b in range(KW):
            for j in range(columns):
                for f in range(F):
                    repeated[a, b, j * F + f] = kernel[a, b, f]
    return repeated


@njit
def _met(first, last, W, SW, shift):
    """Of the columns of z from `first` to `last`, those that meet a column of x: ``q = j SW + shift`` is in 0..W-1."""
    while first < last and first * SW + shift < 0:
        first += 1
    while first < last and (last - 1) * SW + shift >= W:
        last -= 1
    return first, last


@njit
def _forward(x, kernel, bias, geometry, z):
    SH, SW, DH, DW, top, left = geometry
    _, H, W, _ = x.shape
    N, OH, OW, F = z.shape
    KH, KW, _ = kernel.shape
    columns = _columns(OW, F, SW)
    kernels = _laid_out(kernel, columns)
    for n in range(N):
        for i in range(OH):
            z_ni = z[n, i].reshape(-1)
            for j in range(OW):
                for f in range(F):
                    z_ni[j * F + f] = bias[f]
            for start in range(0, OW, columns):
                for a in range(KH):
                    p = i * SH + a * DH - top
                    if not 0 <= p < H:
                        continue
                    x_np = x[n, p].reshape(-1)
                    for b in range(KW):
                        shift = b * DW - left
                        j, last = _met(start, min(start + columns, OW), W, SW, shift)
                        run, weights = z_ni[j * F : last * F], kernels[a, b]
                        pixels = x_np[(j * SW + shift) * F :]
                        for k in range(run.size):
                            run[k] += pixels[k] * weights[k]


@njit
def _dx(dz, kernel, geometry, dx):
    SH, SW, DH, DW, top, left = geometry
    _, H, W, _ = dx.shape
    N, OH, OW, F = dz.shape
    KH, KW, _ = kernel.shape
    columns = _columns(OW, F, SW)
    kernels = _laid_out(kernel, columns)
    for n in range(N):
        for i in range(OH):
            dz_ni = dz[n, i].reshape(-1)
            for start in range(0, OW, columns):
                for a in range(KH):
                    p = i * SH + a * DH - top
                    if not 0 <= p < H:
                        continue
                    dx_np = dx[n, p].reshape(-1)
                    for b in range(KW):
                        shift = b * DW - left
                        j, last = _met(start, min(start + columns, OW), W, SW, shift)
                        run, weights = dz_ni[j * F : last * F], kernels[a, b]
                        pixels = dx_np[(j * SW + shift) * F :]
                        for k in range(run.size):
                            pixels[k] += weights[k] * run[k]


@njit
def _dkernel(dz, x, geometry, dkernel):
    SH, SW, DH, DW, top, left = geometry
    _, H, W, _ = x.shape
    N, OH, OW, F = dz.shape
    KH, KW, _ = dkernel.shape
    columns = _columns(OW, F, SW)
    dkernels = np.zeros((KH, KW, columns * F), dz.dtype)  # of the kernel as it is laid out
    for n in range(N):
        for i in range(OH):
            dz_ni = dz[n, i].reshape(-1)
            for start in range(0, OW, columns):
                for a in range(KH):
                    p = i * SH + a * DH - top
                    if not 0 <= p < H:
                        continue
                    x_np = x[n, p].reshape(-1)
                    for b in range(KW):
                        shift = b * DW - left
                        j, last = _met(start, min(start + columns, OW), W, SW, shift)
                        run, dweights = dz_ni[j * F : last * F], dkernels[a, b]
                        pixels = x_np[(j * SW + shift) * F :]
                        for k in range(run.size):
                            dweights[k] += pixels[k] * run[k]
    for a in range(KH):
        for b in range(KW):
            for j in range(columns):
                for f in range(F):
                    dkernel[a, b, f] += dkernels[a, b, j * F + f]
