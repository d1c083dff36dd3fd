"""Sequences, as old programs import and make them."""

import numpy as np

from scratchnet.names import defined_in
from scratchnet.utils.py_dataset import PyDataset
from scratchnet.utils.sequences import pad_sequences

__all__ = ["TimeseriesGenerator", "pad_sequences"]


class TimeseriesGenerator(PyDataset):
    """Windows over a series; the target of a window is that of the step behind it.

    Args:
        data, targets: of the same length.
        length: how many steps a window reaches back.
        sampling_rate: from one step of a window to the next.
        stride: from one window to the next.
        start_index, end_index: the first and the last step that is used.
        shuffle: whether windows are drawn at random.
        reverse: whether the last step of a window comes first.
        batch_size: windows in a batch.

    New programs use `timeseries_dataset_from_array`.
    """

    def __init__(
        self,
        data,
        targets,
        length,
        sampling_rate=1,
        stride=1,
        start_index=0,
        end_index=None,
        shuffle=False,
        reverse=False,
        batch_size=128,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if len(data) != len(targets):
            raise ValueError(f"TimeseriesGenerator: {len(data)} steps of data, {len(targets)} targets")
        self.data, self.targets = np.asarray(data), np.asarray(targets)
        self.length, self.sampling_rate, self.stride = length, sampling_rate, stride
        self.start_index = start_index + length  # the first step with a whole window before it
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle, self.reverse, self.batch_size = shuffle, reverse, batch_size
        if self.start_index > self.end_index:
            raise ValueError(
                f"TimeseriesGenerator: a window of {length} steps from {start_index} on ends behind {self.end_index}"
            )

    def __len__(self):
        windows = (self.end_index - self.start_index) // self.stride + 1
        return -(-windows // self.batch_size)

    def __getitem__(self, index):
        if self.shuffle:
            ends = np.random.randint(self.start_index, self.end_index + 1, self.batch_size)
        else:
            first = self.start_index + self.batch_size * self.stride * index
            ends = np.arange(first, min(first + self.batch_size * self.stride, self.end_index + 1), self.stride)
        steps = np.arange(-self.length, 0, self.sampling_rate)
        x = self.data[ends[:, None] + steps]  # (N, steps, ...)
        return (x[:, ::-1] if self.reverse else x), self.targets[ends]


def __dir__():
    return ["PyDataset", "pad_sequences", *defined_in(globals())]
