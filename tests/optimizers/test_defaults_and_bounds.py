"""Optimizers and schedules: the defaults of Keras, the ends of what is allowed, and what is said beyond them."""

import numpy as np
import pytest

from scratchnet import optimizers
from scratchnet.optimizers import base, schedules

COMMON = {"weight_decay": None, "clipnorm": None, "clipvalue": None, "global_clipnorm": None}
DEFAULTS = {
    "SGD": {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False},
    "RMSprop": {"learning_rate": 0.001, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False},
    "Adagrad": {"learning_rate": 0.001, "initial_accumulator_value": 0.1, "epsilon": 1e-7},
    "Adam": {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "amsgrad": False},
    "AdamW": {
        "learning_rate": 0.001,
        "weight_decay": 0.004,
        "beta_1": 0.9,
        "beta_2": 0.999,
        "epsilon": 1e-7,
        "amsgrad": False,
    },
    "Nadam": {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7},
}
SCHEDULES = {
    "ExponentialDecay": ((0.1, 10, 0.5), {"staircase": False, "name": "ExponentialDecay"}),
    "InverseTimeDecay": ((0.1, 10, 0.5), {"staircase": False, "name": "InverseTimeDecay"}),
    "PiecewiseConstantDecay": (([5], [1.0, 0.5]), {"name": "PiecewiseConstant"}),
    "PolynomialDecay": (
        (0.1, 10),
        {"end_learning_rate": 0.0001, "power": 1.0, "cycle": False, "name": "PolynomialDecay"},
    ),
    "CosineDecay": ((0.1, 10), {"alpha": 0.0, "name": "CosineDecay", "warmup_target": None, "warmup_steps": 0}),
    "CosineDecayRestarts": ((0.1, 10), {"t_mul": 2.0, "m_mul": 1.0, "alpha": 0.0, "name": "SGDRDecay"}),
}
REQUIRED = {
    "ExponentialDecay": ("initial_learning_rate", "decay_steps", "decay_rate"),
    "InverseTimeDecay": ("initial_learning_rate", "decay_steps", "decay_rate"),
    "PiecewiseConstantDecay": ("boundaries", "values"),
    "PolynomialDecay": ("initial_learning_rate", "decay_steps"),
    "CosineDecay": ("initial_learning_rate", "decay_steps"),
    "CosineDecayRestarts": ("initial_learning_rate", "first_decay_steps"),
}
# What an optimizer keeps beside each parameter.
SLOTS = [
    ("SGD", {}, []),
    ("SGD", {"momentum": 0.9}, ["momentum"]),
    ("RMSprop", {}, ["v"]),
    ("RMSprop", {"centered": True}, ["v", "mean"]),
    ("RMSprop", {"momentum": 0.9}, ["v", "momentum"]),
    ("Adagrad", {}, ["accumulator"]),
    ("Adam", {}, ["m", "v"]),
    ("Adam", {"amsgrad": True}, ["m", "v", "v_hat"]),
    ("Nadam", {}, ["m", "v"]),
]


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_defaults_are_keras_s(name):
    assert getattr(optimizers, name)().get_config() == {**COMMON, "name": name.lower(), **DEFAULTS[name]}


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_defaults_of_schedules_are_keras_s(name):
    given, defaults = SCHEDULES[name]
    schedule, expected = getattr(schedules, name)(*given), {**dict(zip(REQUIRED[name], given)), **defaults}
    assert schedule.get_config() == expected
    arguments = ", ".join(f"{key}={value!r}" for key, value in expected.items())
    assert repr(schedule) == f"{name}({arguments})"
    assert schedules.serialize(schedule) == {"class_name": name, "config": expected}


@pytest.mark.parametrize(("name", "options", "slots"), SLOTS)
def test_no_optimizer_keeps_more_than_its_rule_needs(name, options, slots):
    optimizer = getattr(optimizers, name)(**options)
    optimizer.build({"w": np.ones(2)})
    assert list(optimizer.state) == [f"{slot}/w" for slot in slots]


