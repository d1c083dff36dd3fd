"""Products: values are NumPy's, in every combination of axes."""

import numpy as np
import pytest

from scratchnet import kernels, ops

RNG = np.random.default_rng(0)
SHAPES = [
    ((3, 4), (4, 2)),
    ((4,), (4, 2)),
    ((3, 4), (4,)),
    ((4,), (4,)),
    ((2, 3, 4), (4, 5)),
    ((2, 3, 4), (4,)),
    ((2, 3, 4), (2, 4, 5)),
    ((4,), (2, 4, 5)),
    ((2, 1, 3, 4), (5, 4, 2)),
    ((0, 4), (4, 2)),
]


@pytest.mark.parametrize(("first", "second"), SHAPES)
@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_matmul_is_numpy_s(first, second, dtype):
    a, b = ((10 * RNG.normal(size=shape)).astype(dtype) for shape in (first, second))
    np.testing.assert_allclose(ops.matmul(a, b), np.matmul(a, b), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("backend", ["loops", "numpy"])
def test_matmul_of_every_backend(backend):
    a, b = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(4, 5))
    with kernels.using_backend(backend):
        np.testing.assert_allclose(ops.matmul(a[:, ::-1], b.T[::2].T), np.matmul(a[:, ::-1], b[:, ::2]), rtol=1e-12)


def test_matmul_says_what_does_not_fit():
    with pytest.raises(ValueError, match=r"matmul: .*shapes \(3, 4\) and \(3, 4\)"):
        ops.matmul(np.ones((3, 4)), np.ones((3, 4)))
    with pytest.raises(ValueError, match="matmul takes no single numbers"):
        ops.matmul(np.ones((3, 4)), 2.0)


@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [
        ("ij,jk->ik", ((2, 3), (3, 4))),
        ("ij,jk", ((2, 3), (3, 4))),
        ("ba , ac", ((2, 3), (3, 4))),
        ("ii", ((3, 3),)),
        ("ii->i", ((3, 3),)),
        ("ij->", ((2, 3),)),
        ("...ij,...jk->...ik", ((2, 3, 4), (4, 5))),
        ("...i,...i", ((2, 3, 4), (3, 1))),
        ("ij...,jk...->ik...", ((2, 3, 5), (3, 4, 5))),
        ("bqhd,bkhd->bhqk", ((2, 3, 2, 4), (2, 5, 2, 4))),
        ("ij,jk,kl", ((2, 3), (3, 4), (4, 2))),
    ],
)
def test_einsum_is_numpy_s(subscripts, shapes):
    operands = [RNG.normal(size=shape) for shape in shapes]
    np.testing.assert_allclose(ops.einsum(subscripts, *operands), np.einsum(subscripts, *operands), rtol=1e-12)


def test_einsum_counts_its_operands():
    with pytest.raises(ValueError, match="'ij,jk' is of 2 operands, not of 1"):
        ops.einsum("ij,jk", np.ones((2, 2)))


@pytest.mark.parametrize("axes", [0, 2, ((1, 2), (0, 1)), ([2], [1]), (2, 1), ((-1, 0), (1, 2))])
def test_tensordot_is_numpy_s(axes):
    a, b = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(3, 4, 2))
    np.testing.assert_allclose(ops.tensordot(a, b, axes), np.tensordot(a, b, axes), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("first", "second"), [*SHAPES[:6], ((2, 3, 4), (2, 4, 5)), ((3, 4), ()), ((), ())])
def test_dot_is_numpy_s(first, second):
    a, b = RNG.normal(size=first), RNG.normal(size=second)
    np.testing.assert_allclose(ops.dot(a, b), np.dot(a, b), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("inner", (2, 3), (4, 3)),
        ("inner", (3,), (3,)),
        ("inner", (), (2, 3)),
        ("outer", (2, 3), (4,)),
        ("vdot", (2, 3), (3, 2)),
        ("kron", (2, 3), (4, 2)),
        ("kron", (3,), (2, 2)),
        ("kron", (2, 1, 3), (2, 2)),
        ("cross", (5, 3), (5, 3)),
        ("cross", (3,), (4, 3)),
    ],
)
def test_products_written_with_others_are_numpy_s(name, first, second):
    a, b = RNG.normal(size=first), RNG.normal(size=second)
    np.testing.assert_allclose(getattr(ops, name)(a, b), getattr(np, name)(a, b), rtol=1e-12, atol=1e-12)


def test_cross_products_of_two_elements():
    a, b = RNG.normal(size=(4, 2)), RNG.normal(size=(4, 2))
    whole = np.cross(*(np.pad(v, ((0, 0), (0, 1))) for v in (a, b)))
    np.testing.assert_allclose(ops.cross(a, b), whole[:, 2])
    flat, full = np.pad(b, ((0, 0), (0, 1)), constant_values=0.7), RNG.normal(size=(3, 4))
    np.testing.assert_allclose(ops.cross(a, flat), np.cross(np.pad(a, ((0, 0), (0, 1))), flat))
    np.testing.assert_allclose(ops.cross(full, full[::-1], axis=0), np.cross(full, full[::-1], axis=0))
    with pytest.raises(ValueError, match="vectors have 2 or 3 elements"):
        ops.cross(np.ones(4), np.ones(4))
