"""The handle of a layer's weight: an array by hand, the parameter itself while `call` is traced."""

import numpy as np
import pytest

from scratchnet import ops
from scratchnet.layers import Dense, Input, Layer


@pytest.fixture
def kernel():
    layer = Dense(2, kernel_regularizer="l2", kernel_constraint="max_norm", name="dense")
    layer(np.ones((1, 3), "float32"))
    return layer.kernel


def test_by_hand_it_is_its_array(kernel):
    array = kernel.numpy()
    assert len(kernel) == 3 and [row.tolist() for row in kernel] == array.tolist()
    assert repr(kernel) == "<Variable path=dense/kernel, shape=(3, 2), dtype=float32>"
    np.testing.assert_array_equal(ops.exp(kernel), np.exp(array))
    np.testing.assert_array_equal(np.add(kernel, 1), array + 1)
    assert kernel.sum() == array.sum() and type(kernel.regularizer).__name__ == "L2"
    assert type(kernel.constraint).__name__ == "MaxNorm"


def test_it_is_changed_in_place_and_keeps_its_shape(kernel):
    kernel.assign(np.ones((3, 2)))
    kernel.assign_add(np.ones((3, 2))).assign_sub(np.full((3, 2), 0.5))
    assert kernel.numpy().tolist() == [[1.5, 1.5]] * 3
    np.add(kernel, 1, out=kernel)
    assert kernel[0, 0] == 2.5
    with pytest.raises(ValueError, match=r"the weight 'dense/kernel' has shape \(3, 2\), got \(2, 2\)"):
        kernel.assign(np.ones((2, 2)))


@pytest.mark.parametrize(
    "taken",
    [
        *(np.asarray, np.ravel, np.transpose, list, iter),
        lambda w: w[:],
        lambda w: w[0],
        lambda w: w[...],
        lambda w: w.T,
        lambda w: w.reshape(-1),
        lambda w: w.real,
        lambda w: w.astype("float32", copy=False),
        lambda w: ops.reshape(w, (-1,)),
        *(ops.transpose, ops.squeeze, ops.stop_gradient, ops.ravel, ops.convert_to_tensor, ops.convert_to_numpy),
        lambda w: ops.cast(w, "float32"),
        lambda w: ops.split(w, 3)[1],
        lambda w: ops.broadcast_to(w, (2, 3, 2)),
    ],
)
def test_what_is_taken_out_of_it_stays_when_it_is_trained(kernel, taken):
    found = taken(kernel)
    arrays = [np.asarray(row) for row in found] if isinstance(found, list) or not hasattr(found, "shape") else [found]
    before = [a.copy() for a in arrays]
    kernel.assign_add(np.ones((3, 2)))
    for array, kept in zip(arrays, before):
        np.testing.assert_array_equal(array, kept)
        array[...] = 7.0
    assert 7.0 not in kernel.numpy()


def test_parts_of_it_and_methods_that_work_in_place_change_it(kernel):
    kernel.assign([[3.0, 1.0], [2.0, 5.0], [4.0, 4.0]])
    kernel[0] *= 2
    kernel[1, 0] += 1
    assert kernel.numpy().tolist() == [[6.0, 2.0], [3.0, 5.0], [4.0, 4.0]]
    kernel.sort()
    assert kernel.numpy().tolist() == [[2.0, 6.0], [3.0, 5.0], [4.0, 4.0]]
    kernel.fill(0)
    kernel.flat[0] = 1
    assert kernel.numpy().tolist() == [[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
    assert kernel.array is kernel.value is kernel.layer.params["kernel"]


def test_one_number_may_be_asked_for_its_value():
    class Scaled(Layer):
        def build(self, input_shape):
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

        def call(self, x):
            return x * self.scale

    layer = Scaled()
    layer(np.ones((1, 2)))
    assert float(layer.scale) == 1.0 and int(layer.scale) == 1 and bool(layer.scale)


@pytest.mark.parametrize(
    "use, message",
    [
        (lambda w: float(w), "the value of the parameter 'own/w' inside call"),
        (lambda w: 1.0 if w else 0.0, "the value of the parameter 'own/w' inside call"),
        (lambda w: w.numpy(), r"numpy\(\) of the parameter 'own/w' inside call"),
        (lambda w: np.multiply(w, 2, out=w), "assignment to parts of 'own/w' inside call"),
        (lambda w: w.__setitem__(..., 0), "assignment to parts of 'own/w' inside call"),
    ],
)
def test_in_call_what_would_make_it_a_constant_is_refused(use, message):
    class Own(Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(), initializer="ones", name="w")

        def call(self, x):
            return x * use(self.w)

    with pytest.raises(TypeError, match=message):
        Own(name="own")(Input((2,)))


def test_in_call_one_may_loop_over_its_rows():
    class Sum(Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(2, 3), initializer="ones", name="w")

        def call(self, x):
            return sum(x @ ops.expand_dims(row, -1) for row in self.w)

    layer = Sum()
    np.testing.assert_allclose(layer(np.ones((1, 3), "float32")), [[6.0]])
    y, cache = layer.forward(np.ones((1, 3), "float32"))
    assert layer.backward(np.ones_like(y), cache)[1]["w"].tolist() == [[1.0] * 3] * 2
