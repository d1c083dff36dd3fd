"""What a user holds of an optimizer: its learning rate, iterations, slots; and Keras's loops by hand."""

import inspect

import numpy as np
import pytest

from scratchnet import optimizers
from scratchnet.constraints import NonNeg
from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential
from scratchnet.optimizers import schedules
from scratchnet.variables import Variable


def test_the_learning_rate_is_a_handle_that_is_never_out_of_date():
    adam = optimizers.Adam(0.1)
    rate = adam.learning_rate
    assert float(rate) == rate == 0.1 and rate.numpy() == 0.1 and f"{rate:g}" == "0.1" and rate > 0 and bool(rate)
    rate.assign(0.05)
    assert adam.learning_rate == adam.lr == 0.05 and rate * 2 == 0.1 and 1 - rate == 0.95
    adam.learning_rate = 0.025
    assert rate == 0.025 and rate.assign_add(0.025) == 0.05 and rate.assign_sub(0.01) == pytest.approx(0.04)
    adam.learning_rate = rate
    assert adam.get_config()["learning_rate"] == pytest.approx(0.04) and hash(rate) != hash(adam.learning_rate)
    np.testing.assert_allclose(np.exp(rate), np.exp(0.04))
    with pytest.raises(ValueError, match="adam/learning_rate has shape \\(\\), got \\(2,\\)"):
        rate.assign([1, 2])
    with pytest.raises(ValueError, match="learning_rate must be a number at least 0"):
        rate.assign(-1.0)


def test_a_scheduled_rate_is_a_number():
    sgd = optimizers.SGD(schedules.PiecewiseConstantDecay([0], [1.0, 0.5]))
    first = sgd.learning_rate
    sgd.update({"w": np.ones(1)}, {"w": np.ones(1)})
    assert (first, sgd.learning_rate) == (1.0, 0.5) and first.numpy() == 1.0
    assert [v.name for v in sgd.variables] == ["iteration"]


def test_variables():
    adam = optimizers.Adam()
    assert not adam.built
    adam.build([np.ones((2, 3)), np.ones(3)])
    assert adam.built and [v.path for v in adam.variables] == [
        "adam/iteration",
        "adam/learning_rate",
        "adam/m/variable_0",
        "adam/m/variable_1",
        "adam/v/variable_0",
        "adam/v/variable_1",
    ]
    m = adam.variables[2]
    assert m.name == "m" and m.shape == (2, 3) and m.ndim == 2 and m.dtype == "float64"
    m.assign(np.full((2, 3), 2.0))
    assert (adam.state["m/variable_0"] == 2).all() and "shape=(2, 3)" in repr(m)
    adam.iterations.assign(5)
    assert adam.iterations == 5 and int(adam.iterations) == 5 and range(10)[adam.iterations] == 5


def test_gradients_are_applied_to_the_weights_of_layers():
    model = Sequential([Input((2,)), Dense(1, kernel_constraint=NonNeg())])
    model.set_weights([[[1.0], [2.0]], [0.5]])
    sgd = optimizers.SGD(1.0)
    with pytest.warns(UserWarning, match=r"SGD: \['.*bias'\] get no gradient, and stay as they are"):
        iterations = sgd.apply_gradients([(np.array([[2.0], [0.5]]), model.weights[0]), (None, model.weights[1])])
    kernel, bias = model.get_weights()
    np.testing.assert_array_equal(kernel, [[0.0], [1.5]])  # 1 - 2 is not allowed
    assert bias == 0.5 and iterations == 1
    sgd.apply([np.zeros((2, 1)), [0.25]])
    assert model.get_weights()[1] == 0.25
    with pytest.raises(ValueError, match="SGD: 1 gradients for 2 variables"):
        sgd.apply([np.zeros((2, 1))])
    with pytest.raises(ValueError, match="there is no gradient for any of"):
        sgd.apply([None, None])
    with pytest.raises(ValueError, match="apply needs the variables"):
        optimizers.SGD().apply([np.ones(1)])


def test_weights_of_one_name_and_arrays_are_told_apart():
    layers = [Dense(1, name="twin"), Dense(1, name="twin")]
    for layer in layers:
        layer.build((None, 2))
    optimizer = optimizers.SGD(1.0, momentum=0.5)
    optimizer.apply([np.ones((2, 1)), np.zeros((2, 1))], [layer.weights[0] for layer in layers])
    assert list(optimizer.state) == ["momentum/twin/kernel", "momentum/twin/kernel_"]


