"""Axes by their names."""

import numpy as np
import pytest

from scratchnet import ops
from scratchnet.layers import Input

X = np.arange(2 * 4 * 6 * 3).reshape(2, 4, 6, 3)


def test_rearranging_is_reshape_and_transpose():
    np.testing.assert_array_equal(ops.rearrange(X, "n h w c -> n c h w"), X.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(ops.rearrange(X, "n h w c->n (c h w)"), X.transpose(0, 3, 1, 2).reshape(2, -1))
    patches = ops.rearrange(X, "n (h a) (w b) c -> n (h w) (a b c)", a=2, b=3)
    expected = X.reshape(2, 2, 2, 2, 3, 3).transpose(0, 1, 3, 2, 4, 5).reshape(2, 4, 18)
    np.testing.assert_array_equal(patches, expected)
    back = ops.rearrange(patches, "n (h w) (a b c) -> n (h a) (w b) c", h=2, w=2, a=2, b=3)
    np.testing.assert_array_equal(back, X)
    assert ops.rearrange(Input((4, 6)), "n (h a) w -> n h (w a)", a=2).shape == (None, 2, 12)


@pytest.mark.parametrize(
    ("pattern", "sizes", "message"),
    [
        ("n h w c", {}, "a pattern is 'left -> right'"),
        ("n h w c -> n h w", {}, "must have the same names"),
        ("n h h c -> n h h c", {}, "must have the same names, each once"),
        ("n h w -> n w h", {}, "has 3 axes on the left"),
        ("n (h a) w c -> n h a w c", {}, "all sizes but one must be given"),
        ("n (h a) w c -> n h a w c", {"a": 3}, "does not fit an axis of size 4"),
        ("n (h a) w c -> n h a w c", {"a": 3, "h": 1}, "does not fit an axis of size 4"),
        ("n [h] w c -> n h w c", {}, "expected names"),
    ],
)
def test_patterns_that_do_not_fit(pattern, sizes, message):
    with pytest.raises(ValueError, match=message):
        ops.rearrange(X, pattern, **sizes)


def test_only_one_size_may_be_unknown():
    with pytest.raises(ValueError, match=r"only one size may be unknown, got \['n', 't'\]"):
        ops.rearrange(Input((None, 6)), "n t d -> t n d")
