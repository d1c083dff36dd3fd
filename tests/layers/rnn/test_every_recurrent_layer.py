"""What every recurrent layer does: gradients of everything, options, states, the contract, errors."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratchnet
from scratchnet import activations, kernels
from scratchnet.gradient_check import check_layer
from scratchnet.gradient_check.differences import STEP, noise_of_differences, numeric_gradient, relative_error
from scratchnet.graph.symbolic import KerasTensor
from scratchnet.layers import GRU, LSTM, RNN, Bidirectional, GRUCell, Input, LSTMCell, Masking, SimpleRNN
from scratchnet.models import Model, Sequential
from scratchnet.parallel.batch import drawing_rows

BACKENDS = ["loops", "numpy"] + ["numba"] * (importlib.util.find_spec("numba") is not None)
EVERY_LAYER = pytest.mark.parametrize("cls", [SimpleRNN, GRU, LSTM])


@pytest.fixture(params=BACKENDS)
def backend(request):
    with kernels.using_backend(request.param):
        yield request.param


def make(cls, D, rng=None, **arguments):
    """A built layer with asymmetric parameters: sines as in the reference values, or random ones."""
    layer = cls(**arguments)
    layer.ensure_built((None, None, D))
    for p, scale, shift in zip(layer.weights, (0.5, 0.5, 1.0), (0, 7, 3)):
        p[...] = scale * (
            np.sin(shift + np.arange(p.size)).reshape(p.shape) if rng is None else rng.normal(size=p.shape)
        )
    return layer


def as_list(values):
    return values if isinstance(values, list) else [values]


def check_gradients(layer, inputs, rng, tolerance=1e-7, **options):
    """Every entry of dx, of the initial states' adjoints and of the parameters', for a random upstream gradient."""
    y, cache = layer.forward(inputs, **options)
    dy = [rng.normal(size=part.shape) for part in as_list(y)]

    def loss():
        return sum(np.sum(part * d) for part, d in zip(as_list(layer.forward(inputs, **options)[0]), dy))

    dx, grads = layer.backward(dy if isinstance(y, list) else dy[0], cache)
    assert list(grads) == list(layer.params)
    noise = noise_of_differences(sum(np.sum(np.abs(part * d)) for part, d in zip(as_list(y), dy)), STEP)
    for value, analytic in zip([*as_list(inputs), *layer.params.values()], [*as_list(dx), *grads.values()]):
        numeric = numeric_gradient(loss, value)
        assert relative_error(numeric, analytic) < tolerance or np.max(np.abs(numeric - analytic)) <= noise


@EVERY_LAYER
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("keeps", ["y", "z"])
def test_going_backwards_is_processing_the_flipped_sequence(cls, return_sequences, keeps):
    rng = np.random.default_rng(0)
    options = {
        "units": 3,
        "activation": "tanh" if keeps == "y" else "gelu",
        "return_sequences": return_sequences,
        "dtype": "float64",
    }
    forwards, backwards = make(cls, 2, **options), make(cls, 2, go_backwards=True, **options)
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


@EVERY_LAYER
def test_last_output_is_the_end_of_the_sequence(cls):
    x = np.random.default_rng(1).normal(size=(2, 5, 3))
    last = make(cls, 3, units=4, dtype="float64").forward(x)[0]
    np.testing.assert_array_equal(
        make(cls, 3, units=4, dtype="float64", return_sequences=True).forward(x)[0][:, -1], last
    )


@EVERY_LAYER
def test_state_hands_a_sequence_over_from_one_call_to_the_next(cls):
    layer = make(cls, 3, units=4, dtype="float64", return_sequences=True, return_state=True)
    x = np.random.default_rng(2).normal(size=(2, 7, 3))
    whole, *state = layer(x)
    first, *between = layer(x[:, :3])
    second, *end = layer(x[:, 3:], initial_state=between)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), whole, rtol=0, atol=1e-14)
    for part, wanted in zip(end, state):
        np.testing.assert_allclose(part, wanted, rtol=0, atol=1e-14)


# ---- gradients ----


@EVERY_LAYER
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
    gates=st.sampled_from(["sigmoid", "hard_sigmoid", "tanh", "silu"]),
    with_state=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_gradients(cls, sizes, options, gates, with_state, seed):
    N, T, D, U = sizes
    rng = np.random.default_rng(seed)
    if cls is not SimpleRNN:
        options = {**options, "recurrent_activation": gates}
    layer = make(cls, D, rng, units=U, dtype="float64", **options)
    x = rng.normal(size=(N, T, D))
    states = [rng.normal(size=(N, U)) for _ in layer.state_names]
    check_gradients(layer, [x, *states] if with_state else x, rng)


@EVERY_LAYER
def test_gradients_of_every_backend(cls, backend):
    rng = np.random.default_rng(3)
    layer = make(cls, 2, rng, units=3, dtype="float64", return_sequences=True, return_state=True)
    check_gradients(layer, [rng.normal(size=(2, 3, 2)), *rng.normal(size=(len(layer.state_names), 2, 3))], rng)


@EVERY_LAYER
# Not tanh_shrink, about z^3 / 3: its gradients would be of 1e-24 here.
@pytest.mark.parametrize("name", sorted({*activations.names()} - {"relu6", "leaky_relu", "tanh_shrink"}))
def test_any_activation_will_do(cls, name):
    rng = np.random.default_rng(4)
    gates = {} if cls is SimpleRNN else {"recurrent_activation": name}
    layer = make(cls, 2, rng, units=3, dtype="float64", activation=name, **gates)
    for p in layer.weights:
        p *= 0.1  # an exponential grows from step to step
    check_gradients(layer, rng.normal(size=(2, 2, 2)), rng)


@EVERY_LAYER
def test_an_activation_of_ones_own_is_used_whatever_its_name(cls):
    square = activations.Activation("tanh", lambda z, out=None: z * z, lambda dy, z: 2 * z * dy, keeps="z")
    rng = np.random.default_rng(5)
    layer = make(cls, 2, rng, units=3, dtype="float64", activation=square)
    x = rng.normal(size=(2, 3, 2))
    assert not np.allclose(layer.forward(x)[0], make(cls, 2, units=3, dtype="float64").forward(x)[0])
    check_gradients(layer, x, rng)


@EVERY_LAYER
def test_missing_adjoints_count_as_zeros(cls):
    rng = np.random.default_rng(6)
    layer = make(cls, 2, rng, units=3, dtype="float64", return_sequences=True, return_state=True)
    parts, cache = layer.forward(rng.normal(size=(2, 4, 2)))
    dy = [rng.normal(size=part.shape) for part in parts]
    for missing in range(len(dy)):
        without = [None if k == missing else d for k, d in enumerate(dy)]
        zero = [np.zeros_like(d) if k == missing else d for k, d in enumerate(dy)]
        (dx, grads), (wanted_dx, wanted) = layer.backward(without, cache), layer.backward(zero, cache)
        np.testing.assert_array_equal(dx, wanted_dx)
        for name in grads:
            np.testing.assert_array_equal(grads[name], wanted[name])


@EVERY_LAYER
def test_gradients_of_a_batch_are_the_sum_over_its_parts(cls):
    rng = np.random.default_rng(7)
    layer = make(cls, 3, rng, units=4, dtype="float64", return_sequences=True)
    x, dy = rng.normal(size=(5, 6, 3)), rng.normal(size=(5, 6, 4))
    dx, grads = layer.backward(dy, layer.forward(x)[1])
    parts = [layer.backward(dy[rows], layer.forward(x[rows])[1]) for rows in (slice(0, 2), slice(2, 5))]
    np.testing.assert_allclose(dx, np.concatenate([part[0] for part in parts]), rtol=0, atol=1e-13)
    for name in grads:
        np.testing.assert_allclose(grads[name], parts[0][1][name] + parts[1][1][name], rtol=0, atol=1e-12)


@EVERY_LAYER
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "gelu"])
def test_one_input_for_all_steps_gives_what_its_copies_give(cls, go_backwards, activation, backend):
    rng = np.random.default_rng(8)
    options = {"return_sequences": True, "go_backwards": go_backwards, "activation": activation}
    layer = make(cls, 3, rng, units=4, dtype="float64", **options)
    x, dy = rng.normal(size=(2, 1, 3)), rng.normal(size=(2, 5, 4))
    (y, cache), (wanted, wanted_cache) = layer.forward(x, repeat=5), layer.forward(np.repeat(x, 5, axis=1))
    assert cache.x.shape == (1, 2, 3) and wanted_cache.x.shape == (5, 2, 3)
    np.testing.assert_allclose(y, wanted, rtol=0, atol=1e-14)
    (dx, grads), (wanted_dx, wanted_grads) = layer.backward(dy, cache), layer.backward(dy, wanted_cache)
    np.testing.assert_allclose(dx, wanted_dx.sum(axis=1, keepdims=True), rtol=0, atol=1e-13)
    for name in grads:
        np.testing.assert_allclose(grads[name], wanted_grads[name], rtol=0, atol=1e-13)


@EVERY_LAYER
def test_dx_of_an_input_that_repeats_in_memory_is_that_of_its_copy(cls, backend):
    rng = np.random.default_rng(8)
    layer = make(cls, 3, rng, units=4, dtype="float64")
    x, dy = np.broadcast_to(rng.normal(size=(2, 1, 3)), (2, 5, 3)), rng.normal(size=(2, 4))
    (dx, _), (wanted, _) = (layer.backward(dy, layer.forward(given)[1]) for given in (x, x.copy()))
    np.testing.assert_allclose(dx, wanted, rtol=0, atol=1e-14)
    assert np.abs(dx[:, 0] - dx[:, -1]).max() > 1e-6


@pytest.mark.parametrize("backend", ["loops", "numpy"])
def test_a_debugger_steps_through_few_files_and_functions(backend):
    layer = make(LSTM, 3, units=4)
    x = np.ones((2, 5, 3), np.float32)
    folder = str(Path(scratchnet.__file__).parent)

    def entered(function, *arguments):
        found = set()

        def note(frame, event, _):
            if event == "call" and frame.f_code.co_filename.startswith(folder):
                found.add((frame.f_code.co_filename, frame.f_code.co_name, frame.f_code.co_firstlineno))

        sys.setprofile(note)
        try:
            result = function(*arguments)
        finally:
            sys.setprofile(None)
        assert len({file for file, *_ in found}) <= 4 and len(found) <= 8, sorted(found)
        return result

    with kernels.using_backend(backend):
        kernels.load()
        y, cache = entered(layer.forward, x)
        entered(layer.backward, y, cache)


# ---- masks ----


@EVERY_LAYER
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("go_backwards", [False, True])
def test_a_masked_step_repeats_the_state_and_the_output(cls, return_sequences, go_backwards, backend):
    rng = np.random.default_rng(20)
    options = {"return_sequences": return_sequences, "go_backwards": go_backwards, "return_state": True}
    layer = make(cls, 3, rng, units=4, dtype="float64", **options)
    x, mask = rng.normal(size=(2, 5, 3)), np.array([[1, 1, 0, 1, 0], [0, 1, 1, 0, 0]], bool)
    y, *states = layer(x, mask=mask)
    for n, counts in enumerate(mask):
        short_y, *short_states = layer(x[n : n + 1, counts])
        for found, wanted in zip(states, short_states):
            np.testing.assert_allclose(found[n], wanted[0], rtol=0, atol=1e-14)
        if not return_sequences:
            np.testing.assert_allclose(y[n], short_y[0], rtol=0, atol=1e-14)
            continue
        last = np.zeros(4)
        outputs = iter(short_y[0])
        for t, counted in enumerate(counts[::-1] if go_backwards else counts):
            last = next(outputs) if counted else last
            np.testing.assert_allclose(y[n, t], last, rtol=0, atol=1e-14)


@EVERY_LAYER
def test_before_the_first_step_that_counts_the_output_is_zero_whatever_the_initial_state(cls):
    rng = np.random.default_rng(21)
    layer = make(cls, 3, rng, units=4, dtype="float64", return_sequences=True)
    x, mask = rng.normal(size=(1, 4, 3)), np.array([[False, True, False, True]])
    states = [rng.normal(size=(1, 4)) for _ in cls.state_names]
    y = layer(x, initial_state=states, mask=mask)
    assert not y[0, 0].any() and y[0, 1].all()
    np.testing.assert_array_equal(y[0, 2], y[0, 1])
    layer.zero_output_for_mask = True
    zeros = layer(x, initial_state=states, mask=mask)
    assert not zeros[0, [0, 2]].any()
    np.testing.assert_array_equal(zeros[0, [1, 3]], y[0, [1, 3]])


@EVERY_LAYER
@pytest.mark.parametrize(
    "options", [{}, {"return_sequences": True, "zero_output_for_mask": True}, {"go_backwards": True}]
)
def test_gradients_of_masked_sequences(cls, options, backend):
    rng = np.random.default_rng(22)
    layer = make(cls, 2, rng, units=3, dtype="float64", return_state=True, **options)
    mask = np.array([[1, 1, 0, 1], [0, 1, 1, 0], [0, 0, 0, 0]], bool)
    inputs = [rng.normal(size=(3, 4, 2)), *rng.normal(size=(len(cls.state_names), 3, 3))]
    check_gradients(layer, inputs, rng, mask=mask)


@EVERY_LAYER
def test_a_mask_of_true_changes_nothing_and_another_shape_is_refused(cls):
    layer = make(cls, 3, units=4, name="mine")
    x = np.random.default_rng(23).normal(size=(2, 5, 3)).astype("float32")
    np.testing.assert_array_equal(layer(x, mask=np.ones((2, 5), bool)), layer(x))
    with pytest.raises(ValueError, match=f'{cls.__name__} "mine": expected a mask of shape \\(N, 5\\), got \\(2, 4\\)'):
        layer(x, mask=np.ones((2, 4), bool))


@EVERY_LAYER
def test_a_mask_reaches_it_through_a_model_and_goes_on_with_a_sequence(cls):
    x = Input((4, 3))
    masked = Masking()(x)
    model = Model(x, [cls(2)(masked), cls(2, return_sequences=True)(masked)])
    assert not model.outputs[0].masked and model.outputs[1].masked
    values = np.random.default_rng(24).normal(size=(1, 4, 3)).astype("float32")
    values[:, 2:] = 0
    last, sequence = model.predict(values, verbose=0)
    np.testing.assert_allclose(last, model.get_layer(index=2)(values[:, :2]), rtol=0, atol=1e-6)
    np.testing.assert_array_equal(sequence[:, 3], sequence[:, 1])


# ---- dropout ----


@EVERY_LAYER
@pytest.mark.parametrize(
    "rates", [{"dropout": 0.5}, {"recurrent_dropout": 0.5}, {"dropout": 0.3, "recurrent_dropout": 0.4}]
)
def test_gradients_with_dropout(cls, rates, backend):
    rng = np.random.default_rng(30)
    layer = make(cls, 3, rng, units=2, dtype="float64", return_sequences=True, seed=1, **rates)
    check_layer(layer, rng.normal(size=(3, 4, 3)), training=True).raise_if_failed()


@EVERY_LAYER
def test_what_is_dropped_is_the_same_at_every_step_and_only_in_training(cls):
    layer = make(cls, 30, units=20, dropout=0.5, recurrent_dropout=0.25, seed=3, return_sequences=True)
    x = np.ones((4, 5, 30), np.float32)
    y, cache = layer.forward(x, training=True)
    gates = layer.num_gates
    assert cache.x_drop.shape == (gates, 4, 30) and cache.h_drop.shape == (gates, 4, 20)
    np.testing.assert_array_equal(np.unique(cache.x_drop), [0, 2])
    np.testing.assert_allclose(np.unique(cache.h_drop), [0, 4 / 3], rtol=1e-6)
    assert 0.3 < np.mean(cache.x_drop > 0) < 0.7 and 0.6 < np.mean(cache.h_drop > 0) < 0.9
    assert layer.forward(x)[1].x_drop is None and not np.array_equal(layer.forward(x)[0], y)
    assert make(cls, 30, units=20, dropout=0.5).forward(x, training=True)[1].x_drop.shape == (1, 4, 30)
    again = make(cls, 30, units=20, dropout=0.5, recurrent_dropout=0.25, seed=3, return_sequences=True)
    np.testing.assert_array_equal(again.forward(x, training=True)[0], y)


@EVERY_LAYER
def test_dropout_with_one_input_for_all_steps(cls):
    rng = np.random.default_rng(31)
    layer = make(cls, 3, rng, units=2, dtype="float64", dropout=0.4, recurrent_dropout=0.4, return_sequences=True)
    x, dy = rng.normal(size=(2, 1, 3)), rng.normal(size=(2, 5, 2))
    with drawing_rows(step=0, first_row=0):
        y, cache = layer.forward(x, training=True, repeat=5)
    with drawing_rows(step=0, first_row=0):
        wanted, wanted_cache = layer.forward(np.repeat(x, 5, axis=1), training=True)
    np.testing.assert_allclose(y, wanted, rtol=0, atol=1e-14)
    (dx, grads), (wanted_dx, wanted_grads) = layer.backward(dy, cache), layer.backward(dy, wanted_cache)
    np.testing.assert_allclose(dx, wanted_dx.sum(axis=1, keepdims=True), rtol=0, atol=1e-13)
    for name in grads:
        np.testing.assert_allclose(grads[name], wanted_grads[name], rtol=0, atol=1e-13)


# ---- states that stay ----


@EVERY_LAYER
def test_a_stateful_layer_goes_on_where_the_batch_before_ended(cls):
    rng = np.random.default_rng(40)
    layer, stateful = (make(cls, 3, units=4, dtype="float64", stateful=kind) for kind in (False, True))
    x = rng.normal(size=(2, 6, 3))
    stateful(x[:, :4])
    np.testing.assert_allclose(stateful(x[:, 4:]), layer(x), rtol=0, atol=1e-14)
    stateful.reset_state()
    np.testing.assert_allclose(stateful(x[:, :4]), layer(x[:, :4]), rtol=0, atol=1e-14)
    assert not layer.stateful and layer.states is None
    with pytest.raises(ValueError, match="as many samples as the one before, 2, not 3"):
        stateful(np.ones((3, 4, 3)))


@EVERY_LAYER
def test_states_stay_in_prediction_evaluation_and_training_one_batch_after_the_other(cls):
    x = np.random.default_rng(41).normal(size=(6, 3, 2)).astype("float32")
    model = Sequential([Input((3, 2)), cls(2, stateful=True)])
    layer = model.layers[0]
    parts = np.concatenate([layer(part) for part in np.split(x, 3)])
    layer.reset_state()
    np.testing.assert_allclose(model.predict(x, batch_size=2, verbose=0), parts, rtol=0, atol=1e-6)
    model.compile(loss="mse", optimizer="sgd")
    states = layer.states
    model.evaluate(x, parts, batch_size=2, verbose=0)
    assert layer.states is not states
    model.fit(x, parts, batch_size=2, epochs=1, shuffle=False, verbose=0)
    assert len(layer.states[0]) == 2


# ---- the contract ----


@EVERY_LAYER
@pytest.mark.parametrize("activation", ["tanh", "silu"])
def test_backward_twice_is_the_same_and_nothing_given_changes(cls, activation):
    rng = np.random.default_rng(9)
    layer = make(cls, 3, rng, units=4, dtype="float64", return_sequences=True, return_state=True, activation=activation)
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


@EVERY_LAYER
def test_without_dx_the_gradients_are_the_same(cls):
    rng = np.random.default_rng(10)
    layer = make(cls, 3, rng, units=4, dtype="float64")
    _, cache = layer.forward([rng.normal(size=(2, 5, 3)), *rng.normal(size=(len(layer.state_names), 2, 4))])
    dy = rng.normal(size=(2, 4))
    (_, wanted), (dx, grads) = layer.backward(dy, cache), layer.backward(dy, cache, needs_dx=False)
    assert dx is None
    for name in wanted:
        np.testing.assert_array_equal(grads[name], wanted[name])


@EVERY_LAYER
@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu"])
def test_float32_stays_float32(cls, activation, backend):
    rng = np.random.default_rng(11)
    layer = make(cls, 3, units=4, return_sequences=True, return_state=True, activation=activation)
    inputs = [
        v.astype(np.float32) for v in (rng.normal(size=(2, 5, 3)), *rng.normal(size=(len(layer.state_names), 2, 4)))
    ]
    y, cache = layer.forward(inputs)
    dx, grads = layer.backward([np.ones_like(part) for part in y], cache)
    arrays = [field for field in cache if isinstance(field, np.ndarray)]
    assert {value.dtype for value in [*y, *dx, *grads.values(), *arrays]} == {np.dtype(np.float32)}
    dx, grads = layer.backward([None, *[np.ones(part.shape) for part in y[1:]]], cache)  # float64
    assert {value.dtype for value in [*dx, *grads.values()]} == {np.dtype(np.float32)}


@EVERY_LAYER
def test_float32_stays_float32_where_steps_and_adjoints_are_missing(cls, backend):
    layer = make(cls, 3, units=4)
    y, cache = layer.forward(np.ones((2, 1, 3), np.float32), repeat=5)
    dx, grads = layer.backward(np.ones_like(y), cache)
    arrays = [field for field in cache if isinstance(field, np.ndarray)]
    assert {value.dtype for value in [y, dx, *grads.values(), *arrays]} == {np.dtype(np.float32)}


@EVERY_LAYER
@pytest.mark.parametrize("layout", ["fortran", "strided", "transposed", "read-only"])
def test_memory_layout_of_inputs_does_not_matter(cls, layout):
    rng = np.random.default_rng(12)
    layer = make(cls, 3, rng, units=4, dtype="float64", return_sequences=True)
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


@EVERY_LAYER
def test_training_goes_on_after_the_first_step(cls):
    rng = np.random.default_rng(13)
    layer = make(cls, 2, rng, units=4, dtype="float64")
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


@EVERY_LAYER
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("return_state", [False, True])
def test_symbolic_shapes_are_those_of_the_data(cls, return_sequences, return_state):
    layer = cls(4, return_sequences=return_sequences, return_state=return_state)
    shapes = as_list(layer.compute_output_shape((None, None, 3)))
    assert (
        shapes
        == [(None, None, 4) if return_sequences else (None, 4)] + [(None, 4)] * len(cls.state_names) * return_state
    )
    y = layer(np.ones((2, 5, 3), np.float32))
    assert [part.shape for part in (y if return_state else [y])] == as_list(layer.compute_output_shape((2, 5, 3)))


@EVERY_LAYER
def test_initial_state_can_be_symbolic(cls):
    x = KerasTensor((None, None, 3), "float32", "x")
    states = [KerasTensor((None, 4), "float32", name) for name in cls.state_names]
    layer = cls(4, return_state=True)
    outputs = layer(x, initial_state=states)
    assert [tensor.shape for tensor in outputs] == [(None, 4)] * (1 + len(cls.state_names))
    assert outputs[0].node.inputs == [x, *states]


@EVERY_LAYER
def test_initial_state_may_be_for_any_number_of_samples(cls):
    layer = cls(4)
    states = [KerasTensor((None, 4), "float32", "h") for _ in layer.state_names]
    assert layer(KerasTensor((2, 5, 3), "float32", "x"), initial_state=states).shape == (2, 4)


@EVERY_LAYER
def test_training_is_passed_on(cls):
    class Told(cls):
        def forward(self, x, training=False):
            told.append(training)
            return super().forward(x, training)

    told, layer, x = [], Told(4), np.ones((2, 5, 3))
    layer(x), layer(x, training=True)
    assert [bool(training) for training in told] == [False, True]


@EVERY_LAYER
def test_initial_state_may_come_in_the_list_of_inputs(cls):
    layer = make(cls, 3, units=4, dtype="float64")
    x, *states = np.ones((2, 5, 3)), *np.random.default_rng(14).normal(size=(len(cls.state_names), 2, 4))
    wanted = layer(x, initial_state=states)
    np.testing.assert_array_equal(layer([x, *states]), wanted)
    np.testing.assert_array_equal(layer.forward((x, *states))[0], wanted)
    assert not np.allclose(layer(x), wanted)


@EVERY_LAYER
@pytest.mark.parametrize("units", [0, -1, 2.5, "4", None, True])
def test_units_must_be_a_positive_integer(cls, units):
    with pytest.raises(ValueError, match=f'{cls.__name__} "mine": units must be a positive integer'):
        cls(units, name="mine")


@EVERY_LAYER
@pytest.mark.parametrize("argument", ["dropout", "recurrent_dropout"])
@pytest.mark.parametrize("rate", [-0.1, 1, "0.5", None])
def test_rates_are_numbers_from_0_to_below_1(cls, argument, rate):
    with pytest.raises(ValueError, match=f'{cls.__name__} "mine": {argument} must be a number in'):
        cls(4, name="mine", **{argument: rate})


@EVERY_LAYER
@pytest.mark.parametrize(
    "shape, message",
    [
        ((2, 3), "got 2 axes"),
        ((2, 5, 4), "D is 4"),
        ((2, 0, 3), "T is 0"),
    ],
)
def test_inputs_of_another_shape_are_refused(cls, shape, message):
    layer = make(cls, 3, units=4, name="mine")
    for use in (layer, layer.forward):
        with pytest.raises(ValueError, match=f'{cls.__name__} "mine": .*{message}'):
            use(np.zeros(shape, np.float32))


@EVERY_LAYER
def test_features_must_be_known_before_building(cls):
    with pytest.raises(ValueError, match="last axis of its input must have a size"):
        cls(4).compute_output_shape((None, 5, None))


@EVERY_LAYER
@pytest.mark.parametrize("shape", [(2, 3), (3, 4), (4,), (2, 1, 4)])
def test_initial_states_of_another_shape_are_refused(cls, shape):
    layer = make(cls, 3, units=4, name="mine")
    x, state = np.zeros((2, 5, 3), np.float32), np.zeros(shape, np.float32)
    for use in (layer, layer.forward):
        with pytest.raises(ValueError, match=f'{cls.__name__} "mine": the initial state h0 must have shape \\(2, 4\\)'):
            use([x] + [state] * len(cls.state_names))


@EVERY_LAYER
def test_number_and_dtype_of_initial_states_are_checked(cls):
    layer = make(cls, 3, units=4, name="mine")
    x, state = np.zeros((2, 5, 3), np.float32), np.zeros((2, 4), np.float32)
    wanted = ", ".join(f"{name}0" for name in cls.state_names)
    with pytest.raises(ValueError, match=f'{cls.__name__} "mine": expected x alone or \\[x, {wanted}\\], got 4 inputs'):
        layer([x, state, state, state])
    with pytest.raises(TypeError, match="initial state h0 to be float32 like x, got float64"):
        layer.forward([x] + [state.astype(np.float64)] * len(cls.state_names))
    with pytest.raises(TypeError, match="expected float32 like its parameters, got float64"):
        layer.forward(x.astype(np.float64))


@EVERY_LAYER
def test_forward_before_build_is_refused(cls):
    with pytest.raises(ValueError, match="called before it was built"):
        cls(4).forward(np.zeros((2, 5, 3), np.float32))


@pytest.mark.parametrize(
    "layer, count",
    [
        (SimpleRNN(2, return_state=True), 2),
        (LSTM(2, return_state=True), 3),
        (RNN(GRUCell(2), return_state=True), 2),
        (RNN([GRUCell(3), LSTMCell(2)], return_state=True), 3),
        (Bidirectional(GRU(2, return_state=True)), 3),
        (Bidirectional(GRU(2), merge_mode=None), 2),
    ],
)
def test_outputs_and_states_come_as_a_tuple(layer, count):
    for x in (np.ones((2, 3, 4), "float32"), Input((3, 4))):
        outputs = layer(x)
        assert isinstance(outputs, tuple)
        assert len(outputs) == count


@pytest.mark.parametrize("cls", [GRU, LSTM])
def test_the_configuration_says_nothing_of_how_it_is_computed(cls):
    assert "use_cudnn" not in cls(3, use_cudnn=False).get_config()


@EVERY_LAYER
def test_the_initial_state_is_that_of_a_layer_that_is_given_none(cls):
    layer, x = cls(3), np.random.default_rng(0).normal(size=(2, 4, 5)).astype("float32")
    states = layer.get_initial_state(batch_size=2)
    assert layer.state_size == [3] * len(states)
    np.testing.assert_array_equal(layer(x, initial_state=states), layer(x))
