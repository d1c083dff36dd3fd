"""An upsampling and a convolution as one transposed convolution: what the two say one after the other."""

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from scratchnet.kernels import operations  # noqa: E402
from tests.kernels.every_backend import convolution  # noqa: E402

with_numba, definition = operations("numba"), operations("numpy")
SAME, NONE, UNEVEN = ((1, 1), (1, 1)), ((0, 0), (0, 0)), ((0, 1), (2, 0))


@pytest.mark.parametrize(
    "size, C, F, KH, KW, padding",
    [
        ((2, 2), 8, 1, 3, 3, SAME),
        ((2, 2), 8, 8, 3, 3, SAME),
        ((2, 3), 8, 3, 3, 4, NONE),
        ((3, 2), 9, 5, 5, 3, UNEVEN),
        ((1, 2), 2, 3, 2, 1, NONE),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_both_together_are_both_one_by_one(size, C, F, KH, KW, padding, dtype):
    x, kernel, bias = convolution(3, (5, 4), C, F, KH, KW, dtype)
    geometry = (1, 1), padding, (1, 1)
    enlarged = definition.upsample2d_forward(x, size)
    expected = definition.conv2d_forward(enlarged, kernel, bias, *geometry)
    dz = np.random.default_rng(4).normal(size=expected.shape).astype(dtype)
    wanted = (
        definition.upsample2d_backward(definition.conv2d_dx(dz, kernel, enlarged.shape, *geometry), size),
        definition.conv2d_dkernel(dz, enlarged, kernel.shape, *geometry),
        dz.sum(axis=(0, 1, 2)),
    )

    def check(found, right):
        assert found.shape == right.shape and found.dtype == x.dtype
        rounding = 1e-5 if dtype == "float32" else 1e-13
        np.testing.assert_allclose(found, right, rtol=0, atol=rounding * np.abs(right).max())

    check(with_numba.upsample2d_conv2d_forward(x, size, kernel, bias, padding), expected)
    check(with_numba.upsample2d_conv2d_forward(x, size, kernel, None, padding), expected - bias)
    for found, right in zip(with_numba.upsample2d_conv2d_backward(dz, x, size, kernel, padding), wanted):
        check(found, right)
    dx, *grads = with_numba.upsample2d_conv2d_backward(dz, x, size, kernel, padding, needs_dx=False)
    assert dx is None
    for found, right in zip(grads, wanted[1:]):
        check(found, right)


def test_what_is_no_number_reaches_the_windows_that_it_lies_in_and_no_other():
    x, kernel, bias = convolution(1, (4, 4), 8, 1, 3, 3)
    expected = definition.conv2d_forward(definition.upsample2d_forward(x, (2, 2)), kernel, bias, (1, 1), SAME, (1, 1))
    x[0, 1, 2, 3] = np.nan
    found = with_numba.upsample2d_conv2d_forward(x, (2, 2), kernel, bias, SAME)
    reached = np.zeros(found.shape, bool)
    reached[0, 1:5, 3:7] = True
    np.testing.assert_array_equal(np.isnan(found), reached)
    np.testing.assert_allclose(found[~reached], expected[~reached], rtol=0, atol=1e-5)
