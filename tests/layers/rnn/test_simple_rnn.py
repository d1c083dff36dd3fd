"""SimpleRNN: values, gradients of everything, options, errors."""

import importlib.util
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import activations, kernels
from scratchnet.gradient_check.differences import numeric_gradient, relative_error
from scratchnet.graph.symbolic import KerasTensor
from scratchnet.layers.rnn.simple_rnn import SimpleRNN

BACKENDS = ["loops", "numpy"] + ["numba"] * (importlib.util.find_spec("numba") is not None)


@pytest.fixture(params=BACKENDS)
def backend(request):
    kernels.set_backend(request.param)
    yield request.param
    kernels.set_backend(None)


def make(D, rng=None, **arguments):
    """A built layer with asymmetric parameters: sines as in the reference values, or random ones."""
    layer = SimpleRNN(**arguments)
    layer.ensure_built((None, None, D))
    for p, scale, shift in zip(layer.weights, (0.5, 0.5, 1.0), (0, 7, 3)):
        p[...] = scale * (
            np.sin(shift + np.arange(p.size)).reshape(p.shape) if rng is None else rng.normal(size=p.shape)
        )
    return layer


def as_list(values):
    return values if isinstance(values, list) else [values]


def check_gradients(layer, inputs, rng, tolerance=1e-7):
    """Every entry of dx, of the initial states' adjoints and of the parameters', for a random upstream gradient."""
    y, cache = layer.forward(inputs)
    dy = [rng.normal(size=part.shape) for part in as_list(y)]

    def loss():
        return sum(np.sum(part * d) for part, d in zip(as_list(layer.forward(inputs)[0]), dy))

    dx, grads = layer.backward(dy if isinstance(y, list) else dy[0], cache)
    assert list(grads) == list(layer.params)
    for value, analytic in zip([*as_list(inputs), *layer.params.values()], [*as_list(dx), *grads.values()]):
        assert relative_error(numeric_gradient(loss, value), analytic) < tolerance


# ---- forward ----


def test_constant_kernels_on_a_ramp():
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    for go_backwards, expected in ((False, [0.40543202, 0.7360534]), (True, [0.1114473, 0.55288875])):
        layer = SimpleRNN(4, go_backwards=go_backwards)
        layer.ensure_built(x.shape)
        for parameter, value in zip(layer.weights, (0.01, 0.02, 0.03)):
            parameter[...] = value
        np.testing.assert_allclose(layer(x), np.repeat(expected, 4).reshape(2, 4), rtol=2e-6)


def test_values_of_keras_with_asymmetric_kernels(backend):
    x = np.cos(np.arange(24)).reshape(2, 3, 4)
    y = make(4, units=2, dtype="float64")(x)
    np.testing.assert_allclose(y, [[-0.12319279, -0.32487905], [0.11472644, -0.2882153]], atol=1e-6)
    layer = make(4, units=2, dtype="float64", go_backwards=True, return_sequences=True, return_state=True)
    y, h = layer(x, initial_state=np.full((2, 2), 0.3))
    expected = [
        [[0.20134021, -0.38995883], [-0.20963037, -0.7693936], [0.426119, -0.3077328]],
        [[0.4662663, -0.24730839], [-0.2634125, -0.7029106], [0.3598485, -0.5312981]],
    ]
    np.testing.assert_allclose(y, expected, atol=1e-6)
    np.testing.assert_array_equal(h, y[:, -1])


def test_one_step_is_its_equation():
    rng = np.random.default_rng(0)
    layer = make(3, rng, units=4, dtype="float64")
    W, R, b = layer.weights
    x, h0 = rng.normal(size=(2, 1, 3)), rng.normal(size=(2, 4))
    np.testing.assert_allclose(layer([x, h0]), np.tanh(x[:, 0] @ W + h0 @ R + b), rtol=0, atol=1e-15)


def test_parameters_and_their_defaults():
    layer = SimpleRNN(4)
    layer.ensure_built((None, None, 3))
    assert {name: w.shape for name, w in layer.params.items()} == {
        "kernel": (3, 4),
        "recurrent_kernel": (4, 4),
        "bias": (4,),
    }
    R = layer.params["recurrent_kernel"]
    np.testing.assert_allclose(R @ R.T, np.eye(4), atol=1e-5)
    assert layer.activation is activations.tanh and not layer.params["bias"].any()
    assert "bias" not in make(3, units=4, use_bias=False).params


