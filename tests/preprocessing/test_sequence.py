"""The old TimeseriesGenerator: the windows that Keras makes."""

import numpy as np
import pytest

from scratchnet import preprocessing, utils
from scratchnet.preprocessing.sequence import TimeseriesGenerator

D = np.arange(20)


def test_the_target_is_that_of_the_step_behind_the_window():
    windows = TimeseriesGenerator(D, D * 10, length=4, batch_size=3)
    assert len(windows) == 6
    x, y = windows[0]
    assert x.tolist() == [[0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 5]] and y.tolist() == [40, 50, 60]
    assert windows[5][1].tolist() == [190]
    assert np.concatenate([y for _, y in windows]).tolist() == list(range(40, 200, 10))


def test_rates_strides_parts_and_directions():
    windows = TimeseriesGenerator(D, D, 6, sampling_rate=2, stride=3, start_index=1, end_index=16, batch_size=2)
    assert [x.tolist() for x, _ in windows] == [[[1, 3, 5], [4, 6, 8]], [[7, 9, 11], [10, 12, 14]]]
    assert [y.tolist() for _, y in windows] == [[7, 10], [13, 16]]
    assert TimeseriesGenerator(D, D, 3, reverse=True)[0][0][0].tolist() == [2, 1, 0]


def test_windows_drawn_at_random():
    np.random.seed(0)
    x, y = TimeseriesGenerator(D, D, 3, shuffle=True, batch_size=50)[0]
    assert (x[:, -1] + 1 == y).all() and len(set(y.tolist())) > 10 and y.min() >= 3


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="20 steps of data, 19 targets"):
        TimeseriesGenerator(D, D[1:], 3)
    with pytest.raises(ValueError, match="a window of 30 steps from 0 on ends behind 19"):
        TimeseriesGenerator(D, D, 30)


def test_the_old_names_are_those_of_utils():
    for room in (preprocessing, preprocessing.sequence, preprocessing.image):
        for name in room.__all__:
            value = getattr(room, name)
            assert getattr(utils, name, value) is value
