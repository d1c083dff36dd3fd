"""Elementwise functions that NumPy lacks."""

import math

import numpy as np


def erfc(x):
    """``1 - erf(x)`` of every element; ``erfc(-z / sqrt(2)) / 2`` is the normal distribution function."""
    y = np.empty_like(x)
    for place in np.ndindex(*x.shape):
        y[place] = math.erfc(x[place])
    return y
