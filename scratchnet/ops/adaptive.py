"""Adaptive pooling of sequences, images and volumes, as in `scratchnet.layers.pooling.adaptive_pooling`."""

from scratchnet.kernels.geometry import adaptive_windows
from scratchnet.ops.layouts import either_way
from scratchnet.ops.operation import shape_of
from scratchnet.ops.reductions import max, mean
from scratchnet.ops.selection import take
from scratchnet.ops.shapes import stack


@either_way("inputs")
def adaptive_average_pool(inputs, output_size, data_format=None):
    """The mean of each of so many windows, along each axis between those of samples and channels."""
    return _pooled("adaptive_average_pool", mean, inputs, output_size)


@either_way("inputs")
def adaptive_max_pool(inputs, output_size, data_format=None):
    """The largest number of each of so many windows; of equal ones each gets its share of what comes back."""
    return _pooled("adaptive_max_pool", max, inputs, output_size)


def _pooled(name, reduced, inputs, output_size):
    rank = len(shape_of(inputs)) - 2
    counts = tuple(output_size) if isinstance(output_size, (list, tuple)) else (output_size,) * rank
    if rank < 1 or len(counts) != rank or not all(isinstance(n, int) and n > 0 for n in counts):
        raise ValueError(f"{name}: output_size {output_size} does not fit inputs of the shape {shape_of(inputs)}")
    z = inputs
    for axis, count in enumerate(counts, start=1):
        size = shape_of(z)[axis]
        if size is None:
            raise ValueError(f"{name}: the axes that are pooled must have sizes, got {shape_of(inputs)}")
        windows = adaptive_windows(size, count)
        z = stack([reduced(take(z, list(range(a, b)), axis), axis=axis) for a, b in windows], axis)
    return z
