"""The short-time Fourier transform as a layer whose cosines and sines can be trained.

    re = f K_re        im = f K_im        f (T, L) the frames of a sound, K_re and K_im (L, 1, F / 2 + 1)

    K_re[n, 0, k] = w_n cos(2 pi k n / F) / |w|        K_im[n, 0, k] = -w_n sin(2 pi k n / F) / |w|

at the beginning (Allen, "Short term spectral analysis, synthesis, and modification by discrete Fourier transform",
1977). What comes out is one of

    real: re        imag: im        angle: atan2(im, re)        psd: re^2 + im^2, twice but at both ends
    stft: re, im    magnitude: sqrt(re^2 + im^2)                log: the logarithm of that

Backwards, with the adjoints dre and dim of these:

    dK_re = f^T dre        dK_im = f^T dim        df = dre K_re^T + dim K_im^T
"""

import math
from typing import Any, NamedTuple

import numpy as np

from scratchnet import config
from scratchnet.checks import check_data_format, check_padding, check_positive_int
from scratchnet.kernels.geometry import output_size, pad_amounts
from scratchnet.layers.base import Layer
from scratchnet.layers.preprocessing.audio.fourier import frames_backward, frames_of
from scratchnet.ops.fourier import WINDOWS, window_values
from scratchnet.registry import register

MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")


class STFTSpectrogramCache(NamedTuple):
    frames: np.ndarray  # (N C, T', L)
    re: Any  # (N C, T', K); None where nobody asks for it
    im: Any
    samples: int  # of a sound with what was padded
    padding: tuple  # (before, after)


