"""Activation functions made of straight lines (and one parabola), each beside its derivative.

They are what `scratchnet.activations` puts into its table, where the rules for their arguments stand: y = f(z, out),
and dz = gradient(dy, kept), where kept is y or z.

hard_tanh and hard_silu replace tanh and silu on machines that have no quick exponential (Howard et al., "Searching for
MobileNetV3", 2019); the shrinking functions set small values to 0, as wavelet denoising does (Donoho 1995),
and tanh_shrink does nearly so, without a corner;
sparse_plus and sparse_sigmoid are softplus and sigmoid with true zeros, as sparsemax is softmax (`scratchnet.simplex`).
"""

import numpy as np


def hard_tanh(z, out=None):
    return np.clip(z, -1, 1, out=out)


def hard_tanh_gradient(dy, z):
    return dy * ((z >= -1) & (z <= 1))


def hard_sigmoid(z, out=None):
    return np.clip(z / 6 + z.dtype.type(0.5), 0, 1, out=out)


def hard_sigmoid_gradient(dy, y):
    return dy * ((y > 0) & (y < 1)) / 6


def hard_silu(z, out=None):
    return np.multiply(z, np.clip(z / 6 + z.dtype.type(0.5), 0, 1), out=out)  # z hard_sigmoid(z)


def hard_silu_gradient(dy, z):
    return dy * np.where(np.abs(z) < 3, z / 3 + z.dtype.type(0.5), z > 0)


def hard_shrink(z, out=None, threshold=0.5):
    return np.multiply(z, np.abs(z) > threshold, out=out)


def soft_shrink(z, out=None, threshold=0.5):
    return np.subtract(z, np.clip(z, -threshold, threshold), out=out)


def shrink_gradient(dy, y, threshold=0.5):
    return dy * (y != 0)


def tanh_shrink(z, out=None):
    return np.subtract(z, np.tanh(z), out=out)


def tanh_shrink_gradient(dy, z):
    return dy * np.tanh(z) ** 2


def threshold(z, out=None, *, threshold=0.0, default_value=0.0):
    return np.add(np.where(z > threshold, z, z.dtype.type(default_value)), 0, out=out)


def threshold_gradient(dy, z, threshold=0.0, default_value=0.0):
    return dy * (z > threshold)


def sparse_sigmoid(z, out=None):
    return np.clip(z / 2 + z.dtype.type(0.5), 0, 1, out=out)


def sparse_sigmoid_gradient(dy, y):
    return dy * ((y > 0) & (y < 1)) / 2


def sparse_plus(z, out=None):
    return np.add(np.where(z < 1, np.clip(z + 1, 0, 2) ** 2 / 4, z), 0, out=out)


def sparse_plus_gradient(dy, z):
    return dy * sparse_sigmoid(z)
