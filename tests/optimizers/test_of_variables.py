"""Optimizers of one's own, written as Keras's are: the same steps as the library's, saved and resumed like these."""

import numpy as np
import pytest

from scratchnet import ops, optimizers
from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential, load_model
from scratchnet.parallel.ranks import Alone
from scratchnet.utils import set_random_seed

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


class Momentum(optimizers.Optimizer):
    def __init__(self, learning_rate=0.1, momentum=0.9, name="momentum", **kwargs):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.momentum = momentum

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.velocities = [self.add_variable_from_reference(v, "velocity") for v in variables]

    def update_step(self, gradient, variable, learning_rate):
        learning_rate = ops.cast(learning_rate, variable.dtype)
        velocity = self.velocities[self._get_variable_index(variable)]
        self.assign(
            velocity, ops.subtract(ops.multiply(velocity, self.momentum), ops.multiply(gradient, learning_rate))
        )
        self.assign_add(variable, velocity)

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}


class Plain(optimizers.Optimizer):
    """Without variables of its own."""

    def update_step(self, gradient, variable, learning_rate):
        self.assign_sub(variable, gradient * learning_rate)


class Counting(Plain):
    """Two kinds of variables for each parameter, one for all, and a rule that it has from its base."""

    def build(self, variables):
        super().build(variables)
        self.largest, self.last = self.add_optimizer_variables(variables, ["largest", "last"], ["zeros", "ones"])
        self.means = self.add_optimizer_variables(variables, "largest")
        self.calls = self.add_variable((), name="calls")

    def update_step(self, gradient, variable, learning_rate):
        k = self._get_variable_index(variable)
        self.assign(self.largest[k], np.maximum(self.largest[k], np.abs(gradient)))
        self.assign(self.last[k], gradient)
        self.calls.assign_add(1)
        super().update_step(gradient, variable, learning_rate)


def model(optimizer):
    set_random_seed(0)
    network = Sequential([Input((3,)), Dense(4, activation="tanh"), Dense(1)])
    network.compile(optimizer, "mse")
    return network


def fit(network, epochs=3):
    return network.fit(X, Y, batch_size=4, epochs=epochs, shuffle=False, verbose=0).history["loss"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"clipnorm": 0.1},
        {"weight_decay": 0.1},
        {"gradient_accumulation_steps": 2},
        {"use_ema": True, "ema_overwrite_frequency": 2},
        {"learning_rate": optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)},
    ],
)
def test_steps_are_those_of_the_library(options):
    options = {"learning_rate": 0.1, **options}
    own, ours = model(Momentum(**options)), model(optimizers.SGD(momentum=0.9, **options))
    np.testing.assert_allclose(fit(own), fit(ours), rtol=1e-6)
    for a, b in zip(own.get_weights(), ours.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
    plain, ours = model(Plain(0.1)), model(optimizers.SGD(0.1))
    assert fit(plain) == fit(ours)


@pytest.mark.parametrize("ending", ["npz", "keras"])
def test_what_it_keeps_is_saved_with_the_model(tmp_path, ending):
    own = model(Momentum())
    fit(own)
    own.save(tmp_path / f"m.{ending}")
    loaded = load_model(tmp_path / f"m.{ending}", custom_objects={"Momentum": Momentum})
    assert loaded.optimizer.momentum == 0.9 and int(loaded.optimizer.iterations) == 9
    assert fit(loaded) == fit(own)


def test_variables_have_names_and_are_asked_for_as_keras_s():
    optimizer = Counting(0.1)
    network = model(optimizer)
    fit(network, 1)
    assert optimizer.calls == 12 and optimizer.calls.path == "counting/calls/variable"
    assert [v.shape for v in optimizer.last] == [w.shape for w in network.get_weights()]
    assert all((v.value != 1).any() for v in optimizer.last)
    assert [v.name for v in optimizer.largest] == [v.name for v in optimizer.means] == ["largest"] * 4
    assert all(v.value.max() > 0 for v in optimizer.largest) and not any(v.value.any() for v in optimizer.means)
    assert len(optimizer.variables) == 2 + 3 * 4 + 1
    weights = [v.numpy() + 1 for v in optimizer.variables]
    optimizer.set_weights(weights)
    assert optimizer.calls == 13 and optimizer.last[0].numpy().tolist() == weights[6].tolist()


class Watched(Momentum):
    """Builds what its base builds, and more."""

    def build(self, variables):
        super().build(variables)
        self.steps_of, self.signs = self.add_optimizer_variables(variables, ["steps_of", "signs"])

    def update_step(self, gradient, variable, learning_rate):
        self.assign_add(self.steps_of[self._get_variable_index(variable)], np.ones(variable.shape))
        super().update_step(gradient, variable, learning_rate)


def test_a_class_derived_from_such_a_class():
    watched, plain = model(Watched(0.1)), model(Momentum(0.1))
    assert fit(watched) == fit(plain)
    assert all((v.value == 9).all() for v in watched.optimizer.steps_of) and len(watched.optimizer.signs) == 4


def test_a_step_by_hand_and_one_that_changes_nothing():
    optimizer, ours = Momentum(0.5), optimizers.SGD(0.5, momentum=0.9)
    a, b = (np.array([1.0, 2.0]) for _ in range(2))
    for _ in range(2):
        optimizer.apply([np.array([0.1, -0.2])], [a])
        ours.apply([np.array([0.1, -0.2])], [b])
    np.testing.assert_allclose(a, b)
    before = optimizer.velocities[0].numpy()
    (new,), _ = optimizer.stateless_apply(optimizer.variables, [np.ones(2)], [a])
    ours.apply([np.ones(2)], [b])
    np.testing.assert_allclose(new, b)
    np.testing.assert_array_equal(optimizer.velocities[0].numpy(), before)
    with pytest.raises(ValueError, match="Momentum was built for other parameters"):
        optimizer.build([np.ones(3)])


def test_a_build_that_does_not_build_is_told():
    class Forgets(Plain):
        def build(self, variables):
            self.count = len(variables)

    with pytest.raises(ValueError, match=r"Forgets: build must call super\(\).build\(variables\)"):
        fit(model(Forgets(0.1)))


def test_ranks_do_not_share_it():
    ranks = Alone()
    ranks.size = 2
    with pytest.raises(ValueError, match="Momentum: its update_step takes whole variables, which no ranks share"):
        Momentum().divide_among(ranks, {"a": np.ones(2)})
