"""Images resized by few weights: what the products with whole matrices give, there and back, and on two threads."""

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from scratchnet import interpolation as resizing  # noqa: E402
from scratchnet import kernels  # noqa: E402
from scratchnet.interpolation import INTERPOLATIONS, resize, resize_adjoint  # noqa: E402
from scratchnet.kernels.with_numba import team  # noqa: E402

SIZES = [
    ((5, 7), (10, 14)),
    ((9, 8), (3, 5)),
    ((4, 9), (11, 3)),
    ((1, 1), (3, 2)),
    ((6, 5), (1, 1)),
    ((1, 6), (1, 6)),
    ((3, 3), (3, 3)),
]


def numbers(*shape, dtype="float32"):
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


def both(function, *arguments):
    """What the compiled kernel gives, and what the products with whole matrices do."""
    found = []
    for backend in ("numba", "numpy"):
        with kernels.using_backend(backend):
            found.append(function(*arguments))
    return found


def check(found, right, dtype):
    assert found.shape == right.shape and found.dtype == right.dtype == dtype
    rounding = 2e-6 if dtype == "float32" else 2e-15
    np.testing.assert_allclose(found, right, rtol=0, atol=rounding * np.abs(right).max(initial=1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_few_weights_and_many_are_products_with_the_whole_matrices(interpolation, antialias, dtype):
    resize_images = kernels.operations("numba").resize_images
    for C in (1, 3, 9):
        for size, new_size in SIZES:
            sizes = list(zip(size, new_size))
            A, B = (resizing.resize_weights(*pair, interpolation, antialias) for pair in sizes)
            there = [resizing._bands(*pair, interpolation, antialias) for pair in sizes]
            back = [resizing._bands(*pair, interpolation, antialias, transposed=True) for pair in sizes]
            x, dy = numbers(2, *size, C, dtype=dtype), numbers(2, *new_size, C, dtype=dtype)
            check(resize_images(x, *there), np.einsum("ih,nhwc,jw->nijc", A, x, B).astype(dtype), dtype)
            check(resize_images(dy, *back), np.einsum("ih,nijc,jw->nhwc", A, dy, B).astype(dtype), dtype)


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_there_and_back_are_those_of_every_backend(interpolation, antialias):
    for size, new_size in [*SIZES, ((32, 30), (13, 60))]:
        x, dy = numbers(2, *size, 8), numbers(2, *new_size, 8)
        check(*both(resize, x, new_size, interpolation, antialias), "float32")
        check(*both(resize_adjoint, dy, size, interpolation, antialias), "float32")


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_the_way_back_is_the_adjoint_of_the_way_there(interpolation):
    for size, new_size in SIZES:
        x, dy = numbers(2, *size, 8, dtype="float64"), numbers(2, *new_size, 8, dtype="float64")
        with kernels.using_backend("numba"):
            y, dx = resize(x, new_size, interpolation), resize_adjoint(dy, size, interpolation)
        np.testing.assert_allclose(np.vdot(y, dy), np.vdot(x, dx), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("C", [3, 16])
def test_two_threads_and_parts_of_a_batch_have_the_bits_of_one_thread(monkeypatch, C):
    x = numbers(5, 12, 10, C)
    monkeypatch.setattr(team, "_LEAST", 0)
    with kernels.using_backend("numba"):
        alone = resize(x, (24, 20)), resize_adjoint(x, (24, 20), "bicubic"), resize_adjoint(x, (5, 4))
        with team.helper() or pytest.skip("without the compiler there is no team"):
            together = resize(x, (24, 20)), resize_adjoint(x, (24, 20), "bicubic"), resize_adjoint(x, (5, 4))
        for a, b in zip(alone, together):
            np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(resize(x[1:3], (24, 20)), alone[0][1:3])


def test_no_image_one_image_views_and_other_dtypes_are_resized_as_ever():
    x = numbers(2, 6, 5, 3)
    cases = {
        "none": x[:0],
        "one": x[0],
        "several axes": numbers(2, 3, 6, 5, 8),
        "a view": numbers(2, 9, 9, 3)[:, 1:7, 2:7],
        "turned": numbers(2, 3, 6, 5).transpose(0, 2, 3, 1),
        "bytes": (100 * np.abs(x)).astype("uint8"),
        "whole numbers": (100 * x).astype("int64"),
        "halves": x.astype("float16"),
    }
    for images in cases.values():
        found, right = both(resize, images, (4, 9))
        assert found.shape == right.shape and found.dtype == right.dtype
        atol = 0 if right.dtype == "float16" else 1e-6
        np.testing.assert_allclose(found, right, rtol=1e-6, atol=atol * np.abs(right).max(initial=1))
    check(*both(resize_adjoint, x[:0], (3, 4)), "float32")


def test_where_weights_are_not_few_whole_matrices_are_quicker():
    def bands(size, interpolation, C):
        return resizing._bands_of_both(numbers(1, size, size, C), *2 * [(size, 2 * size)], interpolation, False)

    with kernels.using_backend("numba"):
        assert bands(8, "bilinear", 1) and bands(8, "lanczos3", 8) and bands(60, "lanczos5", 1)
        assert not bands(8, "lanczos3", 1) and not bands(16, "lanczos5", 64)
    with kernels.using_backend("numpy"):
        assert not bands(8, "bilinear", 1)


def test_a_row_keeps_no_more_weights_than_it_needs():
    counts = {"nearest": 1, "bilinear": 2, "bicubic": 4, "lanczos3": 6}
    for interpolation, K in counts.items():
        assert resizing._bands(8, 16, interpolation, False)[1].shape == (16, K)
    assert resizing._bands(8, 16, "bilinear", False, transposed=True)[1].shape == (8, 4)
