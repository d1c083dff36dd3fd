"""The mean of all places of ``f(x W + b)`` at once is the mean of what the functions one by one make of them."""

import numpy as np
import pytest

pytest.importorskip("numba")

from scratchnet import activations, kernels  # noqa: E402
from scratchnet.activations import Activation  # noqa: E402
from scratchnet.kernels.with_numba import affine_mean  # noqa: E402
from scratchnet.parallel.threads import Workers  # noqa: E402

FUNCTIONS = "relu", "relu6", "linear", "sigmoid", "leaky_relu", "elu", "gelu", "silu", "hard_silu", "softmax"
AT_ONCE = affine_mean._AT_ONCE // 16  # places that are worked on at once, of 16 filters


@pytest.fixture(autouse=True)
def _with_numba():
    with kernels.using_backend("numba"):
        yield


def drawn(N, M, C, F, dtype="float32"):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape).astype(dtype) for shape in ((N, M, C), (C, F), (F,))]


def expected(x, W, b, activation):
    """In float64."""
    z = x.astype(float) @ W.astype(float) + (0 if b is None else b.astype(float))
    return activation(z).mean(axis=1)


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    "M, C, F", [(20, 5, 7), (7, 7, 1), (AT_ONCE, 3, 16), (AT_ONCE + 1, 3, 16), (3 * AT_ONCE + 5, 3, 16)]
)
def test_it_is_the_mean_of_what_the_activation_makes_of_all_places(M, C, F, name, use_bias):
    x, W, b = drawn(3, M, C, F)
    b, activation = b if use_bias else None, activations.get(name)
    y = affine_mean.affine_mean(x, W, b, activation)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, expected(x, W, b, activation), rtol=1e-5, atol=1e-5)


def test_parameters_and_what_is_left_of_a_function_count():
    x, W, b = drawn(2, 30, 4, 6)
    for activation in (
        activations.get("leaky_relu").with_parameters(negative_slope=0.7),
        activations.get("relu").with_parameters(max_value=0.5),
        activations.get("elu").with_parameters(alpha=0.3),
        activations.get("gelu").with_parameters(approximate=True),
    ):
        y = affine_mean.affine_mean(x, W, b, activation)
        np.testing.assert_allclose(y, expected(x, W, b, activation), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["tanh", "softmax"])
def test_a_sample_has_the_same_bits_whoever_stands_beside_it_and_however_many_threads(name):
    x, W, b = drawn(9, 2500, 16, 24)
    whole = affine_mean.affine_mean(x, W, b, activations.get(name))
    with Workers(2) as workers:
        workers.help_one()
        np.testing.assert_array_equal(affine_mean.affine_mean(x, W, b, activations.get(name)), whole)
    for n in range(len(x)):
        alone = affine_mean.affine_mean(x[n : n + 1], W, b, activations.get(name))
        np.testing.assert_array_equal(alone[0], whole[n])


def test_nan_and_infinity_of_a_place_are_those_of_the_mean():
    x, W, b = drawn(4, 40, 3, 5)
    W = np.abs(W)
    x[0, 3, 1], x[1, 39, 0], x[2, 0, 2] = np.nan, np.inf, -np.inf
    for name, of_minus_infinity in (("relu", np.isfinite), ("linear", np.isneginf), ("softsign", np.isnan)):
        with np.errstate(invalid="ignore"):
            y = affine_mean.affine_mean(x, W, b, activations.get(name))
        assert np.isnan(y[0]).all() and np.isfinite(y[3]).all()
        assert of_minus_infinity(y[2]).all()
    assert np.isposinf(affine_mean.affine_mean(x, W, b, activations.get("relu"))[1]).all()


@pytest.mark.parametrize(
    "shape, dtype, activation",
    [
        ((2, 4, 5, 6), "float32", activations.get("relu")),  # W is more than what is saved
        ((2, 300, 256, 257), "float32", activations.get("relu")),
        ((2, 30, 4, 6), "float64", activations.get("relu")),
        ((2, 30, 4, 6), "float64", activations.get("tanh")),
        ((2, 30, 4, 6), "float32", activations.get("softmax").with_parameters(axis=1)),  # of all places together
        ((2, 30, 4, 6), "float32", Activation("half", lambda z, out=None: z / 2, lambda dy, y: dy / 2, keeps="y")),
    ],
)
def test_anything_else_is_left_to_others(shape, dtype, activation):
    assert affine_mean.affine_mean(*drawn(*shape, dtype), activation) is None
