"""The contract of a layer: what check_layer objects to besides wrong numbers."""

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer
from scratchnet.layers import Dense

F64 = {"dtype": "float64"}


def test_a_layer_that_forgets_a_gradient_is_told():
    class Forgetful(Dense):
        def backward(self, dy, cache, needs_dx=True):
            dx, grads = super().backward(dy, cache, needs_dx)
            return dx, {"kernel": grads["kernel"]}

    with pytest.raises(AssertionError, match="grads has the keys"):
        check_layer(Forgetful(2, dtype="float64"), np.ones((2, 2)))


X = np.random.default_rng(0).normal(size=(3, 4))


class Careless(Dense):
    """A dense layer with one of several faults."""

    def __init__(self, fault, **kwargs):
        super().__init__(2, **kwargs)
        self.fault = fault

    def forward(self, x, training=False):
        if self.fault == "changes the layer":
            self.params["bias"] += 1
        return super().forward(x, training)

    def backward(self, dy, cache, needs_dx=True):
        if self.fault == "changes dy":
            dy *= 2
        dx, grads = super().backward(dy, cache, needs_dx)
        if self.fault == "adds up":
            self.seen = grads["bias"] = getattr(self, "seen", 0) + grads["bias"]
        if self.fault == "other grads without dx" and not needs_dx:
            grads["bias"] = grads["bias"] / 2
        if self.fault == "guesses from strides" and cache.x.strides[1] == 0:
            dx = np.broadcast_to(dx.mean(axis=1, keepdims=True), dx.shape)
        return dx, grads


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("changes the layer", "changes what it is given, or the layer itself"),
        ("changes dy", "changes what it is given, or the layer itself"),
        ("adds up", "gives something else when it is called a second time"),
        ("other grads without dx", "grads differs by .* with needs_dx=False"),
        ("guesses from strides", r"dx differs by .* with an x that repeats along axis 1 \(stride 0\)"),
    ],
)
def test_a_layer_that_breaks_the_contract_is_told(fault, message):
    with pytest.raises(AssertionError, match=f"Careless.*{message}"):
        check_layer(Careless(fault, **F64), X)


def test_whoever_keeps_the_contract_passes():
    check_layer(Careless("none", **F64), X).raise_if_failed()


def test_a_frozen_layer_that_computes_gradients_is_told():
    class Eager(Dense):
        def backward(self, dy, cache, needs_dx=True):
            return dy @ self.params["kernel"].T, {"kernel": cache.x.T @ dy, "bias": dy.sum(axis=0)}

    with pytest.raises(AssertionError, match=r"the trainable parameters \(it is frozen\) are \[\]"):
        check_layer(Eager(2, trainable=False, **F64), X)
