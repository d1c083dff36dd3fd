"""Graphs written out as programs: equal to the walk bit for bit, and walked through where they are not for that."""

import copy
import pickle
from contextlib import contextmanager, nullcontext

import numpy as np
import pytest

from scratchnet import Input, Model, ops, random
from scratchnet.gradient_check import check_layer
from scratchnet.graph.program import CachesOfProgram, walks_of
from scratchnet.graph.walk import watched_by
from scratchnet.layers import Dense, Layer


class Recurrent(Layer):
    """Gates that tile z, a state that two read, one weight in many places."""

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], 4), name="w")
        self.u = self.add_weight(shape=(2, 4), name="u")
        self.b = self.add_weight(shape=(4,), name="b")

    def call(self, x):
        h = ops.zeros_like(x[:, 0, :1]) * ops.zeros((1, 2))
        for t in range(x.shape[1]):
            z = ops.matmul(x[:, t], self.w) + ops.matmul(h, self.u) + self.b
            h = ops.sigmoid(z[:, :2]) * h + ops.tanh(z[:, 2:])
        return h


class Attention(Layer):
    """Broadcasting, reductions, options, a gradient that is a view."""

    def build(self, input_shape):
        self.q = self.add_weight(shape=(input_shape[-1], 3), name="q")
        self.scale = self.add_weight(shape=(), name="scale", initializer="ones")

    def call(self, x):
        q = ops.matmul(x, self.q)
        a = ops.softmax(ops.matmul(q, ops.transpose(q, (0, 2, 1))) * self.scale, axis=1)
        m = ops.mean(x, axis=-1, keepdims=True)
        return ops.reshape(ops.matmul(a, x - m), (-1, x.shape[1] * x.shape[2])) / 2.0


class Selecting(Layer):
    """Sequences, what is added into, integers and constants, several outputs, one operand twice."""

    def build(self, input_shape):
        self.table = self.add_weight(shape=(5, input_shape[-1]), name="table")
        self.plain = self.add_weight(shape=(input_shape[-1],), name="plain")
        self.fixed = self.add_weight(shape=(input_shape[-1],), name="fixed", trainable=False)

    def call(self, x):
        rows = ops.take(self.table, np.array([0, 3, 3]), axis=0) + self.table[1]
        both = ops.concatenate([x, x * x, ops.stack([x[:, :, 0]] * x.shape[2], axis=-1)], axis=1)
        masked = ops.where(x > 0.5, x, self.fixed) + ops.slice_update(self.plain, (1,), self.table[0, :1])
        return [both, ops.einsum("ntd,rd->ntr", masked, rows), ops.argmax(x, axis=-1)]


@contextmanager
def walking(graph):
    """Inside, `graph` is walked through."""
    program, left, graph._program, graph._walks_left = graph._program, graph._walks_left, None, 0
    yield
    graph._program, graph._walks_left = program, left


def written(layer, x, dtype="float32"):
    """``(x, graph)`` of a layer that has been used often enough."""
    x = x.astype(dtype)
    for _ in range(3):
        _, cache = layer.forward(x)
    return x, cache.inner.graph


def flat(y):
    return y if isinstance(y, list) else [y]


X = np.random.default_rng(0).random((4, 3, 2))


@pytest.mark.parametrize("make", [Recurrent, Attention, Selecting])
@pytest.mark.parametrize("needs_dx", [True, False])
def test_a_program_computes_what_the_walk_does(make, needs_dx):
    layer = make()
    x, graph = written(layer, X)
    y, cache = layer.forward(x)
    assert type(cache.nodes) is CachesOfProgram
    rng = np.random.default_rng(1)
    dy = [rng.random(a.shape, np.float32) if a.dtype.kind == "f" else None for a in flat(y)]
    dx, grads = layer.backward(dy, cache, needs_dx)
    with walking(graph):
        expected, of_walk = layer.forward(x)
        assert type(of_walk.nodes) is list
        expected_dx, expected_grads = layer.backward(dy, of_walk, needs_dx)
    for a, b in zip(flat(y), flat(expected), strict=True):
        np.testing.assert_array_equal(a, b)
    assert (dx is None) == (not needs_dx)
    if needs_dx:
        np.testing.assert_array_equal(dx, expected_dx)
    assert list(grads) == list(expected_grads)
    for key in grads:
        np.testing.assert_array_equal(grads[key], expected_grads[key], err_msg=key)


@pytest.mark.parametrize("make", [Recurrent, Attention])
def test_a_program_is_proved_by_differences(make):
    layer = make(dtype="float64")
    written(layer, X, "float64")
    check_layer(layer, X)
    assert type(layer.forward(X)[1].nodes) is CachesOfProgram


