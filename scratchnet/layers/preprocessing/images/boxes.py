"""Rectangles at random places of images."""

import numpy as np


def random_box(part_of_width, part_of_height, u, H, W):
    """``(mask, area)``: which pixels of images (N, H, W, 1) lie in a box, and its part of the image, (N,).

    Args:
        part_of_width, part_of_height: how large the box is, (N,).
        u: numbers from 0 to 1, (N, 2), for its place to the right, and down.
    """
    columns = _between(part_of_width * W, u[:, 0], W)
    rows = _between(part_of_height * H, u[:, 1], H)
    return rows[:, :, None, None] & columns[:, None, :, None], part_of_width * part_of_height


def _between(length, place, size):
    """Which of `size` places lie within an interval: (N, size)."""
    start = place * (size - length)
    places = np.arange(size)
    return (places >= start[:, None]) & (places < (start + length)[:, None])
