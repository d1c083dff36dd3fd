"""Orders and parts as Keras has them."""

import numpy as np
import pytest

from scratchnet.datasets import splitting


def test_orders_are_keras_orders():
    one, two = splitting.orders(113, 4, 3)  # as a run of Keras gave them
    assert one.tolist() == [3, 2, 0, 1] and two.tolist() == [1, 0, 2]
    assert splitting.orders(1, 5)[0].tolist() == [2, 1, 4, 0, 3]


def test_seed_none_is_a_new_order_each_time():
    assert len({tuple(splitting.orders(None, 20)[0]) for _ in range(3)}) > 1


@pytest.mark.parametrize("test_split, n", [(0, 10), (0.2, 8), (0.25, 7), (0.99, 0)])
def test_the_last_part_is_for_testing(test_split, n):
    x, y = np.arange(10), np.arange(10) * 2
    (x_train, y_train), (x_test, y_test) = splitting.split(x, y, test_split)
    assert x_train.tolist() == x[:n].tolist() and x_test.tolist() == x[n:].tolist()
    assert y_train.tolist() == y[:n].tolist() and y_test.tolist() == y[n:].tolist()


@pytest.mark.parametrize("test_split", [-0.1, 1, 1.5, float("nan")])
def test_another_split_is_refused(test_split):
    with pytest.raises(ValueError, match="reuters.load_data: test_split=.*, expected a number from 0 to below 1"):
        splitting.check(test_split, "reuters.load_data")