def test_outputs_without_adjoint_and_frozen_weights_have_programs_of_their_own():
    layer = Selecting()
    x, graph = written(layer, X)
    y, cache = layer.forward(x)
    dy = [None, np.ones_like(y[1]), None]
    for trainable in (True, False):
        layer.trainable = trainable
        _, grads = layer.backward(dy, cache)
        with walking(graph):
            _, expected = layer.backward(dy, layer.forward(x)[1])
        assert grads.keys() == expected.keys()
        for key in grads:
            np.testing.assert_array_equal(grads[key], expected[key])
    assert len(graph._program._backwards) == 2


def test_a_tile_without_adjoint_is_zero():
    class Halves(Layer):
        def call(self, x):
            z = 3 * x
            return z[:, :2], z[:, 2:]

    layer = Halves()
    x, _ = written(layer, np.ones((2, 4)))
    y, cache = layer.forward(x)
    assert layer.backward([None, np.ones_like(y[1])], cache)[0].tolist() == [[0, 0, 3, 3]] * 2
    assert layer.backward([None, None], cache)[0].tolist() == [[0, 0, 0, 0]] * 2


@pytest.mark.parametrize("uses", [2, 3, 4])
def test_a_number_that_is_used_often_has_the_sum_of_its_adjoints(uses):
    class Scaled(Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(), initializer="ones", name="w")
            self.v = self.add_weight(shape=(2,), initializer="ones", name="v")

        def call(self, x):
            total = ops.sum(self.v)
            return sum(x * self.w * (k + 1.0) + x * total * (k + 1.0) for k in range(uses))

    layer = Scaled()
    x, graph = written(layer, np.ones((2, 3)))
    expected = 6 * sum(range(1, uses + 1))
    for keep in (nullcontext, lambda: walking(graph)):
        with keep():
            _, grads = layer.backward(np.ones_like(x), layer.forward(x)[1])
        assert grads["w"] == expected and grads["v"].tolist() == [expected] * 2


def test_what_has_a_part_in_the_gradient_may_change():
    i, j = Input((3,)), Input((4,))
    model = Model([i, j], ops.concatenate([ops.tanh(i), ops.tanh(j)], axis=-1))
    [y], cache = model.graph.forward([np.ones((2, 3)), np.ones((2, 4))])
    for wanted in ([True, False], [False, True], [True, True]):
        dxs, _ = model.graph.backward([np.ones_like(y)], cache, wanted)
        for dx, want in zip(dxs, wanted):
            assert dx.any() if want else dx is None or not dx.any()


def test_what_is_added_to_the_loss_is_differentiated():
    class Penalized(Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(2,), name="w")

        def call(self, x):
            self.add_loss(ops.sum(ops.expand_dims(self.w * self.w, 0), axis=1)[0])
            return x * self.w

    layer = Penalized()
    x, _ = written(layer, np.ones((3, 2)))
    y, cache = layer.forward(x)
    assert type(cache.nodes) is CachesOfProgram
    _, grads = layer.backward(np.zeros_like(y), cache)
    np.testing.assert_allclose(grads["w"], 2 * layer.get_weights()[0])
    np.testing.assert_allclose(layer.added_loss(cache), np.sum(layer.get_weights()[0] ** 2), rtol=1e-6)


def test_a_gradient_is_an_array_of_its_own():
    class Shifted(Layer):
        def build(self, input_shape):
            self.b = self.add_weight(shape=(3, 2), name="b")

        def call(self, x):
            return x[0] + self.b

    layer = Shifted()
    x, _ = written(layer, X)
    y, cache = layer.forward(x)
    dy = np.ones_like(y)
    _, grads = layer.backward(dy, cache)
    assert not np.shares_memory(grads["b"], dy)


@pytest.mark.parametrize(
    "other", [X[..., :1].repeat(3, -1).astype("float32"), X[:, :2].astype("float32"), np.asfortranarray(X, "float64")]
)
def test_other_data_are_walked_through(other):
    inputs = Input((3, 2))
    model = Model(inputs, ops.exp(inputs) * inputs)
    for _ in range(3):
        model.graph.forward([X.astype("float32")])
    [y], cache = model.graph.forward([X.astype("float32")])
    assert type(cache.nodes) is CachesOfProgram
    [y], cache = model.graph.forward([other])
    assert type(cache.nodes) is list
    np.testing.assert_allclose(y, np.exp(other) * other, rtol=1e-6)


