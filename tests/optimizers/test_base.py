"""Optimizers: steps by hand, state, clipping, learning rates, and what is refused."""

import numpy as np
import pytest

from scratchnet import kernels, optimizers
from scratchnet.optimizers import schedules

NAMES = ["SGD", "RMSprop", "Adagrad", "Adam", "AdamW", "Nadam"]
OPTIONS = [
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("RMSprop", {"momentum": 0.9, "centered": True}),
    ("Adam", {"amsgrad": True}),
    *((name, {}) for name in NAMES),
]


def params(dtype="float64"):
    rng = np.random.default_rng(0)
    return {"a/kernel": rng.normal(size=(3, 4)).astype(dtype), "a/bias": rng.normal(size=4).astype(dtype)}


def gradients(seed, dtype="float64"):
    rng = np.random.default_rng(100 + seed)
    return {"a/kernel": rng.normal(size=(3, 4)).astype(dtype), "a/bias": rng.normal(size=4).astype(dtype)}


def test_adam_by_hand():
    w = {"w": np.array([1.0, 2.0, 3.0, 4.0])}
    optimizers.Adam(learning_rate=0.5, epsilon=0).update(w, {"w": np.array([1.0, 6.0, 7.0, 2.0])})
    np.testing.assert_allclose(w["w"], [0.5, 1.5, 2.5, 3.5], rtol=1e-12)
    w = {"w": np.array([1.0])}
    optimizers.Adam(learning_rate=0.5).update(w, {"w": np.array([1.0])})
    assert w["w"][0] == pytest.approx(1 - 0.5 / (1 + 1e-7 / np.sqrt(0.001)), abs=1e-12)  # epsilon is outside the root


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
        assert np.abs(arrays).max() < (2.9 if name == "Adagrad" else 0.5)


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
        assert optimizer.iterations == 6


def test_a_step_of_nadam_takes_no_longer_the_later_it_is():
    class Counting(optimizers.Nadam):
        asked = 0

        def _momentum(self, t):
            self.asked += 1
            return super()._momentum(t)

    optimizer, w, asked = Counting(), params(), []
    for step in range(5):
        optimizer.update(w, gradients(step))
        asked.append(optimizer.asked)
    assert asked == [asked[0] * t for t in (1, 2, 3, 4, 5)]


