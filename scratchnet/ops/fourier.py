"""Discrete Fourier transforms; a complex array is a pair ``(re, im)`` of real ones.

    X_k = sum over n < N of  x_n e^(-2 pi i k n / N)

It is linear, so its adjoint is the matrix transposed: the same sum with the other sign in the exponent, which is N
times the inverse transform. Of a real x the second half of the X are the conjugates of the first, k = 0 ... N/2, and
are left out; going back, each of these stands for two, but the first, and for an even N the last. Frames of a signal,
each times a window, transformed: that is `stft` (Allen and Rabiner 1977); `istft` adds the frames up again, each times
the window once more, and divides by the sum of the squared windows (Griffin and Lim 1984). As in Keras that is the sum
in the midst of a signal, also at its ends, where fewer frames meet.
"""

import numpy as np

from scratchnet.ops.creation import convert_to_tensor
from scratchnet.ops.dtypes import floats
from scratchnet.ops.elementwise import multiply
from scratchnet.ops.operation import added_into, operation, shape_of
from scratchnet.ops.selection import get_item, take
from scratchnet.ops.shapes import pad, stack


def _complex(pairs):
    return pairs[..., 0] + 1j * pairs[..., 1]


def _pairs(c, dtype):
    return np.stack([c.real, c.imag], -1).astype(dtype)


def _both(pairs):
    """``(re, im)`` of an array whose last axis are these two."""
    return get_item(pairs, (..., 0)), get_item(pairs, (..., 1))


# ---- complex numbers to complex numbers ----


def _transform_dx(dz, axes, inverse):
    d, count = _complex(dz), np.prod([dz.shape[a - 1] for a in axes])
    return _pairs(np.fft.fftn(d, axes=axes) / count if inverse else np.fft.ifftn(d, axes=axes) * count, dz.dtype)


@operation(name="fourier_transform", x=_transform_dx, dtypes=floats, options=("axes", "inverse"))
def _transform(x, axes, inverse):
    return _pairs((np.fft.ifftn if inverse else np.fft.fftn)(_complex(x), axes=axes), x.dtype)


def _transformed(name, x, axes, inverse=False):
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ValueError(f"{name}: expected a pair (re, im), got {type(x).__name__}")
    return _both(_transform(stack(list(x), axis=-1), axes, inverse))


def fft(x):
    """X along the last axis."""
    return _transformed("fft", x, (-1,))


def fft2(x):
    """X along the last two axes."""
    return _transformed("fft2", x, (-2, -1))


def ifft2(x):
    """The x that `fft2` makes X of."""
    return _transformed("ifft2", x, (-2, -1), inverse=True)


# ---- real numbers ----


