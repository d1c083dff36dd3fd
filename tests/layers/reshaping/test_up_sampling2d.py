"""UpSampling2D: its gradient, and the pooling that undoes it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.gradient_check import check_adjoint
from scratchnet.layers import AveragePooling2D, Input, UpSampling2D

F64 = {"dtype": "float64"}


SIZES, PADDINGS = st.integers(1, 6), st.sampled_from(["valid", "same"])


@given(shape=st.tuples(SIZES, SIZES, SIZES, SIZES), size=st.tuples(st.integers(1, 3), st.integers(1, 3)))
def test_upsampling_gradient_and_inverse(shape, size):
    layer, x = UpSampling2D(size, **F64), np.random.default_rng(0).standard_normal(shape)
    check_adjoint(layer, x).raise_if_failed()
    np.testing.assert_allclose(AveragePooling2D(size, **F64)(layer(x)), x, atol=1e-14)
    assert layer(Input((None, *shape[2:]))).shape == (None, None, shape[2] * size[1], shape[3])
