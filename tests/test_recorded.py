"""Constructor arguments are recorded: whatever a class calls its attributes, it comes back as it was made."""

import copy
import functools
import json
import pickle
from abc import ABC

import numpy as np
import pytest

from scratchnet import initializers, layers, losses, metrics, models, optimizers
from scratchnet.callbacks import Callback
from scratchnet.layers import Dense, Input, Layer
from scratchnet.recorded import recorded_arguments


class Elementwise(Layer):
    """y = factor x, however a subclass comes by the factor."""

    def forward(self, x, training=False):
        return x * self.f, None

    def backward(self, dy, cache, needs_dx=True):
        return dy * self.f, {}


class OtherName(Elementwise):
    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.f = factor


class Changed(Elementwise):
    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.f = self.factor = 2 * factor


class FromKeywords(Elementwise):
    def __init__(self, **kwargs):
        self.f = kwargs.pop("factor")
        super().__init__(**kwargs)


class FromPositions(Elementwise):
    def __init__(self, *factors, power=1):
        super().__init__()
        self.f = np.prod(factors) ** power


class PositionOnly(Elementwise):
    def __init__(self, first, /, second=2):
        super().__init__()
        self.f = first * second


class ChangesItsList(Elementwise):
    def __init__(self, factors):
        super().__init__()
        self.factors = factors
        self.f = factors.pop()


class OwnDense(Dense):
    def __init__(self, thirds, **kwargs):
        super().__init__(3 * thirds, activation="relu", **kwargs)


def through_json(layer, own):
    return layers.deserialize(json.loads(json.dumps(layers.serialize(layer))), own)


MAKES = [
    lambda: OtherName(2.0),
    lambda: OtherName(factor=2.0, name="a", dtype="float64", trainable=False),
    lambda: Changed(1.0),
    lambda: FromKeywords(factor=2.0, name="b"),
    lambda: FromPositions(2, 3, power=2),
    lambda: FromPositions(2),
    lambda: PositionOnly(1, second=2),
    lambda: ChangesItsList([3.0, 2.0]),
]


@pytest.mark.parametrize("make", MAKES)
def test_a_layer_of_ones_own_comes_back_as_it_was_made(make):
    layer = make()
    again = through_json(layer, {type(layer).__name__: type(layer)})
    x = np.array([[1.0, 2.0]])
    np.testing.assert_array_equal(again(x), layer(x))
    assert (again.name, again.trainable, again.dtype) == (layer.name, layer.trainable, layer.dtype)
    assert again.get_config() == layer.get_config()


def test_through_a_saved_model(tmp_path):
    model = models.Sequential([Input((2,)), OtherName(2.0), Changed(1.5)])
    model.save(tmp_path / "m.npz")
    again = models.load_model(tmp_path / "m.npz", {"OtherName": OtherName, "Changed": Changed})
    np.testing.assert_array_equal(again.predict(np.ones((1, 2)), verbose=0), [[6, 6]])
    np.testing.assert_array_equal(models.clone_model(model).predict(np.ones((1, 2)), verbose=0), [[6, 6]])


def test_a_subclass_of_a_layer_of_the_library():
    layer = OwnDense(2, name="own", use_bias=False)
    config = layer.get_config()
    assert config["thirds"] == 2 and config["use_bias"] is False and "units" not in config
    assert through_json(layer, {"OwnDense": OwnDense}).units == 6


def test_an_attribute_that_is_the_argument_may_be_set_anew():
    dense = Dense(3)
    dense.activation = layers.deserialize(layers.serialize(Dense(1, "tanh"))).activation
    assert dense.get_config()["activation"] == "tanh"

    class Kept(Elementwise):
        def __init__(self, f):
            super().__init__()
            self.f = f

    kept = Kept(1.0)
    kept.f = 5.0
    assert kept.get_config()["f"] == 5.0


def test_the_library_s_arguments_are_in_their_final_form():
    conv = layers.Conv2D(2, 3, strides=1, padding="SAME")
    config = conv.get_config()
    assert (config["kernel_size"], config["strides"], config["padding"]) == ((3, 3), (1, 1), "same")
    assert "input_shape" not in Dense(3, input_shape=(4,)).get_config()
    assert recorded_arguments(Dense(3))["units"] == 3


