import numpy as np
import pytest

from scratchnet import kernels, optimizers
from scratchnet.optimizers import clipping


def test_entries_are_cut_and_gradients_made_shorter():
    g = {"a": np.array([3.0, 4.0]), "b": np.array([0.3, 0.4])}
    np.testing.assert_allclose(optimizers.SGD(clipvalue=1).clip(g)["a"], [1, 1])
    clipped = optimizers.SGD(clipnorm=1).clip(g)
    np.testing.assert_allclose(clipped["a"], [0.6, 0.8])
    np.testing.assert_allclose(clipped["b"], [0.3, 0.4])
    clipped = optimizers.SGD(global_clipnorm=1).clip(g)
    assert np.sqrt(sum((c**2).sum() for c in clipped.values())) == pytest.approx(1)


@pytest.mark.parametrize("options", [{"clipnorm": 2.0}, {"global_clipnorm": 2.0}, {"clipvalue": 0.5}])
@pytest.mark.parametrize("value", [None, np.nan, np.inf])
def test_every_backend_clips_alike(options, value):
    for dtype, digits in (("float32", 1e-6), ("float64", 1e-14)):
        g = {str(n): np.random.default_rng(n).normal(size=(n, 7)).astype(dtype) for n in (1, 30, 3000)}
        if value is not None:
            g["30"][3, 4] = value
        with kernels.using_backend("numpy"), np.errstate(all="ignore"):
            expected = optimizers.SGD(**options).clip(g)
        with np.errstate(all="ignore"):
            found = optimizers.SGD(**options).clip(g)
        for key, array in expected.items():
            assert found[key].dtype == dtype
            np.testing.assert_allclose(found[key], array, rtol=10 * digits)


def test_clipping_leaves_alone_what_is_short_enough_and_zeros():
    g = {"a": np.array([3.0, 4.0]), "b": np.zeros(2)}
    for options in ({"clipnorm": 5.0}, {"global_clipnorm": 5.0}, {"clipvalue": 4.0}, {}):
        clipped = optimizers.SGD(**options).clip(g)
        for key, value in g.items():
            np.testing.assert_array_equal(clipped[key], value)
    np.testing.assert_array_equal(optimizers.SGD(clipvalue=1).clip({"a": np.array([-3.0, 0.5])})["a"], [-1, 0.5])
    clipped = optimizers.SGD(global_clipnorm=1.0).clip({"a": np.array([3.0]), "b": np.array([4.0])})
    np.testing.assert_allclose([clipped["a"][0], clipped["b"][0]], [0.6, 0.8])


@pytest.mark.parametrize("options", [{"clipnorm": 0.5}, {"global_clipnorm": 0.5}])
@pytest.mark.parametrize("count", [1, 3])
def test_no_bit_depends_on_how_many_clip(monkeypatch, options, count):
    monkeypatch.setattr(clipping, "STRETCH", 64)
    monkeypatch.setattr(clipping, "SMALLEST_SHARE", 64)
    rng = np.random.default_rng(0)
    shapes = {"a": (30, 20), "b": (), "c": (65,), "d": (0,), "e": (64,)}
    parts = [{key: rng.standard_normal(shape, "float32") for key, shape in shapes.items()} for _ in range(count)]
    found = []
    for shares in (1, 2, 3, 100):
        params, optimizer = {key: np.ones(shape, "float32") for key, shape in shapes.items()}, optimizers.SGD(**options)
        optimizer.update(params, parts, shares=shares)
        found.append(params)
        for key, w in params.items():
            np.testing.assert_array_equal(w, found[0][key])
    total = {key: sum(part[key] for part in parts) for key in shapes}
    for key, g in optimizers.SGD(**options).clip(total).items():
        np.testing.assert_allclose(found[0][key], 1 - 0.01 * g, rtol=1e-6)


@pytest.mark.parametrize("stretch", [1, 6, 20, 1000])
def test_a_gradient_is_as_long_as_its_entries_say(monkeypatch, stretch):
    monkeypatch.setattr(clipping, "STRETCH", stretch)
    g = {"a": np.arange(20.0).reshape(4, 5), "b": np.array(2.0), "c": np.zeros((0, 3))}
    assert clipping.squares_of([g]) == {"a": 2470.0, "b": 4.0, "c": 0.0}
    assert clipping.squares_of([g, g]) == {"a": 4 * 2470.0, "b": 16.0, "c": 0.0}


def test_nobody_is_asked_to_sum_up_what_one_has_done_sooner():
    asked = []
    clipping.squares_of([{"a": np.ones(100)}], lambda f, shares: asked.append(len(shares)) or map(f, shares), 2)
    assert asked == [1]
