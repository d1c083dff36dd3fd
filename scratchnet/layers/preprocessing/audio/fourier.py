"""Sound in frames, and the discrete Fourier transform of each.

    X_k = sum over n < F of  f_n e^(-2 pi i k n / F),   k = 0 ... F/2           of a real frame f of F samples

The other half of the X are the conjugates of these. As a function of f it is linear: Re X_k is its product with a
cosine, Im X_k that with a negative sine, so the adjoint adds up cosines and sines again:

    df_n = sum over k of  dRe_k cos(2 pi k n / F) - dIm_k sin(2 pi k n / F)
         = Re sum over k of  (dRe_k + i dIm_k) e^(2 pi i k n / F)
"""

import numpy as np


def reflected(x, margin):
    """(N, samples) with what lies beside both ends mirrored beyond them."""
    return np.pad(x, ((0, 0), (margin, margin)), mode="reflect")


def reflected_backward(d, margin):
    """dx, the adjoint of `reflected`: what was seen in the mirror is added to what it was of."""
    if margin == 0:
        return d
    dx = d[:, margin:-margin].copy()
    dx[:, 1 : margin + 1] += d[:, margin - 1 :: -1]
    dx[:, -margin - 1 : -1] += d[:, : -margin - 1 : -1]
    return dx


def frames_of(x, length, stride):
    """(N, samples) -> (N, T, length), a view: frames that begin every `stride` samples."""
    return np.lib.stride_tricks.sliding_window_view(x, length, axis=1)[:, ::stride]


def frames_backward(d, samples, stride):
    """dx of (N, samples), the adjoint of `frames_of`."""
    N, T, length = d.shape
    dx = np.zeros((N, samples), d.dtype)
    for t in range(T):
        dx[:, t * stride : t * stride + length] += d[:, t]
    return dx


def transform(frames):
    """``(re, im)``, each (..., F // 2 + 1), of frames (..., F)."""
    X = np.fft.rfft(frames)
    return X.real.astype(frames.dtype), X.imag.astype(frames.dtype)


def transform_backward(dre, dim, length):
    """The adjoint of `transform`, for frames of `length` F."""
    G = np.zeros((*dre.shape[:-1], length), complex)
    G[..., : dre.shape[-1]] = dre + 1j * dim
    return (np.fft.ifft(G).real * length).astype(dre.dtype)
