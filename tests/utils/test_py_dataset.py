"""A data set of one's own, by the number of the batch."""

import itertools

import numpy as np
import pytest

from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential
from scratchnet.utils import PyDataset, Sequence


class Own(PyDataset):
    def __init__(self, **options):
        super().__init__(**options)
        self.asked = []

    def __len__(self):
        return 3

    def on_epoch_begin(self):
        self.asked.append("begin")

    def on_epoch_end(self):
        self.asked.append("end")

    def __getitem__(self, index):
        self.asked.append(index)
        return np.full((2, 1), index, "float32"), np.zeros((2, 1), "float32")


def test_its_batches_are_those_of_an_epoch():
    own = Own()
    assert own.num_batches == 3 and [float(x[0, 0]) for x, _ in own] == [0, 1, 2]
    assert Sequence is PyDataset


def test_what_only_decides_how_keras_makes_batches_is_kept():
    own = Own(workers=4, use_multiprocessing=True, max_queue_size=2)
    assert (own.workers, own.use_multiprocessing, own.max_queue_size) == (4, True, 2)

    class Forgetful(PyDataset):
        def __init__(self):
            pass

    assert Forgetful().workers == 1


def test_one_without_end():
    class Numbers(PyDataset):
        num_batches = None

        def __getitem__(self, index):
            return index

    assert list(itertools.islice(Numbers(), 5)) == [0, 1, 2, 3, 4]


def test_what_is_missing_is_named():
    class Empty(PyDataset):
        pass

    with pytest.raises(NotImplementedError, match="Empty has neither __len__ nor num_batches"):
        _ = Empty().num_batches
    with pytest.raises(NotImplementedError, match=r"Empty has no __getitem__\(self, index\)"):
        Empty()[0]


def test_a_model_is_trained_on_it():
    model = Sequential([Input((1,)), Dense(1)])
    model.compile("sgd", "mse")
    own = Own()
    model.fit(own, epochs=2, shuffle=False, verbose=0)
    assert own.asked == ["begin", 0, 1, 2, "end"] * 2
