"""Activations in one pass: the numbers of the formulas in `scratchnet.activations`, to some units of the last place."""

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from scratchnet import activations, kernels  # noqa: E402
from scratchnet.kernels.with_numba import activations as compiled  # noqa: E402
from scratchnet.kernels.with_numba import team  # noqa: E402

NAMES = sorted({*compiled._PAIRS, *compiled._OF_ROWS, "gelu"})
WITH_OTHERS = [
    ("leaky_relu", {"negative_slope": 0.01}),
    ("elu", {"alpha": 0.3}),
    ("celu", {"alpha": 2.5}),
    ("gelu", {"approximate": True}),
    ("squareplus", {"b": 0.3}),
    ("hard_shrink", {"threshold": 2}),
    ("soft_shrink", {"threshold": 0.25}),
    ("threshold", {"threshold": -1.5, "default_value": 7}),
]
# what is left of z / 6 + 1/2 near -3, or of z - tanh(z) near 0, has as few digits in NumPy; and e^(-z^2 / 2) of large z
FEW_DIGITS = {"hard_sigmoid": 1e-6, "hard_silu": 1e-6, "sparse_plus": 1e-6, "sparse_sigmoid": 1e-6, "gelu": 1e-11}
FEW_DIGITS.update(soft_shrink=1e-7, tanh_shrink=1e-7, log_softmax=1e-6)


@pytest.fixture(autouse=True)
def with_numba():
    with kernels.using_backend("numba"), np.errstate(over="ignore"):  # of single numbers, without the compiler
        yield


def arguments():
    """Around zero, where differences cancel, and up to where powers leave the range of float32; dy beside it."""
    rng = np.random.default_rng(0)
    near, far = rng.normal(scale=0.01, size=(31, 37)), rng.uniform(-120, 120, size=(31, 37))
    z = np.stack([near, rng.normal(scale=4, size=near.shape), far]).astype(np.float32)
    z[0, 0, :4] = 0, -0.0, 1e-30, -1e-30
    return z, rng.normal(size=z.shape).astype(np.float32)


def check_against_the_formulas(activation):
    z, dy = arguments()
    y, kept = activation.forward(z)
    dz = activation.backward(dy, kept)
    assert y.dtype == dz.dtype == np.float32
    with np.errstate(all="ignore"):
        exact = activation.function(z.astype(float), **activation.parameters)
        # of what is kept in float32: what its rounding does to a derivative is not the kernel's
        slopes = activation.gradient(dy.astype(float), kept.astype(float), **activation.parameters)
        exact = exact.astype(np.float32)  # which may be infinite
    np.testing.assert_allclose(y, exact, rtol=2e-6, atol=FEW_DIGITS.get(activation.name, 1e-33))
    np.testing.assert_allclose(dz, slopes, rtol=2e-6, atol=1e-6 * np.abs(dy).max())


@pytest.mark.parametrize("name", NAMES)
def test_values_and_derivatives_are_those_of_the_formulas(name):
    check_against_the_formulas(activations.get(name))


@pytest.mark.parametrize("name, parameters", WITH_OTHERS)
def test_parameters_of_a_layer_reach_the_kernel(name, parameters):
    check_against_the_formulas(activations.get(name).with_parameters(**parameters))


@pytest.mark.parametrize("name", NAMES)
def test_not_a_number_stays_so(name):
    z = np.zeros((3, 8), np.float32)
    z[1, 3] = np.nan
    activation = activations.get(name)
    y, kept = activation.forward(z)
    expected = np.isnan(activation.function(z))
    np.testing.assert_array_equal(np.isnan(y), expected)
    assert expected[1, 3] != (name == "threshold")  # which is what is not above it
    assert not expected[[0, 2]].any()


