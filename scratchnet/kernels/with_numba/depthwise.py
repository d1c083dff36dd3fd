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


def forward(x, kernel, bias, strides, padding, dilation, relu=False):
    N, H, W, C = x.shape
    KH, KW, _, F = kernel.shape
    z = np.empty((N, *window_counts((H, W), (KH, KW), strides, padding, dilation), F), x.dtype)
    bias = np.zeros(F, x.dtype) if bias is None else plain(bias)
    _forward(_repeated(x, F), plain(kernel).reshape(KH, KW, F), bias, relu, _geometry(strides, padding, dilation), z)
    return z


def dx(dz, kernel, x_shape, strides, padding, dilation):
    KH, KW, _, F = kernel.shape
    dz, dx = plain(dz), np.zeros((*x_shape[:3], F), dz.dtype)
    kernel, geometry = plain(kernel).reshape(KH, KW, F), _geometry(strides, padding, dilation)
    _backward(dz, dz, False, dx, kernel, geometry, dx, np.empty((0, KW, F), dz.dtype), np.empty(0, dz.dtype))
    return _not_repeated(dx, x_shape)


def dkernel(dz, x, kernel_shape, strides, padding, dilation):
    nothing = np.empty(kernel_shape, dz.dtype)
    return backward(dz, x, nothing, strides, padding, dilation, needs_dx=False)[1]


def backward(dy, x, kernel, strides, padding, dilation, needs_dx=True, relu_output=None):
    """``dx, dkernel, dbias``, as `conv2d_backward`."""
    KH, KW, _, F = kernel.shape
    dy, repeated = plain(dy), _repeated(x, F)
    dx = np.zeros(repeated.shape, dy.dtype) if needs_dx else repeated[:0]
    dkernel, dbias = np.zeros((KH, KW, F), dy.dtype), np.zeros(F, dy.dtype)
    relu, y = relu_output is not None, dy if relu_output is None else plain(relu_output)
    kernel, geometry = plain(kernel).reshape(KH, KW, F), _geometry(strides, padding, dilation)
    _backward(dy, y, relu, repeated, kernel, geometry, dx, dkernel, dbias)
    return _not_repeated(dx, x.shape) if needs_dx else None, dkernel.reshape(KH, KW, 1, F), dbias


def _repeated(x, F):
    return plain(x) if x.shape[3] == F else np.repeat(x, F // x.shape[3], axis=3)


def _not_repeated(dx, x_shape):
    return dx if dx.shape[3] == x_shape[3] else dx.reshape(*x_shape, -1).sum(axis=4)


def _geometry(strides, padding, dilation):
    """(SH, SW, DH, DW, top, left)"""
    (top, _), (left, _) = padding
    return tuple(int(k) for k in (*strides, *dilation, top, left))


@njit(inner=True)
def _columns(OW, F, SW):
    """How many columns of z are computed in one loop."""
    return max(1, min(OW, _RUN // F)) if SW == 1 else 1


@njit(inner=True)
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


@njit(inner=True)
def _met(first, last, W, SW, shift):
    """Of the columns of z from `first` to `last`, those that meet a column of x: ``q = j SW + shift`` is in 0..W-1."""
    while first < last and first * SW + shift < 0:
        first += 1
    while first < last and (last - 1) * SW + shift >= W:
        last -= 1
    return first, last


@njit
def _forward(x, kernel, bias, relu, geometry, z):
    SH, SW, DH, DW, top, left = geometry
    _, H, W, _ = x.shape
    N, OH, OW, F = z.shape
    KH, KW, _ = kernel.shape
    columns, zero = _columns(OW, F, SW), z.dtype.type(0)
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
            if relu:
                for k in range(z_ni.size):
                    z_ni[k] = max(z_ni[k], zero)


@njit
def _backward(dy, y, relu, x, kernel, geometry, dx, dkernel, dbias):
    """dx += what comes back of dz; dkernel and dbias += theirs; nothing of what has no rows."""
    SH, SW, DH, DW, top, left = geometry
    _, H, W, _ = x.shape
    N, OH, OW, F = dy.shape
    KH, KW, _ = kernel.shape
    needs_dx, needs_weights, zero = len(dx) > 0, len(dkernel) > 0, dy.dtype.type(0)
    columns = _columns(OW, F, SW)
    kernels = _laid_out(kernel, columns)
    dkernels = np.zeros(kernels.shape, dy.dtype)
    slopes = np.empty(OW * F, dy.dtype)
    for n in range(N):
        for i in range(OH):
            dz_ni, y_ni = dy[n, i].reshape(-1), y[n, i].reshape(-1)
            if relu:  # dz is dy where y > 0, else 0
                for k in range(slopes.size):
                    slopes[k] = dz_ni[k] if y_ni[k] > zero else zero
                dz_ni = slopes
            if needs_weights:
                for j in range(OW):
                    for f in range(F):
                        dbias[f] += dz_ni[j * F + f]
            for start in range(0, OW, columns):
                for a in range(KH):
                    p = i * SH + a * DH - top
                    if not 0 <= p < H:
                        continue
                    for b in range(KW):
                        shift = b * DW - left
                        j, last = _met(start, min(start + columns, OW), W, SW, shift)
                        run, first = dz_ni[j * F : last * F], (j * SW + shift) * F
                        if needs_weights:
                            dweights, pixels = dkernels[a, b], x[n, p].reshape(-1)[first:]
                            for k in range(run.size):
                                dweights[k] += pixels[k] * run[k]
                        if needs_dx:
                            weights, dpixels = kernels[a, b], dx[n, p].reshape(-1)[first:]
                            for k in range(run.size):
                                dpixels[k] += weights[k] * run[k]
    if needs_weights:
        for a in range(KH):
            for b in range(KW):
                for j in range(columns):
                    for f in range(F):
                        dkernel[a, b, f] += dkernels[a, b, j * F + f]
