"""Routing by agreement: every backend computes the definition, forward and back, and it is its derivative."""

import numpy as np
import pytest

from scratchnet import kernels
from scratchnet.gradient_check import numeric_gradient, relative_error

BACKENDS = ["loops", "numpy", *["numba"] * kernels.numba_is_installed()]
RNG = np.random.default_rng(71)
U_HAT, DV = RNG.standard_normal((4, 3, 2, 5)), RNG.standard_normal((3, 2, 5))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("R", [1, 3])
@pytest.mark.parametrize("through_all", [False, True])
def test_backends_agree(backend, R, through_all):
    found, expected = kernels.operations(backend), kernels.operations("loops")
    steps, wanted = found.routing_forward(U_HAT, R), expected.routing_forward(U_HAT, R)
    for a, b in zip(steps, wanted):
        np.testing.assert_allclose(a, b, atol=1e-14)
    d = found.routing_backward(DV, U_HAT, steps, through_all)
    np.testing.assert_allclose(d, expected.routing_backward(DV, U_HAT, wanted, through_all), atol=1e-14)
    u_hat, dv = U_HAT.astype("float32"), DV.astype("float32")
    single = found.routing_forward(u_hat, R)
    d_single = found.routing_backward(dv, u_hat, single, through_all)
    for a, b in zip((*single, d_single), (*steps, d)):
        assert a.dtype == np.float32
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_gradient_through_all_iterations_is_the_derivative(backend):
    routing = kernels.operations(backend)
    u_hat = U_HAT.copy()
    analytic = routing.routing_backward(DV, u_hat, routing.routing_forward(u_hat, 3), True)
    numeric = numeric_gradient(lambda: float((routing.routing_forward(u_hat, 3).v[-1] * DV).sum()), u_hat)
    assert relative_error(numeric, analytic) < 1e-8


def test_the_gradient_of_the_last_iteration_takes_the_coefficients_for_constants():
    routing = kernels.operations("numpy")
    u_hat = U_HAT.copy()
    steps = routing.routing_forward(u_hat, 3)
    analytic = routing.routing_backward(DV, u_hat, steps, False)

    def value():
        s = (steps.c[-1][..., None] * u_hat).sum(axis=0)
        n = np.sqrt((s * s).sum(axis=-1, keepdims=True))
        return float((s * n / (1 + n * n) * DV).sum())

    assert relative_error(numeric_gradient(value, u_hat), analytic) < 1e-8


@pytest.mark.parametrize("backend", BACKENDS)
def test_predictions_of_nothing_stay_nothing(backend):
    routing = kernels.operations(backend)
    steps = routing.routing_forward(np.zeros((2, 1, 2, 3), "float32"), 2)
    assert (steps.v == 0).all() and steps.v.dtype == np.float32
    assert np.isfinite(
        routing.routing_backward(np.ones((1, 2, 3), "float32"), np.zeros((2, 1, 2, 3), "float32"), steps, True)
    ).all()
