"""Permute: another order of the axes, and back."""

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer
from scratchnet.layers import Permute


def test_axes_are_counted_from_1():
    x = np.arange(24.0).reshape(1, 2, 3, 4)
    layer = Permute((3, 1, 2), dtype="float64")
    np.testing.assert_array_equal(layer(x), x.transpose(0, 3, 1, 2))
    check_layer(layer, x, linear=("x",)).raise_if_failed()


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="dims must be the numbers 1 to 2"):
        Permute((0, 1))
    with pytest.raises(ValueError, match="need an input of 3 axes"):
        Permute((2, 1))(np.ones((2, 3)))
