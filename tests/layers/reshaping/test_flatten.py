"""Flatten: each sample becomes a vector, in the order of its memory."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.gradient_check import check_adjoint
from scratchnet.layers import Flatten

F64 = {"dtype": "float64"}


SIZES = st.integers(1, 5)


@given(shape=st.lists(SIZES, min_size=2, max_size=4))
def test_flatten_keeps_the_order(shape):
    x = np.random.default_rng(0).standard_normal(shape)
    layer = Flatten(**F64)
    np.testing.assert_array_equal(layer(x), x.reshape(shape[0], -1))
    check_adjoint(layer, x).raise_if_failed()
    assert layer.compute_output_shape((None, *shape[1:])) == (None, int(np.prod(shape[1:])))
