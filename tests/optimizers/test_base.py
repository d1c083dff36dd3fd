"""What every optimizer has from its base: arrays, states, learning rates, clipping, weight decay, shares."""

import copy
import json

import numpy as np
import pytest

from scratchnet import optimizers
from scratchnet.optimizers import arrays, schedules


def params(dtype="float64"):
    rng = np.random.default_rng(0)
    return {"a/kernel": rng.normal(size=(3, 4)).astype(dtype), "a/bias": rng.normal(size=4).astype(dtype)}


def gradients(seed, dtype="float64"):
    rng = np.random.default_rng(100 + seed)
    return {"a/kernel": rng.normal(size=(3, 4)).astype(dtype), "a/bias": rng.normal(size=4).astype(dtype)}


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
    settings = optimizer.get_config()  # what it was given, kept under that name or not
    assert settings == {"name": "twospeeds", "learning_rate": 0.5, "keep": 0.75, "forgotten": 3}
    again = optimizers.deserialize({"class_name": "TwoSpeeds", "config": settings}, {"TwoSpeeds": TwoSpeeds})
    assert again.get_config() == settings and again.keep == 0.75


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


def test_what_only_keras_has_is_named():
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


def read_only(array):
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "param",
    [np.asfortranarray(np.ones((3, 4))), np.ones((3, 8))[:, ::2], np.ones((4, 3)).T, read_only(np.ones((3, 4)))],
    ids=["fortran", "strided", "transposed", "read-only"],
)
def test_a_parameter_that_cannot_be_updated_in_place_is_refused(param):
    optimizer = optimizers.SGD(0.1, momentum=0.9)
    with pytest.raises(ValueError, match="SGD: w must be writeable and in C order"):
        optimizer.update({"w": param}, {"w": np.ones(param.shape)})
    assert optimizer.iterations == 0
    np.testing.assert_array_equal(param, 1)


def test_slots_are_in_c_order_whatever_they_were_built_for():
    optimizer = optimizers.Adagrad(0.1, initial_accumulator_value=0.5)
    optimizer.build({"w": np.asfortranarray(np.ones((3, 4)))})
    optimizer.update({"w": np.ones((3, 4))}, {"w": np.full((3, 4), 2.0)})
    np.testing.assert_array_equal(optimizer.state["accumulator/w"], 4.5)


@pytest.mark.parametrize("grad", [np.asfortranarray(np.full((2, 3), 2.0)), np.full((2, 3), 2), [[2, 2, 2], [2, 2, 2]]])
@pytest.mark.parametrize("clipping", [{}, {"clipnorm": 1.0}, {"global_clipnorm": 1.0}, {"clipvalue": 0.5}])
def test_gradients_of_any_order_and_kind_of_number_do(grad, clipping):
    results = []
    for g in (grad, np.full((2, 3), 2.0, "float32")):
        params = {"w": np.ones((2, 3), "float32")}
        optimizers.SGD(0.1, **clipping).update(params, {"w": g})
        results.append(params["w"])
    assert (results[0] < 1).all()
    np.testing.assert_array_equal(*results)


def test_another_dtype_is_another_parameter():
    optimizer = optimizers.Adam()
    optimizer.build({"w": np.ones(3, "float32")})
    with pytest.raises(ValueError, match=r"it knows w \(3,\) float32, got w \(3,\) float64"):
        optimizer.build({"w": np.ones(3)})
    with pytest.raises(ValueError, match="Adam: w must hold floating point numbers, not int64"):
        optimizers.Adam().update({"w": np.ones(3, "int64")}, {"w": np.ones(3)})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"iterations": np.array([1, 2])}, "iterations must be an integer of at least 0"),
        ({"iterations": np.array(-3)}, "iterations must be an integer of at least 0"),
        ({"iterations": np.array(np.nan)}, "iterations must be an integer of at least 0"),
        ({"learning_rate": np.array(-1.0)}, "learning_rate must be a number at least 0"),
        ({"learning_rate": np.array("fast")}, "learning_rate must be a number at least 0"),
        ({"v/w": np.array(["a", "b", "c"])}, "v/w must hold floating point numbers"),
        ({"v/w": np.zeros(4)}, "v/w has shape"),
    ],
)
def test_a_damaged_state_changes_nothing(damage, message):
    optimizer = optimizers.Adam()
    optimizer.update({"w": np.ones(3)}, {"w": np.ones(3)})
    before = optimizer.get_state()
    with pytest.raises(ValueError, match=f"Adam: {message}"):
        optimizer.set_state({**before, "m/w": np.full(3, 9.0), **damage})
    after = optimizer.get_state()
    assert after.keys() == before.keys()
    for key, value in before.items():
        np.testing.assert_array_equal(after[key], value)


def test_configurations_of_numpy_numbers_are_json():
    schedule = schedules.PiecewiseConstantDecay([np.int64(3)], [np.float32(0.5), np.float64(0.25)])
    optimizer = optimizers.Nadam(schedule, beta_1=np.float32(0.5), weight_decay=np.float64(0.1), clipnorm=np.float32(2))
    again = optimizers.deserialize(json.loads(json.dumps(optimizers.serialize(optimizer))))
    assert (again.beta_1, again.weight_decay, again.clipnorm) == (0.5, 0.1, 2.0)
    assert again.learning_rate == 0.5


