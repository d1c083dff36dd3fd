"""PReLU in one pass: the numbers of NumPy's lines, of short rows and of long ones, on one thread and on two."""

import contextlib

import numpy as np
import pytest

pytest.importorskip("numba")

from scratchnet import kernels  # noqa: E402
from scratchnet.kernels.with_numba import team  # noqa: E402
from scratchnet.kernels.with_numba.prelu import prelu_backward, prelu_forward  # noqa: E402
from scratchnet.layers import PReLU  # noqa: E402

SHAPES = [(1, 1), (1, 700), (3, 16), (700, 3), (2051, 1), (5, 512), (5, 513), (3, 1300), (1100, 130)]


def numbers(M, D, dtype):
    """``dy, x, alpha``"""
    rng = np.random.default_rng(0)
    dy, x = rng.standard_normal((2, M, D)).astype(dtype)
    x[0, 0] = 0  # where the slope is alpha
    return dy, x, rng.standard_normal(D).astype(dtype)


def expected(dy, x, alpha):
    """``y, dx, dalpha``, the sum in float64."""
    with np.errstate(invalid="ignore"):  # infinite times 0
        products = np.where(x > 0, 0, dy * x).astype(np.float64)
        return np.where(x > 0, x, alpha * x), np.where(x > 0, dy, alpha * dy), products.sum(axis=0)


def check(found, dy, x, alpha):
    y, dx, dalpha = expected(dy, x, alpha)
    assert [a.dtype for a in found] == [x.dtype] * 3
    np.testing.assert_array_equal(found[0], y)
    np.testing.assert_array_equal(found[1], dx)
    rounding = 2e-6 if x.dtype == np.float32 else 1e-14
    largest = np.abs(dalpha[np.isfinite(dalpha)]).max(initial=1)
    np.testing.assert_allclose(found[2], dalpha, rtol=rounding, atol=rounding * largest)


def compute(dy, x, alpha):
    return prelu_forward(x, alpha), *prelu_backward(dy, x, alpha)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("M, D", SHAPES)
def test_values_and_adjoints_are_those_of_numpy(M, D, dtype):
    arrays = numbers(M, D, dtype)
    check(compute(*arrays), *arrays)


@pytest.mark.parametrize("M, D", [(140_000, 1), (1100, 130), (8, 17_000)])  # so much that it is shared
def test_two_threads_have_the_bits_of_one(M, D):
    arrays = numbers(M, D, "float32")
    alone = compute(*arrays)
    with team.helper() or contextlib.nullcontext():
        together = compute(*arrays)
    for one, two in zip(alone, together):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_not_finite_is_chosen_as_numpy_chooses_it(dtype, value):
    for broken in range(3):
        arrays = numbers(40, 17, dtype)
        arrays[broken][..., 3:5] = value
        with np.errstate(invalid="ignore"):  # of single numbers, without the compiler
            found = compute(*arrays)
        check(found, *arrays)


def test_every_layout_gives_the_same_and_nothing_is_written_over():
    dy, x, alpha = numbers(31, 37, "float32")
    once = compute(dy, x, alpha)
    read_only = x.copy()
    read_only.flags.writeable = False
    for other in (np.asfortranarray(x), np.repeat(x, 2, axis=1)[:, ::2], read_only):
        for one, again in zip(once, compute(np.asfortranarray(dy), other, np.repeat(alpha, 2)[::2])):
            np.testing.assert_array_equal(one, again)
        np.testing.assert_array_equal(other, x)


def test_no_rows_have_no_sum():
    y, dx, dalpha = compute(*(np.zeros(shape, np.float32) for shape in ((0, 3), (0, 3), 3)))
    assert y.shape == dx.shape == (0, 3)
    np.testing.assert_array_equal(dalpha, [0, 0, 0])


def both_ways(layer, dy, x):
    y, cache = layer.forward(x)
    dx, grads = layer.backward(dy, cache)
    return y, dx, *grads.values()


@pytest.mark.parametrize(
    "shared_axes, is_compiled",
    [(None, True), ([1], True), ([1, 2], True), ([1, 2, 3], True), ([3], False), ([2], False), ([1, 3], False)],
)
def test_a_layer_has_it_where_slopes_belong_to_the_last_axes(monkeypatch, shared_axes, is_compiled):
    layer, called = PReLU("uniform", shared_axes=shared_axes, dtype="float64"), []
    dy, x = np.random.default_rng(1).standard_normal((2, 3, 4, 5, 6))
    layer.ensure_built(x.shape)
    layer.params["alpha"] += 0.3
    with kernels.using_backend("numpy"):
        expected = both_ways(layer, dy, x)
    with kernels.using_backend("numba"), monkeypatch.context() as patch:
        for kernel in (prelu_forward, prelu_backward):
            patch.setattr(kernels, kernel.__name__, lambda *a, kernel=kernel: called.append(kernel) or kernel(*a))
        found = both_ways(layer, dy, x)
    assert called == [prelu_forward, prelu_backward] * is_compiled
    for a, b in zip(found, expected):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-13)


def test_a_layer_leaves_two_dtypes_to_numpy_and_a_frozen_one_gives_no_gradient():
    layer = PReLU("ones")
    dy, x = np.random.default_rng(1).standard_normal((2, 3, 4))
    layer.ensure_built(x.shape)
    with kernels.using_backend("numba"):
        _, dx, _ = both_ways(layer, dy, x.astype("float32"))
        np.testing.assert_array_equal(dx, dy)
        layer.trainable = False
        (_, dx) = both_ways(layer, *np.float32([dy, x]))
    np.testing.assert_array_equal(dx, dy.astype("float32"))
