"""Pooling: gradients for whatever sizes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.gradient_check import check_adjoint, check_layer
from scratchnet.gradient_check.catalogue import separated
from scratchnet.layers import AveragePooling2D, MaxPooling2D

F64 = {"dtype": "float64"}


SIZES, PADDINGS = st.integers(1, 6), st.sampled_from(["valid", "same"])


@pytest.mark.parametrize("cls", [MaxPooling2D, AveragePooling2D])
@given(
    shape=st.tuples(st.integers(1, 2), st.integers(4, 7), st.integers(4, 7), st.integers(1, 3)),
    pool=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    strides=st.one_of(st.none(), st.tuples(st.integers(1, 5), st.integers(1, 5))),
    padding=PADDINGS,
)
def test_pooling_gradients(cls, shape, pool, strides, padding):
    layer, x = cls(pool, strides, padding, **F64), separated(np.random.default_rng(0), shape)
    check_layer(layer, x, linear=("x",) if cls is AveragePooling2D else ()).raise_if_failed()
    assert layer.forward(x)[0].shape == layer.compute_output_shape(shape)
    if cls is AveragePooling2D:
        check_adjoint(layer, x).raise_if_failed()
