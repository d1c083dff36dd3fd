"""Activations: their values, their derivatives at kinks, and what large numbers do to them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import activations, layers, ops
from scratchnet.gradient_check import check_activation
from scratchnet.gradient_check.catalogue import separated

Z = np.array([-2.0, -0.5, 0.0, 0.5, 2.0])

# Values by Keras 3.15.1 (float32), to six digits.
KERAS = {
    "linear": [-2.000000, -0.500000, 0.000000, 0.500000, 2.000000],
    "relu": [0.000000, 0.000000, 0.000000, 0.500000, 2.000000],
    "relu6": [0.000000, 0.000000, 0.000000, 0.500000, 2.000000],
    "leaky_relu": [-0.400000, -0.100000, 0.000000, 0.500000, 2.000000],
    "elu": [-0.864665, -0.393469, 0.000000, 0.500000, 2.000000],
    "selu": [-1.520167, -0.691758, 0.000000, 0.525351, 2.101402],
    "sigmoid": [0.119203, 0.377541, 0.500000, 0.622459, 0.880797],
    "hard_sigmoid": [0.166667, 0.416667, 0.500000, 0.583333, 0.833333],
    "tanh": [-0.964028, -0.462117, 0.000000, 0.462117, 0.964028],
    "softsign": [-0.666667, -0.333333, 0.000000, 0.333333, 0.666667],
    "softplus": [0.126928, 0.474077, 0.693147, 0.974077, 2.126928],
    "exponential": [0.135335, 0.606531, 1.000000, 1.648721, 7.389056],
    "silu": [-0.238406, -0.188770, 0.000000, 0.311230, 1.761594],
    "gelu": [-0.045500, -0.154269, 0.000000, 0.345731, 1.954500],
    "softmax": [0.012555, 0.056266, 0.092767, 0.152948, 0.685464],
    "celu": [-0.864665, -0.393469, 0.000000, 0.500000, 2.000000],
    "hard_shrink": [-2.000000, 0.000000, 0.000000, 0.000000, 2.000000],
    "hard_silu": [-0.333333, -0.208333, 0.000000, 0.291667, 1.666667],
    "hard_tanh": [-1.000000, -0.500000, 0.000000, 0.500000, 1.000000],
    "log_sigmoid": [-2.126928, -0.974077, -0.693147, -0.474077, -0.126928],
    "mish": [-0.252501, -0.220744, 0.000000, 0.375245, 1.943959],
    "soft_shrink": [-1.500000, 0.000000, 0.000000, 0.000000, 1.500000],
    "sparse_plus": [0.000000, 0.062500, 0.250000, 0.562500, 2.000000],
    "sparse_sigmoid": [0.000000, 0.250000, 0.500000, 0.750000, 1.000000],
    "sparsemax": [0.000000, 0.000000, 0.000000, 0.000000, 1.000000],
    "squareplus": [0.414214, 0.780776, 1.000000, 1.280776, 2.414214],
    "tanh_shrink": [-1.035972, -0.037883, 0.000000, 0.037883, 1.035972],
    "threshold": [0.000000, 0.000000, 0.000000, 0.500000, 2.000000],
    "log_softmax": [-4.377659, -2.877660, -2.377660, -1.877660, -0.377659],
}


@pytest.mark.parametrize("name", activations.names())
def test_values_are_those_of_keras(name):
    np.testing.assert_allclose(activations.get(name)(Z[None])[0], KERAS[name], atol=2e-6)


@pytest.mark.parametrize("name", activations.names())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_stays_inputs_are_not_changed_and_overwriting_gives_the_same(name, dtype):
    activation, z = activations.get(name), np.random.default_rng(0).normal(size=(4, 5)).astype(dtype)
    kept = z.copy()
    y, cache = activation.forward(z)
    dz = activation.backward(np.ones_like(z), cache)
    assert y.dtype == dz.dtype == dtype
    np.testing.assert_array_equal(z, kept)
    overwritten, _ = activation.forward(z.copy(), overwrite=True)
    np.testing.assert_array_equal(overwritten, y)


@pytest.mark.parametrize("name", [n for n in activations.names() if n != "exponential"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_numbers_give_finite_values_and_no_warning(name, dtype):
    z = np.array([[-1000.0, -100.0, 100.0, 1000.0]], dtype)
    y, cache = activations.get(name).forward(z)
    assert np.isfinite(y).all()
    assert np.isfinite(activations.get(name).backward(np.ones_like(z), cache)).all()


@pytest.mark.parametrize(
    ("name", "slope"),
    [
        ("relu", 0.0),
        ("leaky_relu", 0.2),
        ("elu", 1.0),
        ("relu6", 0.0),
        ("selu", 1.0507009873554805),
        ("hard_sigmoid", 1 / 6),
        ("softsign", 1.0),
        ("celu", 1.0),
        ("hard_silu", 0.5),
        ("hard_shrink", 0.0),
        ("soft_shrink", 0.0),
        ("sparse_plus", 0.5),
        ("threshold", 0.0),
    ],
)
def test_the_derivative_at_zero_is_keras_s(name, slope):
    activation = activations.get(name)
    _, cache = activation.forward(np.zeros(1))
    assert activation.backward(np.ones(1), cache)[0] == pytest.approx(slope)


def test_gelu_is_the_exact_one():
    # x Phi(x) with Phi(1) = 0.8413447460685429; the tanh approximation would give 0.841192 at 1
    assert activations.gelu(np.array([1.0]))[0] == pytest.approx(0.8413447460685429, abs=1e-12)


def test_sigmoid_in_place_on_a_strided_view_is_right():
    base = np.linspace(-3, 3, 16, dtype="float32").reshape(4, 4)
    view = base[:, :1]
    expected = 1 / (1 + np.exp(-view.astype("float64")))
    y, _ = activations.sigmoid.forward(view, overwrite=True)
    np.testing.assert_allclose(y, expected, rtol=1e-6)


def test_parameters_names_and_what_is_refused():
    steep = activations.leaky_relu.with_parameters(negative_slope=0.5)
    np.testing.assert_array_equal(steep(np.array([-2.0, 2.0])), [-1.0, 2.0])
    again = activations.get(activations.serialize(steep))
    np.testing.assert_array_equal(again(np.array([-2.0])), [-1.0])
    assert activations.get("swish") is activations.silu
    assert activations.get(None) is activations.linear
    assert activations.relu([-1, 2]).tolist() == [0, 2]
    with pytest.raises(ValueError, match="closest: relu, relu6"):
        activations.get("RELU")
    with pytest.raises(TypeError, match="use scratchnet.ops.tanh"):
        activations.get(np.tanh).forward(np.zeros((2, 3)))
    with pytest.raises(TypeError, match="neither a name nor an Activation"):
        activations.get(3)
    with pytest.raises(ValueError, match='keeps must be "y" or "z"'):
        activations.Activation("a", np.tanh, None, "x")


@pytest.mark.parametrize("name", activations.names())
@pytest.mark.parametrize("shape", [(1,), (7,), (3, 1), (2, 3, 4)])
def test_the_derivative_is_that_of_differences(name, shape):
    z = np.random.default_rng(len(shape)).uniform(0.05, 2.5, shape) * np.random.default_rng(0).choice([-1, 1], shape)
    check_activation(activations.get(name), z).raise_if_failed()


@pytest.mark.parametrize("name", ["relu6", "hard_sigmoid"])
def test_where_a_function_is_flat_its_derivative_is_zero(name):
    z = np.array([-3.0, 6.0, -20.0, 20.0])  # the kinks among them count as flat, as in Keras
    _, cache = activations.get(name).forward(z)
    np.testing.assert_array_equal(activations.get(name).backward(np.ones(4), cache), 0)


@pytest.mark.parametrize("name", [n for n in activations.names() if "max" not in n])
def test_a_single_number_is_enough(name):
    assert activations.get(name)(0.5) == pytest.approx(activations.get(name)(np.array([0.5]))[0])


@pytest.mark.parametrize("name", activations.names())
@pytest.mark.parametrize(
    "change", [np.asfortranarray, lambda a: np.repeat(a, 3, axis=1)[:, ::3]], ids=["Fortran", "strided"]
)
def test_overwriting_is_right_in_every_layout(name, change):
    z = np.random.default_rng(0).normal(size=(9, 5)).astype("float32")
    expected = activations.get(name).forward(z)[0]
    np.testing.assert_allclose(
        activations.get(name).forward(change(z.copy()), overwrite=True)[0], expected, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(
    ("activation", "parameter"), [(activations.leaky_relu, "negative_slope"), (activations.relu, "negative_slope")]
)
def test_a_slope_below_zero_is_refused_since_the_sign_of_y_would_mislead(activation, parameter):
    flat = activation.with_parameters(**{parameter: 0.0})
    _, cache = flat.forward(np.array([-2.0, 2.0]))
    np.testing.assert_array_equal(flat.backward(np.ones(2), cache), [0, 1])
    with pytest.raises(ValueError, match=f"{parameter} must be at least 0, got -1"):
        activation.with_parameters(**{parameter: -1.0})


@pytest.mark.parametrize("name", activations.names())
@given(
    shape=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    seed=st.integers(0, 1000),
    scale=st.sampled_from([0.3, 0.7, 2.1]),
)
def test_the_derivative_is_that_of_the_function(name, shape, seed, scale):
    z = separated(np.random.default_rng(seed), shape) / scale * 1.0137  # no distance is 1, where sparsemax has kinks
    check_activation(activations.get(name), np.clip(z, -9, 9) + 1e-3, seed=seed).raise_if_failed()


@pytest.mark.parametrize("name", [n for n in activations.names() if n != "linear"])
def test_out_is_written_and_returned(name):
    z = np.random.default_rng(0).normal(size=(4, 5))
    out, expected = np.empty_like(z), activations.get(name)(z)
    assert activations.get(name).function(z, out=out) is out
    np.testing.assert_allclose(out, expected, rtol=1e-15)


@pytest.mark.parametrize("name", activations.names())
def test_z_is_overwritten_only_where_allowed_and_where_backward_does_not_need_it(name):
    activation, z = activations.get(name), np.random.default_rng(0).normal(size=(4, 5))
    if name != "linear":  # which gives z back
        assert not np.shares_memory(activation.forward(z)[0], z)
    assert np.shares_memory(activation.forward(z, overwrite=True)[0], z) == (activation.keeps == "y")


def test_hard_sigmoid_ends_at_zero_and_one():
    np.testing.assert_array_equal(activations.hard_sigmoid(np.array([-9.0, -3.0, 3.0, 9.0])), [0, 0, 1, 1])


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_rows_of_very_different_size_do_not_disturb_each_other(name):
    z = np.array([[0.0, 1.0], [5000.0, 5001.0]])
    y = activations.get(name)(z)
    np.testing.assert_array_equal(y[0], y[1])
    np.testing.assert_array_equal(y[0], activations.get(name)(z[0]))


def test_calling_keeps_floats_and_makes_float64_of_integers():
    assert activations.relu(np.ones(2, "float32")).dtype == np.float32
    assert activations.relu(np.ones(2, "float16")).dtype == np.float16
    assert activations.relu(np.ones(2, "int32")).dtype == np.float64
    assert activations.sigmoid([0]).tolist() == [0.5]


def test_an_activation_of_ones_own_a_dict_without_parameters_and_what_is_printed():
    square = activations.Activation("square", lambda z, out=None: z * z, lambda dy, z: 2 * z * dy, keeps="z")
    y, cache = square.forward(np.array([3.0]), overwrite=True)
    assert (y.tolist(), square.backward(np.ones(1), cache).tolist()) == ([9.0], [6.0])
    assert activations.get({"name": "relu"})(np.array([-1.0])) == 0
    assert repr(activations.relu) == "<activation relu>"
    both = activations.Activation("scaled", square.function, square.gradient, "z", a=1, b=2)
    assert repr(both) == "<activation scaled, a=1, b=2>"
    assert activations.names()[:2] == ["linear", "relu"]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda z: activations.relu(z, 0.5), [-1, 0, 1, 2]),
        (lambda z: activations.relu(z, 0.0, 1.5), [0, 0, 1, 1.5]),
        (lambda z: activations.relu(z, negative_slope=0.5, threshold=1.0), [-1.5, -0.5, 0, 2]),
        (lambda z: activations.leaky_relu(z, 0.1), [-0.2, 0, 1, 2]),
        (lambda z: activations.elu(x=z, alpha=0.0), [0, 0, 1, 2]),
        (lambda z: activations.threshold(z, 1.5, 7.0), [7, 7, 7, 2]),
        (lambda z: activations.softmax(z[:, None], 0)[:, 0] / activations.softmax(z), [1, 1, 1, 1]),
    ],
)
def test_parameters_are_given_by_position_as_in_keras(call, expected):
    np.testing.assert_allclose(call(np.array([-2.0, 0.0, 1.0, 2.0])), expected, rtol=1e-14, atol=1e-14)


def test_too_many_parameters_are_an_error():
    with pytest.raises(TypeError, match="leaky_relu takes x and .*negative_slope.*, got 2 further"):
        activations.leaky_relu(np.ones(2), 0.1, 3)


def test_relu_with_parameters_has_the_derivative_of_differences():
    relu = activations.relu.with_parameters(negative_slope=0.3, max_value=1.1, threshold=0.3)
    check_activation(relu, separated(np.random.default_rng(0), (4, 6))).raise_if_failed()


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "sparsemax"])
def test_an_axis_can_be_chosen(name):
    z = np.random.default_rng(0).normal(size=(3, 4, 5))
    activation = activations.get(name)
    expected = np.moveaxis(activation(np.moveaxis(z, 1, -1)), -1, 1)
    np.testing.assert_allclose(activation(z, axis=1), expected, rtol=1e-14)


def test_approximate_gelu_is_near_the_exact_one():
    z = np.linspace(-4, 4, 41)
    difference = np.abs(activations.gelu(z, approximate=True) - activations.gelu(z))
    assert 1e-5 < difference.max() < 5e-4


def test_layers_and_operations_stand_for_their_functions():
    found = activations.get(layers.ReLU(max_value=6, negative_slope=0.1))
    np.testing.assert_allclose(found(np.array([-1.0, 3.0, 9.0])), [-0.1, 3.0, 6.0], atol=1e-7)
    assert activations.get(ops.relu) is activations.relu and activations.get(ops.nn.sigmoid) is activations.sigmoid
    with pytest.raises(TypeError, match="neither a name nor an Activation"):
        activations.get(layers.Dense(3))
    dense = layers.deserialize(layers.serialize(layers.Dense(2, activation=layers.LeakyReLU(0.2))))
    assert dense.activation.parameters == {"negative_slope": 0.2}


def test_gated_linear_units_halve_an_axis():
    x = np.arange(12.0).reshape(3, 4)
    expected = x[:, :2] / (1 + np.exp(-x[:, 2:]))
    np.testing.assert_allclose(activations.glu(x), expected)
    np.testing.assert_allclose(activations.get("glu")(x.T, axis=0), expected.T)
    with pytest.raises(ValueError, match=r"glu: axis -2 of shape \(3, 4\) has no two halves"):
        activations.glu(x, -2)
    with pytest.raises(ValueError, match="an activation keeps the shape; this one makes"):
        layers.Dense(4, activation="glu")(x)
