"""Loops and branches in a graph that are settled only when there are values; the figures are those of the arrays."""

import copy

import numpy as np
import pytest

import scratchnet
from scratchnet import Model, Sequential, layers, ops
from scratchnet.gradient_check import check_layer
from scratchnet.layers import Dense, Input, Layer
from scratchnet.models import clone_model

rng = np.random.default_rng(0)
X = rng.normal(size=(4, 3, 2)).astype("float32")


def product(a, b):
    return a * b + 0.1 * a


ON_TENSORS = {
    "map": lambda x: ops.map(lambda row: ops.sum(row, axis=0) * 2, x),
    "map of several": lambda x: ops.map(lambda ab: ops.matmul(ab[0], ops.transpose(ab[1])), (x, 2 * x)),
    "vectorized_map": lambda x: ops.vectorized_map(lambda row: row[0] * row[1], x),
    "scan": lambda x: ops.scan(lambda c, row: (c * 0.5 + row, c * row), ops.ones((3, 2)), x)[1],
    "scan back": lambda x: ops.scan(lambda c, row: (c + ops.sum(row), {"y": c}), 0.0, x, reverse=True)[1]["y"],
    "carry": lambda x: x + ops.scan(lambda c, row: (c + row, None), 0 * ops.sum(x, axis=0), x)[0],
    "associative_scan": lambda x: ops.associative_scan(ops.add, x),
    "associative_scan back": lambda x: ops.associative_scan(ops.multiply, x, reverse=True),
    "while_loop": lambda x: ops.while_loop(lambda v: ops.sum(v * v) < 1e3, lambda v: v * 2, x),
    "while_loop of two": lambda x: ops.while_loop(lambda k, v: k < ops.max(x) + 3, lambda k, v: (k + 1, v * x), (0, x))[
        1
    ],
    "while_loop with an end": lambda x: ops.while_loop(
        lambda v: ops.sum(v * v) < 1e9, lambda v: (v * 2,), (x,), maximum_iterations=2
    )[0],
    "cond": lambda x: ops.cond(ops.sum(x) > 0, lambda: x * 2, lambda: x * 3),
    "cond not": lambda x: ops.cond(ops.sum(x) > 1e3, lambda: x * 2, lambda: x * x),
    "switch": lambda x: ops.switch(ops.cast(ops.sum(x * x) > 0, "int32") + 4, [lambda a: a, lambda a: a * x], x),
}
EVERY = pytest.mark.parametrize("name", ON_TENSORS)


@EVERY
def test_in_a_model_as_on_arrays(name):
    function = ON_TENSORS[name]
    x = Input((3, 2))
    model = Model(x, function(x))
    expected = function(X)
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-5)
    assert all(n in (None, m) for n, m in zip(model.output_shape, np.shape(expected), strict=True))
    for twin in (clone_model(model, Input((3, 2))), copy.deepcopy(model)):
        np.testing.assert_allclose(twin(X), expected, rtol=1e-5)


class Applied(Layer):
    """`function` of the weighted input, so that a parameter is read around a loop and within it."""

    def __init__(self, function, **kwargs):
        super().__init__(**kwargs)
        self.function = function

    def build(self, input_shape):
        self.w = self.add_weight((2,), "ones", name="w")

    def call(self, x):
        return self.function(x * self.w) + ops.map(lambda row: row * self.w, x[:, :1, :1])[0, 0, 0]


@EVERY
def test_the_gradient_is_that_of_differences(name):
    layer = Applied(ON_TENSORS[name], dtype="float64")
    check_layer(layer, X.astype("float64")).raise_if_failed()


def test_along_an_axis_of_unknown_length():
    x = Input((None, 2))
    along = ops.associative_scan(product, x, axis=1)
    over_time = ops.scan(lambda h, step: (ops.tanh(h + step),) * 2, x[:, 0], ops.transpose(x, (1, 0, 2)))[1]
    model = Model(x, [along, over_time])
    for length in (3, 1):
        given = X[:, :length]
        found = model(given)
        np.testing.assert_allclose(found[0], ops.associative_scan(product, given, axis=1), rtol=1e-5)
        h = given[:, 0]
        for t in range(length):
            h = np.tanh(h + given[:, t])
            np.testing.assert_allclose(found[1][t], h, rtol=1e-5)


@pytest.mark.parametrize("name", ["map", "scan", "cond"])
def test_a_fit_in_threads_is_the_same(name):
    x, y = rng.normal(size=(24, 3, 2)).astype("float32"), np.ones((24, 1), "float32")
    weights = []
    try:
        for threads in (1, 3):
            scratchnet.set_num_threads(threads)
            model = Sequential(
                [Input((3, 2)), Applied(ON_TENSORS[name]), layers.Flatten(), Dense(1, None, True, "ones")]
            )
            model.compile("sgd", "mse")
            model.fit(x, y, batch_size=12, epochs=2, shuffle=False, verbose=0)
            weights.append(model.get_weights())
    finally:
        scratchnet.set_num_threads(None)
    for a, b in zip(*weights):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_a_map_of_no_rows_is_empty():
    x = Input((3, 2))
    assert Model(x, ON_TENSORS["map"](x))(X[:0]).shape == (0, 2)


def test_what_cannot_be_is_told():
    x = Input((3, 2))
    with pytest.raises(TypeError, match="map: the layer 'dense.*' in it draws random numbers, or has weights"):
        ops.map(Dense(2), x)
    with pytest.raises(ValueError, match="cond: all branches must have the same shapes and dtypes"):
        ops.cond(ops.sum(x) > 0, lambda: x, lambda: x[:, 0])
    with pytest.raises(ValueError, match="scan: the carry must keep its shapes"):
        ops.scan(lambda c, row: (row, row), 0.0, x)
    with pytest.raises(ValueError, match="while_loop: body's results and the variables must have the same shapes"):
        ops.while_loop(lambda v: ops.sum(v) > 0, lambda v: v[:, 0], x)
    with pytest.raises(TypeError, match="operation 'map.* has functions in it that cannot be saved"):
        Model(x, ops.map(lambda row: 2 * row, x)).get_config()
