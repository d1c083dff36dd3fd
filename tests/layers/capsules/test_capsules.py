"""Capsules: gradients of every piece, lengths below 1, masks, the margin loss, and a small network that learns."""

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer, check_loss
from scratchnet.layers import CapsuleLayer, CapsuleMask, Conv2D, Input, Length, PrimaryCapsules, Squash
from scratchnet.losses import MarginLoss
from scratchnet.models import Model
from scratchnet.utils import set_random_seed, to_categorical

RNG = np.random.default_rng(81)
F64 = {"dtype": "float64"}


def test_gradients():
    capsules = RNG.standard_normal((3, 5, 4))
    check_layer(Squash(**F64), capsules).raise_if_failed()
    check_layer(Length(**F64), capsules).raise_if_failed()
    check_layer(CapsuleMask(**F64), capsules).raise_if_failed()
    check_layer(PrimaryCapsules(2, 3, 2, strides=2, **F64), RNG.standard_normal((2, 4, 4, 2))).raise_if_failed()
    check_layer(CapsuleLayer(2, 3, routings=1, **F64), capsules).raise_if_failed()
    check_layer(CapsuleLayer(2, 3, routings=3, **F64), capsules).raise_if_failed()  # with the routing held
    check_layer(CapsuleLayer(2, 3, routings=3, routing_gradient="all", **F64), capsules).raise_if_failed()


def test_the_last_iteration_s_gradient_is_near_but_not_the_whole_one():
    x = RNG.standard_normal((2, 6, 4))
    last, whole = CapsuleLayer(3, 4, **F64), CapsuleLayer(3, 4, routing_gradient="all", **F64)
    last(x), whole(x)
    whole.set_weights(last.get_weights())
    dy = RNG.standard_normal((2, 3, 4))
    (a, _), (b, _) = (layer.backward(dy, layer.forward(x)[1]) for layer in (last, whole))
    assert not np.allclose(a, b)
    assert (a * b).sum() > 0.5 * np.linalg.norm(a) * np.linalg.norm(b)


def test_what_backward_is_the_gradient_of_is_found_with_the_routing_held():
    layer, x = CapsuleLayer(3, 4, **F64), RNG.standard_normal((2, 6, 4))
    y, cache = layer(x), layer.forward(x)[1]
    np.testing.assert_allclose(layer.forward_holding(x, cache), y, rtol=1e-12)
    assert "routing" in layer.held_constant
    for other in (CapsuleLayer(3, 4, routings=1), CapsuleLayer(3, 4, routing_gradient="all"), Length()):
        assert other.held_constant == ""
    with pytest.raises(NotImplementedError, match="no forward_holding"):
        Length().forward_holding(x, None)


def test_lengths_are_below_1_and_directions_stay():
    s = RNG.standard_normal((4, 3)) * 10
    v = Squash(**F64)(s)
    lengths = np.linalg.norm(v, axis=-1)
    assert (lengths < 1).all()
    np.testing.assert_allclose(v / lengths[:, None], s / np.linalg.norm(s, axis=-1, keepdims=True))
    dx, _ = Squash(**F64).backward(np.ones((1, 2)), np.zeros((1, 2)))
    assert (dx == 0).all()


def test_the_mask_keeps_the_true_or_the_longest_capsule():
    v = np.array([[[1.0, 0], [0, 3]], [[2, 2], [0, 1]]])
    np.testing.assert_array_equal(CapsuleMask(**F64)(v), [[0, 0, 0, 3], [2, 2, 0, 0]])
    np.testing.assert_array_equal(CapsuleMask(**F64)([v, np.array([[1.0, 0], [0, 1]])]), [[1, 0, 0, 0], [0, 0, 0, 1]])


def test_the_margin_loss():
    t, p = np.array([[1.0, 0, 0]]), np.array([[0.5, 0.05, 0.4]])
    assert MarginLoss()(t, p) == pytest.approx(0.4**2 + 0.5 * 0.3**2)
    report = check_loss(MarginLoss(), np.eye(4)[[0, 2, 3]], RNG.uniform(0.15, 0.85, (3, 4)))
    assert report.passed, report


def test_a_small_network_learns():
    set_random_seed(1)
    labels = RNG.integers(0, 2, 120)
    images = RNG.normal(0, 0.3, (120, 8, 8, 1))
    images[labels == 0, 2:6, 3] += 2  # a vertical bar or a horizontal one
    images[labels == 1, 3, 2:6] += 2
    x = Input((8, 8, 1))
    h = Conv2D(8, 3, activation="relu")(x)
    model = Model(x, Length()(CapsuleLayer(2, 6)(PrimaryCapsules(4, 4, 3, strides=2)(h))))
    model.compile("adam", MarginLoss(), metrics=["accuracy"])
    model.fit(images, to_categorical(labels), epochs=12, batch_size=20, verbose=0)
    assert model.evaluate(images, to_categorical(labels), verbose=0)[1] > 0.9


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="routing_gradient"):
        CapsuleLayer(2, 3, routing_gradient="none")
    with pytest.raises(ValueError, match="must be known"):
        CapsuleLayer(2, 3)(Input((None, 4)))
    with pytest.raises(ValueError, match="one-hot targets"):
        CapsuleMask()([np.ones((2, 3, 4)), np.ones((2, 4))])
