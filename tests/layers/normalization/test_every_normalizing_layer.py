"""What every normalizing layer that looks at one sample does: gradients, statistics, options, refusals."""

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer
from scratchnet.layers import GroupNormalization, Input, LayerNormalization, RMSNormalization, UnitNormalization

RNG = np.random.default_rng(12)
X = RNG.standard_normal((3, 4, 2, 6))


@pytest.mark.parametrize(
    ("cls", "options"),
    [
        (LayerNormalization, {}),
        (LayerNormalization, {"axis": 1}),
        (LayerNormalization, {"axis": [-1, 1]}),
        (LayerNormalization, {"axis": 0}),
        (LayerNormalization, {"axis": [-4, 1], "center": False, "scale": False}),
        (LayerNormalization, {"center": False}),
        (LayerNormalization, {"scale": False, "epsilon": 0.3}),
        (LayerNormalization, {"trainable": False}),
        (GroupNormalization, {"groups": 1}),
        (GroupNormalization, {"groups": 3}),
        (GroupNormalization, {"groups": -1}),
        (GroupNormalization, {"groups": 2, "axis": 1}),
        (RMSNormalization, {}),
        (RMSNormalization, {"axis": 2, "epsilon": 0.2}),
        (RMSNormalization, {"axis": [-1, 1]}),
        (UnitNormalization, {}),
        (UnitNormalization, {"axis": [1, 2]}),
        (UnitNormalization, {"axis": 0}),
    ],
)
def test_gradients(cls, options):
    layer = cls(dtype="float64", **options)
    layer.ensure_built(X.shape)
    for w in layer.params.values():
        w[...] = RNG.standard_normal(w.shape)
    report = check_layer(layer, X)
    assert report.passed, report


def test_each_sample_has_mean_0_and_variance_1():
    y = LayerNormalization(axis=[1, 2, 3], epsilon=0, dtype="float64")(X)
    np.testing.assert_allclose(y.mean(axis=(1, 2, 3)), 0, atol=1e-14)
    np.testing.assert_allclose(y.var(axis=(1, 2, 3)), 1)


def test_one_group_is_layer_normalization_over_all_and_a_group_each_is_instance_normalization():
    whole = LayerNormalization(axis=[1, 2, 3], center=False, scale=False, dtype="float64")(X)
    np.testing.assert_allclose(GroupNormalization(1, dtype="float64")(X), whole)
    centered = X - X.mean(axis=(1, 2), keepdims=True)
    instance = centered / np.sqrt(X.var(axis=(1, 2), keepdims=True) + 0.001)
    np.testing.assert_allclose(GroupNormalization(-1, dtype="float64")(X), instance)


def test_lengths():
    y = UnitNormalization(dtype="float64")(X)
    np.testing.assert_allclose(np.square(y).sum(axis=-1), 1)
    assert (UnitNormalization()(np.zeros((2, 3))) == 0).all()
    y = RMSNormalization(epsilon=0, dtype="float64")(X)
    np.testing.assert_allclose(np.square(y).mean(axis=-1), 1)


@pytest.mark.parametrize("cls", [LayerNormalization, RMSNormalization, UnitNormalization, GroupNormalization])
def test_what_does_not_fit_is_refused(cls):
    with pytest.raises(ValueError, match="axis"):
        cls(axis=5)(np.ones((2, 3, 4)))


@pytest.mark.parametrize("cls", [LayerNormalization, RMSNormalization, GroupNormalization])
@pytest.mark.parametrize("size", [3, 9])
def test_another_size_than_that_of_the_weights_is_refused(cls, size):
    layer = cls() if cls is not GroupNormalization else cls(groups=3)
    layer(np.ones((2, 6)))
    for compute in (layer, layer.forward):
        with pytest.raises(ValueError, match=r"was built for sizes \(6,\) along axis -1, got an input of shape \(2, "):
            compute(np.ones((2, size), "float32"))


def test_without_weights_the_size_of_an_axis_need_not_be_known():
    layer = LayerNormalization(axis=1, center=False, scale=False, dtype="float64")
    assert layer(Input((None, 2))).shape == (None, None, 2)
    np.testing.assert_allclose(layer(X[:, :, 0]).mean(axis=1), 0, atol=1e-14)


def test_groups_must_divide_the_channels():
    with pytest.raises(ValueError, match="6 channels cannot be divided into 4 groups"):
        GroupNormalization(4)(X)
    with pytest.raises(ValueError, match="must have a size"):
        LayerNormalization()(Input((3, None)))


@pytest.mark.parametrize("cls", [LayerNormalization, RMSNormalization, UnitNormalization])
@pytest.mark.parametrize("axis", [{"axis": -1}, "last", [1, 2.0]])
def test_an_axis_is_an_integer_or_a_list_of_them(cls, axis):
    with pytest.raises(TypeError, match="axis must be an integer or a list of integers"):
        cls(axis=axis)


@pytest.mark.parametrize("groups", [0, -2, 1.5, "32"])
def test_groups_are_counted(groups):
    with pytest.raises(ValueError, match="argument `groups` must be a positive integer, or -1"):
        GroupNormalization(groups=groups)


def test_several_axes_in_any_order_are_one_root_mean_square():
    x = X.astype("float32")
    y = RMSNormalization(axis=[-1, -2])(x)
    np.testing.assert_array_equal(y, RMSNormalization(axis=[-2, -1])(x))
    np.testing.assert_allclose(np.square(y).mean(axis=(2, 3)), 1, atol=1e-4)


def test_what_a_layer_is_made_without_is_none():
    layer = LayerNormalization(center=False)
    layer.build((None, 4))
    assert layer.beta is None and layer.gamma.shape == (4,)
