"""Nearest-neighbour upsampling: one copy through a view of the output as blocks."""

import numpy as np


def upsample2d_forward(x, size):
    N, H, W, C = x.shape
    y = np.empty((N, H, size[0], W, size[1], C), x.dtype)
    y[...] = x[:, :, None, :, None, :]
    return y.reshape(N, H * size[0], W * size[1], C)


def upsample2d_backward(dy, size):
    N, OH, OW, C = dy.shape
    blocks = dy.reshape(N, OH // size[0], size[0], OW // size[1], size[1], C)
    dx = np.zeros((N, OH // size[0], OW // size[1], C), dy.dtype)
    for a in range(size[0]):
        for b in range(size[1]):
            dx += blocks[:, :, a, :, b]
    return dx
