"""Values are Keras's; a model that is trained obeys after every step."""

import numpy as np
import pytest

from scratchnet import constraints, kernels
from scratchnet.constraints import Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential, load_model

W = np.array([[1.0, -2.0, 0.0], [0.5, 3.0, -1.5]])
KERAS = [  # keras 3.15.1
    (MaxNorm(1.5), [[1, -0.83205, 0], [0.5, 1.248076, -1.5]]),
    (MaxNorm(1.5, axis=1), [[0.67082, -1.341641, 0], [0.221163, 1.326978, -0.663489]]),
    (NonNeg(), [[1, 0, 0], [0.5, 3, 0]]),
    (UnitNorm(), [[0.894427, -0.5547, 0], [0.447214, 0.83205, -1]]),
    (UnitNorm(axis=[0, 1]), [[0.246183, -0.492366, 0], [0.123091, 0.738549, -0.369274]]),
    (MinMaxNorm(1.2, 2.0, 0.5), [[1.036656, -1.5547, 0], [0.518328, 2.33205, -1.5]]),
]


@pytest.mark.parametrize(("constraint", "expected"), KERAS, ids=[repr(constraint) for constraint, _ in KERAS])
def test_the_value_is_keras_s_and_nothing_is_changed(constraint, expected):
    for dtype in ("float32", "float64"):
        w = W.astype(dtype)
        found = constraint(w)
        np.testing.assert_allclose(found, expected, atol=1e-6)
        assert found.dtype == dtype and (w == W).all()


@pytest.mark.parametrize("constraint", [MaxNorm(1.5), UnitNorm(), MinMaxNorm(1.2, 3.0, 0.5), NonNeg()], ids=repr)
@pytest.mark.parametrize("shape", [(20, 33), (3, 2, 5, 17), (4, 3), (50,), (0, 20)])
def test_every_backend_bounds_the_same_vectors_in_place_as_well(constraint, shape):
    for dtype, digits in (("float32", 1e-6), ("float64", 1e-14)):
        w = np.random.default_rng(3).normal(size=shape).astype(dtype)
        for axis in (0, -1, tuple(range(len(shape) - 1)), [0, len(shape) - 1] if len(shape) > 1 else 0, None):
            if not isinstance(constraint, NonNeg):
                constraint.axis = axis
            with kernels.using_backend("numpy"):
                expected = constraint(w)
            found, place = constraint(w), w.copy()
            constraints.put_in_bounds(constraint, place)
            assert found.dtype == place.dtype == dtype and found is not w
            np.testing.assert_allclose(found, expected, rtol=10 * digits, atol=digits)
            np.testing.assert_array_equal(place, found)


def test_two_threads_make_the_bits_of_one():
    if kernels.helper() is None:
        pytest.skip("a helper needs compiled kernels")
    w = np.random.default_rng(3).normal(size=(501, 700)).astype("float32")
    alone = MaxNorm(20)(w)
    with kernels.helper():
        np.testing.assert_array_equal(MaxNorm(20)(w), alone)


def test_an_axis_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="axis 2 is out of bounds"):
        MaxNorm(axis=2)(np.ones((20, 20)))


def test_in_place_as_somebody_has_defined_it():
    class Doubled(MaxNorm):
        def __call__(self, w):
            return 2 * super().__call__(w)

    for constraint, expected in ((Doubled(1), 1.2), (lambda w: w - 1, 2), (Constraint(), 3)):
        w = np.array([[3.0], [4.0]])
        constraints.put_in_bounds(constraint, w)
        assert w[0, 0] == pytest.approx(expected)


def test_a_vector_of_zeros_stays():
    for constraint in (MaxNorm(), UnitNorm(), MinMaxNorm(1.0)):
        assert not constraint(np.zeros((2, 2))).any()


def test_every_way_to_name_one():
    for given in ("non_neg", "NonNeg", NonNeg, constraints.non_neg(), {"class_name": "NonNeg", "config": {}}):
        assert isinstance(constraints.get(given), NonNeg)
    again = constraints.deserialize(constraints.serialize(MinMaxNorm(0.5, 2.0, 0.1, [0, 1])))
    assert again.get_config() == {"min_value": 0.5, "max_value": 2.0, "rate": 0.1, "axis": [0, 1]}
    assert constraints.get(None) is None and constraints.get(np.abs) is np.abs
    with pytest.raises(ValueError, match="unknown constraint 'maxnorm'; closest: "):
        constraints.get("maxnorm")
    assert Constraint()(W) is W


def test_the_parameters_of_a_model_obey_after_each_step(tmp_path):
    model = Sequential([Input((3,)), Dense(2, kernel_constraint=MaxNorm(0.5), bias_constraint="non_neg")])
    model.compile("sgd", "mse")
    rng = np.random.default_rng(0)
    model.fit(rng.normal(size=(20, 3)), -np.ones((20, 2)), batch_size=5, verbose=0)
    kernel, bias = model.get_weights()
    assert (np.linalg.norm(kernel, axis=0) <= 0.5 + 1e-6).all() and (bias >= 0).all()
    model.save(tmp_path / "m.npz")
    assert load_model(tmp_path / "m.npz").layers[0].kernel_constraint.max_value == 0.5
