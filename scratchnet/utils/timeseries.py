"""Windows that slide over a series."""

import numpy as np

from scratchnet.utils.dataset import Dataset


def timeseries_dataset_from_array(
    data,
    targets,
    sequence_length,
    sequence_stride=1,
    sampling_rate=1,
    batch_size=128,
    shuffle=False,
    seed=None,
    start_index=None,
    end_index=None,
    format="tf",
):
    """A `Dataset` of windows over a series: batches of sequences (N, sequence_length, ...), and their targets.

    Args:
        data: the series, (steps, ...).
        targets: ``targets[i]`` belongs to the window that begins at step i; None for windows alone. To predict the step
            behind the window, give ``data[sequence_length:]``.
        sequence_length: steps in a window.
        sequence_stride: from the beginning of a window to that of the next.
        sampling_rate: from one step of a window to the next.
        batch_size: None gives the windows one by one.
        shuffle: whether the windows come in another order, a new one in each pass.
        seed: of that order.
        start_index, end_index: the part of the series (and of the targets) that is used.
        format: taken as Keras's; what comes out are NumPy's arrays.

    Raises ValueError for numbers that lie outside the series.
    """
    data = np.asarray(data)
    targets = None if targets is None else np.asarray(targets)
    for name, value in (("sampling_rate", sampling_rate), ("sequence_stride", sequence_stride)):
        if not 0 < value < len(data):
            raise ValueError(
                f"timeseries_dataset_from_array: {name} must be from 1 to {len(data) - 1}, "
                f"less than the {len(data)} steps of the data, got {value}"
            )
    start, end = start_index or 0, end_index or len(data)
    if not 0 <= start < len(data) or not start < end <= len(data):
        raise ValueError(
            f"timeseries_dataset_from_array: start_index {start_index} and end_index {end_index} "
            f"do not bound a part of the {len(data)} steps of the data"
        )
    data = data[start:end]
    count = len(data) - (sequence_length - 1) * sampling_rate
    if targets is not None:
        targets = targets[start:end]
        count = min(count, len(targets))
    if count < 1:
        raise ValueError(
            f"timeseries_dataset_from_array: {len(data)} steps have no window of {sequence_length}, "
            f"each {sampling_rate} from the last, that has a target"
        )
    begins = np.arange(0, count, sequence_stride)  # (windows,)
    steps = np.arange(sequence_length) * sampling_rate  # (sequence_length,)

    def windows(rows):
        x = data[begins[rows, None] + steps]  # (N, sequence_length, ...)
        return x if targets is None else (x, targets[begins[rows]])

    return Dataset.from_samples(len(begins), windows, batch_size, shuffle, seed)
