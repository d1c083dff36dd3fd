"""Where the rows of a kernel stand in another order than in PyTorch."""

import numpy as np

from scratchnet.files.channel_order import uses_of
from scratchnet.layers import (
    Concatenate,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    Input,
    Permute,
    Reshape,
    TimeDistributed,
    UpSampling1D,
)
from scratchnet.models import Model


def rows(model, name):
    """The order of what comes into the layer of that name."""
    return next(use.order_in for use in uses_of(model) if use.layer.name == name)


def torchs_places(H, W, C):
    """PyTorch's place of each number of an image (H, W, C)."""
    return np.arange(H * W * C).reshape(C, H, W).transpose(1, 2, 0).ravel()


def test_of_images_that_become_vectors_and_are_joined_each_has_its_own_order():
    x, extra = Input((4, 4, 2)), Input((5,))
    a, b = Flatten()(Conv2D(3, 1)(x)), Flatten()(Conv2D(2, 2)(x))
    model = Model([x, extra], Dense(1, name="last")(Concatenate()([a, extra, b])))
    expected = [torchs_places(4, 4, 3), 48 + np.arange(5), 53 + torchs_places(3, 3, 2)]
    np.testing.assert_array_equal(rows(model, "last"), np.concatenate(expected))


def test_vectors_and_maps_that_are_joined_keep_their_order():
    x, extra = Input((4, 4, 2)), Input((5,))
    pooled = GlobalAveragePooling2D()(x)
    model = Model([x, extra], Dense(1, name="last")(Concatenate()([pooled, extra])))
    assert rows(model, "last") is None
    maps = Concatenate()([x, Conv2D(3, 1)(x)])
    np.testing.assert_array_equal(
        rows(Model(x, Dense(1, name="last")(Flatten()(maps))), "last"), torchs_places(4, 4, 5)
    )


def test_a_sequence_is_in_order_until_its_features_are_moved_to_the_front():
    x = Input((6, 3))
    model = Model(x, Dense(1, name="last")(Flatten()(UpSampling1D(2)(x))))
    np.testing.assert_array_equal(rows(model, "last"), np.arange(36).reshape(3, 12).T.ravel())
    model = Model(x, Dense(1, name="last")(Flatten()(Permute((2, 1))(UpSampling1D(2)(x)))))
    assert rows(model, "last") is None
    model = Model(x, Dense(1, name="last")(Reshape((18,))(x)))
    assert rows(model, "last") is None


def test_a_layer_in_a_wrapper_is_found_under_both_names():
    x = Input((2, 4, 4, 3))
    model = Model(x, TimeDistributed(Conv2D(2, 3, name="inner"), name="each")(x))
    assert [use.path for use in uses_of(model)] == [("each", "inner")]
