"""Names: which are refused, and how they are counted; those of arguments."""

import functools
import inspect

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


def several(a, b=1, *rest, c, d=2, **more):
    local = a
    return local


class Thing:
    def method(self, x, y=None):
        pass


@functools.wraps(several)
def wrapped(*args, **kwargs):
    return several(*args, **kwargs)


def signed(*args):
    pass


signed.__signature__ = inspect.signature(several)


@pytest.mark.parametrize(
    "function, expected",
    [
        (several, ("a", "b", "c", "d")),
        (wrapped, ("a", "b", "c", "d")),  # what it stands for
        (signed, ("a", "b", "c", "d")),
        (functools.partial(several, 3), ("b", "c", "d")),
        (lambda: None, ()),
        (Thing.method, ("self", "x", "y")),
        (Thing().method, ("x", "y")),
    ],
)
def test_arguments_are_told_in_their_order(function, expected):
    assert names.arguments_of(function) == expected
    kinds = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
    parameters = inspect.signature(function).parameters.values()
    assert expected == tuple(p.name for p in parameters if p.kind not in kinds)
