"""Steps of recurrent layers with other activations than the defaults: NumPy's numbers, the same on two threads."""

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from scratchnet import activations  # noqa: E402
from scratchnet.kernels import operations  # noqa: E402
from scratchnet.kernels.steps import CALLED_ACTIVATIONS, COMPILED_ACTIVATIONS  # noqa: E402
from scratchnet.kernels.with_numba import team  # noqa: E402
from scratchnet.kernels.with_numba.step_activations import backward_of, forward_of  # noqa: E402

compiled, with_numpy = operations("numba"), operations("numpy")
EACH = [(name, {}) for name in CALLED_ACTIVATIONS] + [("leaky_relu", {"negative_slope": 0.01})]


def through_lstm(kernels, act, rec, T=3, N=3, U=19, mask=None):
    """What steps and their way back give; in float32."""
    xW, R, b, (h0, c0, dh, dc), dy = drawn((T, N, 4 * U), (U, 4 * U), (4 * U,), (4, N, U), (T, N, U))
    steps = kernels.lstm_forward(xW, R, b, h0, c0, act, rec, mask)
    return [*steps[1:], *kernels.lstm_backward(dy, dh, dc, R, steps, act, rec, mask)]


def through_gru(kernels, act, rec, T=3, N=3, U=19):
    xW, R, b, (h0, dh), dy = drawn((T, N, 3 * U), (U, 3 * U), (2, 3 * U), (2, N, U), (T, N, U))
    steps = kernels.gru_forward(xW, R, *b, h0, act, rec, True)
    return [*steps[1:], *kernels.gru_backward(dy, dh, R, steps, act, rec, True)]


def through_simple_rnn(kernels, act, T=3, N=3, U=19):
    xW, R, b, (h0, dh), dy = drawn((T, N, U), (U, U), (U,), (2, N, U), (T, N, U))
    steps = kernels.simple_rnn_forward(xW, R, b, h0, act)
    return [steps.h, *kernels.simple_rnn_backward(dy, dh, R, steps, act)]


def drawn(*shapes):
    rng = np.random.default_rng(0)
    return [(0.1 * rng.normal(size=shape)).astype(np.float32) for shape in shapes]


def check_equal(found, expected):
    for one, other in zip(found, expected):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5)


def test_the_compiled_ones_are_all_whose_derivative_comes_from_the_output_alone():
    by_name = {name: activations.get(name) for name in activations.names()}
    for way in (forward_of, backward_of):
        found = {name for name, activation in by_name.items() if way(np.float32, activation) is not None}
        assert found == {*COMPILED_ACTIVATIONS, *CALLED_ACTIVATIONS}


@pytest.mark.parametrize("name, parameters", EACH)
def test_steps_and_their_way_back_are_numpy_s(name, parameters):
    act, rec = activations.get(name).with_parameters(**parameters), activations.sigmoid
    assert through_lstm_keeps_no_z(act)
    mask = np.array([[True, False, True], [True] * 3, [False, True, True]])
    check_equal(through_lstm(compiled, act, rec, mask=mask), through_lstm(with_numpy, act, rec, mask=mask))
    check_equal(through_gru(compiled, act, rec), through_gru(with_numpy, act, rec))
    check_equal(through_simple_rnn(compiled, act), through_simple_rnn(with_numpy, act))


def through_lstm_keeps_no_z(act):
    xW, R, b, h0 = drawn((2, 3, 4), (1, 4), (4,), (3, 1))
    return compiled.lstm_forward(xW, R, b, h0, h0, act, activations.sigmoid).z is None


@pytest.mark.parametrize("name", ["softsign", "elu"])
def test_a_gate_may_have_one_too(name):
    act, rec = activations.tanh, activations.get(name)
    check_equal(through_lstm(compiled, act, rec), through_lstm(with_numpy, act, rec))
    check_equal(through_gru(compiled, act, rec), through_gru(with_numpy, act, rec))


@pytest.mark.parametrize("name", ["elu", "softsign"])
def test_a_single_step_of_an_lstm_is_numpy_s(name):
    act, rec, (z, c, dh, dc) = activations.get(name), activations.sigmoid, drawn((7, 20), (7, 5), (7, 5), (7, 5))
    results = []
    for kernels in (compiled, with_numpy):
        step = kernels.lstm_step_forward(z, c, act, rec)
        results.append([*step, *kernels.lstm_step_backward(dh, dc, step, act, rec)])
    check_equal(*results)


def test_what_is_not_compiled_is_left_to_numpy():
    assert not through_lstm_keeps_no_z(activations.silu)  # its derivative comes from z
    own = activations.Activation("elu", lambda z, out=None: 2 * z, lambda dy, y: 2 * dy, "y")
    assert not through_lstm_keeps_no_z(own)
    for way in (forward_of, backward_of):
        assert way(np.float64, activations.elu) is None
        assert way(np.float32, activations.tanh, activations.mish) is None


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="a helper needs compiled code")
@pytest.mark.parametrize("name", ["elu", "softplus"])
def test_two_threads_make_the_bits_of_one(name):
    act, rec, sizes = activations.get(name), activations.sigmoid, {"T": 4, "N": 32, "U": 32}
    alone = through_lstm(compiled, act, rec, **sizes) + through_gru(compiled, act, rec, **sizes)
    with team.helper() as helper:
        helper.wake()
        shared = through_lstm(compiled, act, rec, **sizes) + through_gru(compiled, act, rec, **sizes)
    for one, other in zip(shared, alone):
        np.testing.assert_array_equal(one, other)
