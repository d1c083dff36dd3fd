"""Add and Concatenate: gradients, shapes that do not match, and their functions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.gradient_check import check_layer
from scratchnet.layers import Add, Concatenate, add, concatenate

F64 = {"dtype": "float64"}


SIZES = st.integers(1, 5)


@given(shape=st.lists(SIZES, min_size=2, max_size=3), count=st.integers(2, 4))
def test_add_and_concatenate(shape, count):
    rng = np.random.default_rng(0)
    xs = [rng.standard_normal(shape) for _ in range(count)]
    np.testing.assert_allclose(Add(**F64)(xs), sum(xs))
    np.testing.assert_array_equal(Concatenate(**F64)(xs), np.concatenate(xs, axis=-1))
    check_layer(Add(**F64), xs, linear=("x",)).raise_if_failed()
    check_layer(Concatenate(axis=1, **F64), xs, linear=("x",)).raise_if_failed()


def test_merging_layers_refuse_shapes_that_do_not_match():
    with pytest.raises(ValueError, match=r"inputs must have the same shape, got \(2, 3\) and \(2, 1\)"):
        Add()([np.ones((2, 3)), np.ones((2, 1))])
    with pytest.raises(ValueError, match="at least two inputs"):
        Add()([np.ones((2, 3))])
    with pytest.raises(ValueError, match="agree in all axes but 1"):
        Concatenate(axis=1)([np.ones((2, 3, 2)), np.ones((2, 3, 3))])
    with pytest.raises(ValueError, match="axis must be an integer other than 0"):
        Concatenate(axis=0)


def test_merging_layers_as_functions():
    a, b = np.full((1, 2, 3), 1.0), np.full((1, 2, 3), 2.0)
    for y, expected in (
        (add([a, b], **F64), a + b),
        (concatenate([a, b], **F64), np.concatenate([a, b], axis=-1)),
        (concatenate([a, b], axis=1, **F64), np.concatenate([a, b], axis=1)),
    ):
        np.testing.assert_array_equal(y, expected)
        assert y.dtype == np.float64
