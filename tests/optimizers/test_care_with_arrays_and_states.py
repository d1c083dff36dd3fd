"""Optimizers: arrays whose update would be lost, damaged states, configurations, long and unusual schedules."""

import json

import numpy as np
import pytest

from scratchnet import optimizers
from scratchnet.optimizers import schedules


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


def test_a_centered_variance_that_rounds_below_zero_makes_no_nan():
    # Constant gradients: v - mean^2 tends to 0, its rounding error in float32 is far above epsilon.
    params = {"w": np.zeros(50, "float32")}
    grads = {"w": np.linspace(1, 1000, 50, dtype="float32")}
    optimizer = optimizers.RMSprop(centered=True)
    for _ in range(300):
        optimizer.update(params, grads)
    assert np.isfinite(params["w"]).all()


def test_configurations_of_numpy_numbers_are_json():
    schedule = schedules.PiecewiseConstantDecay([np.int64(3)], [np.float32(0.5), np.float64(0.25)])
    optimizer = optimizers.Nadam(schedule, beta_1=np.float32(0.5), weight_decay=np.float64(0.1), clipnorm=np.float32(2))
    again = optimizers.deserialize(json.loads(json.dumps(optimizers.serialize(optimizer))))
    assert (again.beta_1, again.weight_decay, again.clipnorm) == (0.5, 0.1, 2.0)
    assert again.learning_rate == 0.5


def test_a_schedule_of_ones_own_is_found_among_custom_objects():
    class Halving(schedules.LearningRateSchedule):
        def __init__(self, start):
            self.start = start

        def __call__(self, step):
            return self.start * 0.5**step

    settings = json.loads(json.dumps(optimizers.serialize(optimizers.SGD(Halving(0.8)))))
    again = optimizers.deserialize(settings, custom_objects={"Halving": Halving})
    again.iterations = 2
    assert again.learning_rate == 0.2
    with pytest.raises(ValueError, match="unknown learning rate schedule 'Halving'"):
        optimizers.deserialize(settings)


def test_restarts_of_equal_length_take_no_longer_at_a_late_step():
    schedule = schedules.CosineDecayRestarts(0.1, 2, t_mul=1.0)
    assert schedule(10**15) == pytest.approx(0.1)  # turn by turn this would never end
    assert schedule(10**15 + 1) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: schedules.CosineDecayRestarts(0.1, 10, t_mul=0.5), ValueError, "t_mul must be at least 1"),
        (lambda: schedules.PiecewiseConstantDecay([5, 2], [1.0, 2.0, 3.0]), ValueError, "boundaries must increase"),
        (
            lambda: optimizers.AdamW().exclude_from_weight_decay(var_list=[1]),
            TypeError,
            "AdamW: Keras's var_list is not",
        ),
        (lambda: optimizers.AdamW().exclude_from_weight_decay(var_names="bias"), TypeError, "AdamW: var_names must be"),
    ],
)
def test_what_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


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
        assert [sum(part.stop - part.start for _, part in share) for share in given] == sizes
    for w in params.values():
        np.testing.assert_array_equal(w, 0)
