"""Names: which are refused, and how they are counted."""

import pytest

from scratchnet import names
from scratchnet.layers import Flatten


def said(make, kind=ValueError):
    with pytest.raises(kind) as told:
        make()
    return str(told.value)


def test_names():
    for wrong in ("", "a/b", 3):
        assert said(lambda wrong=wrong: Flatten(name=wrong)) == (
            f"Flatten: a name must be a non-empty string without '/', got {wrong!r}"
        )
    for cls, stem in (
        ("MaxPooling2D", "max_pooling2d"),
        ("LSTM", "lstm"),
        ("SimpleRNN", "simple_rnn"),
        ("LeakyReLU", "leaky_re_lu"),
        ("Conv2DTranspose", "conv2d_transpose"),
    ):
        assert names.snake_case(cls) == stem
    names.clear_names()
    assert [names.unique_name("a") for _ in range(3)] == ["a", "a_1", "a_2"]
    names.clear_names()
    assert names.unique_name("a") == "a"
