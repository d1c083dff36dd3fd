"""A convolution, or x W + b, with its activation, in one pass or in several: the same numbers."""

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


def arrays(shape=(3, 3, 3, 4), C=3):
    rng = np.random.default_rng(2)
    return (
        rng.normal(size=(2, 6, 5, C)),
        rng.normal(size=shape),
        rng.normal(size=shape[3]),
        rng.normal(size=(2, 6, 5, shape[3])),
    )


@pytest.mark.parametrize(
    "name, shape, C",
    [(name, (3, 3, 3, 4), 3) for name in ("relu", "relu6", "tanh", "gelu", "linear")]
    + [(name, (3, 3, 1, F), C) for name in ("relu", "relu6") for C, F in ((3, 6), (16, 16))],
)
def test_it_is_the_convolution_and_then_the_activation(name, shape, C, backend):
    x, kernel, bias, dy = arrays(shape, C)
    activation = activations.get(name)
    z = kernels.conv2d_forward(x, kernel, bias, *GEOMETRY)
    assert (z < 0).any() and (z > 6).any()
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


@pytest.mark.parametrize("name", ["relu", "tanh", "linear", "softmax"])
@pytest.mark.parametrize(
    "shape, C, geometry",
    [
        ((1, 1, 3, 4), 3, ((1, 1), ((0, 0), (0, 0)), (1, 1))),
        ((1, 1, 3, 4), 3, ((2, 1), ((0, 0), (0, 0)), (1, 1))),
        ((1, 1, 3, 4), 3, ((1, 1), ((0, 1), (0, 0)), (1, 1))),
        ((1, 1, 1, 3), 3, ((1, 1), ((0, 0), (0, 0)), (1, 1))),  # each channel has its own filter
        ((3, 3, 3, 4), 3, GEOMETRY),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_mean_of_all_pixels_is_that_of_what_the_convolution_puts_out(shape, C, geometry, name, dtype, backend):
    x, kernel, bias, _ = (array.astype(dtype) for array in arrays(shape, C))
    activation = activations.get(name)
    y, _ = fused.conv2d_forward(x, kernel, bias, *geometry, activation)
    mean = fused.conv2d_mean_forward(x, kernel, bias, *geometry, activation)
    assert mean.dtype == dtype
    np.testing.assert_allclose(mean, y.mean(axis=(1, 2)), rtol=0, atol=1e-5 if dtype == "float32" else 1e-12)


def test_an_activation_of_ones_own_that_is_called_relu_is_not_taken_for_it(backend):
    x, kernel, bias, _ = arrays()
    double = activations.Activation("relu", lambda z, out=None: 2 * z, lambda dy, y: 2 * dy, keeps="y")
    y, _ = fused.conv2d_forward(x, kernel, bias, *GEOMETRY, double)
    np.testing.assert_allclose(y, 2 * kernels.conv2d_forward(x, kernel, bias, *GEOMETRY), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "activation, limit",
    [
        (activations.relu, np.inf),
        (activations.relu6, 6),
        (activations.relu.with_parameters(max_value=0.5), 0.5),
        (activations.relu.with_parameters(max_value=0.0), 0),
        (activations.relu.with_parameters(negative_slope=0.1), None),
        (activations.relu.with_parameters(threshold=1.0), None),
        (activations.tanh, None),
    ],
)
def test_a_relu_with_a_limit_is_included_and_nothing_else(activation, limit, backend):
    assert activation.relu_limit == limit
    x, kernel, bias, _ = arrays()
    y, _ = fused.conv2d_forward(x, kernel, bias, *GEOMETRY, activation)
    np.testing.assert_allclose(y, activation(kernels.conv2d_forward(x, kernel, bias, *GEOMETRY)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name, most", [("relu", np.inf), ("relu6", 6)])
def test_of_windows_of_one_pixel_it_is_an_affine_map(name, most, backend):
    activation = activations.get(name)
    x, kernel, bias, dy = arrays((1, 1, 20, 18), 20)
    geometry = (1, 1), ((0, 0), (0, 0)), (1, 1)
    y, kept = fused.conv2d_forward(x, kernel, bias, *geometry, activation)
    np.testing.assert_allclose(y, np.clip(x @ kernel[0, 0] + bias, 0, most), rtol=0, atol=1e-12)
    dz = dy * ((y > 0) & (y < most))
    for needs_dx in (True, False):
        dx, dkernel, dbias = fused.conv2d_backward(dy, kept, x, kernel, *geometry, activation, needs_dx)
        np.testing.assert_allclose(dkernel[0, 0], np.einsum("nijc,nijf->cf", x, dz), rtol=0, atol=1e-12)
        np.testing.assert_allclose(dbias, dz.sum(axis=(0, 1, 2)), rtol=0, atol=1e-12)
        if needs_dx:
            np.testing.assert_allclose(dx, dz @ kernel[0, 0].T, rtol=0, atol=1e-12)
        else:
            assert dx is None


@pytest.mark.parametrize("name", ["relu", "relu6", "gelu"])
@pytest.mark.parametrize("M, C, F", [(5, 3, 4), (7, 40, 36), (3600, 40, 36), (0, 40, 36)])
def test_an_affine_map_is_the_product_and_then_the_activation(M, C, F, name, backend):
    M = min(M, 7) if backend == "loops" else M  # 3600 rows are several pieces
    rng = np.random.default_rng(3)
    x, W, b, dy = rng.normal(size=(M, C)), rng.normal(size=(C, F)), rng.normal(size=F), rng.normal(size=(M, F))
    activation = activations.get(name)
    for bias in (b, None):
        z = x @ W if bias is None else x @ W + bias
        y, kept = fused.affine_forward(x, W, bias, activation)
        np.testing.assert_allclose(y, activation(z), rtol=0, atol=1e-12)
    dz = activation.backward(dy, activation.forward(z)[1])
    dx, *of_weights = fused.affine_backward(dy, kept, x, W, activation)
    np.testing.assert_allclose(dx, dz @ W.T, rtol=0, atol=1e-12)
    for found, wanted in zip(of_weights, (x.T @ dz, dz.sum(axis=0))):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-10)
    nothing, *others = fused.affine_backward(dy, kept, x, W, activation, needs_dx=False)
    assert nothing is None
    for found, wanted in zip(others, of_weights):
        np.testing.assert_array_equal(found, wanted)
    alone, *nothing = fused.affine_backward(dy, kept, x, W, activation, needs_weights=False)
    np.testing.assert_allclose(alone, dx, rtol=0, atol=1e-12)
    assert nothing == [None, None]


@pytest.mark.skipif(not numba_is_installed(), reason="of the compiled kernels")
def test_compiled_matrices_of_two_dtypes_are_refused():
    x, W = np.ones((4, 3), np.float32), np.ones((3, 5))
    with kernels.using_backend("numba"), pytest.raises(TypeError, match="one dtype, got float32, float64"):
        kernels.affine_forward(x, W, None)


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
