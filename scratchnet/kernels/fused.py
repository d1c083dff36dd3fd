"""A convolution, or x W + b, and the activation that follows it, in one pass if the backend can do that.

The functions say what is computed. A backend that can do it faster in one pass defines `conv2d_relu_forward` and
`conv2d_backward`, `affine_forward` and `affine_backward`. The compiled kernels do: bias and relu cost nothing while the
numbers are in the cache, and dx and dkernel need the same patches.
"""

import numpy as np

from scratchnet import kernels
from scratchnet.kernels.geometry import places


def conv2d_forward(x, kernel, bias, strides, padding, dilation, activation):
    """``y, kept = activation.forward(z)`` for ``z = kernels.conv2d_forward(x, kernel, bias, ...)``."""
    if activation.relu_limit is not None and kernels.conv2d_relu_forward is not None:
        y = kernels.conv2d_relu_forward(x, kernel, bias, strides, padding, dilation, activation.relu_limit)
        return y, y
    z = kernels.conv2d_forward(x, kernel, bias, strides, padding, dilation)
    return activation.forward(z, overwrite=True)


def conv2d_backward(dy, kept, x, kernel, strides, padding, dilation, activation, needs_dx=True, needs_weights=True):
    """The adjoint of `conv2d_forward`: ``dx, dkernel, dbias``; what is not needed is None."""
    geometry = strides, padding, dilation
    if kernels.conv2d_backward is not None and needs_weights:
        if is_relu(activation):
            return kernels.conv2d_backward(dy, x, kernel, *geometry, needs_dx, relu_output=kept)
        return kernels.conv2d_backward(activation.backward(dy, kept), x, kernel, *geometry, needs_dx)
    dz = activation.backward(dy, kept)  # y = f(z)
    dx = kernels.conv2d_dx(dz, kernel, x.shape, *geometry) if needs_dx else None  # z = x * kernel + bias
    if not needs_weights:
        return dx, None, None
    rows = dz.reshape(-1, dz.shape[-1])
    dbias = np.ones(len(rows), dz.dtype) @ rows  # a product is quicker than a sum over rows
    return dx, kernels.conv2d_dkernel(dz, x, kernel.shape, *geometry), dbias


def conv2d_mean_forward(x, kernel, bias, strides, padding, dilation, activation):
    """The mean of all pixels of `conv2d_forward`, (N, F)."""
    is_pixelwise = kernel.shape[:2] == strides == (1, 1) and not np.any(padding) and kernel.shape[2] == x.shape[3]
    y = None
    if is_pixelwise and kernels.affine_mean is not None:
        y = kernels.affine_mean(places(x), kernel.reshape(kernel.shape[2:]), bias, activation)
    if y is None:
        pixels, _ = conv2d_forward(x, kernel, bias, strides, padding, dilation, activation)
        y = kernels.global_average_forward(places(pixels))
    return y


def affine_forward(x, W, b, activation):
    """``y, kept = activation.forward(z)`` for ``z = x W + b``: (M, C), (C, F), and (F,) or None."""
    if kernels.affine_forward is not None:
        if activation.relu_limit is not None:
            y = kernels.affine_forward(x, W, b, True, activation.relu_limit)
            return y, y
        return activation.forward(kernels.affine_forward(x, W, b), overwrite=True)
    z = kernels.matmul(x, W)
    if b is not None:
        z += b
    return activation.forward(z, overwrite=True)


def affine_backward(dy, kept, x, W, activation, needs_dx=True, needs_weights=True):
    """The adjoint of `affine_forward`: ``dx, dW, db``; what is not needed is None."""
    if kernels.affine_backward is not None and needs_weights:
        if is_relu(activation):
            return kernels.affine_backward(dy, x, W, needs_dx, relu_output=kept)
        return kernels.affine_backward(activation.backward(dy, kept), x, W, needs_dx)
    dz = activation.backward(dy, kept)  # y = f(z)
    dx = kernels.matmul(dz, W.T) if needs_dx else None  # z = x W + b
    return (dx, kernels.matmul(x.T, dz), dz.sum(axis=0)) if needs_weights else (dx, None, None)


def is_relu(activation):
    """Whether `activation` is the plain relu, which kernels can include."""
    return activation.standard and activation.name == "relu"