def test_weight_decay_is_settled_before_the_first_step():
    optimizer = optimizers.AdamW()
    optimizer.build({"w": np.ones(1)})
    with pytest.raises(ValueError, match="AdamW: exclude_from_weight_decay comes before build"):
        optimizer.exclude_from_weight_decay(var_names=["w"])


@pytest.mark.parametrize("clipping", [{}, {"clipnorm": 1.0}, {"global_clipnorm": 1.0}, {"clipvalue": 0.5}])
@pytest.mark.parametrize("shares", [1, 2, 3])
def test_gradients_of_parts_of_a_batch_are_summed_before_the_step(clipping, shares):
    rng = np.random.default_rng(0)
    shapes = {"a": (300, 200), "b": (5,), "c": (), "d": (40, 30), "e": (0,)}
    start = {key: rng.standard_normal(shape) for key, shape in shapes.items()}
    parts = [{key: rng.standard_normal(shape) for key, shape in shapes.items()} for _ in range(3)]
    whole = {key: parts[0][key] + parts[1][key] + parts[2][key] for key in shapes}
    kept = [{key: g.copy() for key, g in part.items()} for part in parts]
    results = []
    for grads, among in ((whole, 1), (parts, shares)):
        params = {key: w.copy() for key, w in start.items()}
        optimizers.Adam(0.1, weight_decay=0.1, **clipping).update(params, grads, shares=among)
        results.append(params)
    for key in shapes:
        np.testing.assert_allclose(results[1][key], results[0][key], rtol=1e-12)
        assert (results[1][key] != start[key]).all()
        for part, before in zip(parts, kept):
            np.testing.assert_array_equal(part[key], before[key])


def test_threads_are_given_equal_shares_in_one_round():
    given = []

    def run(update, shares):
        given.extend(shares)
        return map(update, shares)

    params = {"big": np.ones((700, 1000)), "bias": np.ones(10), "small": np.ones((99, 10))}
    grads = {key: np.ones(w.shape) for key, w in params.items()}
    for options, sizes in (({"shares": 2}, [350500, 350500]), ({}, [701000])):
        given.clear()
        optimizers.SGD(0.5).update(params, grads, run=run, **options)
        assert [sum(stretch.place.stop - stretch.place.start for stretch in share) for share in given] == sizes
    for w in params.values():
        np.testing.assert_array_equal(w, 0)


def test_views_of_an_optimizers_arrays_are_those_of_its_own():
    """They are cut once: a copy, arrays that are exchanged, and other parameters, have others."""
    grads, optimizer = {"w": np.full(3, 2.0)}, optimizers.SGD(1.0, momentum=0.5)
    first, second, third = ({"w": np.zeros(3)} for _ in range(3))
    optimizer.update(first, grads)
    twin = copy.deepcopy(optimizer)
    twin.update(second, grads)
    np.testing.assert_array_equal(twin.state["momentum/w"], -3)
    np.testing.assert_array_equal(optimizer.state["momentum/w"], -2)
    optimizer.state["momentum/w"] = np.zeros(3)
    optimizer.update(third, grads)
    np.testing.assert_array_equal(optimizer.state["momentum/w"], -2)
    assert [p["w"][0] for p in (first, second, third)] == [-2, -3, -2]


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
    assert float(optimizers.SGD(1).learning_rate) == 1.0
    assert isinstance(optimizers.get({"class_name": "SGD"}), optimizers.SGD)
    assert isinstance(optimizers.deserialize({"class_name": "Mine"}, {"Mine": optimizers.SGD}), optimizers.SGD)
    with pytest.raises(ValueError, match="optimizer: expected a dict with 'class_name'"):
        optimizers.deserialize({})
    assert optimizers.get(None) is None
    for wrong in (3, int):
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


@pytest.mark.parametrize("shares", [1, 2, 3, 7, 100])
def test_every_element_is_in_one_stretch_of_one_share(monkeypatch, shares):
    monkeypatch.setattr(arrays, "STRETCH", 5)
    monkeypatch.setattr(arrays, "SMALLEST_SHARE", 4)
    params = {"a": np.zeros((3, 7)), "b": np.zeros(1), "c": np.zeros(0), "d": np.zeros(13)}
    divided = arrays.divided(params, shares)
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
        monkeypatch.setattr(arrays, "STRETCH", stretch)
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
        optimizer.build({"c": np.ones(1, "float32")})
    assert str(told.value) == (
        "SGD was built for other parameters: it knows a (2,) float64, b (1, 3) float64, got c (1,) float32; "
        "compile the model again with a new optimizer"
    )
    with pytest.raises(ValueError, match=r"SGD: gradients of \['b', 'a', 'c'\] for the parameters \['a', 'b'\]"):
        params = {"a": np.ones(2), "b": np.ones((1, 3))}
        optimizer.update(params, {"b": params["b"], "a": params["a"], "c": np.ones(1)})
    with pytest.raises(ValueError, match=r"SGD: a has shape \(2,\), its gradient \(3,\)"):
        optimizer.update(params, {"a": np.ones(3), "b": np.ones((1, 3))})
    assert optimizer.iterations == 0
