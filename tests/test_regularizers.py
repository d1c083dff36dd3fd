"""Values are Keras's; derivatives are proved by central differences; a model trained with them obeys."""

import numpy as np
import pytest

from scratchnet import regularizers
from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential, load_model
from scratchnet.regularizers import L1, L1L2, L2, OrthogonalRegularizer, Regularizer

W = np.array([[1.0, -2.0, 0.0], [0.5, 3.0, -1.5]])
KERAS = [  # keras 3.15.1
    (L1(0.1), 0.8),
    (L2(0.1), 1.65),
    (L1L2(0.1, 0.2), 4.1),
    (OrthogonalRegularizer(0.1), 0.0725318508),
    (OrthogonalRegularizer(0.1, "columns"), 0.0467766252),
]
IDS = [repr(regularizer) for regularizer, _ in KERAS]


@pytest.mark.parametrize(("regularizer", "expected"), KERAS, ids=IDS)
def test_the_value_is_keras_s(regularizer, expected):
    assert regularizer(W) == pytest.approx(expected, rel=1e-7)
    assert regularizer(W.astype("float32")) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("regularizer", [regularizer for regularizer, _ in KERAS], ids=IDS)
def test_the_gradient_is_the_derivative(regularizer):
    w = np.random.default_rng(3).normal(size=(4, 5))
    gradient, h = regularizer.gradient(w), 1e-6
    for place in np.ndindex(w.shape):
        step = np.zeros_like(w)
        step[place] = h
        assert gradient[place] == pytest.approx((regularizer(w + step) - regularizer(w - step)) / (2 * h), abs=1e-8)
    assert regularizer.gradient(w.astype("float32")).dtype == np.float32


def test_what_is_zero_stays_zero():
    for regularizer in (L1(0.1), L2(0.1), OrthogonalRegularizer(0.1)):
        assert regularizer(np.zeros((3, 2))) == 0 and not regularizer.gradient(np.zeros((3, 2))).any()
    assert OrthogonalRegularizer()(np.ones((1, 4))) == 0  # no pairs
    assert Regularizer()(W) == 0.0


def test_every_way_to_name_one():
    for given in ("l2", "L2", L2, L2(), {"class_name": "L2", "config": {"l2": 0.01}}):
        assert regularizers.get(given).get_config() == {"l2": 0.01}
    assert regularizers.get(None) is None and regularizers.l1_l2(l1=1, l2=2).get_config() == {"l1": 1.0, "l2": 2.0}
    assert isinstance(regularizers.get("l1_l2"), L1L2) and isinstance(regularizers.get("l1l2"), L1L2)
    again = regularizers.deserialize(regularizers.serialize(OrthogonalRegularizer(0.3, "columns")))
    assert again.get_config() == {"factor": 0.3, "mode": "columns"}
    with pytest.raises(ValueError, match="unknown regularizer 'l1_l3'; closest: "):
        regularizers.get("l1_l3")
    with pytest.raises(TypeError, match="neither a name nor a Regularizer"):
        regularizers.get(3)


def test_wrong_arguments_are_refused():
    for wrong in (-1, float("nan"), float("inf"), "a", True):
        with pytest.raises(ValueError, match="L1: l1 must be a finite number of at least 0"):
            L1(wrong)
    with pytest.raises(ValueError, match='mode must be "rows" or "columns"'):
        OrthogonalRegularizer(mode="diagonal")
    with pytest.raises(ValueError, match="expected a matrix"):
        OrthogonalRegularizer()(np.ones(3))


class Cubes(Regularizer):
    def __init__(self, factor):
        self.f = factor

    def __call__(self, x):
        return self.f * float(np.abs(x**3).sum())

    def gradient(self, x):
        return 3 * self.f * np.abs(x) * x


def test_the_penalty_is_part_of_the_loss_and_of_the_step(tmp_path):
    x, y = np.ones((4, 2)), np.ones((4, 1))
    plain, penalized = (
        Sequential([Input((2,)), Dense(1, **options)]) for options in ({}, {"kernel_regularizer": L2(0.5)})
    )
    for model in (plain, penalized):
        model.set_weights([np.array([[1.0], [2.0]]), np.zeros(1)])
        model.compile("sgd", "mse")
    assert penalized.evaluate(x, y, verbose=0) == pytest.approx(plain.evaluate(x, y, verbose=0) + 2.5)
    plain.fit(x, y, verbose=0)
    penalized.fit(x, y, verbose=0)
    step = plain.get_weights()[0] - penalized.get_weights()[0]
    np.testing.assert_allclose(step, 0.01 * np.array([[1.0], [2.0]]), rtol=1e-4)  # learning rate * 2 l2 w
    penalized.save(tmp_path / "m.npz")
    assert load_model(tmp_path / "m.npz").layers[0].kernel_regularizer.l2 == 0.5


def test_a_regularizer_of_ones_own(tmp_path):
    model = Sequential([Input((2,)), Dense(1, bias_regularizer=Cubes(2.0), kernel_regularizer="l1")])
    model.save(tmp_path / "m.npz")
    again = load_model(tmp_path / "m.npz", {"Cubes": Cubes}).layers[0]
    assert again.bias_regularizer.f == 2.0 and again.kernel_regularizer.l1 == 0.01
    value, grads = again.penalty()
    assert value > 0 and set(grads) == {"kernel", "bias"}
    again.trainable = False
    assert again.penalty() == (0.0, {})