@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("keeps", ["y", "z"])
def test_going_backwards_is_processing_the_flipped_sequence(return_sequences, keeps):
    rng = np.random.default_rng(0)
    options = {
        "units": 3,
        "activation": "tanh" if keeps == "y" else "gelu",
        "return_sequences": return_sequences,
        "dtype": "float64",
    }
    forwards, backwards = make(2, **options), make(2, go_backwards=True, **options)
    x = rng.normal(size=(2, 4, 2))
    y, cache = forwards.forward(x[:, ::-1])
    flipped_y, flipped_cache = backwards.forward(x)
    np.testing.assert_array_equal(flipped_y, y)
    dy = rng.normal(size=y.shape)
    dx, grads = forwards.backward(dy, cache)
    flipped_dx, flipped_grads = backwards.backward(dy, flipped_cache)
    np.testing.assert_array_equal(flipped_dx, dx[:, ::-1])
    for name in grads:
        np.testing.assert_array_equal(flipped_grads[name], grads[name])


def test_last_output_is_the_end_of_the_sequence():
    x = np.random.default_rng(1).normal(size=(2, 5, 3))
    last = make(3, units=4, dtype="float64").forward(x)[0]
    np.testing.assert_array_equal(make(3, units=4, dtype="float64", return_sequences=True).forward(x)[0][:, -1], last)


def test_state_hands_a_sequence_over_from_one_call_to_the_next():
    layer = make(3, units=4, dtype="float64", return_sequences=True, return_state=True)
    x = np.random.default_rng(2).normal(size=(2, 7, 3))
    whole, *state = layer(x)
    first, *between = layer(x[:, :3])
    second, *end = layer(x[:, 3:], initial_state=between)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), whole, rtol=0, atol=1e-14)
    for part, wanted in zip(end, state):
        np.testing.assert_allclose(part, wanted, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("activation", "known"), [("tanh", True), ("relu", True), ("linear", True), ("gelu", False)])
def test_the_kernels_of_the_backend_compute_what_they_know(activation, known, monkeypatch):
    """Those of NumPy know every activation; and only one whose derivative needs z has it kept."""
    calls, layer = [], make(3, units=4, activation=activation)
    forward = kernels.simple_rnn_forward
    monkeypatch.setattr(
        kernels, "simple_rnn_forward", lambda *arguments: (calls.append(arguments), forward(*arguments))
    )
    _, cache = layer.forward(np.ones((2, 5, 3), np.float32))
    assert len(calls) == known and (cache.z is None) == (activation != "gelu")


# ---- gradients ----


