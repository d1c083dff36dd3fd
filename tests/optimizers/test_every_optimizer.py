"""What holds for every optimizer: defaults, bounds, slots, a step downhill, going on from a state, configurations."""

import numpy as np
import pytest

from scratchnet import optimizers
from scratchnet.optimizers import schedules

NAMES = [
    "SGD",
    "RMSprop",
    "Adagrad",
    "Adam",
    "AdamW",
    "Nadam",
    "Adadelta",
    "Adamax",
    "Adafactor",
    "Lion",
    "Ftrl",
    "Lamb",
]
NAMES += ["Muon", "ScheduleFreeAdamW"]


OPTIONS = [
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("RMSprop", {"momentum": 0.9, "centered": True}),
    ("Adam", {"amsgrad": True}),
    ("Adam", {"use_ema": True, "gradient_accumulation_steps": 2}),
    *((name, {}) for name in NAMES),
]


def params(dtype="float64"):
    rng = np.random.default_rng(0)
    return {"a/kernel": rng.normal(size=(3, 4)).astype(dtype), "a/bias": rng.normal(size=4).astype(dtype)}


def gradients(seed, dtype="float64"):
    rng = np.random.default_rng(100 + seed)
    return {"a/kernel": rng.normal(size=(3, 4)).astype(dtype), "a/bias": rng.normal(size=4).astype(dtype)}


def test_two_steps_by_hand():
    w = {"w": np.array([1.0])}
    sgd = optimizers.SGD(0.1, momentum=0.5)
    for g in (1.0, 2.0):
        sgd.update(w, {"w": np.array([g])})
    assert w["w"][0] == pytest.approx(1 - 0.1 - (0.05 + 0.2))  # velocities -0.1, then -0.05 - 0.2
    w = {"w": np.array([1.0])}
    sgd = optimizers.SGD(0.1, momentum=0.5, nesterov=True)
    sgd.update(w, {"w": np.array([1.0])})
    assert w["w"][0] == pytest.approx(1 - 0.05 - 0.1)
    w = {"w": np.array([1.0])}
    optimizers.RMSprop(0.1, rho=0.5, epsilon=0).update(w, {"w": np.array([2.0])})
    assert w["w"][0] == pytest.approx(1 - 0.1 * 2 / np.sqrt(2))  # v = 0.5 * 4
    w = {"w": np.array([1.0])}
    centered = optimizers.RMSprop(0.1, rho=0.5, epsilon=0, centered=True)
    centered.update(w, {"w": np.array([2.0])})
    assert (centered.state["v/w"], centered.state["mean/w"]) == (2, 1)
    assert w["w"][0] == pytest.approx(1 - 0.1 * 2 / np.sqrt(2 - 1))
    w = {"w": np.array([1.0])}
    optimizers.Adagrad(0.1, initial_accumulator_value=0, epsilon=0).update(w, {"w": np.array([2.0])})
    assert w["w"][0] == pytest.approx(0.9)
    w = {"w": np.array([1.0])}
    optimizers.AdamW(0.1, weight_decay=0.5).update(w, {"w": np.array([2.0])})
    assert w["w"][0] == pytest.approx(1 - 0.05 - 0.1, abs=1e-6)


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_every_optimizer_goes_downhill_keeps_dtypes_and_changes_no_gradient(name, options):
    for dtype in ("float32", "float64"):
        optimizer = getattr(optimizers, name)(learning_rate=0.05, **options)
        w = {"w": np.array([3.0, -2.0], dtype)}
        arrays = w["w"]
        for _ in range(200):
            g = {"w": w["w"].copy()}
            kept = g["w"].copy()
            optimizer.update(w, g)
            np.testing.assert_array_equal(g["w"], kept)
        assert w["w"] is arrays and arrays.dtype == dtype
        assert all(slot.dtype == dtype for slot in optimizer.state.values())
        slow = {"Adadelta": 2.99, "Adagrad": 2.9, "Adafactor": 2.9, "Ftrl": 2.9}  # from 3.0
        assert np.abs(arrays).max() < slow.get(name, 0.5)


@pytest.mark.parametrize("dtype", ["float16", "longdouble", ">f4"])
def test_what_no_kernel_is_made_for_goes_by_the_rule(dtype):
    w = {"w": np.ones(3, dtype)}
    optimizers.SGD(0.5).update(w, {"w": np.ones(3, dtype)})
    assert (w["w"] == 0.5).all() and w["w"].dtype == dtype


