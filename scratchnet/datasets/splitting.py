"""A data set of one part, put into an order and divided into one part for training and one for testing, as in Keras."""

import numpy as np


def orders(seed, *lengths):
    """For each part of so many samples, the order in which Keras returns them for this seed."""
    draw = np.random.RandomState(seed)  # of the old kind, as in Keras: one for all parts
    return [draw.permutation(n) for n in lengths]


def check(test_split, call):
    if not 0 <= test_split < 1:
        raise ValueError(f"{call}: test_split={test_split!r}, expected a number from 0 to below 1")


def split(x, y, test_split):
    """``(x_train, y_train), (x_test, y_test)``, of which the second has the last ``test_split`` of the samples."""
    n = int(len(x) * (1 - test_split))
    return (x[:n], y[:n]), (x[n:], y[n:])
