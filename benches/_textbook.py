"""The lower rungs of `ladder.py`: a convolution and an LSTM as one first writes them, forward and backward.

They compute what `Conv2D` and `LSTM` compute with their defaults (the convolution with a relu), and are tested equal.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def convolution(x, kernel, bias, dy):
    """``y = relu(patches kernel + bias)``, all patches of the batch in one matrix; returns ``(y, dkernel, dbias)``."""
    KH, KW, C, F = kernel.shape
    windows = sliding_window_view(x, (KH, KW), axis=(1, 2))  # (N, OH, OW, C, KH, KW)
    patches = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, KH * KW * C)  # (N OH OW, KH KW C)
    y = np.maximum(patches @ kernel.reshape(-1, F) + bias, 0)  # (N OH OW, F)
    dz = dy.reshape(-1, F) * (y > 0)
    dkernel = (patches.T @ dz).reshape(kernel.shape)
    return y.reshape(dy.shape), dkernel, dz.sum(axis=0)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def lstm(x, W, R, b, dh):
    """Step by step, as the equations stand: the last state h, and ``(h, dW, dR, db)`` for its adjoint dh."""
    N, T, _ = x.shape
    h = c = np.zeros((N, len(R)), x.dtype)
    steps = []
    for t in range(T):
        h_prev, c_prev = h, c
        z_i, z_f, z_g, z_o = np.split(x[:, t] @ W + h_prev @ R + b, 4, axis=1)  # (N, U) each
        i, f, g, o = sigmoid(z_i), sigmoid(z_f), np.tanh(z_g), sigmoid(z_o)
        c = f * c_prev + i * g
        h = o * np.tanh(c)
        steps.append((x[:, t], h_prev, c_prev, c, i, f, g, o))
    dW, dR, db, dc = np.zeros_like(W), np.zeros_like(R), np.zeros_like(b), 0
    for x_t, h_prev, c_prev, c, i, f, g, o in reversed(steps):
        a = np.tanh(c)
        dc = dc + dh * o * (1 - a * a)  # h = o * tanh(c)
        dz_i, dz_f = dc * g * i * (1 - i), dc * c_prev * f * (1 - f)  # c = f * c_prev + i * g
        dz_g, dz_o = dc * i * (1 - g * g), dh * a * o * (1 - o)
        dz = np.concatenate([dz_i, dz_f, dz_g, dz_o], axis=1)  # (N, 4U)
        dW += x_t.T @ dz
        dR += h_prev.T @ dz
        db += dz.sum(axis=0)
        dh, dc = dz @ R.T, dc * f
    return h, dW, dR, db
