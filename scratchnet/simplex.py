"""Activation functions that make the numbers along an axis positive, with the sum 1, each beside its derivative.

They are what `scratchnet.activations` puts into its table: y = f(z, out), and dz = gradient(dy, y). log_softmax is the
logarithm of one; sparsemax has true zeros (Martins and Astudillo, "From softmax to sparsemax", 2016).
"""

import numpy as np


def softmax(z, out=None, axis=-1):
    y = np.exp(z - z.max(axis=axis, keepdims=True), out=out)  # the shift changes nothing and avoids overflow
    return np.divide(y, y.sum(axis=axis, keepdims=True), out=y)


def softmax_gradient(dy, y, axis=-1):
    return y * (dy - (dy * y).sum(axis=axis, keepdims=True))  # J = diag(y) - y y^T


def log_softmax(z, out=None, axis=-1):
    shifted = z - z.max(axis=axis, keepdims=True)
    return np.subtract(shifted, np.log(np.exp(shifted).sum(axis=axis, keepdims=True)), out=out)


def log_softmax_gradient(dy, y, axis=-1):
    return dy - np.exp(y) * dy.sum(axis=axis, keepdims=True)


def sparsemax(z, out=None, axis=-1):
    """The nearest point of the simplex: ``max(z - t, 0)``, with the t for which the sum is 1."""
    descending = -np.sort(-z, axis=axis)
    k = np.arange(1, z.shape[axis] + 1, dtype=z.dtype).reshape([-1 if a == axis % z.ndim else 1 for a in range(z.ndim)])
    excess = np.cumsum(descending, axis=axis) - 1
    count = (descending * k > excess).sum(axis=axis, keepdims=True)
    t = np.take_along_axis(excess, count - 1, axis=axis) / count.astype(z.dtype)
    return np.maximum(z - t, 0, out=out)


def sparsemax_gradient(dy, y, axis=-1):
    chosen = y > 0
    mean = (dy * chosen).sum(axis=axis, keepdims=True) / chosen.sum(axis=axis, keepdims=True, dtype=dy.dtype)
    return chosen * (dy - mean)
