"""What a layer of one's own returns is looked at where it stands in a graph: it is named, not the layer behind it."""

import numpy as np
import pytest

from scratchnet.layers import Dense, Input, Layer
from scratchnet.models import Sequential

X, Y = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")


class Doubled(Layer):
    def forward(self, x, training=False):
        return 2 * x, None

    def backward(self, dy, cache, needs_dx=True):
        return 2 * dy, {}


def train(layer):
    model = Sequential([Input((3,)), Dense(3), layer, Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    return model


def test_an_adjoint_of_another_shape_is_its_own_fault():
    class Summed(Doubled):
        def backward(self, dy, cache, needs_dx=True):
            return dy.sum(0), {}

    with pytest.raises(ValueError, match=r'Summed "wrong": backward returned dx of shape \(3,\) for an input of shape'):
        train(Summed(name="wrong"))


def test_float64_goes_on_in_the_dtype_of_the_layer():
    class Wide(Doubled):
        def forward(self, x, training=False):
            return 2.0 * x.astype("float64"), None

        def backward(self, dy, cache, needs_dx=True):
            return 2.0 * dy.astype("float64"), {}

    assert train(Wide()).predict(X, verbose=0).dtype == np.float32


def test_no_adjoint_is_none():
    class Stopped(Doubled):
        def backward(self, dy, cache, needs_dx=True):
            return None, {}

    before = Dense(3)
    model = Sequential([Input((3,)), before, Stopped(), Dense(1)])
    kept = before.get_weights()[0].copy()
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(before.get_weights()[0], kept)


@pytest.mark.parametrize("promised", [(7,), ()])
def test_a_promise_that_is_not_kept_is_told_before_the_next_layer_is_built(promised):
    class Lies(Doubled):
        def compute_output_shape(self, input_shape):
            return input_shape[0], *promised

    with pytest.raises(ValueError, match=r'Lies "liar": forward returned an output of shape \(2, 3\).*promised'):
        Sequential([Input((3,)), Lies(name="liar"), Dense(1)])


def test_a_promise_is_not_tried_where_that_cannot_be():
    class Picky(Doubled):
        def compute_output_shape(self, input_shape):
            return input_shape

        def forward(self, x, training=False):
            if not x.any():
                raise ValueError("zeros")
            return super().forward(x)

    assert Sequential([Input((3,)), Picky()]).predict(X, verbose=0).sum() == 24
    assert Sequential([Input((None,)), Picky()]).predict(X, verbose=0).sum() == 24