@register("layers")
class STFTSpectrogram(Layer):
    """Sounds (N, T, C) -> (N, T', C K), with K = F / 2 + 1 frequencies of each channel.

    Args:
        mode: "log", "magnitude", "psd", "real", "imag", "angle" or "stft", which has 2 K numbers.
        frame_length: L, samples in a frame.
        frame_step: samples between the beginnings of frames; by default half a frame.
        fft_length: F; by default the next power of two.
        window: the name of one of `ops.fourier.WINDOWS`, L numbers, or None for none.
        periodic: whether the window is that of a longer series.
        scaling: "density", |w| is the root of the sum of squares; "spectrum", the sum; None, 1.
        padding: "valid", only frames inside, or "same".
        expand_dims: whether the result is an image for each channel, (N, T', K, C).
        data_format: "channels_last"; with "channels_first", (N, C, T) -> (N, C K, T') or (N, C, T', K).

    Raises:
        ValueError: for an unknown mode, window, scaling or padding, and lengths that do not fit.
    """

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if mode not in MODES:
            raise self.error(f"mode must be one of {', '.join(MODES)}, got {mode!r}")
        if scaling not in ("density", "spectrum", None):
            raise self.error(f'scaling must be "density", "spectrum" or None, got {scaling!r}')
        self.mode, self.scaling, self.window, self.periodic = mode, scaling, window, bool(periodic)
        self.frame_length = check_positive_int(self, "frame_length", frame_length)
        if frame_step is not None and not 1 <= frame_step <= frame_length:
            raise self.error(f"frame_step must lie between 1 and frame_length {frame_length}, got {frame_step}")
        if fft_length is not None and fft_length < frame_length:
            raise self.error(f"fft_length must be at least frame_length {frame_length}, got {fft_length}")
        self.frame_step, self.fft_length = frame_step, fft_length
        self._step = frame_step or frame_length // 2
        self._F = fft_length or 2 ** math.ceil(math.log2(frame_length))
        self._window()
        self.padding = check_padding(self, padding)
        self.expand_dims = bool(expand_dims)
        self.data_format = check_data_format(self, data_format)

    # ---- the kernels ----

    def _window(self):
        """``w / |w|``, (L,), float64."""
        if self.window is None:
            return np.ones(self.frame_length)
        if isinstance(self.window, str):
            if self.window not in WINDOWS:
                raise self.error(f"window must be one of {', '.join(WINDOWS)}, or numbers, got {self.window!r}")
            w = window_values(self.window, self.frame_length, self.periodic)
        else:
            w = np.asarray(self.window, float)
            if w.shape != (self.frame_length,):
                raise self.error(f"window must be {self.frame_length} numbers, got the shape {w.shape}")
        sizes = {"density": np.sqrt(np.square(w).sum()), "spectrum": np.abs(w).sum(), None: 1}
        return w / sizes[self.scaling]

    def build(self, input_shape):
        angles = 2 * np.pi * np.outer(np.arange(self.frame_length), np.arange(self._F // 2 + 1)) / self._F
        kernels = {"real_kernel": np.cos(angles), "imag_kernel": -np.sin(angles)}
        unused = {"real": "imag_kernel", "imag": "real_kernel"}.get(self.mode)
        for name, waves in kernels.items():
            if name != unused:
                values = (self._window()[:, None] * waves)[:, None]  # (L, 1, K)
                self.add_weight(values.shape, lambda shape, dtype, v=values: v.astype(dtype), name=name)
        self.built = True

    # ---- shapes ----

    def compute_output_shape(self, input_shape):
        first = self.data_format == "channels_first"
        self.check_shape(input_shape, "NCT" if first else "NTC")
        N, T, C = (input_shape[0], *input_shape[:0:-1]) if first else input_shape
        frames = output_size(T, self.frame_length, self._step, self.padding)
        if frames == 0:
            raise self.error(f"{T} samples are fewer than a frame has, {self.frame_length}")
        K = (self._F // 2 + 1) * (2 if self.mode == "stft" else 1)
        if self.expand_dims:
            return (N, C, frames, K) if first else (N, frames, K, C)
        return (N, C * K, frames) if first else (N, frames, C * K)

    def _arranged(self, y, N):
        """(N C, T', K) in the layout of the output."""
        y = y.reshape(N, -1, *y.shape[1:])  # (N, C, T', K)
        if self.expand_dims:
            return y if self.data_format == "channels_first" else y.transpose(0, 2, 3, 1)
        if self.data_format == "channels_first":
            return y.transpose(0, 1, 3, 2).reshape(N, -1, y.shape[2])
        return y.transpose(0, 2, 1, 3).reshape(N, y.shape[2], -1)

    def _arranged_backward(self, dy, frames, K):
        """The adjoint of `_arranged`."""
        N, first = len(dy), self.data_format == "channels_first"
        if self.expand_dims:
            d = dy if first else dy.transpose(0, 3, 1, 2)
        elif first:
            d = dy.reshape(N, -1, K, frames).transpose(0, 1, 3, 2)
        else:
            d = dy.reshape(N, frames, -1, K).transpose(0, 2, 1, 3)
        return d.reshape(-1, frames, K)

    # ---- computing ----

    def forward(self, x, training=False):
        first = self.data_format == "channels_first"
        shape = self.compute_output_shape(self.unpack(x, "NCT" if first else "NTC"))
        sounds = x if first else x.swapaxes(1, 2)  # (N, C, T)
        padding = pad_amounts(sounds.shape[2], self.frame_length, self._step, self.padding)
        sounds = np.pad(sounds.reshape(-1, sounds.shape[2]), ((0, 0), padding))
        f = frames_of(sounds, self.frame_length, self._step)  # (N C, T', L)
        re, im = (f @ self.params[k][:, 0] if k in self.params else None for k in ("real_kernel", "imag_kernel"))
        y = self._arranged(self._seen(re, im), len(x))
        return y.reshape(shape), STFTSpectrogramCache(f, re, im, sounds.shape[1], padding)

    def _seen(self, re, im):
        if self.mode in ("real", "imag"):
            return re if self.mode == "real" else im
        if self.mode == "angle":
            return np.arctan2(im, re)
        if self.mode == "stft":
            return np.concatenate([re, im], axis=-1)
        power = np.square(re) + np.square(im)
        if self.mode == "psd":
            power[..., 1:-1] *= 2
            return power
        size = np.sqrt(np.maximum(power, re.dtype.type(config.epsilon())))
        return size if self.mode == "magnitude" else np.log(size)

    def _seen_backward(self, d, re, im):
        """``(dre, dim)``."""
        if self.mode in ("real", "imag"):
            return (d, None) if self.mode == "real" else (None, d)
        if self.mode == "stft":
            return np.split(d, 2, axis=-1)
        power = np.square(re) + np.square(im)
        if self.mode == "angle":
            power = np.where(power == 0, 1, power)
            return -d * im / power, d * re / power
        if self.mode == "psd":
            d = 2 * d  # power = re^2 + im^2
            d[..., 1:-1] *= 2
            return d * re, d * im
        d = np.where(power > config.epsilon(), d, 0)
        along = d / np.maximum(power, re.dtype.type(config.epsilon()))  # log sqrt(power)
        along = along * np.sqrt(power) if self.mode == "magnitude" else along
        return along * re, along * im

    def backward(self, dy, cache, needs_dx=True):
        f, grads, df = cache.frames, {}, 0
        K = next(iter(self.params.values())).shape[-1] * (2 if self.mode == "stft" else 1)
        d = self._arranged_backward(dy, f.shape[1], K)
        for name, dz in zip(("real_kernel", "imag_kernel"), self._seen_backward(d, cache.re, cache.im)):
            if dz is not None:
                W = self.params[name][:, 0]  # z = f W
                if self.trainable:
                    grads[name] = np.einsum("ntl,ntk->lk", f, dz, optimize=True)[:, None]
                df = df + dz @ W.T
        if not needs_dx:
            return None, self.trained(grads)
        before, after = cache.padding
        dx = frames_backward(df, cache.samples, self._step)[:, before : cache.samples - after]
        dx = dx.reshape(len(dy), -1, dx.shape[1])  # (N, C, T)
        return (dx if self.data_format == "channels_first" else dx.swapaxes(1, 2)), self.trained(grads)
