from unittest import mock

import numpy as np
import pytest

from scratchnet.explain.check import check_calls, in_float64
from scratchnet.explain.payload import Payload
from scratchnet.gradient_check.report import FAILED, PASSED
from scratchnet.layers import (
    LSTM,
    Add,
    BatchNormalization,
    CapsuleLayer,
    Conv2D,
    Dense,
    Embedding,
    GaussianKL,
    Input,
    Layer,
    Length,
    PrimaryCapsules,
    RepeatVector,
)
from scratchnet.models import Model, Sequential
from scratchnet.utils import set_random_seed


@pytest.mark.parametrize("make", ["classifier", "autoencoder", "branching"])
def test_every_parameter_is_proved_for_the_samples_at_hand(zoo, make):
    model, x, y = getattr(zoo, make)()
    t = model.trace(x, y)
    report = t.check()
    assert [row.argument for row in report.rows] == list(t.grads)
    assert {row.verdict for row in report.rows} == {PASSED}
    assert report.passed and "difference" in str(report)


def test_a_wrong_gradient_is_called_wrong_where_it_is(zoo):
    model, x, y = zoo.classifier()
    right = Conv2D.backward

    def backward(self, dy, cache, needs_dx=True):
        dx, grads = right(self, dy, cache, needs_dx)
        return dx, {**grads, "kernel": -grads["kernel"]}

    with mock.patch.object(Conv2D, "backward", backward):
        verdicts = {row.argument: row.verdict for row in model.trace(x, y).check().rows}
    assert verdicts.pop("conv/kernel") == FAILED and set(verdicts.values()) == {PASSED}


def test_the_layer_whose_dx_is_wrong_is_found_among_those_that_it_spoils(zoo):
    model, x, y = zoo.autoencoder()
    right = RepeatVector.backward

    def backward(self, dy, cache, needs_dx=True):
        dx, grads = right(self, dy, cache, needs_dx)
        return dx / 2, grads

    with mock.patch.object(RepeatVector, "backward", backward):
        t = model.trace(x, y)
        verdicts = {path: row.verdict for path, row in check_calls(t).items()}
        spoilt = {row.argument for row in t.check().rows if row.verdict == FAILED}
    assert [path for path, verdict in verdicts.items() if verdict == FAILED] == ["repeat"]
    assert spoilt == {"encoder/kernel", "encoder/recurrent_kernel", "encoder/bias"}


def test_ties_of_maxima_behind_a_relu_accuse_nobody(zoo):
    model, x, y = zoo.classifier()
    model.layers[0].params["bias"][...] = -10  # everything is 0
    t = model.trace(x, y)
    assert not t["conv"].y.any() and check_calls(t)["pool"].verdict == PASSED


