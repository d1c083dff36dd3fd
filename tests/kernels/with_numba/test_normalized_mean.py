"""The mean of normalized and activated places at once is the mean of what the formulas make of them one by one."""

import numpy as np
import pytest

pytest.importorskip("numba")

from scratchnet import activations, kernels  # noqa: E402
from scratchnet.activations import Activation  # noqa: E402
from scratchnet.kernels.with_numba import normalized_mean as module  # noqa: E402
from scratchnet.kernels.with_numba.normalized_mean import normalized_groups_mean, normalized_mean  # noqa: E402
from scratchnet.parallel.threads import Workers  # noqa: E402

FUNCTIONS = "relu", "relu6", "linear", "sigmoid", "leaky_relu", "gelu", "silu"
AT_ONCE = module._AT_ONCE // 16  # places that are worked on at once, of 16 channels
PLACES = [(1, 6), (20, 6), (AT_ONCE, 16), (AT_ONCE + 1, 16), (3 * AT_ONCE + 5, 16), (3, module._AT_ONCE + 2)]


@pytest.fixture(autouse=True)
def _with_numba():
    with kernels.using_backend("numba"):
        yield


def drawn(N, M, C, dtype="float32"):
    """x, mean, s, gamma and beta."""
    rng = np.random.default_rng(0)
    x, *known = (rng.standard_normal(shape).astype(dtype) for shape in ((N, M, C), (C,), (C,), (C,), (C,)))
    known[1] = np.abs(known[1]) + np.asarray(0.5, dtype)
    return x, *known


def expected(x, mean, s, gamma, beta, activation):
    """In float64."""
    x, mean, s, gamma, beta = (a.astype(float) for a in (x, mean, s, gamma, beta))
    return activation((x - mean) / s * gamma + beta).mean(axis=1)


def of_groups(x, gamma, beta, G, epsilon, activation):
    """In float64."""
    N, M, C = x.shape
    grouped = x.astype(float).reshape(N, M, G, C // G)
    mean, variance = grouped.mean(axis=(1, 3), keepdims=True), grouped.var(axis=(1, 3), keepdims=True)
    x_hat = ((grouped - mean) / np.sqrt(variance + epsilon)).reshape(x.shape)
    return activation(x_hat * gamma + beta).mean(axis=1)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("M, C", PLACES)
def test_the_mean_behind_averages_that_are_known(M, C, name):
    known = drawn(3, M, C)
    y = normalized_mean(*known, activations.get(name))
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, expected(*known, activations.get(name)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("M, C", PLACES)
def test_the_mean_behind_groups(M, C, name):
    x, _, _, gamma, beta = drawn(3, M, C)
    for G in (1, 2, C):
        y = normalized_groups_mean(x, gamma, beta, G, 0.01, activations.get(name))
        assert y.dtype == np.float32
        np.testing.assert_allclose(y, of_groups(x, gamma, beta, G, 0.01, activations.get(name)), rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("name", ["relu", "linear", "tanh", "sigmoid"])
def test_double_precision(name):
    x, mean, s, gamma, beta = drawn(3, 500, 6, "float64")
    y = normalized_mean(x, mean, s, gamma, beta, activations.get(name))
    np.testing.assert_allclose(y, expected(x, mean, s, gamma, beta, activations.get(name)), rtol=1e-12, atol=1e-13)
    y = normalized_groups_mean(x, gamma, beta, 3, 0.01, activations.get(name))
    np.testing.assert_allclose(y, of_groups(x, gamma, beta, 3, 0.01, activations.get(name)), rtol=1e-12, atol=1e-13)


def test_parameters_of_a_function_count():
    x, *known = drawn(2, 30, 6)
    for activation in (
        activations.get("leaky_relu").with_parameters(negative_slope=0.7),
        activations.get("relu").with_parameters(max_value=0.5),
        activations.get("elu").with_parameters(alpha=0.3),
    ):
        y = normalized_mean(x, *known, activation)
        np.testing.assert_allclose(y, expected(x, *known, activation), rtol=1e-5, atol=1e-6)


def test_a_sample_has_the_same_bits_whoever_stands_beside_it_and_however_many_threads():
    x, mean, s, gamma, beta = drawn(9, 2500, 24)
    for mean_of in (
        lambda x: normalized_mean(x, mean, s, gamma, beta, activations.tanh),
        lambda x: normalized_groups_mean(x, gamma, beta, 3, 0.001, activations.relu),
    ):
        whole = mean_of(x)
        with Workers(2) as workers:
            workers.help_one()
            np.testing.assert_array_equal(mean_of(x), whole)
        for n in range(len(x)):
            np.testing.assert_array_equal(mean_of(x[n : n + 1])[0], whole[n])


def test_nan_of_a_place_is_that_of_the_mean_and_of_its_group():
    x, mean, s, gamma, beta = drawn(2, 40, 6)
    x[0, 3, 1] = np.nan
    for name in ("relu", "sigmoid"):
        y = normalized_mean(x, mean, s, gamma, beta, activations.get(name))
        np.testing.assert_array_equal(np.isnan(y), [[False, True, False, False, False, False], [False] * 6])
        y = normalized_groups_mean(x, gamma, beta, 3, 0.001, activations.get(name))
        np.testing.assert_array_equal(np.isnan(y), [[True, True, False, False, False, False], [False] * 6])


def test_no_samples():
    x, *known = drawn(0, 5, 6)
    assert normalized_mean(x, *known, activations.relu).shape == (0, 6)
    assert normalized_groups_mean(x, *known[2:], 2, 0.1, activations.relu).shape == (0, 6)


@pytest.mark.parametrize("name", ["linear", "relu", "tanh"])
def test_of_no_places_there_is_no_mean(name):
    x, *known = drawn(2, 0, 6)
    with np.errstate(invalid="ignore"):
        assert np.isnan(normalized_mean(x, *known, activations.get(name))).all()
        assert np.isnan(normalized_groups_mean(x, *known[2:], 2, 0.1, activations.get(name))).all()


@pytest.mark.parametrize(
    "dtype, activation",
    [
        ("float64", activations.get("gelu")),
        ("float32", activations.get("softmax")),  # of all channels together
        ("float32", Activation("half", lambda z, out=None: z / 2, lambda dy, y: dy / 2, keeps="y")),
    ],
)
def test_anything_else_is_left_to_others(dtype, activation):
    x, *known = drawn(2, 5, 6, dtype)
    assert normalized_mean(x, *known, activation) is None
    assert normalized_groups_mean(x, *known[2:], 2, 0.1, activation) is None
