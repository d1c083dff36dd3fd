"""Inputs: their shapes, and what is none."""

import pytest

from scratchnet.layers import Dense, Input, InputLayer
from scratchnet.models import Sequential


def test_inputs():
    assert Input((3,), batch_size=4).shape == (4, 3)
    assert InputLayer((3,)).batch_shape == (None, 3)
    model = Sequential([InputLayer((3,)), Dense(2)])
    assert model.output_shape == (None, 2)
    for wrong in ((0,), (-1,), ("a",)):
        with pytest.raises(ValueError, match="positive integers or None"):
            Input(wrong)
    with pytest.raises(ValueError, match="either shape or batch_shape"):
        Input()
