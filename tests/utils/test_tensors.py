"""Questions about tensors."""

import numpy as np
import pytest

from scratchnet.layers import Concatenate, Dense, Input
from scratchnet.utils import get_source_inputs, is_keras_tensor, standardize_dtype


def test_what_is_symbolic():
    assert is_keras_tensor(Input((2,))) and not is_keras_tensor(np.ones(2))


def test_the_inputs_that_a_tensor_depends_on():
    a, b, c = Input((2,)), Input((2,)), Input((2,))
    shared = Dense(2)(a)
    both = Concatenate()([shared, b, Dense(1)(shared)])
    assert get_source_inputs(both) == [a, b]
    assert get_source_inputs(c) == [c]


def test_a_dtype_by_its_name():
    assert [standardize_dtype(d) for d in (None, np.float64, "int32", np.dtype("bool"))] == [
        "float32",
        "float64",
        "int32",
        "bool",
    ]
    with pytest.raises(ValueError, match="dtype"):
        standardize_dtype("complex64")
