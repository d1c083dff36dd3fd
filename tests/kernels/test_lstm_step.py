"""A step of an LSTM: every backend computes the definition, and backward is its derivative."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import activations
from scratchnet.gradient_check import numeric_gradient, relative_error
from tests.kernels.every_backend import EVERY, EVERY_FAST, loops


@EVERY_FAST
@pytest.mark.parametrize("dtype, tolerance", [("float32", 2e-6), ("float64", 1e-14)])
@given(
    shape=st.sampled_from([(0, 3), (1, 1), (5, 3), (2, 3, 2, 4), (3, 700), (2500,)]),
    names=st.sampled_from([("tanh", "sigmoid"), ("relu", "hard_sigmoid"), ("linear", "tanh"), ("gelu", "sigmoid")]),
    layout=st.sampled_from(["C", "Fortran", "readonly"]),
    seed=st.integers(0, 99),
)
def test_backends_agree(backend, dtype, tolerance, shape, names, layout, seed):
    rng, (act, rec) = np.random.default_rng(seed), map(activations.get, names)
    z = rng.normal(size=(*shape[:-1], 4 * shape[-1])).astype(dtype)
    c_prev, dh, dc = rng.normal(size=(3, *shape)).astype(dtype)
    if layout == "Fortran":
        z, c_prev, dh, dc = map(np.asfortranarray, (z, c_prev, dh, dc))
    for array in (z, c_prev, dh, dc):
        array.flags.writeable = layout != "readonly"
    kept = [array.copy() for array in (z, c_prev, dh, dc)]
    step, wanted = (b.lstm_step_forward(z, c_prev, act, rec) for b in (backend, loops))
    back = (b.lstm_step_backward(dh, dc, wanted, act, rec) for b in (backend, loops))
    for found, expected in (*zip(step, wanted), *zip(*back)):
        assert found.shape == expected.shape and found.dtype == dtype
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * max(1, np.abs(expected).max(initial=0)))
    for array, before in zip((z, c_prev, dh, dc), kept):
        np.testing.assert_array_equal(array, before)


@EVERY
@pytest.mark.parametrize("name", ["tanh", "gelu"])
def test_dz_is_written_into_the_room_for_it(backend, name):
    rng, act, rec = np.random.default_rng(2), activations.get(name), activations.sigmoid
    z, c_prev, dh, dc = rng.normal(size=(4, 12)), *rng.normal(size=(3, 4, 3))
    step, room = backend.lstm_step_forward(z, c_prev, act, rec), np.empty((4, 12))
    assert backend.lstm_step_backward(dh, dc, step, act, rec, room)[0] is room
    np.testing.assert_array_equal(room, backend.lstm_step_backward(dh, dc, step, act, rec)[0])


@EVERY
def test_backward_is_the_derivative(backend):
    rng, act, rec = np.random.default_rng(1), activations.tanh, activations.sigmoid
    z, c_prev, dh, dc = rng.normal(size=(4, 12)), *rng.normal(size=(3, 4, 3))

    def value():
        step = backend.lstm_step_forward(z, c_prev, act, rec)
        return float((step.h * dh + step.c * dc).sum())

    adjoints = backend.lstm_step_backward(dh, dc, backend.lstm_step_forward(z, c_prev, act, rec), act, rec)
    for array, d in zip((z, c_prev), adjoints):
        assert relative_error(numeric_gradient(value, array), d) < 1e-8