@pytest.mark.parametrize(
    ("name", "argument", "bounds", "allowed", "refused"),
    [
        *((name, "learning_rate", "at least 0", [0, 2], [-1, np.inf, True, None]) for name in DEFAULTS),
        *((name, "weight_decay", "at least 0", [0, 2], [-1, np.nan, True]) for name in DEFAULTS),
        *((name, "clipnorm", "above 0", [0.1], [0, -1, "1"]) for name in DEFAULTS),
        ("SGD", "clipvalue", "above 0", [0.1], [0, -1]),
        ("SGD", "global_clipnorm", "above 0", [0.1], [0, -1]),
        ("SGD", "momentum", "at least 0", [0, 1], [-0.1]),
        ("RMSprop", "rho", "at least 0 and below 1", [0, 0.99], [-0.1, 1]),
        ("RMSprop", "momentum", "at least 0 and below 1", [0, 0.99], [-0.1, 1]),
        *((name, "epsilon", "at least 0", [0, 1], [-0.1]) for name in DEFAULTS if name != "SGD"),
        ("Adagrad", "initial_accumulator_value", "at least 0", [0, 1], [-0.1]),
        *((name, "beta_1", "at least 0 and below 1", [0, 0.99], [-0.1, 1]) for name in ("Adam", "AdamW", "Nadam")),
        *((name, "beta_2", "at least 0 and below 1", [0, 0.99], [-0.1, 1]) for name in ("Adam", "AdamW", "Nadam")),
    ],
)
def test_numbers_end_where_they_should(name, argument, bounds, allowed, refused):
    cls = getattr(optimizers, name)
    for value in allowed:
        assert cls(**{argument: value}).get_config()[argument] == value
        assert getattr(cls(**{argument: np.float32(value)}), argument) == pytest.approx(value)
    for value in refused:
        with pytest.raises(ValueError) as told:
            cls(**{argument: value})
        assert str(told.value) == f"{name}: {argument} must be a number {bounds}, got {value!r}"