def _doubled(n):
    """How many of the whole row of X each of the first half stands for."""
    counts = np.full(n // 2 + 1, 2.0)
    counts[0] = 1
    if n % 2 == 0:
        counts[-1] = 1
    return counts


def _rfft_dx(dz, n):
    return (n * np.fft.irfft(_complex(dz) / _doubled(n), n)).astype(dz.dtype)


@operation(name="rfft", x=_rfft_dx, dtypes=floats, options=("n",))
def _rfft(x, n):
    return _pairs(np.fft.rfft(x, n), x.dtype)


def _irfft_dx(dz, n):
    return _pairs(np.fft.rfft(dz) * _doubled(n) / n, dz.dtype)


@operation(name="irfft", x=_irfft_dx, dtypes=floats, options=("n",))
def _irfft(x, n):
    return np.fft.irfft(_complex(x), n).astype(x.dtype)


def _of_length(x, n):
    """x with so many numbers along the last axis: cut off, or zeros behind."""
    size = shape_of(x)[-1]
    if size > n:
        return get_item(x, (..., slice(n)))
    return pad(x, [(0, 0)] * (len(shape_of(x)) - 1) + [(0, n - size)]) if size < n else x


def rfft(x, fft_length=None):
    """The first half of X, for real x along the last axis, cut or filled up with zeros to `fft_length`."""
    n = shape_of(x)[-1] if fft_length is None else int(fft_length)
    return _both(_rfft(_of_length(x, n), n))


def irfft(x, fft_length=None):
    """The real x of the first half of X; of how many numbers `fft_length` says, else an even one fits."""
    n = 2 * (shape_of(x[0])[-1] - 1) if fft_length is None else int(fft_length)
    return _irfft(stack([_of_length(part, n // 2 + 1) for part in x], axis=-1), n)


# ---- frames ----


def extract_sequences(x, sequence_length, sequence_stride):
    """(..., samples) -> (..., frames, sequence_length): frames that begin every `sequence_stride` samples."""
    _check_stride("extract_sequences", sequence_stride)
    size = shape_of(x)[-1]
    if size is None or size < sequence_length:
        raise ValueError(f"extract_sequences: no {sequence_length} samples in an axis of size {size}")
    starts = np.arange(0, size - sequence_length + 1, sequence_stride)
    return take(x, (starts[:, None] + np.arange(sequence_length)).astype(np.int32), -1)


def _check_stride(name, stride):
    if not isinstance(stride, (int, np.integer)) or stride < 1:
        raise ValueError(f"{name}: sequence_stride must be an integer of at least 1, got {stride!r}")


def _add_up(frames, stride):
    *rows, T, length = frames.shape
    z = np.zeros((*rows, length + stride * (T - 1)), frames.dtype)
    for t in range(T):
        z[..., t * stride : t * stride + length] += frames[..., t, :]
    return z


def _add_up_adds(dx, dz, stride):
    for t in range(dx.shape[-2]):
        dx[..., t, :] += dz[..., t * stride : t * stride + dx.shape[-1]]


_added_up = operation(_add_up, "add_up_sequences", frames=added_into(_add_up_adds), options=("stride",))


# By name the a_k of  w_n = a_0 - a_1 cos(2 pi n / L) + a_2 cos(4 pi n / L) - ...  (Harris, "On the use of windows for
# harmonic analysis with the discrete Fourier transform", 1978).
WINDOWS = {
    "boxcar": (1.0,),
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.5, 0.08),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
}


def window_values(window, length, periodic=True):
    """A window of so many samples, by its name, float64; `periodic`: the first of the next would follow the last."""
    angle = 2 * np.pi * np.arange(length) / max(length if periodic else length - 1, 1)
    return np.sum([(-1) ** k * a * np.cos(k * angle) for k, a in enumerate(WINDOWS[window])], axis=0)


def _window(name, window, length, fft_length, dtype):
    """The window as an array of `fft_length`, in the middle of zeros."""
    if window is None:
        return np.ones(fft_length, dtype)
    if isinstance(window, str):
        if window not in WINDOWS:
            raise ValueError(f"{name}: window must be one of {', '.join(WINDOWS)}, or an array, got {window!r}")
        window = window_values(window, length)
    window = np.asarray(window, np.float64)
    if window.shape != (length,):
        raise ValueError(f"{name}: the window must have the shape ({length},), got {window.shape}")
    before = (fft_length - length) // 2
    return np.pad(window, (before, fft_length - length - before)).astype(dtype)


def stft(x, sequence_length, sequence_stride, fft_length, window="hann", center=True):
    """``(re, im)``, each (..., frames, fft_length // 2 + 1), of a signal x (..., samples).

    Args:
        window: one of `WINDOWS`, an array of `sequence_length`, or None for none.
        center: whether frames are about their samples: the signal is mirrored at both ends.
    """
    _check_stride("stft", sequence_stride)
    if fft_length < sequence_length:
        raise ValueError(f"stft: fft_length={fft_length} is less than sequence_length={sequence_length}")
    x = convert_to_tensor(x)
    window = _window("stft", window, sequence_length, fft_length, x.dtype)
    if center:
        x = pad(x, [(0, 0)] * (len(shape_of(x)) - 1) + [(fft_length // 2, fft_length // 2)], mode="reflect")
    return rfft(multiply(extract_sequences(x, fft_length, sequence_stride), window))


def istft(x, sequence_length, sequence_stride, fft_length, length=None, window="hann", center=True):
    """The signal (..., samples) whose `stft` is ``x = (re, im)``; of `length` samples, if that is given."""
    _check_stride("istft", sequence_stride)
    frames = irfft(x, fft_length)
    if window is not None:
        w = _window("istft", window, sequence_length, fft_length, frames.dtype)
        # A sample stands in every stride-th place of the window, and was multiplied by it on the way there as well.
        sums = np.array([np.sum(w[k % sequence_stride :: sequence_stride] ** 2) for k in range(fft_length)])
        frames = multiply(frames, w / np.where(sums > 0, sums, 1).astype(w.dtype))
    z = _added_up(frames, sequence_stride)
    start = fft_length // 2 if center else 0
    stop = start + length if length is not None else (-(fft_length // 2) or None) if center else None
    return get_item(z, (..., slice(start, stop)))
