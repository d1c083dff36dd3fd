"""The measure of a difference."""

import numpy as np
import pytest

from scratchnet.gradient_check import relative_error


def test_relative_error_is_of_the_largest_entry_and_never_hides_a_nan():
    assert relative_error([1.0, 100.0], [2.0, 100.0]) == pytest.approx(0.01)
    assert relative_error([0.0], [0.0]) == 0.0
    assert relative_error([np.nan], [1.0]) == np.inf
    with pytest.raises(ValueError, match="argument's shape"):
        relative_error(np.ones((2, 1)), np.ones(2))
