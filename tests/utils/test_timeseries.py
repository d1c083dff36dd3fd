"""Windows over a series: those that Keras makes."""

import numpy as np
import pytest

from scratchnet.utils import timeseries_dataset_from_array as windows

D = np.arange(20.0)


def test_windows_follow_one_another_and_have_the_target_of_their_first_step():
    batches = list(windows(D, D[5:], 4, batch_size=4))
    assert [len(x) for x, _ in batches] == [4, 4, 4, 3]
    assert batches[0][0].tolist() == [[0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 5], [3, 4, 5, 6]]
    assert batches[0][1].tolist() == [5, 6, 7, 8] and batches[-1][1].tolist() == [17, 18, 19]
    assert sum(len(x) for x in windows(D, None, 4)) == 17


def test_strides_rates_and_parts():
    ((x, y),) = windows(D, D * 10, 3, sequence_stride=2, sampling_rate=2)
    assert x.tolist()[-1] == [14, 16, 18] and y.tolist() == [0, 20, 40, 60, 80, 100, 120, 140]
    ((x, y),) = windows(D, D[5:], 4, start_index=3, end_index=15)
    assert x[:, 0].tolist() == [3, 4, 5, 6, 7, 8, 9, 10, 11] and y.tolist() == [8, 9, 10, 11, 12, 13, 14, 15, 16]


def test_several_features_and_single_windows():
    series = np.stack([D, -D], axis=1)
    (x,) = windows(series, None, 4, batch_size=None).take(1)
    assert x.tolist() == [[0, 0], [1, -1], [2, -2], [3, -3]]


def test_another_order_keeps_windows_and_targets_together():
    data = windows(D, D, 4, shuffle=True, seed=1)
    (x, y), (x_again, _) = next(iter(data)), next(iter(data))
    assert x[:, 0].tolist() == y.tolist() != sorted(y) and x_again[:, 0].tolist() != y.tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sampling_rate": 0}, "sampling_rate must be from 1 to 19"),
        ({"sequence_stride": 20}, "sequence_stride must be from 1 to 19"),
        ({"start_index": -1}, "do not bound a part of the 20 steps"),
        ({"start_index": 9, "end_index": 9}, "do not bound a part"),
        ({"end_index": 21}, "do not bound a part"),
        ({"end_index": 3}, "3 steps have no window of 4"),
    ],
)
def test_what_lies_outside_the_series_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        windows(D, D, 4, **options)
