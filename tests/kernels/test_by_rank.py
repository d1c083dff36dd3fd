"""Convolutions of sequences, images and volumes: adjoints of each other, and a larger rank holds a smaller."""

import numpy as np
import pytest

from scratchnet.kernels import using_backend
from scratchnet.kernels.by_rank import conv_dkernel, conv_dweights, conv_dx, conv_forward
from tests.kernels.every_backend import NAMES

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


@pytest.mark.parametrize("backend", NAMES)
@pytest.mark.parametrize(("sizes", "window", "strides", "padding", "dilation"), CASES)
def test_the_bias_and_its_adjoint(backend, sizes, window, strides, padding, dilation):
    with using_backend(backend):
        check_the_bias_and_its_adjoint(sizes, window, strides, padding, dilation)


def check_the_bias_and_its_adjoint(sizes, window, strides, padding, dilation):
    rng, geometry = np.random.default_rng(2), (strides, padding, dilation)
    x, kernel, bias = rng.normal(size=(2, *sizes, 3)), rng.normal(size=(*window, 3, 4)), rng.normal(size=4)
    z = conv_forward(x, kernel, *geometry, bias)
    np.testing.assert_allclose(z, conv_forward(x, kernel, *geometry) + bias, rtol=0, atol=1e-13)
    dz = rng.normal(size=z.shape)
    dkernel, dbias = conv_dweights(dz, x, kernel.shape, *geometry)
    np.testing.assert_allclose(dkernel, conv_dkernel(dz, x, kernel.shape, *geometry), rtol=0, atol=1e-12)
    np.testing.assert_allclose(dbias, dz.reshape(-1, 4).sum(axis=0), rtol=0, atol=1e-12)


@pytest.mark.parametrize("rank", [1, 2])
def test_an_axis_of_one_changes_nothing(rank):
    rng = np.random.default_rng(1)
    x, kernel = rng.normal(size=(2, *[5, 4][:rank], 3)), rng.normal(size=(*[3, 2][:rank], 3, 4))
    z = conv_forward(x, kernel, (1,) * rank, ((1, 0),) * rank, (1,) * rank)
    larger = conv_forward(x[:, None], kernel[None], (1,) * (rank + 1), ((0, 0), *((1, 0),) * rank), (1,) * (rank + 1))
    np.testing.assert_allclose(larger[:, 0], z, rtol=0, atol=1e-13)
