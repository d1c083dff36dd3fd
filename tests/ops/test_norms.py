"""Norms of vectors and matrices: NumPy's values for every order and axis; gradients of singular values; refusals."""

import math

import numpy as np
import pytest

from scratchnet import ops
from scratchnet.layers import Input
from scratchnet.models import Model

X = np.random.default_rng(0).normal(size=(2, 3, 4))


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(
    ("order", "axis"),
    [(None, None), (None, 1), (2, 1), ("fro", (0, 1)), (1, -1), (0, 0), (3, 2), (0.5, 1), (math.inf, 1), (-math.inf, 0)]
    + [(order, axis) for order in (1, -1, 2, -2, "nuc", math.inf, -math.inf) for axis in ((0, 1), (2, 0))],
)
def test_norms_are_numpy_s(order, axis, keepdims):
    expected = np.linalg.norm(X.ravel() if axis is None else X, order, axis)
    z = ops.norm(X, order, axis, keepdims)
    np.testing.assert_allclose(np.ravel(z), np.ravel(expected), rtol=1e-12)
    assert z.shape == (X.sum(axis=axis, keepdims=keepdims).shape)


def test_zeros_to_a_negative_power_are_a_norm_of_zero():
    assert ops.norm(np.array([0.0, 3.0]), -2) == 0


@pytest.mark.parametrize("order", [2, -2, "nuc"])
def test_a_step_along_the_gradient_changes_singular_values_as_it_says(order):
    inputs = Input((3, 4), dtype="float64")
    model = Model(inputs, ops.norm(inputs, order, (1, 2)))
    y, cache = model.forward(X)
    np.testing.assert_allclose(y, np.linalg.norm(X, order, (1, 2)))
    dx, _ = model.backward(np.ones(2), cache)
    # of a matrix with one singular value that counts, the gradient has rank one and length one
    lengths = np.linalg.svd(dx, compute_uv=False)
    np.testing.assert_allclose(lengths, np.ones((2, 3)) if order == "nuc" else [[1, 0, 0]] * 2, atol=1e-12)
    moved = model.forward(X + 1e-6 * dx)[0]
    np.testing.assert_allclose((moved - y) / 1e-6, np.square(dx).sum(axis=(1, 2)), rtol=1e-5)


@pytest.mark.parametrize(
    ("x", "order", "axis", "message"),
    [
        (X, 3, (0, 1), "no ord=3 of 2 axes"),
        (X, 0, (0, 1), "no ord=0 of 2 axes"),
        (X, "nuc", 1, "no ord='nuc' of 1 axes"),
        (X, "fro", 1, "no ord='fro' of 1 axes"),
        (X, 1, None, "no ord=1 of 3 axes"),
        (X[0, 0], None, 1, "axis 1 is not among the 1 axes"),
        (X[0], None, -3, "axis -3 is not among the 2 axes"),
        (X[0, 0], 1, (0, 1), r"axis \(0, 1\) is not among the 1 axes"),
    ],
)
def test_an_order_or_axis_that_is_none_is_told(x, order, axis, message):
    with pytest.raises(ValueError, match=f"norm: .*{message}"):
        ops.norm(x, order, axis)


@pytest.mark.parametrize("ord", [None, 1, 3, np.inf, -1])
def test_the_norm_of_small_integers_is_a_float_that_does_not_overflow(ord):
    z = ops.norm(np.array([200, 100], "uint8"), ord, 0)
    np.testing.assert_allclose(z, np.linalg.norm([200.0, 100.0], ord), rtol=1e-6)
    assert z.dtype == "float32"
