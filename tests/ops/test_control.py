"""Control flow as functions: on arrays Python's own; in graphs what has a known length, see also tests/graph."""

import numpy as np
import pytest

from scratchnet import layers, ops
from scratchnet.models import Model

X = np.arange(6.0).reshape(3, 2)


def test_conditions():
    assert ops.cond(np.array(True), lambda: 1, lambda: 2) == 1 and ops.cond(False, lambda: 1, lambda: 2) == 2
    branches = [lambda x: x, lambda x: -x]
    assert [ops.switch(k, branches, 3) for k in (-1, 0, 1, 5)] == [3, 3, -3, -3]


def test_loops():
    assert ops.while_loop(lambda i, s: i < 4, lambda i, s: (i + 1, s + i), (0, 0)) == (4, 6)
    assert ops.while_loop(lambda i: i < 4, lambda i: i + 1, 0, maximum_iterations=2) == 2
    assert ops.fori_loop(1, 4, lambda i, v: v * i, 1) == 6


def test_scan_and_map():
    carry, ys = ops.scan(lambda c, x: (c + x, c * x), np.zeros(2), X)
    np.testing.assert_array_equal(carry, X.sum(axis=0))
    np.testing.assert_array_equal(ys, np.concatenate([[[0, 0]], X.cumsum(axis=0)[:-1]]) * X)
    _, ys = ops.scan(lambda c, x: (c + x["a"], (c, x["a"])), np.zeros(2), {"a": X}, reverse=True)
    np.testing.assert_array_equal(ys[0], X[::-1].cumsum(axis=0)[::-1] - X)
    assert ops.scan(lambda c, x: (c + 1, None), 0, length=3) == (3, None)
    np.testing.assert_array_equal(ops.map(lambda x: x.sum(), X), X.sum(axis=1))
    np.testing.assert_array_equal(ops.vectorized_map(lambda ab: ab[0] * ab[1], [X, X]), X * X)
    with pytest.raises(ValueError, match="give xs, or the length"):
        ops.scan(lambda c, x: (c, x), 0)


def test_loops_over_an_axis_of_known_size_are_traced():
    x = layers.Input((3,))
    steps = ops.transpose(x)  # (3, N)
    y = ops.scan(lambda c, s: (c + s, c * s), ops.zeros_like(x[:, 0]), steps)[1]
    model = Model(x, ops.transpose(y))
    data = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    expected = np.stack([0 * data[:, 0], data[:, 0] * data[:, 1], (data[:, 0] + data[:, 1]) * data[:, 2]], axis=1)
    np.testing.assert_allclose(model.predict(data, verbose=0), expected, rtol=1e-6)


def test_a_number_of_steps_that_depends_on_values_is_refused():
    x = layers.Input((3,))
    with pytest.raises(TypeError, match="fori_loop: what is done depends on values, so it cannot be traced"):
        ops.fori_loop(0, ops.sum(x), lambda i, v: v, x)


def test_an_associative_scan_is_a_running_sum():
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(ops.associative_scan(ops.add, x, axis=1), np.cumsum(x, 1))
    np.testing.assert_array_equal(ops.associative_scan(ops.add, x, reverse=True), x[::-1].cumsum(0)[::-1])


def test_vectorize():
    f = ops.vectorize(lambda a, b=2: a * b + 1)
    np.testing.assert_array_equal(f(np.arange(3)), [1, 3, 5])
    assert f(np.arange(3), b=3).numpy().tolist() == [1, 4, 7]
    of_rows = ops.vectorize(lambda row: row.sum(), signature="(n)->()")
    assert of_rows(np.ones((2, 3))).tolist() == [3, 3]
    with pytest.raises(TypeError, match="vectorize: .* cannot be traced"):
        f(layers.Input((3,)))
