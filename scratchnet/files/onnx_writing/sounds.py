"""Spectrograms: the Fourier transform of frames is a convolution whose kernels are the cosines and the sines."""

import math

import numpy as np

from scratchnet import config
from scratchnet.files.onnx_writing.windows import convolved, padded
from scratchnet.files.onnx_writing.writer import Value
from scratchnet.kernels.geometry import output_size, pad_amounts


def _frequencies(w, x, kernel, stride, padding=(0, 0)):
    """(N, T, 1) -> (N, T', K)"""
    N, T, _ = x.shape
    frames = None if T is None else output_size(T + sum(padding), len(kernel), stride, "valid")
    shape = (N, frames, kernel.shape[-1])
    return convolved(w, x, kernel.astype("float32"), [stride], [padding], [1], shape)


def stft_spectrogram(w, layer, x):
    N, T, C = x.shape
    if T is None and (C != 1 or layer.expand_dims or layer.padding == "same"):
        raise ValueError("sounds of any length are written where they have one channel, and are not padded")
    step = layer.frame_step or layer.frame_length // 2
    padding = (0, 0) if T is None else pad_amounts(T, layer.frame_length, step, layer.padding)
    if C != 1:
        x = w.reshape(w.transposed(x, (0, 2, 1)), (None, T, 1))  # (N C, T, 1)
    re, im = (
        _frequencies(w, x, layer.params[name], step, padding) if name in layer.params else None
        for name in ("real_kernel", "imag_kernel")
    )
    y = _seen(w, layer.mode, re, im)  # (N C, T', K)
    _, frames, K = y.shape
    if C == 1 and not layer.expand_dims:
        return y
    y = w.reshape(y, (N, C, frames, K))
    y = w.transposed(y, (0, 2, 3, 1) if layer.expand_dims else (0, 2, 1, 3))
    return y if layer.expand_dims else w.reshape(y, (N, frames, C * K))


def _power(w, re, im):
    return w.combine("Add", w.combine("Mul", re, re), w.combine("Mul", im, im))


def _seen(w, mode, re, im):
    if mode in ("real", "imag"):
        return re if mode == "real" else im
    if mode == "angle":
        return _angle(w, re, im)
    if mode == "stft":
        return w.concatenate([re, im], -1)
    power = _power(w, re, im)
    if mode == "psd":
        factors = np.full(power.shape[-1], 2.0)
        factors[[0, -1]] = 1
        return w.combine("Mul", power, factors)
    size = w.each(w.combine("Max", power, np.float32(config.epsilon())), "Sqrt")
    return size if mode == "magnitude" else w.each(size, "Log")


def _angle(w, re, im):
    """The arc tangent of im / re; where re < 0, half a turn further."""
    zero = np.float32(0)
    upright = w.combine("Equal", re, zero, dtype="bool")
    slope = w.each(w.combine("Div", im, w.where(upright, np.float32(1), re)), "Atan")
    above = w.combine("GreaterOrEqual", im, zero, dtype="bool")
    half = w.combine("Sub", w.combine("Mul", w.cast(above, "float32"), np.float32(2 * math.pi)), np.float32(math.pi))
    turned = w.where(w.combine("Less", re, zero, dtype="bool"), w.combine("Add", slope, half), slope)
    return w.where(upright, w.combine("Mul", w.each(im, "Sign"), np.float32(math.pi / 2)), turned)


def mel_spectrogram(w, layer, x):
    N, T = x.shape
    F, margin = layer.fft_length, layer.fft_length // 2
    angles = 2 * np.pi * np.outer(np.arange(F), np.arange(F // 2 + 1)) / F
    window = layer.window_in_frame()[:, None]
    seen = padded(
        w, w.unsqueeze(x, -1), [(0, 0), (margin, margin), (0, 0)],
        (N, None if T is None else T + 2 * margin, 1), "reflect",
    )  # fmt: skip
    re, im = (
        _frequencies(w, seen, (window * waves)[:, None], layer.sequence_stride)
        for waves in (np.cos(angles), -np.sin(angles))
    )
    power = w.combine("Pow", _power(w, re, im), np.float32(layer.mag_exp / 2))
    A = layer.mel_weights()
    y = w.matmul(power, Value(w.constant(A), A.shape), (*power.shape[:-1], A.shape[1]))  # (N, T', bands)
    if layer.power_to_db:
        y = w.combine("Mul", w.each(w.combine("Max", y, np.float32(layer.min_power)), "Log"), 10 / np.log(10))
        y = w.combine("Sub", y, 10 * np.log10(max(abs(layer.ref_power), layer.min_power)))
        loudest = w.reduce(y, "ReduceMax", range(3))  # of the whole batch
        y = w.combine("Max", y, w.combine("Sub", loudest, np.float32(layer.top_db)))
    return w.transposed(y, (0, 2, 1))


WRITERS = {"STFTSpectrogram": stft_spectrogram, "MelSpectrogram": mel_spectrogram}
