"""A convolution with its activation, in one pass or in several: the same numbers."""

import numpy as np
import pytest

from scratchnet import activations, kernels
from scratchnet.kernels import fused, numba_is_installed

BACKENDS = ["loops", "numpy"] + ["numba"] * numba_is_installed()
GEOMETRY = (1, 1), ((1, 1), (1, 1)), (1, 1)


@pytest.fixture(params=BACKENDS)
def backend(request):
    with kernels.using_backend(request.param):
        yield request.param


def arrays():
    rng = np.random.default_rng(2)
    return (
        rng.normal(size=(2, 6, 5, 3)),
        rng.normal(size=(3, 3, 3, 4)),
        rng.normal(size=4),
        rng.normal(size=(2, 6, 5, 4)),
    )


@pytest.mark.parametrize("name", ["relu", "tanh", "gelu", "linear"])
def test_it_is_the_convolution_and_then_the_activation(name, backend):
    x, kernel, bias, dy = arrays()
    activation = activations.get(name)
    z = kernels.conv2d_forward(x, kernel, bias, *GEOMETRY)
    assert (z < 0).any()
    y, kept = fused.conv2d_forward(x, kernel, bias, *GEOMETRY, activation)
    np.testing.assert_allclose(y, activation(z), rtol=0, atol=1e-12)
    dz = activation.backward(dy, activation.forward(z)[1])
    expected = (
        kernels.conv2d_dx(dz, kernel, x.shape, *GEOMETRY),
        kernels.conv2d_dkernel(dz, x, kernel.shape, *GEOMETRY),
        dz.sum(axis=(0, 1, 2)),
    )
    arguments = dy, kept, x, kernel, *GEOMETRY, activation
    for found, wanted in zip(fused.conv2d_backward(*arguments), expected):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)
    dx, dkernel, dbias = fused.conv2d_backward(*arguments, needs_dx=False)
    assert dx is None
    np.testing.assert_allclose(dkernel, expected[1], rtol=0, atol=1e-12)
    dx, dkernel, dbias = fused.conv2d_backward(*arguments, needs_weights=False)
    np.testing.assert_allclose(dx, expected[0], rtol=0, atol=1e-12)
    assert dkernel is None and dbias is None


def test_an_activation_of_ones_own_that_is_called_relu_is_not_taken_for_it(backend):
    x, kernel, bias, _ = arrays()
    double = activations.Activation("relu", lambda z, out=None: 2 * z, lambda dy, y: 2 * dy, keeps="y")
    y, _ = fused.conv2d_forward(x, kernel, bias, *GEOMETRY, double)
    np.testing.assert_allclose(y, 2 * kernels.conv2d_forward(x, kernel, bias, *GEOMETRY), rtol=0, atol=1e-12)


def test_the_definitions_have_nothing_fused():
    for name in ("loops", "numpy"):
        assert kernels.operations(name).conv2d_relu_forward is None
        assert kernels.operations(name).conv2d_backward is None