def test_values_of_every_kind_come_back():
    class Holds(Elementwise):
        def __init__(self, **things):
            super().__init__()
            self.f, self.held = 1.0, things

    things = {
        "pair": (1, (2, 3)),
        "numbers": {1: "a", (2, 3): "b"},
        "array": np.array([[1.5]], "float32"),
        "scalar": np.float32(0.5),
        "inner": Dense(2, name="inner"),
        "start": initializers.HeNormal(seed=1),
        "slope": layers.LeakyReLU(0.1).activation,
        "loss": losses.Huber(0.5),
        "rate": optimizers.schedules.CosineDecay(1.0, 10),
        "of": [metrics.AUC(name="auc"), None, "text"],
        "function": losses.mean_squared_error,
    }
    held = through_json(Holds(**things), {"Holds": Holds}).held
    assert held["pair"] == (1, (2, 3)) and held["numbers"] == {1: "a", (2, 3): "b"}
    assert held["array"].dtype == np.float32 and held["array"].tolist() == [[1.5]] and held["scalar"] == 0.5
    assert held["inner"].get_config() == things["inner"].get_config()
    assert held["start"].seed == 1 and held["slope"].parameters == {"negative_slope": 0.1}
    assert held["loss"].delta == 0.5 and held["rate"](10) == 0 and isinstance(held["of"][0], metrics.AUC)
    assert held["function"] is losses.mean_squared_error
    with pytest.raises(TypeError, match="cannot be saved.*functions with a name"):
        Holds(f=functools.partial(max, 1)).get_config()


def test_models_of_ones_own_keep_their_arguments(tmp_path):
    class Wide(models.Model):
        def __init__(self, width, **kwargs):
            x = Input((2,))
            super().__init__(x, Dense(width)(x), **kwargs)
            self.width = width

    class Weighted(models.Model):
        def __init__(self, inputs, outputs, beta=1.0, **kwargs):
            super().__init__(inputs, outputs, **kwargs)
            self.b = beta

    class Stack(models.Sequential):
        def __init__(self, depth, **kwargs):
            super().__init__([Input((2,)), *[Dense(2) for _ in range(depth)]], **kwargs)

    x = Input((2,))
    for model in (Wide(5, name="wide"), Weighted(x, Dense(1)(x), beta=3.0, name="w"), Stack(3, name="stack")):
        model.save(tmp_path / "m.npz")
        again = models.load_model(tmp_path / "m.npz", {type(model).__name__: type(model)})
        assert type(again) is type(model) and again.name == model.name
        values = np.ones((1, 2), "float32")
        np.testing.assert_array_equal(again.predict(values, verbose=0), model.predict(values, verbose=0))
        assert getattr(again, "b", 3.0) == 3.0


def test_a_forgotten_super_init_is_named():
    class Forgets(Layer):
        def __init__(self, factor):
            self.factor = factor

    class ForgetsAndUses(Layer):
        def __init__(self):
            self.add_weight("w", (2,), initializers.Zeros())

    class Child(Forgets):
        pass

    class ForgetsLoss(losses.Loss):
        def __init__(self):
            self.delta = 1.0

    class ForgetsMetric(metrics.Metric):
        def __init__(self):
            self.delta = 1.0

    for make, culprit in (
        (lambda: Forgets(2), "Forgets"),
        (ForgetsAndUses, "ForgetsAndUses"),
        (lambda: Child(2), "Forgets"),
        (ForgetsLoss, "ForgetsLoss"),
        (ForgetsMetric, "ForgetsMetric"),
    ):
        with pytest.raises(TypeError, match=rf"^{culprit}.__init__ must call super\(\).__init__\(\)"):
            make()


def test_callbacks_initializers_and_schedules_need_no_super_init():
    class Quiet(Callback):
        def __init__(self, every):
            self.n = every

    class Half(initializers.Initializer):
        def __init__(self, value):
            self.half = value / 2

        def values(self, shape, rng):
            return np.full(shape, self.half)

    assert Quiet(3).get_config() == {"every": 3} and Quiet.from_config({"every": 3}).n == 3
    assert Half(3).get_config() == {"value": 3}


