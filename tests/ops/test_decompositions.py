"""Decompositions: their parts in a graph are those that NumPy computes, and each part has its derivative."""

import numpy as np
import pytest

from scratchnet import layers, ops
from scratchnet.gradient_check import numeric_gradient, relative_error
from scratchnet.models import Model

RNG = np.random.default_rng(0)
SQUARE, TALL, WIDE = (RNG.normal(size=(2, m, n)) for m, n in ((3, 3), (4, 3), (3, 4)))
SYMMETRIC = SQUARE + SQUARE.swapaxes(-1, -2)
CASES = {
    "eigh": (ops.eigh, SYMMETRIC),
    "svd": (ops.svd, SQUARE),
    "reduced svd": (lambda x: ops.svd(x, full_matrices=False), TALL),
    "reduced svd of wide ones": (lambda x: ops.svd(x, full_matrices=False), WIDE),
    "singular values": (lambda x: ops.svd(x, compute_uv=False), TALL),
    "qr": (ops.qr, TALL),
    "complete qr": (lambda x: ops.qr(x, "complete"), SQUARE),
    "pinv": (ops.pinv, TALL),
    "pinv of wide ones": (ops.pinv, WIDE),
}


def traced(function, array):
    x = layers.Input(array.shape[1:], dtype="float64")
    return Model(x, function(x), dtype="float64")


def parts(z):
    return list(z) if isinstance(z, (list, tuple)) else [z]


@pytest.mark.parametrize("case", CASES)
def test_traced_parts_are_those_that_are_computed(case):
    function, array = CASES[case]
    for found, expected in zip(parts(traced(function, array)(array)), parts(function(array)), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_each_part_has_its_derivative(case):
    function, array = CASES[case]
    model, x = traced(function, array), array.copy()
    for k in range(len(parts(model(x)))):
        assert error_of_dx(model, x, k) < 1e-7


def error_of_dx(model, x, k=0):
    """How far the derivative of output k is from differences."""
    ys, cache = model.forward(x)
    dys = [RNG.normal(size=y.shape) * (j == k) for j, y in enumerate(parts(ys))]
    dx, _ = model.backward(dys if len(dys) > 1 else dys[0], cache)
    return relative_error(numeric_gradient(lambda: float(np.sum(parts(model(x))[k] * dys[k])), x), dx)


def test_least_squares_have_a_derivative_in_both():
    a, b = TALL[0], RNG.normal(size=(4, 2))
    for traced_a in (True, False):
        x = layers.Input(batch_shape=a.shape if traced_a else b.shape, dtype="float64")
        model = Model(x, ops.lstsq(x, b) if traced_a else ops.lstsq(a, x), dtype="float64")
        array = (a if traced_a else b).copy()
        np.testing.assert_allclose(model(array), np.linalg.lstsq(a, b, rcond=None)[0])
        assert error_of_dx(model, array) < 1e-7


def test_square_singular_vectors_of_others_are_constants():
    model = traced(ops.svd, TALL)
    for found, expected in zip(model(TALL), np.linalg.svd(TALL)):
        np.testing.assert_allclose(found, expected)
    ys, cache = model.forward(TALL)
    dx, _ = model.backward([np.ones_like(y) for y in ys], cache)
    values = traced(lambda x: ops.svd(x, compute_uv=False), TALL)
    y, cache = values.forward(TALL)
    np.testing.assert_allclose(dx, values.backward(np.ones_like(y), cache)[0])


def test_the_symmetric_part_counts():
    np.testing.assert_allclose(ops.eigh(SQUARE)[0], np.linalg.eigvalsh(SYMMETRIC / 2))


def test_the_rank_of_a_batch():
    array = np.array([np.eye(3), np.ones((3, 3))])
    assert traced(ops.matrix_rank, array)(array).tolist() == [3, 1]


def test_what_cannot_be_traced():
    with pytest.raises(TypeError, match="^lu_factor has no derivative here and cannot be traced"):
        ops.lu_factor(layers.Input((3, 3)))
    with pytest.raises(ValueError, match="^qr: traced are only matrices with at least as many rows as columns"):
        ops.qr(layers.Input((2, 3)))
    for name in ("qr", "svd"):
        with pytest.raises(ValueError, match=f"^{name}: the sizes of the matrices must be known"):
            getattr(ops, name)(layers.Input((None, 3)))
    with pytest.raises(ValueError, match="must be of one size"):
        ops.eigh(TALL)


def test_lu_factor():
    x = np.random.default_rng(0).normal(size=(2, 3, 3))
    lu, pivots = ops.lu_factor(x)
    for a, both, exchanged in zip(x.copy(), lu, pivots):
        for k, p in enumerate(exchanged):
            a[[k, p]] = a[[p, k]]
        np.testing.assert_allclose((np.tril(both, -1) + np.eye(3)) @ np.triu(both), a)
        assert np.abs(np.tril(both, -1)).max() <= 1
    assert pivots.dtype == np.int32
    lu, _ = ops.lu_factor(np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 4.0]]))
    assert lu.tolist() == [[0, 1], [0, 4], [0, 0.5]]
    wide = np.arange(6.0).reshape(2, 3) + np.eye(2, 3) * 5
    lu, pivots = ops.lu_factor(wide)
    assert pivots.shape == (2,)
    np.testing.assert_allclose((np.tril(lu[:, :2], -1) + np.eye(2)) @ np.triu(lu), wide[[pivots[0], 1 - pivots[0]]])
