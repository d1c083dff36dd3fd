import numpy as np
import pytest

from scratchnet.layers.preprocessing.audio import fourier

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("length", [5, 8])
def test_adjoints_are_adjoints(length):
    """<f(x), dy> = <x, df(dy)> for each of the three linear functions."""
    x = RNG.standard_normal((2, 12))
    for forward, backward in (
        (lambda a: fourier.reflected(a, 3), lambda d: fourier.reflected_backward(d, 3)),
        (lambda a: fourier.reflected(a, 0), lambda d: fourier.reflected_backward(d, 0)),
        (lambda a: fourier.frames_of(a, length, 3), lambda d: fourier.frames_backward(d, 12, 3)),
        (
            lambda a: np.stack(fourier.transform(a[:, :length]), axis=-1),
            lambda d: np.pad(fourier.transform_backward(d[..., 0], d[..., 1], length), ((0, 0), (0, 12 - length))),
        ),
    ):
        y = forward(x)
        dy = RNG.standard_normal(y.shape)
        assert (y * dy).sum() == pytest.approx((x * backward(dy)).sum(), rel=1e-12)
