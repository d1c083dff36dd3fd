"""Fourier transforms are NumPy's; frames of a signal, there and back."""

import numpy as np
import pytest

from scratchnet import ops
from scratchnet.ops import fourier

RNG = np.random.default_rng(0)
RE, IM = RNG.normal(size=(2, 2, 3, 8))
SIGNAL = RNG.normal(size=(2, 40))


def as_complex(pair):
    return np.array(pair[0]) + 1j * np.array(pair[1])


def test_transforms_are_numpy_s():
    c = RE + 1j * IM
    np.testing.assert_allclose(as_complex(ops.fft((RE, IM))), np.fft.fft(c))
    np.testing.assert_allclose(as_complex(ops.fft2([RE, IM])), np.fft.fft2(c))
    np.testing.assert_allclose(as_complex(ops.ifft2((RE, IM))), np.fft.ifft2(c))
    for n in (None, 4, 5, 8, 11):
        np.testing.assert_allclose(as_complex(ops.rfft(RE, n)), np.fft.rfft(RE, n), atol=1e-12)
        np.testing.assert_allclose(ops.irfft((RE, IM), n), np.fft.irfft(c, n), atol=1e-12)
    assert [part.dtype for part in ops.rfft(RE.astype("float32"))] == [np.float32] * 2
    with pytest.raises(ValueError, match="fft: expected a pair"):
        ops.fft(RE)


def test_frames():
    frames = ops.extract_sequences(SIGNAL, 8, 3)
    assert frames.shape == (2, 11, 8)
    np.testing.assert_array_equal(frames[:, 2], SIGNAL[:, 6:14])
    with pytest.raises(ValueError, match="no 41 samples in an axis of size 40"):
        ops.extract_sequences(SIGNAL, 41, 1)


@pytest.mark.parametrize("window", ["hann", "hamming", np.linspace(0.2, 1, 8)])
def test_a_signal_comes_back_from_its_spectrogram(window):
    spectrogram = ops.stft(SIGNAL, 8, 4, 10, window=window)
    assert spectrogram[0].shape == (2, 11, 6)
    np.testing.assert_allclose(ops.istft(spectrogram, 8, 4, 10, window=window), SIGNAL, atol=1e-12)
    np.testing.assert_allclose(ops.istft(spectrogram, 8, 4, 10, 30, window), SIGNAL[:, :30], atol=1e-12)
    uncentred = ops.stft(SIGNAL, 8, 4, 8, window, center=False)
    back = ops.istft(uncentred, 8, 4, 8, window=window, center=False)
    np.testing.assert_allclose(back[:, 4:-4], SIGNAL[:, 4:-4], atol=1e-12)


def test_without_a_window_frames_are_only_added_up():
    frames = ops.stft(SIGNAL, 8, 4, 8, window=None)
    np.testing.assert_allclose(ops.istft(frames, 8, 4, 8, window=None), 2 * SIGNAL, atol=1e-12)


def test_a_spectrogram_is_keras_s():
    re, im = ops.stft(np.sin(np.arange(12.0))[None], 4, 4, 6)
    np.testing.assert_allclose(re[0, 1], [-1.1657046, 0.9612536, -0.5523514, 0.3479004], atol=1e-6)
    np.testing.assert_allclose(im[0, 1], [0.0, -0.4763331, 0.4763331, 0.0], atol=1e-6)


def test_what_makes_no_spectrogram():
    with pytest.raises(ValueError, match="fft_length=4 is less than sequence_length=8"):
        ops.stft(SIGNAL, 8, 4, 4)
    with pytest.raises(ValueError, match="stft: window must be"):
        ops.stft(SIGNAL, 8, 4, 8, window="kaiser")
    with pytest.raises(ValueError, match=r"istft: the window must have the shape \(8,\), got \(7,\)"):
        ops.istft(ops.stft(SIGNAL, 8, 4, 8), 8, 4, 8, window=np.ones(7))


@pytest.mark.parametrize("stride", [0, -1, 1.5])
def test_a_stride_that_is_none(stride):
    x = np.ones((2, 8))
    with pytest.raises(ValueError, match="extract_sequences: sequence_stride must be an integer of at least 1"):
        ops.extract_sequences(x, 4, stride)
    with pytest.raises(ValueError, match=f"stft: sequence_stride must be .*, got {stride}"):
        ops.stft(x, 4, stride, 4)
    with pytest.raises(ValueError, match="istft: sequence_stride must be"):
        ops.istft((np.ones((2, 3)), np.ones((2, 3))), 4, stride, 4)


@pytest.mark.parametrize(
    ("name", "half"),
    [
        ("boxcar", [1.0, 1.0, 1.0]),
        ("hann", [0.0, 0.5, 1.0]),
        ("hamming", [0.08, 0.54, 1.0]),
        ("blackman", [0.0, 0.34, 1.0]),
        ("nuttall", [0.0003628, 0.2269824, 1.0]),
        ("blackmanharris", [0.00006, 0.21747, 1.0]),
        ("flattop", [-0.000421051, -0.05473684, 1.0]),
    ],
)
def test_windows_by_name(name, half):
    symmetric = [*half, *half[1::-1]]
    np.testing.assert_allclose(fourier.window_values(name, 5, periodic=False), symmetric, atol=2e-8)
    np.testing.assert_allclose(fourier.window_values(name, 4), symmetric[:4], atol=2e-8)
    assert fourier.window_values(name, 1, periodic=False).shape == (1,)
    re, im = ops.stft(SIGNAL, 8, 4, 8, window=name)
    for part, expected in zip((re, im), ops.stft(SIGNAL, 8, 4, 8, window=fourier.window_values(name, 8))):
        np.testing.assert_array_equal(part, expected)
