"""Products with a number for each channel, and their adjoints, are NumPy's, whatever the shapes."""

import numpy as np
import pytest

from scratchnet import kernels
from scratchnet.kernels import numba_is_installed, using_backend
from scratchnet.kernels.by_channels import sum_over_copies, times

BACKENDS = ["numpy"] + ["numba"] * numba_is_installed()
SHAPES = [
    ((2, 3, 4, 5), (2, 1, 1, 5)),  # a gate on channels
    ((2, 7, 3), (2, 1, 3)),
    ((2, 3, 4, 5), (1, 1, 1, 5)),  # the same for all samples
    ((1, 3, 4, 5), (1, 1, 1, 5)),
    ((2, 3, 4, 5), (2, 3, 4, 1)),  # a gate on places
    ((2, 3, 4, 5), (2, 3, 4, 5)),
    ((2, 1, 1, 5), (2, 1, 1, 5)),
    ((2, 5), (2, 5)),
    ((2, 5), (2, 1)),
    ((5,), (5,)),
    ((0, 3, 4, 5), (0, 1, 1, 5)),
    ((2, 0, 4, 5), (2, 1, 1, 5)),
]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("dtypes", [("float32", "float32"), ("float64", "float64"), ("float32", "float64")])
def test_a_product_in_either_order_is_numpys(backend, shapes, dtypes):
    rng = np.random.default_rng(0)
    x, factors = (rng.normal(size=shape).astype(dtype) for shape, dtype in zip(shapes, dtypes))
    with using_backend(backend):
        for a, b in ((x, factors), (factors, x)):
            found, expected = times(a, b), a * b
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype, rtol", [("float32", 1e-6), ("float64", 1e-14), ("float16", 0), ("int32", 0)])
@pytest.mark.parametrize(
    "shape, axes",
    [((2, 9, 7, 5), (1, 2)), ((2, 9, 5), (1,)), ((2, 3, 4, 5), (2,)), ((2, 3, 4, 5), (0, 1, 2)), ((2, 5), ())]
    + [((0, 3, 5), (1,)), ((2, 0, 5), (1,))],
)
def test_a_sum_over_copies_is_numpys(backend, shape, axes, dtype, rtol):
    d = np.random.default_rng(0).integers(1, 9, shape).astype(dtype)
    with using_backend(backend):
        found, expected = sum_over_copies(d, axes), d.sum(axis=axes, keepdims=True)
    assert found.shape == expected.shape and found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=rtol)


@pytest.fixture
def counted(monkeypatch):
    """How often the kernels have been called."""
    if not numba_is_installed():
        pytest.skip("of the compiled kernels")
    calls = []
    with using_backend("numba"):
        for name in ("scale_channels", "global_average_forward"):
            kernel = getattr(kernels, name)
            monkeypatch.setattr(kernels, name, lambda *arrays, f=kernel: calls.append(0) or f(*arrays), raising=False)
        yield calls


@pytest.mark.parametrize("shapes", SHAPES)
def test_a_kernel_has_what_has_one_number_for_each_channel_of_each_sample(counted, shapes):
    x, factors = (np.ones(shape, "float32") for shape in shapes)
    has_kernel = shapes in SHAPES[:2] or shapes == ((1, 3, 4, 5), (1, 1, 1, 5))
    for a, b in ((x, factors), (factors, x)):
        counted.clear()
        times(a, b)
        assert bool(counted) == has_kernel


@pytest.mark.parametrize(
    "shape, axes, has_kernel",
    [((2, 9, 7, 5), (1, 2), True), ((2, 9, 5), (1,), True), ((2, 3, 4, 5), (1,), False), ((2, 5), (), False)]
    + [((2, 3, 4, 5), (1, 2, 3), False), ((2, 3, 4, 5), (0, 1, 2), False)],
)
def test_a_kernel_has_the_sum_over_all_places(counted, shape, axes, has_kernel):
    sum_over_copies(np.ones(shape, "float32"), axes)
    assert bool(counted) == has_kernel