def test_momentum_above_one_a_schedule_of_no_steps_and_boundaries_that_do_not_fit():
    for make, message in (
        (lambda: optimizers.SGD(momentum=1.5), "SGD: momentum must be at most 1, got 1.5"),
        (lambda: schedules.ExponentialDecay(1, 0, 1), "ExponentialDecay: decay_steps must be positive, got 0"),
        (lambda: schedules.InverseTimeDecay(1, 0, 1), "InverseTimeDecay: decay_steps must be positive, got 0"),
        (lambda: schedules.PolynomialDecay(1, -1), "PolynomialDecay: decay_steps must be positive, got -1"),
        (lambda: schedules.CosineDecay(1, 0), "CosineDecay: decay_steps must be positive, got 0"),
        (lambda: schedules.CosineDecayRestarts(1, 0), "CosineDecayRestarts: first_decay_steps must be positive, got 0"),
        (
            lambda: schedules.PiecewiseConstantDecay([1], [1.0]),
            "PiecewiseConstantDecay: 1 values need 0 boundaries, got 1",
        ),
        (
            lambda: schedules.PiecewiseConstantDecay([2, 2], [1.0, 2.0, 3.0]),
            r"PiecewiseConstantDecay: boundaries must increase, got \[2, 2\]",
        ),
        (
            lambda: schedules.CosineDecayRestarts(1, 1, t_mul=0.9),
            r"t_mul must be at least 1 \(shorter periods run out\), got 0.9",
        ),
        (lambda: schedules.deserialize({}), "schedule None: known are ExponentialDecay, PiecewiseConstantDecay, Poly"),
        (lambda: optimizers.get("lion"), "unknown optimizer 'lion': known are SGD, RMSprop, Adagrad, Adam, AdamW"),
        (
            lambda: optimizers.SGD(clipnorm=1, clipvalue=1, global_clipnorm=1),
            r"SGD: only one of .* given, got \['clipnorm', 'clipvalue', 'global_clipnorm'\]",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            make()


@pytest.mark.parametrize("argument", base._KERAS_ONLY)
def test_each_argument_that_only_keras_has_may_ask_for_nothing(argument):
    (nothing,) = base._KERAS_ONLY[argument]
    optimizers.SGD(**{argument: nothing})
    with pytest.raises(TypeError, match=f"SGD: Keras's argument '{argument}' is not implemented .*got 'much'"):
        optimizers.SGD(**{argument: "much"})


def test_names_dicts_and_a_learning_rate_that_is_a_function():
    assert optimizers.SGD(name="mine").get_config()["name"] == "mine"
    rate = [0.5]
    optimizer = optimizers.SGD(lambda: rate[0])
    assert optimizer.get_config()["learning_rate"] == 0.5
    assert "learning_rate" not in optimizer.get_state()
    rate[0] = 0.25
    w = {"w": np.ones(1)}
    optimizer.update(w, {"w": np.ones(1)})
    assert w["w"] == 0.75
    optimizer.set_state({**optimizer.get_state(), "learning_rate": np.asarray(7.0)})  # the function goes on ruling
    assert optimizer.learning_rate == 0.25
    assert isinstance(optimizers.SGD(1).learning_rate, float)
    assert isinstance(optimizers.get({"class_name": "SGD"}), optimizers.SGD)
    assert isinstance(optimizers.deserialize({"class_name": "Mine"}, {"Mine": optimizers.SGD}), optimizers.SGD)
    with pytest.raises(ValueError, match="unknown optimizer class None"):
        optimizers.deserialize({})
    for wrong in (3, int, None):
        with pytest.raises(TypeError, match=f"optimizer {wrong!r} is neither a name nor an Optimizer"):
            optimizers.get(wrong)
    with pytest.raises(NotImplementedError, match="Optimizer defines no update_step"):
        optimizers.Optimizer(0.1).update({"w": np.ones(1)}, {"w": np.ones(1)})


def test_a_schedule_can_be_replaced_by_a_schedule_but_not_by_a_number():
    optimizer = optimizers.SGD(schedules.CosineDecay(0.1, 10))
    optimizer.learning_rate = schedules.ExponentialDecay(0.2, 10, 0.5)
    assert optimizer.learning_rate == 0.2
    with pytest.raises(TypeError, match="SGD: the learning rate follows a schedule and cannot be set to 0.5"):
        optimizer.learning_rate = 0.5


def test_a_state_holds_copies_and_brings_the_learning_rate_back():
    optimizer, w = optimizers.SGD(0.5, momentum=0.9), {"w": np.ones(2)}
    optimizer.update(w, {"w": np.ones(2)})
    state = optimizer.get_state()
    assert state.keys() == {"momentum/w", "iterations", "learning_rate"}
    state["momentum/w"][:] = 9
    np.testing.assert_array_equal(optimizer.state["momentum/w"], -0.5)
    optimizer.learning_rate = 0.1
    optimizer.set_state({**state, "iterations": np.asarray(0)})
    assert (optimizer.iterations, optimizer.learning_rate) == (0, 0.5)
    np.testing.assert_array_equal(optimizer.state["momentum/w"], 9)
    for damaged, message in (
        ({key: value for key, value in state.items() if key != "iterations"}, r"\['iterations'\] differ"),
        ({**state, "x": np.ones(1)}, r"\['x'\] differ"),
    ):
        with pytest.raises(ValueError, match=f"SGD: this is the state of another optimizer or model: {message}"):
            optimizer.set_state(damaged)


def test_weight_decay_spares_what_matches_any_of_several_names():
    params = {key: np.ones(1) for key in ("a/bias", "a/gain", "a/kernel")}
    optimizer = optimizers.SGD(0.5, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gain"])
    optimizer.update(params, {key: np.zeros(1) for key in params})
    assert [float(w[0]) for w in params.values()] == [1, 1, 0.75]
    nested = {"bias": np.ones(1), "a/b/bias": np.ones(1), "bias/b/kernel": np.ones(1)}  # the last part decides
    again = optimizers.SGD(0.5, weight_decay=0.5)
    again.exclude_from_weight_decay(var_names=["bias"])
    again.update(nested, {key: np.zeros(1) for key in nested})
    assert [float(w[0]) for w in nested.values()] == [1, 1, 0.75]
    again = optimizers.SGD(0.5, weight_decay=0.5)
    again.exclude_from_weight_decay(var_names=["kernel"])
    again.exclude_from_weight_decay(var_names=[])
    again.update(params, {key: np.zeros(1) for key in params})
    assert float(params["a/kernel"][0]) == 0.75**2


def test_clipping_leaves_alone_what_is_short_enough_and_zeros():
    g = {"a": np.array([3.0, 4.0]), "b": np.zeros(2)}
    for options in ({"clipnorm": 5.0}, {"global_clipnorm": 5.0}, {"clipvalue": 4.0}, {}):
        clipped = optimizers.SGD(**options).clip(g)
        for key, value in g.items():
            np.testing.assert_array_equal(clipped[key], value)
    np.testing.assert_array_equal(optimizers.SGD(clipvalue=1).clip({"a": np.array([-3.0, 0.5])})["a"], [-1, 0.5])
    clipped = optimizers.SGD(global_clipnorm=1.0).clip({"a": np.array([3.0]), "b": np.array([4.0])})
    np.testing.assert_allclose([clipped["a"][0], clipped["b"][0]], [0.6, 0.8])


@pytest.mark.parametrize("shares", [1, 2, 3, 7, 100])
def test_every_element_is_in_one_stretch_of_one_share(monkeypatch, shares):
    monkeypatch.setattr(base, "_STRETCH", 5)
    monkeypatch.setattr(base, "_SMALLEST_SHARE", 4)
    params = {"a": np.zeros((3, 7)), "b": np.zeros(1), "c": np.zeros(0), "d": np.zeros(13)}
    divided = base._divided(params, shares)
    assert len(divided) == min(shares, 35 // 4)
    sizes = [sum(stretch.stop - stretch.start for _, stretch in share) for share in divided]
    assert max(sizes) - min(sizes) <= 1
    for share in divided:
        for key, stretch in share:
            assert 0 < stretch.stop - stretch.start <= 5
            params[key].reshape(-1)[stretch] += 1
    for w in params.values():
        np.testing.assert_array_equal(w, 1)


def test_a_step_in_stretches_is_the_step_in_one(monkeypatch):
    rng = np.random.default_rng(0)
    grads = {"a": rng.normal(size=(3, 7)), "b": rng.normal(size=4)}
    results = []
    for stretch in (5, 1000):
        monkeypatch.setattr(base, "_STRETCH", stretch)
        params, optimizer = {key: np.ones(g.shape) for key, g in grads.items()}, optimizers.Nadam(0.1, weight_decay=0.1)
        for _ in range(3):
            optimizer.update(params, grads)
        results.append(params)
    for key in grads:
        np.testing.assert_array_equal(results[0][key], results[1][key])


def test_what_is_said_of_other_parameters():
    optimizer = optimizers.SGD()
    optimizer.build({"a": np.ones(2), "b": np.ones((1, 3))})
    optimizer.build({"a": np.zeros(2), "b": np.zeros((1, 3))})
    with pytest.raises(ValueError) as told:
        optimizer.build({})
    assert str(told.value) == (
        "SGD was built for other parameters: it knows a (2,) float64, b (1, 3) float64, got none; "
        "compile the model again with a new optimizer"
    )
    with pytest.raises(ValueError, match=r"SGD: gradients of \['b', 'a', 'c'\] for the parameters \['a', 'b'\]"):
        params = {"a": np.ones(2), "b": np.ones((1, 3))}
        optimizer.update(params, {"b": params["b"], "a": params["a"], "c": np.ones(1)})
    with pytest.raises(ValueError, match=r"SGD: a has shape \(2,\), its gradient \(3,\)"):
        optimizer.update(params, {"a": np.ones(3), "b": np.ones((1, 3))})
    assert optimizer.iterations == 0
