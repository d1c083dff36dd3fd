"""Functions that bring their own gradient."""

import numpy as np
import pytest

from scratchnet import layers, ops
from scratchnet.models import Model


@ops.custom_gradient
def reversed_gradient(x, strength=1.0):
    """Passes x on, and its gradient turned around."""
    return x, lambda upstream: -strength * upstream


@ops.custom_gradient
def product(a, b):
    return ops.multiply(a, b), lambda dz: (ops.multiply(dz, 10.0), None)


def test_a_gradient_that_is_turned_around():
    assert reversed_gradient.__doc__.startswith("Passes x on")
    x = np.arange(3.0)[None]
    np.testing.assert_array_equal(reversed_gradient(x), x)
    inputs = layers.Input((3,), dtype="float64")
    for y, expected in (
        (reversed_gradient(inputs), -1.0),
        (reversed_gradient(2 * inputs, strength=0.5), -1.0),
        (product(inputs, 2 * inputs), 10.0),
    ):
        model = Model(inputs, y)
        y, cache = model.forward(x)
        np.testing.assert_array_equal(model.backward(np.ones_like(y), cache)[0], np.full((1, 3), expected))
    assert reversed_gradient(2.0) == 2.0


def test_a_gradient_for_each_argument():
    inputs = layers.Input((3,))
    wrong = ops.custom_gradient(lambda a, b: (a + b, lambda dz: dz))
    model = Model(inputs, wrong(inputs, inputs))
    y, cache = model.forward(np.ones((1, 3), "float32"))
    with pytest.raises(ValueError, match="the gradient returned 1 arrays for 2 arguments"):
        model.backward(y, cache)
