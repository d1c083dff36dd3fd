"""One set of data as two."""

import numpy as np
import pytest

from scratchnet.utils import Dataset, split_dataset

X = np.arange(10.0)


def values(dataset):
    return [float(sample) for sample in dataset]


@pytest.mark.parametrize(
    ("left_size", "right_size", "left", "right"),
    [(0.8, None, 8, 2), (None, 0.3, 7, 3), (3, None, 3, 7), (2, 3, 2, 3), (0.5, 0.5, 5, 5), (0.2, 3, 2, 3)],
)
def test_the_first_and_the_last(left_size, right_size, left, right):
    first, last = split_dataset(X, left_size, right_size)
    assert values(first) == X[:left].tolist() and values(last) == X[10 - right :].tolist()
    assert (len(first), len(last)) == (left, right)


def test_arrays_stay_together_and_batches_stay_batches():
    first, last = split_dataset((X, 2 * X), 0.5, shuffle=True, seed=1)
    drawn = [*first, *last]
    assert sorted(float(x) for x, _ in drawn) == X.tolist() != [float(x) for x, _ in drawn]
    assert all(y == 2 * x for x, y in drawn)
    again, _ = split_dataset([X, 2 * X], 0.5, shuffle=True, seed=1)
    assert list(again) == list(first)
    batched, _ = split_dataset(Dataset.from_samples(10, lambda rows: X[rows], 4), 0.5)
    assert [batch.tolist() for batch in batched] == [[0, 1, 2, 3], [4]]
    assert values(split_dataset(iter(X), 3)[0]) == [0, 1, 2]


@pytest.mark.parametrize(
    ("sizes", "error", "message"),
    [
        ((None, None), ValueError, "left_size or right_size must be given"),
        ((0, None), ValueError, "left_size must be a share below 1 or fewer than 10 samples, got 0"),
        ((None, 1.0), ValueError, "right_size must be a share"),
        ((0.7, 0.7), ValueError, "7 and 7 samples are more than the 10"),
        (("half", None), TypeError, "left_size must be a share or a number of samples, got 'half'"),
        ((True, None), TypeError, "left_size must be a share or a number"),
    ],
)
def test_sizes_that_cannot_be(sizes, error, message):
    with pytest.raises(error, match=message):
        split_dataset(X, *sizes)


def test_data_that_cannot_be():
    with pytest.raises(ValueError, match=r"different numbers of samples: \[9, 10\]"):
        split_dataset((X, X[1:]), 0.5)
    with pytest.raises(TypeError, match="expected arrays or an iterable of samples"):
        split_dataset(3, 0.5)
