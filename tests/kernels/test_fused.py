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


@pytest.mark.skipif(not numba_is_installed(), reason="of the compiled kernels")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "N, H, C, F, KH, groups, stride",
    [(3, 9, 1, 4, 3, 1, 1), (3, 8, 6, 5, 3, 1, 1), (2, 9, 6, 2, 3, 1, 1), (2, 11, 3, 4, 2, 1, 2), (2, 8, 4, 4, 3, 2, 1)]
    + [(2, 8, 16, 16, 3, 1, 1), (40, 12, 2, 3, 3, 1, 1)],
)
def test_pooled_in_passing_is_the_convolution_and_then_the_pooling(N, H, C, F, KH, groups, stride, dtype):
    rng = np.random.default_rng(5)
    x, kernel = rng.normal(size=(N, H, H + 1, C)).astype(dtype), rng.normal(size=(KH, KH, C // groups, F)).astype(dtype)
    geometry = (stride, stride), ((1, 1), (0, 1)), (1, 1)
    for bias in (None, rng.normal(size=F).astype(dtype)):
        with kernels.using_backend("numba"):
            y = kernels.conv2d_relu_max_pool_forward(x, kernel, bias, *geometry)
            z = kernels.conv2d_relu_forward(x, kernel, bias, *geometry)
            expected, _ = kernels.max_pool2d_forward(z, (2, 2), (2, 2), ((0, 0), (0, 0)))
        assert y.dtype == x.dtype and (y > 0).any()
        np.testing.assert_array_equal(y, expected)


@pytest.mark.skipif(not numba_is_installed(), reason="of the compiled kernels")
def test_pooled_in_passing_a_window_with_nan_is_nan():
    for place in ((0, 0), (0, 1), (1, 0), (1, 1)):
        x, kernel = np.ones((1, 4, 4, 1)), np.ones((1, 1, 1, 2))
        x[0, 2 + place[0], place[1], 0] = np.nan
        with kernels.using_backend("numba"):
            y = kernels.conv2d_relu_max_pool_forward(x, kernel, None, (1, 1), ((0, 0), (0, 0)), (1, 1))
        np.testing.assert_array_equal(np.isnan(y[0, :, :, 0]), [[False, False], [True, False]])