def test_data_in_another_dtype_from_the_first_have_no_program():
    inputs = Input((2,))
    graph = Model(inputs, ops.exp(inputs)).graph
    for _ in range(4):
        [y], cache = graph.forward([np.ones((1, 2))])
    assert type(cache.nodes) is list and y.dtype == np.float32


def test_layers_random_numbers_and_sums_over_the_batch_are_walked_through():
    inputs = Input((2,))
    for z in (Dense(2)(inputs), Dense(2)(inputs) * 2, ops.sum(inputs, axis=0), inputs * ops.shape(inputs)[0]):
        assert walks_of(Model(inputs, z).graph) == 0
    assert walks_of(Model(inputs, ops.sum(inputs, axis=1)).graph) > 0

    class Drawing(Layer):
        def call(self, x):
            return x + random.normal((2,))

    _, cache = Drawing().forward(np.ones((3, 2), np.float32))
    assert walks_of(cache.inner.graph) == 0


def test_a_graph_goes_as_call_does():
    layer = Recurrent()
    _, graph = written(layer, X)
    names = [node.operation.name for node in graph.nodes]
    step = ["get_item", "matmul", "matmul", "add", "add", "get_item", "sigmoid", "multiply", "get_item", "tanh", "add"]
    assert names[-2 * len(step) :] == step * 2


def test_who_watches_sees_the_walk_and_nothing_twice():
    class Watcher:
        def __init__(self):
            self.passed = []

        def ignore(self, *_):
            pass

        enter = enter_back = ignore

        def forward(self, node, x, y, cache):
            self.passed.append(node)

        def backward(self, node, dy, dxs, grads):
            self.passed.append(node)

    layer = Attention()
    x, graph = written(layer, X)
    y, of_program = layer.forward(x)
    with watched_by(Watcher()) as watcher:
        layer.forward(x)
        assert watcher.passed == graph.nodes
        watcher.passed.clear()
        dx, grads = layer.backward(np.ones_like(y), of_program)
    assert watcher.passed == graph.nodes[::-1]
    expected_dx, expected = layer.backward(np.ones_like(y), of_program)
    np.testing.assert_allclose(dx, expected_dx, rtol=1e-5)
    np.testing.assert_allclose(grads["q"], expected["q"], rtol=1e-5)


def test_caches_of_nodes_are_there_for_who_asks():
    layer = Attention()
    x, graph = written(layer, X)
    _, cache = layer.forward(x)
    assert len(cache.nodes) == len(graph.nodes)
    np.testing.assert_array_equal(cache.nodes[0].x1, x)
    assert type(pickle.loads(pickle.dumps(cache)).nodes) is list


def test_an_error_in_a_program_says_where_it_comes_from():
    @ops.custom_gradient
    def strict(x):
        def gradient(dz):
            if np.any(dz > 100):
                raise RuntimeError("no way back")
            return dz

        if np.any(x > 100):
            raise RuntimeError("no way")
        return x, gradient

    class Strict(Layer):
        def call(self, x):
            return 3 * strict(2 * x)

    layer = Strict()
    x, _ = written(layer, np.ones((2, 2)))
    y, cache = layer.forward(x)
    for run in (lambda: layer.forward(99 * x), lambda: layer.backward(99 * y, cache)):
        with pytest.raises(RuntimeError, match="no way") as problem:
            run()
        notes = getattr(problem.value, "__notes__", ["operation 'custom_gradient'"])  # since Python 3.11
        assert len(notes) == 1 and "operation 'custom_gradient'" in notes[0]


def test_a_copy_of_a_graph_writes_its_own_program():
    inputs = Input((2,))
    model = Model(inputs, ops.exp(inputs))
    x = np.ones((3, 2), np.float32)
    for _ in range(3):
        model.graph.forward([x])
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        kinds = [type(other.graph.forward([x])[1].nodes) for _ in range(4)]
        assert kinds == [list] * 3 + [CachesOfProgram]


def test_a_program_may_keep_nothing():
    inputs = Input((2,))
    graph = Model(inputs, -inputs).graph
    for _ in range(4):
        [y], cache = graph.forward([np.ones((3, 2), np.float32)])
    assert type(cache.nodes) is CachesOfProgram
    assert graph.backward([y], cache)[0][0].tolist() == [[1, 1]] * 3


def test_the_text_is_there_to_be_read():
    inputs = Input((2,))
    graph = Model(inputs, ops.exp(inputs)).graph
    for _ in range(4):
        [y], cache = graph.forward([np.ones((3, 2), np.float32)])
    graph.backward([y], cache)
    forward, backward = graph._program.texts
    assert "t1 = asarray(f0(t0))  # exp" in forward and "g = g0_0(d1, t1)" in backward