def test_an_argument_that_a_class_does_not_have_is_answered_with_those_it_has():
    for make, message in (
        (lambda: Dense(3, noise_shape=None), "Dense has no argument 'noise_shape': it takes units, activation"),
        (lambda: Dense(3, unroll=True), "Dense has no argument 'unroll'"),
        (
            lambda: losses.Huber(detla=1),
            r"Huber: got an unexpected keyword argument 'detla'; it takes delta, reduction",
        ),
        (lambda: optimizers.Adam(beta=1), "Adam has no argument 'beta': it takes learning_rate, beta_1, beta_2"),
        (lambda: layers.LSTM(), "LSTM: missing a required argument: 'units'; it takes units, activation"),
    ):
        with pytest.raises(TypeError, match=message):
            make()


def test_arguments_that_change_no_result_are_taken_by_the_class_that_has_them():
    layers.LSTM(3, unroll=True, use_cudnn=True, implementation=2, autocast=False)
    layers.SimpleRNN(3, unroll=True)
    with pytest.raises(TypeError, match="SimpleRNN has no argument 'use_cudnn'"):
        layers.SimpleRNN(3, use_cudnn=True)
    assert "implementation" not in layers.LSTM(3, implementation=1).get_config()


def test_recorded_objects_can_be_copied_and_pickled():
    for thing in (losses.Huber(0.3), optimizers.SGD(0.5, momentum=0.1), Dense(3, "relu"), metrics.AUC(50)):
        for again in (copy.deepcopy(thing), pickle.loads(pickle.dumps(thing))):
            assert again.get_config() == thing.get_config()


def test_an_abstract_base_class_is_no_conflict_of_metaclasses():
    class Both(Elementwise, ABC):
        f = 1.0

    assert Both(name="both").get_config()["name"] == "both"


class Said(Elementwise):
    """Says what it was made with by itself, as Keras's layers do, and one derived from it does so, too."""

    def __init__(self, factor, *, shift=0.0, **kwargs):
        super().__init__(**kwargs)
        self.f, self._shift = factor, shift

    def get_config(self):
        return dict(factor=self.f, shift=self._shift, **super().get_config())


class SaidAgain(Said):
    def __init__(self, half, **kwargs):
        super().__init__(2 * half, **kwargs)

    def get_config(self):
        config = super().get_config()
        return dict(half=config.pop("factor") / 2, **config)


class SaidFromKeywords(FromKeywords):
    def get_config(self):
        return dict(factor=self.f, **super().get_config())


class SaidOfDense(Dense):
    def get_config(self):
        return dict(more=1, **super().get_config())


class SaidLoss(losses.Loss):
    def __init__(self, delta, name="said"):
        super().__init__(name=name)
        self.d = delta

    def get_config(self):
        return dict(delta=self.d, **super().get_config())


def test_a_get_config_of_ones_own_adds_to_what_the_base_knows_and_nothing_is_said_twice():
    config = Said(2.0, shift=1.0, name="a").get_config()
    assert config == {"factor": 2.0, "shift": 1.0, "name": "a", "trainable": True, "dtype": "float32"}
    again = SaidAgain.from_config(SaidAgain(2.0, shift=3.0).get_config())
    assert (again.f, again._shift) == (4.0, 3.0) and "factor" not in again.get_config()
    assert SaidFromKeywords.from_config(SaidFromKeywords(factor=2.0).get_config()).f == 2.0
    dense = SaidOfDense(3, activation="relu").get_config()
    assert (dense["more"], dense["units"], dense["activation"]) == (1, 3, "relu")
    assert SaidLoss(2.0).get_config() == {"delta": 2.0, "name": "said"}


def test_a_default_that_the_constructor_changes_is_recorded_as_it_was():
    class Counting(Callback):
        def __init__(self, seen=[]):  # noqa: B006 (as a user may write it)
            self.log = seen
            seen.append("made")

    assert recorded_arguments(Counting()) == {"seen": []}