@pytest.mark.parametrize(("name", "options"), OPTIONS)
@pytest.mark.parametrize("saved_after", [0, 1, 3])
def test_going_on_from_a_saved_state_gives_the_same_bits(name, options, saved_after):
    one, two = (getattr(optimizers, name)(**options) for _ in range(2))
    w = params()
    one.build(w)
    for step in range(saved_after):
        one.update(w, gradients(step))
    state, saved = one.get_state(), {key: value.copy() for key, value in w.items()}
    for step in range(saved_after, 6):
        one.update(w, gradients(step))
    for optimizer in (one, two):  # back to it, and on from it in another optimizer
        again = {key: value.copy() for key, value in saved.items()}
        optimizer.build(again)
        optimizer.set_state(state)
        for step in range(saved_after, 6):
            optimizer.update(again, gradients(step))
        for key in w:
            np.testing.assert_array_equal(again[key], w[key])
        assert optimizer.steps == 6


@pytest.mark.parametrize("name", NAMES)
def test_configurations_make_the_same_optimizer_again(name):
    optimizer = getattr(optimizers, name)(schedules.CosineDecay(0.1, 10), clipnorm=2.0)
    for again in (optimizers.get(optimizers.serialize(optimizer)), type(optimizer).from_config(optimizer.get_config())):
        assert type(again) is type(optimizer) and again.clipnorm == 2.0
        assert again.learning_rate == optimizer.learning_rate
        assert again.get_config() == optimizer.get_config()


def test_every_way_to_name_an_optimizer():
    for identifier in ("adam", "Adam", optimizers.Adam, optimizers.Adam()):
        assert isinstance(optimizers.get(identifier), optimizers.Adam)
    assert repr(optimizers.Adam()) == "Adam(learning_rate=0.001, iterations=0)"
    with pytest.raises(ValueError, match="unknown optimizer"):
        optimizers.get("adom")
    with pytest.raises(TypeError, match="neither a name nor an Optimizer"):
        optimizers.get(3)
    with pytest.raises(ValueError, match="unknown optimizer 'Tiger'"):
        optimizers.deserialize({"class_name": "Tiger"})
    with pytest.raises(ValueError, match="unknown learning rate schedule"):
        schedules.deserialize({"class_name": "Nothing"})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optimizers.SGD(-1), "learning_rate must be a number at least 0"),
        (lambda: optimizers.SGD("fast"), "learning_rate"),
        (lambda: optimizers.SGD(float("nan")), "learning_rate"),
        (lambda: optimizers.SGD(momentum=1.5), "momentum"),
        (lambda: optimizers.Adam(beta_1=1.0), "beta_1 must be a number at least 0 and below 1"),
        (lambda: optimizers.Adam(clipnorm=1, clipvalue=1), "only one of"),
        (lambda: optimizers.Adam(clipnorm=0), "clipnorm must be a number above 0"),
        (lambda: optimizers.AdamW(weight_decay=None), "weight_decay must be a number"),
        (lambda: schedules.PiecewiseConstantDecay([1, 2], [1.0]), "boundaries"),
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), "decay_steps must be positive"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: schedules.CosineDecayRestarts(0.1, 10, t_mul=0.5), ValueError, "t_mul must be at least 1"),
        (lambda: schedules.PiecewiseConstantDecay([5, 2], [1.0, 2.0, 3.0]), ValueError, "boundaries must increase"),
        (lambda: optimizers.AdamW().exclude_from_weight_decay(var_names="bias"), TypeError, "AdamW: var_names must be"),
    ],
)
def test_what_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


COMMON = {
    "weight_decay": None,
    "clipnorm": None,
    "clipvalue": None,
    "global_clipnorm": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}


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
        (lambda: schedules.deserialize({}), "learning rate schedule: expected a dict with 'class_name'"),
        (lambda: optimizers.get("adom"), "unknown optimizer 'adom'; closest: Adam"),
        (
            lambda: optimizers.SGD(clipnorm=1, clipvalue=1, global_clipnorm=1),
            r"SGD: only one of .* given, got \['clipnorm', 'clipvalue', 'global_clipnorm'\]",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            make()
