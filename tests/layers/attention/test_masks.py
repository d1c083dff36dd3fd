"""Masks of attention: what they are, and how they are joined."""

import numpy as np

from scratchnet.layers.attention.masks import causal_mask, joined, window_mask


def test_a_causal_mask_hides_what_is_behind():
    np.testing.assert_array_equal(causal_mask(2, 3), [[[1, 0, 0], [1, 1, 0]]])


def test_a_window_is_as_wide_to_both_sides():
    np.testing.assert_array_equal(window_mask(3, 4, 2), [[[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1]]])


def test_masks_are_joined_by_and():
    assert joined([None, None]) is None
    np.testing.assert_array_equal(joined([np.array([[1], [0]]), None, np.array([[0.0, 1.0]])]), [[0, 1], [0, 0]])
