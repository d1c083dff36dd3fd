"""Softmax of rows, vectorised."""

import numpy as np

from scratchnet.kernels.loops.softmax import HIDDEN


def softmax_forward(z, scale, may=None):
    y = z * z.dtype.type(scale)
    if may is not None:
        y = np.where(may, y, y.dtype.type(HIDDEN))
    y -= y.max(axis=1, keepdims=True)
    np.exp(y, out=y)
    y /= y.sum(axis=1, keepdims=True)
    return y


def softmax_backward(dy, y, scale):
    dz = dy * y
    along = dz.sum(axis=1, keepdims=True)
    np.subtract(dy, along, out=dz)
    dz *= y
    dz *= y.dtype.type(scale)
    return dz
