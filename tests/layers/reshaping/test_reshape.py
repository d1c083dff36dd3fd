"""Reshape: the unknown axis, and sizes that do not divide."""

import numpy as np
import pytest

from scratchnet.gradient_check import check_adjoint
from scratchnet.layers import Input, Reshape

F64 = {"dtype": "float64"}


def test_reshape_resolves_one_unknown_axis():
    layer = Reshape((4, -1), **F64)
    x = np.random.default_rng(0).standard_normal((2, 3, 8))
    assert layer(x).shape == layer.compute_output_shape(x.shape) == (2, 4, 6)
    check_adjoint(layer, x).raise_if_failed()
    assert Reshape(6)(Input((2, 3))).shape == (None, 6)


def test_reshape_says_what_does_not_divide():
    with pytest.raises(
        ValueError,
        match=r'Reshape "r": cannot reshape 7200 values per sample into \(64, -1\): 7200 is not divisible by 64',
    ):
        Reshape((64, -1), name="r")(Input((15, 15, 32)))
    with pytest.raises(ValueError, match=r"cannot reshape 6 values per sample into \(2, 2\), which holds 4"):
        Reshape((2, 2))(np.ones((1, 6)))
    for wrong in ((-1, -1), (0, 3), (2.5,)):
        with pytest.raises(ValueError, match="target_shape"):
            Reshape(wrong)