def test_a_relu_that_stands_exactly_at_its_kink_accuses_nobody():
    set_random_seed(0)  # weights of which not all units are dead
    model = Sequential([Input((3, 2)), LSTM(4, activation="relu", name="rnn"), Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((1, 3, 2), np.float32), np.ones((1, 1), np.float32)
    x[:, 0] = 0  # of the first step, z_g = 0: its bias is 0, too
    t = model.trace(x, y)
    assert (t["rnn"].gates.g[0, 0] == 0).all() and all(d.any() for d in t.grads.values())
    assert {row.verdict for row in t.check().rows} == {PASSED}
    right, weights = LSTM.backward, ["rnn/kernel", "rnn/recurrent_kernel", "rnn/bias"]

    def verdicts_with(factor):
        def backward(self, dy, cache, needs_dx=True):
            dx, grads = right(self, dy, cache, needs_dx)
            return dx, {name: d * factor for name, d in grads.items()}

        with mock.patch.object(LSTM, "backward", backward):
            return {row.argument: row.verdict for row in model.trace(x, y).check().rows}

    verdicts = verdicts_with(0.5)
    assert [key for key, verdict in verdicts.items() if verdict == FAILED] == weights
    verdicts = verdicts_with(np.nan)
    assert [verdicts[key] for key in weights] == [FAILED] * 3


def test_what_a_layer_adds_to_the_loss_is_part_of_its_gradient():
    x = Input((3,))
    mean, log_variance = GaussianKL(name="kl")([Dense(2, name="mean")(x), Dense(2, name="log_variance")(x)])
    model = Model(x, Dense(1)(Add()([mean, log_variance])))
    model.compile("sgd", "mse")
    t = model.trace(np.ones((2, 3), np.float32), np.ones((2, 1), np.float32))
    assert t.check().passed and check_calls(t)["kl"].verdict == PASSED


def test_equal_steps_that_the_next_layer_adds_up_accuse_nobody(zoo):
    model, x, y = zoo.autoencoder()
    t = model.trace(x, y)
    assert t["repeat"].dy.shape == (1, 1, 5)
    assert {row.verdict for row in check_calls(t).values()} == {PASSED}


def test_layers_by_themselves_are_checked_where_there_is_something_to_check(zoo):
    model, x, y = zoo.branching()
    rows = check_calls(model.trace(x, y))
    assert {row.verdict for row in rows.values()} == {PASSED}
    assert "nested" not in rows and {"nested/within", "skip", "both", "gru", "steps/each"} <= rows.keys()
    words = Sequential([Input((4,), dtype="int32"), Embedding(5, 2, mask_zero=True), LSTM(3), Dense(1)])
    words.compile("sgd", "mse")
    assert list(check_calls(words.trace(np.array([[1, 2, 0, 0]]), np.ones((1, 1))))) == [words.layers[-1].name]


def test_the_twin_computes_in_float64_and_the_model_stays_as_it_is():
    class Scaled(Layer):
        def build(self, input_shape):
            self.scale = self.add_weight(name="scale", shape=(1,), initializer="ones")

        def call(self, x):
            return x * self.scale + 1.0

    model = Sequential([Input((3,)), BatchNormalization(), Scaled(name="scaled"), Dense(2)])
    model.compile("sgd", "mse")
    x = np.ones((2, 3), np.float32)
    before = model.predict(x, verbose=0)
    y, _ = in_float64(model).forward(x.astype(np.float64))
    assert y.dtype == np.float64
    np.testing.assert_allclose(y, before, rtol=1e-5)
    assert model.layers[1].dtype == "float32" and model.predict(x, verbose=0).dtype == np.float32
    assert model.trace(x, np.zeros((2, 2), np.float32)).check().passed


def test_a_model_that_defines_call_is_checked_as_well():
    class Program(Model):
        def __init__(self):
            super().__init__(name="program")
            self.dense = Dense(3, name="dense")

        def call(self, x):
            return self.dense(x) * 2.0

    model = Program()
    model.compile("sgd", "mse")
    t = model.trace(np.ones((2, 3), np.float32), np.zeros((2, 3), np.float32))
    assert list(t) == ["dense", "multiply"] and t.check().passed
    assert t["dense"].dkernel.any() and t.y.dtype == np.float32


def capsules(routing_gradient="last"):
    x = Input((6, 6, 1))
    u = PrimaryCapsules(2, 3, 3, strides=2, name="primary")(Conv2D(3, 3, activation="tanh", name="conv")(x))
    caps = CapsuleLayer(3, 4, routing_gradient=routing_gradient, name="capsules")(u)
    model = Model(x, Length(name="length")(caps))
    model.compile("sgd", "mse")
    rng = np.random.default_rng(0)
    return model.trace(rng.random((2, 6, 6, 1), np.float32), np.eye(3, dtype=np.float32)[:2])


@pytest.mark.parametrize("routing_gradient", ["last", "all"])
def test_what_backward_takes_for_constant_by_definition_is_held_and_accuses_nobody(routing_gradient):
    t = capsules(routing_gradient)
    assert {row.verdict for row in t.check().rows} == {PASSED}
    assert {row.verdict for row in check_calls(t).values()} == {PASSED}


def test_a_wrong_gradient_of_such_a_layer_is_found_all_the_same():
    right = CapsuleLayer.backward

    def backward_of(factor_of_dx, factor_of_kernel):
        def backward(self, dy, cache, needs_dx=True):
            dx, grads = right(self, dy, cache, needs_dx)
            return factor_of_dx * dx, {"kernel": factor_of_kernel * grads["kernel"]}

        return backward

    with mock.patch.object(CapsuleLayer, "backward", backward_of(1, 1.01)):
        t = capsules()
        assert [row.argument for row in t.check().rows if row.verdict == FAILED] == ["capsules/kernel"]
        assert {row.verdict for row in check_calls(t).values()} == {PASSED}
    with mock.patch.object(CapsuleLayer, "backward", backward_of(1.01, 1)):
        t = capsules()
        spoilt = {row.argument for row in t.check().rows if row.verdict == FAILED}
        assert spoilt == {"conv/kernel", "conv/bias", "primary/kernel", "primary/bias"}
        assert [path for path, row in check_calls(t).items() if row.verdict == FAILED] == ["capsules"]


def test_what_is_held_is_said_in_the_page():
    calls = {call["path"]: call["held"] for call in Payload(capsules()).meta["calls"]}
    assert calls == {"conv": "", "primary": "", "capsules": "the routing (its coupling coefficients c)", "length": ""}
    assert not any(call["held"] for call in Payload(capsules("all")).meta["calls"])
