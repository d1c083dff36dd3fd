"""Tensors that are read tile by tile: which are, and that their adjoints are what those of other slices are."""

import numpy as np
import pytest

from scratchnet import Model, ops
from scratchnet.graph.walk import watched_by
from scratchnet.layers import Input, Layer


class Gates(Layer):
    """The sum over slices of (k + 1) x[key]^2."""

    def __init__(self, keys, **kwargs):
        super().__init__(**kwargs)
        self.keys = keys

    def call(self, x):
        return sum(ops.sum((k + 1) * x[key] ** 2, axis=-1) for k, key in enumerate(self.keys))


def tiles_of(shape, keys):
    x = Input(shape)
    layer = Gates(keys)
    layer(x)
    [found] = layer.kept_traces()
    return layer, found.graph.tiles


HALVES = [(slice(None), slice(0, 2)), (..., slice(2, None))]
STEPS = [(slice(None), t) for t in range(3)]
EVERY_SECOND = [(slice(None), slice(0, None, 2)), (slice(None), slice(1, None, 2))]


@pytest.mark.parametrize(("shape", "keys"), [((4,), HALVES), ((3, 2), STEPS), ((4, 2), EVERY_SECOND)])
def test_slices_side_by_side_tile_a_tensor(shape, keys):
    layer, tiles = tiles_of(shape, keys)
    assert [len(nodes) for nodes in tiles.values()] == [len(keys)]
    x = np.random.default_rng(0).random((5, *shape), np.float32)
    y, cache = layer.forward(x)
    dx, _ = layer.backward(np.ones_like(y), cache)
    for k, key in enumerate(keys):
        np.testing.assert_array_equal(dx[key], 2 * (k + 1) * x[key])


@pytest.mark.parametrize(
    ("shape", "keys"),
    [
        ((4,), [(slice(None), slice(0, 2))] * 2),  # twice the same
        ((4,), [(slice(None), slice(0, 3)), (slice(None), slice(2, 4))]),  # with an overlap
        ((4,), [(slice(None), slice(0, 1)), (slice(None), slice(2, 4))]),  # with a hole
        ((4,), [(slice(0, 1), slice(0, 2)), (slice(None), slice(2, 4))]),  # not of all samples
        ((4,), HALVES * 257),  # so often that a count of eight bits begins anew
        ((4,), [(None, slice(None), slice(0, 2)), (slice(None), slice(2, 4))]),  # with another axis
        ((4,), [(slice(None), [0, 1]), (slice(None), slice(2, 4))]),  # with a list
    ],
)
def test_other_slices_do_not(shape, keys):
    layer, tiles = tiles_of(shape, keys)
    assert not tiles
    x = np.random.default_rng(0).random((1, *shape), np.float32)
    y, cache = layer.forward(x)
    dx, _ = layer.backward(np.ones_like(y), cache)
    expected = np.zeros_like(x)
    for k, key in enumerate(keys):
        np.add.at(expected, key, 2 * (k + 1) * x[key])
    np.testing.assert_allclose(dx, expected, rtol=1e-6)


def test_a_tensor_that_is_an_output_too_is_not_tiled():
    x = Input((4,))
    z = 2 * x
    model = Model(x, [z, z[:, :2] + z[:, 2:]])
    assert not model.graph.tiles


class TwoOutputs(Layer):
    def call(self, x):
        z = 3 * x
        return z[:, :2], z[:, 2:]


def test_a_tile_without_adjoint_is_zero():
    layer, x = TwoOutputs(), np.ones((2, 4), np.float32)
    y, cache = layer.forward(x)
    dx, _ = layer.backward([np.ones_like(y[0]), None], cache)
    np.testing.assert_array_equal(dx, [[3, 3, 0, 0]] * 2)
    both, _ = layer.backward([np.ones_like(y[0])] * 2, cache)
    np.testing.assert_array_equal(both, np.full((2, 4), 3))


def test_a_tile_of_an_input_without_adjoint_is_zero():
    class Parts(Layer):
        def call(self, x):
            return x[:, :2] * 1, x[:, 2:] * 1

    layer, x = Parts(), np.ones((2, 4), np.float32)
    y, cache = layer.forward(x)
    dx, _ = layer.backward([None, np.ones_like(y[1])], cache)
    np.testing.assert_array_equal(dx, [[0, 0, 1, 1]] * 2)


def test_data_of_another_size_than_the_model_s_have_their_own_adjoint():
    x = Input((4,))
    model = Model(x, x[:, :2] * x[:, 2:4])
    data = np.ones((2, 5), np.float32)
    [y], cache = model.graph.forward([data])
    [dx], _ = model.graph.backward([np.ones_like(y)], cache)
    np.testing.assert_array_equal(dx, [[1, 1, 1, 1, 0]] * 2)


def test_who_watches_sees_what_each_slice_adds():
    class Watcher:
        added = []

        def ignore(self, *_):
            pass

        enter = forward = enter_back = ignore

        def backward(self, node, dy, dxs, grads):
            if node.tile is not None:
                self.added.extend(d for _, d in dxs)

    layer, x = TwoOutputs(), np.ones((2, 4), np.float32)
    y, cache = layer.forward(x)
    with watched_by(Watcher()) as watcher:
        dx, _ = layer.backward([np.ones_like(y[0])] * 2, cache)
    assert sorted(d.tolist() for d in watcher.added) == [[[0, 0, 1, 1]] * 2, [[1, 1, 0, 0]] * 2]
    np.testing.assert_array_equal(dx, np.full((2, 4), 3))


def test_a_slice_of_one_element_is_a_tile():
    class Scaled(Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(2,), initializer="ones")

        def call(self, x):
            return x * self.w[0] + self.w[1]

    layer = Scaled()
    y, cache = layer.forward(np.full((3, 1), 2, np.float32))
    _, grads = layer.backward(np.ones_like(y), cache)
    assert [grads[key].tolist() for key in grads] == [[6, 3]]