class TwoSpeeds(optimizers.Optimizer):
    """Remembers a slow and a fast mean of the gradient, from different starts."""

    slot_names = ("slow", "fast")

    def __init__(self, learning_rate, keep, forgotten=None, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.keep = keep

    def initial_slot(self, name, param):
        return np.full_like(param, 1 if name == "slow" else 2)

    def update_step(self, param, grad, slots, learning_rate):
        slots["slow"] += (grad - slots["slow"]) * (1 - self.keep)
        slots["fast"][:] = grad
        param -= learning_rate * slots["slow"] * slots["fast"]


def test_an_optimizer_of_ones_own():
    optimizer, w = TwoSpeeds(0.5, keep=0.75, forgotten=3), {"w": np.zeros(1)}
    optimizer.build(w)
    assert (optimizer.state["slow/w"], optimizer.state["fast/w"]) == (1, 2)
    optimizer.update(w, {"w": np.array([5.0])})
    assert (optimizer.state["slow/w"], w["w"]) == (2, -5)
    settings = optimizer.get_config()  # what was kept of the arguments, its own and those of every optimizer
    assert settings.keys() == optimizers.SGD().get_config().keys() - {"momentum", "nesterov"} | {"keep"}
    again = optimizers.deserialize({"class_name": "TwoSpeeds", "config": settings}, {"TwoSpeeds": TwoSpeeds})
    assert again.get_config() == settings and again.keep == 0.75


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_all_backends_of_adam_agree(dtype):
    results = []
    for backend in ("loops", "numpy", "numba"):
        if backend == "numba" and not kernels.numba_is_installed():
            continue
        with kernels.using_backend(backend):
            w, optimizer = params(dtype), optimizers.Adam(0.01)
            for step in range(5):
                optimizer.update(w, gradients(step, dtype))
            results.append(w)
    for other in results[1:]:
        for key in other:
            np.testing.assert_allclose(other[key], results[0][key], rtol=1e-5 if dtype == "float32" else 1e-12)


def test_clipping():
    g = {"a": np.array([3.0, 4.0]), "b": np.array([0.3, 0.4])}
    np.testing.assert_allclose(optimizers.SGD(clipvalue=1).clip(g)["a"], [1, 1])
    clipped = optimizers.SGD(clipnorm=1).clip(g)
    np.testing.assert_allclose(clipped["a"], [0.6, 0.8])
    np.testing.assert_allclose(clipped["b"], [0.3, 0.4])
    clipped = optimizers.SGD(global_clipnorm=1).clip(g)
    assert np.sqrt(sum((c**2).sum() for c in clipped.values())) == pytest.approx(1)


def test_learning_rates():
    optimizer = optimizers.SGD(0.1)
    optimizer.learning_rate = 0.01
    assert optimizer.learning_rate == 0.01
    w = {"w": np.zeros(1)}
    scheduled = optimizers.SGD(schedules.PiecewiseConstantDecay([1], [1.0, 0.5]))
    rates = []
    for _ in range(4):
        rates.append(scheduled.learning_rate)
        scheduled.update(w, {"w": np.ones(1)})
    assert rates == [1.0, 1.0, 0.5, 0.5]
    assert w["w"][0] == -3.0
    with pytest.raises(TypeError, match="follows a schedule"):
        scheduled.learning_rate = 0.1
    assert optimizers.SGD(lambda: 0.25).learning_rate == 0.25


@pytest.mark.parametrize("name", NAMES)
def test_configurations_make_the_same_optimizer_again(name):
    optimizer = getattr(optimizers, name)(schedules.CosineDecay(0.1, 10), clipnorm=2.0)
    for again in (
        optimizers.get(optimizers.serialize(optimizer)),
        type(optimizer).from_config(optimizer.get_config()),
    ):
        assert type(again) is type(optimizer) and again.clipnorm == 2.0
        assert again.learning_rate == optimizer.learning_rate
        assert again.get_config() == optimizer.get_config()


def test_every_way_to_name_an_optimizer():
    for identifier in ("adam", "Adam", optimizers.Adam, optimizers.Adam()):
        assert isinstance(optimizers.get(identifier), optimizers.Adam)
    assert repr(optimizers.Adam()) == "Adam(learning_rate=0.001, iterations=0)"
    with pytest.raises(ValueError, match="known are SGD, RMSprop"):
        optimizers.get("lion")
    with pytest.raises(TypeError, match="neither a name nor an Optimizer"):
        optimizers.get(3)
    with pytest.raises(ValueError, match="unknown optimizer class"):
        optimizers.deserialize({"class_name": "Lion"})
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


def test_what_only_keras_has_is_named():
    with pytest.raises(TypeError, match="Keras's argument 'use_ema'"):
        optimizers.Adam(use_ema=True)
    assert optimizers.Adam(use_ema=False)
    with pytest.raises(TypeError, match="no argument 'lr'"):
        optimizers.Adam(lr=0.1)


def test_gradients_and_states_of_something_else_are_refused_and_change_nothing():
    w, optimizer = params(), optimizers.Adam()
    optimizer.update(w, gradients(0))
    kept = {key: value.copy() for key, value in w.items()}
    with pytest.raises(ValueError, match="gradients of"):
        optimizer.update(w, {"a/kernel": np.ones((3, 4))})
    with pytest.raises(ValueError, match="a/bias has shape"):
        optimizer.update(w, {"a/kernel": np.ones((3, 4)), "a/bias": np.ones(5)})
    with pytest.raises(ValueError, match="built for other parameters"):
        optimizer.update({"b": np.ones(2)}, {"b": np.ones(2)})
    state = optimizer.get_state()
    with pytest.raises(ValueError, match="another optimizer or model"):
        optimizer.set_state({key: value for key, value in state.items() if key != "m/a/bias"})
    with pytest.raises(ValueError, match="m/a/bias has shape"):
        optimizer.set_state({**state, "m/a/bias": np.ones(9)})
    for key in w:
        np.testing.assert_array_equal(w[key], kept[key])