@pytest.mark.parametrize("name", NAMES)
def test_far_out_values_and_slopes_are_the_limits(name):
    z = np.array([[-1e15], [-1e4], [1e4], [1e15]], np.float32)
    for parameters in ({}, {"approximate": True}) if name == "gelu" else ({},):
        activation = activations.get(name).with_parameters(**parameters)
        y, kept = activation.forward(z)
        with np.errstate(all="ignore"):
            exact = activation.function(z.astype(float), **parameters).astype(np.float32)
            slopes = activation.gradient(np.ones(z.shape), kept.astype(float), **parameters).astype(np.float32)
        np.testing.assert_allclose(y, exact, rtol=1e-6, atol=1e-14)
        np.testing.assert_allclose(activation.backward(np.ones_like(z), kept), slopes, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_number_is_computed_alike_wherever_it_stands(name):
    """At the end of a row of any length a loop takes one number at a time, and before it several."""
    (z, dy), activation = arguments(), activations.get(name)
    z, dy = z[1], dy[1]
    y, kept = activation.forward(z)
    dz = activation.backward(dy, kept)
    for rows in (1, 2, 30):
        np.testing.assert_array_equal(activation(z[:rows]), y[:rows])
        np.testing.assert_array_equal(activation.backward(dy[:rows], kept[:rows]), dz[:rows])


@pytest.mark.parametrize("name", NAMES)
def test_every_layout_gives_the_same_and_nothing_is_written_over(name):
    (z, dy), activation = arguments(), activations.get(name)
    y, kept = activation.forward(z)
    dz = activation.backward(dy, kept)
    turned = np.asfortranarray(z)
    read_only = z.copy()
    read_only.flags.writeable = False
    for other in (turned, np.repeat(z, 2, axis=1)[:, ::2], read_only):
        again, kept = activation.forward(other)
        np.testing.assert_array_equal(again, y)
        np.testing.assert_array_equal(activation.backward(np.asfortranarray(dy), kept), dz)
        np.testing.assert_array_equal(other, z)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_compiled_is_left_to_the_formulas(name):
    activation = activations.get(name)
    parameters = activation.complete
    nothing = np.zeros((0, 4), np.float32)
    for z in (np.ones((2, 2)), nothing, np.float32(1), np.ones((2, 2), np.float16)):
        z = np.asarray(z)
        assert compiled.activate(name, z, parameters) is None
        assert compiled.activate_backward(name, z, z, parameters) is None
    assert compiled.activate_backward(name, np.ones((1, 4), np.float32), nothing, parameters) is None
    assert activation.forward(nothing)[0].shape == (0, 4)


def test_a_function_that_keeps_nothing_is_given_nothing():
    dy = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(activations.linear.adjoint(dy, None, None), dy)


def test_a_softmax_over_another_axis_is_left_to_the_formula():
    z = arguments()[0][1]
    columns = activations.softmax.with_parameters(axis=0)
    assert compiled.activate("softmax", z, {"axis": 0}) is None
    y, kept = columns.forward(z)
    np.testing.assert_allclose(y.sum(axis=0), 1, rtol=1e-5)
    last = activations.softmax.with_parameters(axis=1)
    np.testing.assert_array_equal(last(z), activations.softmax(z))


def test_a_function_of_one_s_own_is_never_taken_for_one_of_the_table():
    own = activations.Activation("elu", lambda z, out=None: z * 2, lambda dy, y: dy * 2, "y")
    z = np.ones((2, 3), np.float32)
    y, kept = own.forward(z)
    np.testing.assert_array_equal(y, 2 * z)
    np.testing.assert_array_equal(own.backward(z, kept), 2 * z)


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="a helper needs compiled code")
@pytest.mark.parametrize("name", ["mish", "elu", "gelu", "log_softmax"])
def test_two_threads_make_the_bits_of_one(name):
    activation, rng = activations.get(name), np.random.default_rng(1)
    z, dy = rng.normal(size=(2, 4_000, 10)).astype(np.float32)
    y, kept = activation.forward(z)
    dz = activation.backward(dy, kept)
    with team.helper() as helper:
        helper.wake()
        for _ in range(5):
            np.testing.assert_array_equal(activation.forward(z)[0], y)
            np.testing.assert_array_equal(activation.backward(dy, kept), dz)
