"""The mel spectrogram: which pitches a sound has, and when; what speech recognition looks at instead of samples.

    f_t = w x[t S ... t S + F)          frames of the sound, under a window w that is 0 at its ends
    P_t = |DFT(f_t)|^m                  how strong each frequency is: m = 1 its magnitude, m = 2 its power
    M_t = P_t A                         frequencies in bands that are equally wide to the ear
    y_t = 10 log10(M_t / ref)           in decibels; what is more than top_db below the loudest is cut off there

The ear hears differences of pitch on the scale mel(f) = 1127 log(1 + f / 700) (Stevens, Volkmann and Newman, "A scale
for the measurement of the psychological magnitude pitch", 1937). Column b of A is a triangle on that scale, from the
middle of the band below to the middle of the band above (Davis and Mermelstein, "Comparison of parametric
representations for monosyllabic word recognition", 1980). Backwards:

    dM = dy 10 / (ln 10 M)        dP = dM A^T        dX = m |X|^(m - 2) X dP        df = w DFT^T dX
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet.checks import check_number, check_positive_int
from scratchnet.layers.base import Layer
from scratchnet.layers.preprocessing.audio.fourier import (
    frames_backward,
    frames_of,
    reflected,
    reflected_backward,
    transform,
    transform_backward,
)
from scratchnet.ops.fourier import WINDOWS, window_values
from scratchnet.registry import register


class MelSpectrogramCache(NamedTuple):
    x_shape: tuple
    re: np.ndarray  # (N, T, F // 2 + 1)
    im: np.ndarray
    M: np.ndarray  # (N, T, bands)
    cut: Any  # where decibels are cut off, (N, T, bands); None where there is no cut
    loudest: Any  # the place of the largest, in all of these


@register("layers")
class MelSpectrogram(Layer):
    """Sound (N, samples) -> (N, bands, T), or of one sound (samples,) -> (bands, T).

    Args:
        fft_length: F, samples in a frame.
        sequence_stride: S, samples between the beginnings of frames.
        sequence_length: samples that the window covers, in the middle of a frame; by default all.
        window: the name of one of `ops.fourier.WINDOWS`, a list of `sequence_length` numbers, or None for none.
        sampling_rate: samples in a second.
        num_mel_bins: how many bands there are.
        min_freq, max_freq: from where to where they reach, in Hertz; by default to half of `sampling_rate`.
        power_to_db: whether the result is in decibels.
        top_db: how far below the loudest place of all sounds of a batch it may go.
        mag_exp: m.
        min_power: what M counts at least.
        ref_power: ref, 0 decibels.

    T is ``1 + samples // S``: beyond both ends the sound is seen mirrored.

    Raises:
        ValueError: for lengths that are not positive or do not fit, an unknown window, and for sounds that are not
            longer than half a frame.
    """

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = "hann",
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.fft_length = check_positive_int(self, "fft_length", fft_length)
        self.sequence_stride = check_positive_int(self, "sequence_stride", sequence_stride)
        self.sequence_length = check_positive_int(self, "sequence_length", sequence_length or fft_length)
        if self.fft_length < self.sequence_length:
            raise self.error(f"sequence_length {sequence_length} is more than a frame has, fft_length={fft_length}")
        self.window = window
        self.window_in_frame()
        self.sampling_rate = sampling_rate
        self.num_mel_bins = check_positive_int(self, "num_mel_bins", num_mel_bins)
        self.min_freq, self.max_freq = min_freq, max_freq or int(sampling_rate / 2)
        if not 0 <= self.min_freq < self.max_freq:
            raise self.error(f"min_freq {min_freq} must be at least 0 and below max_freq {self.max_freq}")
        self.power_to_db = bool(power_to_db)
        self.top_db = check_number(self, "top_db", top_db)
        self.mag_exp = check_number(self, "mag_exp", mag_exp)
        self.min_power, self.ref_power = check_number(self, "min_power", min_power), ref_power
        self.in_one_part = self.power_to_db  # the loudest place is that of the whole batch

    def window_in_frame(self):
        """w, 0 beside the window, (F,), float64."""
        if self.window is None:
            w = np.ones(self.sequence_length)
        elif isinstance(self.window, str):
            if self.window not in WINDOWS:
                raise self.error(f"window must be one of {', '.join(WINDOWS)}, or numbers, got {self.window!r}")
            w = window_values(self.window, self.sequence_length)
        else:
            w = np.asarray(self.window, float)
            if w.shape != (self.sequence_length,):
                raise self.error(f"window must be {self.sequence_length} numbers, got the shape {w.shape}")
        before = (self.fft_length - self.sequence_length) // 2
        return np.pad(w, (before, self.fft_length - self.sequence_length - before))

    def mel_weights(self):
        """A, (F // 2 + 1, bands): how much of each frequency goes into each band."""
        edges = np.linspace(_mel(self.min_freq), _mel(self.max_freq), self.num_mel_bins + 2)
        lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
        mels = _mel(np.linspace(0, self.sampling_rate / 2, self.fft_length // 2 + 1))[:, None]
        weights = np.minimum((mels - lower) / (centre - lower), (upper - mels) / (upper - centre))
        weights[0] = 0  # the mean of the samples is no sound
        return np.maximum(weights, 0)

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "NT" if len(input_shape) != 1 else "T")
        samples = input_shape[-1]
        if samples is not None and samples <= self.fft_length // 2:
            raise self.error(f"{samples} samples are not more than half a frame, fft_length={self.fft_length}")
        T = None if samples is None else 1 + (samples - self.fft_length % 2) // self.sequence_stride
        return (*input_shape[:-1], self.num_mel_bins, T)

    def forward(self, x, training=False):
        shape = self.compute_output_shape(x.shape)
        w, A = self.window_in_frame().astype(x.dtype), self.mel_weights().astype(x.dtype)
        seen = reflected(x.reshape(-1, x.shape[-1]), self.fft_length // 2)
        re, im = transform(w * frames_of(seen, self.fft_length, self.sequence_stride))  # (N, T, F // 2 + 1)
        M = (np.square(re) + np.square(im)) ** x.dtype.type(self.mag_exp / 2) @ A  # (N, T, bands)
        y, cut, loudest = M, None, None
        if self.power_to_db:
            y = 10 * np.log10(np.maximum(M, x.dtype.type(self.min_power)))
            y = y - x.dtype.type(10 * np.log10(max(abs(self.ref_power), self.min_power)))
            loudest = np.unravel_index(y.argmax(), y.shape)
            floor = y[loudest] - x.dtype.type(self.top_db)
            cut = y < floor
            y = np.where(cut, floor, y)
        return y.swapaxes(1, 2).reshape(shape), MelSpectrogramCache(x.shape, re, im, M, cut, loudest)

    def backward(self, dy, cache, needs_dx=True):
        re, im, M = cache.re, cache.im, cache.M
        w, A = self.window_in_frame().astype(dy.dtype), self.mel_weights().astype(dy.dtype)
        dM = dy.reshape(-1, *dy.shape[-2:]).swapaxes(1, 2)  # (N, T, bands)
        if cache.cut is not None:
            d = np.where(cache.cut, 0, dM)  # y = max(y, y_loudest - top_db)
            d[cache.loudest] += dM[cache.cut].sum()
            dM = np.where(M > self.min_power, d * dy.dtype.type(10 / np.log(10)) / np.maximum(M, self.min_power), 0)
        dP = dM.astype(dy.dtype) @ A.T  # M = P A
        power = np.square(re) + np.square(im)
        with np.errstate(divide="ignore"):
            along = np.where(power > 0, power ** (self.mag_exp / 2 - 1), 0) * self.mag_exp  # P = |X|^m
        along = (along * dP).astype(dy.dtype)
        df = transform_backward(along * re, along * im, self.fft_length) * w  # X = DFT(w frame)
        samples = cache.x_shape[-1] + 2 * (self.fft_length // 2)
        dseen = frames_backward(df, samples, self.sequence_stride)
        return reflected_backward(dseen, self.fft_length // 2).reshape(cache.x_shape), {}


def _mel(hertz):
    return 1127 * np.log(1 + np.asarray(hertz) / 700)