def test_weight_decay_spares_what_is_listed():
    dense = Dense(1)
    dense.build((None, 2))
    dense.set_weights([np.ones((2, 1)), np.ones(1)])
    for options, expected in (({"var_list": dense.weights[:1]}, [1, 0.5]), ({"var_names": ["bias"]}, [0.5, 1])):
        dense.set_weights([np.ones((2, 1)), np.ones(1)])
        optimizer = optimizers.SGD(1.0, weight_decay=0.5)
        optimizer.exclude_from_weight_decay(**options)
        optimizer.apply([np.zeros((2, 1)), np.zeros(1)], dense.weights)
        assert [w.reshape(-1)[0] for w in dense.get_weights()] == expected


def test_running_means_take_the_parameters_place_at_the_end_of_fit():
    model = Sequential([Input((2,)), Dense(1)])
    model.compile(optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5), "mse")
    rng = np.random.default_rng(0)
    model.fit(rng.normal(size=(8, 2)), rng.normal(size=(8, 1)), batch_size=2, verbose=0)
    for key, w in model.params.items():
        np.testing.assert_array_equal(w, model.optimizer.state[f"average/{key}"])


def test_numbers_out_of_range_are_refused():
    for options, message in (
        ({"ema_momentum": 1.5}, "ema_momentum must be a number at least 0 and at most 1"),
        ({"ema_overwrite_frequency": 0}, "ema_overwrite_frequency must be None or an integer of at least 1"),
        ({"gradient_accumulation_steps": 1}, "gradient_accumulation_steps must be None or an integer of at least 2"),
        ({"loss_scale_factor": -1}, "loss_scale_factor must be a number at least 0"),
    ):
        with pytest.raises(ValueError, match=message):
            optimizers.SGD(**options)
    with pytest.warns(UserWarning, match="Keras ignores decay"):
        optimizers.SGD(decay=1e-6)
    assert optimizers.SGD(loss_scale_factor=4.0).scale_loss(2.0) == 8.0 and optimizers.SGD().scale_loss(2.0) == 2.0


def test_the_signature_shows_the_arguments_of_the_base_behind_the_first():
    names = list(inspect.signature(optimizers.AdamW).parameters)
    assert names[:7] == ["learning_rate", "weight_decay", "beta_1", "beta_2", "epsilon", "amsgrad", "clipnorm"]
    assert names[-2:] == ["name", "kwargs"] and inspect.signature(Dense).parameters["units"].default is inspect._empty
    adam = optimizers.Adam(0.1, 0.8, 0.9, 1e-6, True, 0.5, None, 0.25)
    assert (adam.weight_decay, adam.clipvalue) == (0.5, 0.25)
    assert optimizers.Adam.from_config(adam.get_config()).get_config() == adam.get_config()


def test_a_step_without_state_is_the_step():
    adam, w, g = optimizers.Adam(0.1), np.array([1.0, 2.0]), np.array([0.5, -0.5])
    with pytest.raises(ValueError, match="stateless_apply comes after build"):
        adam.stateless_apply([], [g], [w])
    adam.build([w])
    params, variables = adam.stateless_apply([v.numpy() for v in adam.variables], [g], [w])
    assert w.tolist() == [1.0, 2.0] and adam.iterations == 0
    adam.apply([g], [w])
    np.testing.assert_array_equal(params[0], w)
    for found, variable in zip(variables, adam.variables):
        np.testing.assert_array_equal(found, variable)


def test_apply_goes_by_the_variables_that_it_was_built_with():
    weights = [Variable(np.ones(2)), Variable(np.ones(3))]
    optimizer = optimizers.SGD(0.5)
    optimizer.build(weights)
    optimizer.apply([np.ones(2), np.ones(3)])
    optimizer.apply([np.ones(2), np.ones(3)], weights)
    assert [w.numpy().tolist() for w in weights] == [[0.0] * 2, [0.0] * 3]


@pytest.mark.parametrize("variables", [{"w": np.ones(2)}, [np.ones(2)]], ids=type)
def test_stateless_apply_goes_with_what_build_was_given(variables):
    optimizer = optimizers.SGD(0.5)  # with settings that are None
    optimizer.build(variables)
    (w,), _ = optimizer.stateless_apply([v.numpy() for v in optimizer.variables], [np.ones(2)], [np.ones(2)])
    np.testing.assert_array_equal(w, [0.5, 0.5])
    assert optimizer.iterations == 0 and (optimizer._variables is None) == isinstance(variables, dict)
