"""Convolutions of sequences, images and volumes: adjoints of each other, and a larger rank holds a smaller."""

import numpy as np
import pytest

from scratchnet.kernels.by_rank import conv_dkernel, conv_dx, conv_forward

CASES = [((7,), (3,), (2,), ((1, 1),), (1,)), ((5, 6), (2, 3), (1, 2), ((0, 1), (1, 1)), (1, 1))]
CASES += [((4, 3, 5), (2, 3, 2), (1, 1, 2), ((1, 0), (1, 1), (0, 1)), (1, 1, 1)), ((9,), (3,), (1,), ((2, 2),), (2,))]


@pytest.mark.parametrize(("sizes", "window", "strides", "padding", "dilation"), CASES)
def test_dx_and_dkernel_are_adjoints(sizes, window, strides, padding, dilation):
    rng = np.random.default_rng(0)
    x, kernel, geometry = (
        rng.normal(size=(2, *sizes, 3)),
        rng.normal(size=(*window, 3, 4)),
        (strides, padding, dilation),
    )
    z = conv_forward(x, kernel, *geometry)
    dz = rng.normal(size=z.shape)
    product, terms = np.sum(z * dz), np.sum(np.abs(z * dz))
    assert abs(product - np.sum(x * conv_dx(dz, kernel, x.shape, *geometry))) < 1e-12 * terms
    assert abs(product - np.sum(kernel * conv_dkernel(dz, x, kernel.shape, *geometry))) < 1e-12 * terms


@pytest.mark.parametrize("rank", [1, 2])
def test_an_axis_of_one_changes_nothing(rank):
    rng = np.random.default_rng(1)
    x, kernel = rng.normal(size=(2, *[5, 4][:rank], 3)), rng.normal(size=(*[3, 2][:rank], 3, 4))
    z = conv_forward(x, kernel, (1,) * rank, ((1, 0),) * rank, (1,) * rank)
    larger = conv_forward(x[:, None], kernel[None], (1,) * (rank + 1), ((0, 0), *((1, 0),) * rank), (1,) * (rank + 1))
    np.testing.assert_allclose(larger[:, 0], z, rtol=0, atol=1e-13)