@given(
    sizes=st.tuples(*[st.integers(1, 3)] * 4),
    options=st.fixed_dictionaries(
        {
            "activation": st.sampled_from(["tanh", "relu", "sigmoid", "linear", "gelu", "softmax"]),
            "use_bias": st.booleans(),
            "return_sequences": st.booleans(),
            "return_state": st.booleans(),
            "go_backwards": st.booleans(),
        }
    ),
    with_state=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_gradients(sizes, options, with_state, seed):
    N, T, D, U = sizes
    rng = np.random.default_rng(seed)
    layer = make(D, rng, units=U, dtype="float64", **options)
    x = rng.normal(size=(N, T, D))
    states = [rng.normal(size=(N, U)) for _ in layer.state_names]
    check_gradients(layer, [x, *states] if with_state else x, rng)


def test_gradients_of_every_backend(backend):
    rng = np.random.default_rng(3)
    layer = make(2, rng, units=3, dtype="float64", return_sequences=True, return_state=True)
    check_gradients(layer, [rng.normal(size=(2, 3, 2)), *rng.normal(size=(len(layer.state_names), 2, 3))], rng)


@pytest.mark.parametrize("name", [name for name in activations.names() if name not in ("relu6", "leaky_relu")])
def test_any_activation_will_do(name):
    rng = np.random.default_rng(4)
    layer = make(2, rng, units=3, dtype="float64", activation=name)
    for p in layer.weights:
        p *= 0.3  # an exponential grows from step to step
    check_gradients(layer, rng.normal(size=(2, 3, 2)), rng)


def test_an_activation_of_ones_own_is_used_whatever_its_name():
    square = activations.Activation("tanh", lambda z, out=None: z * z, lambda dy, z: 2 * z * dy, keeps="z")
    rng = np.random.default_rng(5)
    layer = make(2, rng, units=3, dtype="float64", activation=square)
    x = rng.normal(size=(2, 3, 2))
    assert not np.allclose(layer.forward(x)[0], make(2, units=3, dtype="float64").forward(x)[0])
    check_gradients(layer, x, rng)


def test_missing_adjoints_count_as_zeros():
    rng = np.random.default_rng(6)
    layer = make(2, rng, units=3, dtype="float64", return_sequences=True, return_state=True)
    parts, cache = layer.forward(rng.normal(size=(2, 4, 2)))
    dy = [rng.normal(size=part.shape) for part in parts]
    for missing in range(len(dy)):
        without = [None if k == missing else d for k, d in enumerate(dy)]
        zero = [np.zeros_like(d) if k == missing else d for k, d in enumerate(dy)]
        (dx, grads), (wanted_dx, wanted) = layer.backward(without, cache), layer.backward(zero, cache)
        np.testing.assert_array_equal(dx, wanted_dx)
        for name in grads:
            np.testing.assert_array_equal(grads[name], wanted[name])


def test_gradients_of_a_batch_are_the_sum_over_its_parts():
    rng = np.random.default_rng(7)
    layer = make(3, rng, units=4, dtype="float64", return_sequences=True)
    x, dy = rng.normal(size=(5, 6, 3)), rng.normal(size=(5, 6, 4))
    dx, grads = layer.backward(dy, layer.forward(x)[1])
    parts = [layer.backward(dy[rows], layer.forward(x[rows])[1]) for rows in (slice(0, 2), slice(2, 5))]
    np.testing.assert_allclose(dx, np.concatenate([part[0] for part in parts]), rtol=0, atol=1e-13)
    for name in grads:
        np.testing.assert_allclose(grads[name], parts[0][1][name] + parts[1][1][name], rtol=0, atol=1e-12)


# ---- the contract ----


@pytest.mark.parametrize("activation", ["tanh", "silu"])
def test_backward_twice_is_the_same_and_nothing_given_changes(activation):
    rng = np.random.default_rng(9)
    layer = make(3, rng, units=4, dtype="float64", return_sequences=True, return_state=True, activation=activation)
    inputs = [rng.normal(size=(2, 5, 3)), *rng.normal(size=(len(layer.state_names), 2, 4))]
    kept = [value.copy() for value in [*inputs, *layer.weights]]
    y, cache = layer.forward(inputs)
    kept_cache = [np.copy(field) for field in cache if isinstance(field, np.ndarray)]
    dy = [rng.normal(size=part.shape) for part in y]
    kept_dy = [d.copy() for d in dy]
    (dx, grads), (dx2, grads2) = layer.backward(dy, cache), layer.backward(dy, cache)
    for once, again in zip(
        [*dx, *grads.values(), *kept, *kept_dy], [*dx2, *grads2.values(), *inputs, *layer.weights, *dy]
    ):
        np.testing.assert_array_equal(again, once)
    for before, now in zip(kept_cache, [field for field in cache if isinstance(field, np.ndarray)]):
        np.testing.assert_array_equal(now, before)


def test_without_dx_the_gradients_are_the_same():
    rng = np.random.default_rng(10)
    layer = make(3, rng, units=4, dtype="float64")
    _, cache = layer.forward([rng.normal(size=(2, 5, 3)), *rng.normal(size=(len(layer.state_names), 2, 4))])
    dy = rng.normal(size=(2, 4))
    (_, wanted), (dx, grads) = layer.backward(dy, cache), layer.backward(dy, cache, needs_dx=False)
    assert dx is None
    for name in wanted:
        np.testing.assert_array_equal(grads[name], wanted[name])


@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu"])
def test_float32_stays_float32(activation, backend):
    rng = np.random.default_rng(11)
    layer = make(3, units=4, return_sequences=True, return_state=True, activation=activation)
    inputs = [
        v.astype(np.float32) for v in (rng.normal(size=(2, 5, 3)), *rng.normal(size=(len(layer.state_names), 2, 4)))
    ]
    y, cache = layer.forward(inputs)
    dx, grads = layer.backward([np.ones_like(part) for part in y], cache)
    arrays = [field for field in cache if isinstance(field, np.ndarray)]
    assert {value.dtype for value in [*y, *dx, *grads.values(), *arrays]} == {np.dtype(np.float32)}
    dx, grads = layer.backward([None, *[np.ones(part.shape) for part in y[1:]]], cache)  # float64
    assert {value.dtype for value in [*dx, *grads.values()]} == {np.dtype(np.float32)}


def test_float32_stays_float32_where_steps_and_adjoints_are_missing(backend):
    layer = make(3, units=4)
    y, cache = layer.forward(np.broadcast_to(np.ones((2, 1, 3), np.float32), (2, 5, 3)))
    dx, grads = layer.backward(np.ones_like(y), cache)
    arrays = [field for field in cache if isinstance(field, np.ndarray)]
    assert {value.dtype for value in [y, dx, *grads.values(), *arrays]} == {np.dtype(np.float32)}


@pytest.mark.parametrize("layout", ["fortran", "strided", "transposed", "read-only"])
def test_memory_layout_of_inputs_does_not_matter(layout):
    rng = np.random.default_rng(12)
    layer = make(3, rng, units=4, dtype="float64", return_sequences=True)
    arrays = rng.normal(size=(4, 5, 3)), rng.normal(size=(4, 5, 4)), *rng.normal(size=(len(layer.state_names), 4, 4))

    def laid_out(v):
        if layout == "fortran":
            return np.asfortranarray(v)
        if layout == "strided":
            return np.repeat(v, 2, axis=1)[:, ::2]
        if layout == "transposed":
            return np.ascontiguousarray(v.swapaxes(0, 1)).swapaxes(0, 1)
        v = v.copy()
        v.flags.writeable = False
        return v

    x, dy, *states = arrays
    odd_x, odd_dy, *odd_states = map(laid_out, arrays)
    (y, cache), (odd_y, odd_cache) = layer.forward([x, *states]), layer.forward([odd_x, *odd_states])
    (dx, grads), (odd_dx, odd_grads) = layer.backward(dy, cache), layer.backward(odd_dy, odd_cache)
    for wanted, odd in zip([y, *dx, *grads.values()], [odd_y, *odd_dx, *odd_grads.values()]):
        np.testing.assert_allclose(odd, wanted, rtol=0, atol=1e-13)
    layer.return_state = True
    (dx, _), (odd_dx, _) = layer.backward([dy, *states], cache), layer.backward([odd_dy, *odd_states], odd_cache)
    for wanted, odd in zip(dx, odd_dx):
        np.testing.assert_allclose(odd, wanted, rtol=0, atol=1e-13)


def test_training_goes_on_after_the_first_step():
    rng = np.random.default_rng(13)
    layer = make(2, rng, units=4, dtype="float64")
    x, target = rng.normal(size=(3, 4, 2)), 0.1 * rng.normal(size=(3, 4))
    losses = []
    for _ in range(4):
        y, cache = layer.forward(x)
        losses.append(np.sum((y - target) ** 2))
        _, grads = layer.backward(2 * (y - target), cache)
        for name, p in layer.params.items():
            p -= 0.01 * grads[name]
    assert losses == sorted(losses, reverse=True) and losses[-1] < losses[0]


# ---- shapes, configuration, errors ----


@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("return_state", [False, True])
def test_symbolic_shapes_are_those_of_the_data(return_sequences, return_state):
    layer = SimpleRNN(4, return_sequences=return_sequences, return_state=return_state)
    shapes = as_list(layer.compute_output_shape((None, None, 3)))
    assert shapes == [(None, None, 4) if return_sequences else (None, 4)] + [(None, 4)] * 1 * return_state
    y = as_list(layer(np.ones((2, 5, 3), np.float32)))
    assert [part.shape for part in y] == as_list(layer.compute_output_shape((2, 5, 3)))


def test_initial_state_can_be_symbolic():
    x = KerasTensor((None, None, 3), "float32", "x")
    states = [KerasTensor((None, 4), "float32", name) for name in SimpleRNN.state_names]
    layer = SimpleRNN(4, return_state=True)
    outputs = layer(x, initial_state=states)
    assert [tensor.shape for tensor in outputs] == [(None, 4)] * (1 + 1)
    assert outputs[0].node.inputs == [x, *states]


def test_initial_state_may_be_for_any_number_of_samples():
    layer = SimpleRNN(4)
    states = [KerasTensor((None, 4), "float32", "h") for _ in layer.state_names]
    assert layer(KerasTensor((2, 5, 3), "float32", "x"), initial_state=states).shape == (2, 4)


def test_training_is_passed_on():
    class Told(SimpleRNN):
        def forward(self, x, training=False):
            told.append(training)
            return super().forward(x, training)

    told, layer, x = [], Told(4), np.ones((2, 5, 3))
    layer(x), layer(x, training=True)
    assert told == [False, True]


def test_initial_state_may_come_in_the_list_of_inputs():
    layer = make(3, units=4, dtype="float64")
    x, *states = np.ones((2, 5, 3)), *np.random.default_rng(14).normal(size=(1, 2, 4))
    wanted = layer(x, initial_state=states)
    np.testing.assert_array_equal(layer([x, *states]), wanted)
    np.testing.assert_array_equal(layer.forward((x, *states))[0], wanted)
    assert not np.allclose(layer(x), wanted)


def test_configuration_makes_the_same_layer_again():
    layer = SimpleRNN(4, activation="relu", use_bias=False, return_sequences=True, go_backwards=True)
    settings = json.loads(json.dumps(layer.get_config()))
    again = SimpleRNN.from_config(settings)
    assert again.get_config() == settings
    assert settings["units"] == 4 and settings["activation"] == "relu" and settings["go_backwards"] is True
    again.ensure_built((None, None, 3))
    assert [w.shape for w in again.weights] == [(3, 4), (4, 4)]


@pytest.mark.parametrize("units", [0, -1, 2.5, "4", None, True])
def test_units_must_be_a_positive_integer(units):
    with pytest.raises(ValueError, match='SimpleRNN "mine": units must be a positive integer'):
        SimpleRNN(units, name="mine")


@pytest.mark.parametrize("argument", ["dropout", "recurrent_dropout"])
def test_what_only_keras_has_is_refused_by_name(argument):
    with pytest.raises(TypeError, match=f"'{argument}' is not implemented"):
        SimpleRNN(4, **{argument: 0.5})


@pytest.mark.parametrize(
    "shape, message",
    [
        ((2, 3), "got 2 axes"),
        ((2, 5, 4), "D is 4"),
        ((2, 0, 3), "T is 0"),
        ((0, 5, 3), "N is 0"),
    ],
)
def test_inputs_of_another_shape_are_refused(shape, message):
    layer = make(3, units=4, name="mine")
    for use in (layer, layer.forward):
        with pytest.raises(ValueError, match=f'SimpleRNN "mine": .*{message}'):
            use(np.zeros(shape, np.float32))


def test_features_must_be_known_before_building():
    with pytest.raises(ValueError, match="last axis of its input must have a size"):
        SimpleRNN(4).compute_output_shape((None, 5, None))


@pytest.mark.parametrize("shape", [(2, 3), (3, 4), (4,), (2, 1, 4)])
def test_initial_states_of_another_shape_are_refused(shape):
    layer = make(3, units=4, name="mine")
    x, state = np.zeros((2, 5, 3), np.float32), np.zeros(shape, np.float32)
    for use in (layer, layer.forward):
        with pytest.raises(ValueError, match=r'SimpleRNN "mine": the initial state h0 must have shape \(2, 4\)'):
            use([x] + [state] * 1)


def test_number_and_dtype_of_initial_states_are_checked():
    layer = make(3, units=4, name="mine")
    x, state = np.zeros((2, 5, 3), np.float32), np.zeros((2, 4), np.float32)
    with pytest.raises(ValueError, match=r'SimpleRNN "mine": expected x alone or \[x, h0\], got 4 inputs'):
        layer([x, state, state, state])
    with pytest.raises(TypeError, match="initial state h0 to be float32 like x, got float64"):
        layer.forward([x] + [state.astype(np.float64)] * 1)
    with pytest.raises(TypeError, match="expected float32 like its parameters, got float64"):
        layer.forward(x.astype(np.float64))


def test_forward_before_build_is_refused():
    with pytest.raises(ValueError, match="called before it was built"):
        SimpleRNN(4).forward(np.zeros((2, 5, 3), np.float32))
