"""What an ONNX graph computes with, while it is turned into a model.

ONNX has images as (N, C, H, W) and what goes through time as (T, N, D); here the samples come first and the channels
last. So a tensor is kept as one of ours together with the order of its axes: ``axes[k]`` is ONNX's axis of our axis k.
A transposition then only changes ``axes``. Numbers move where a layer wants another order: once where images come in,
and once where they leave.

Sizes are often computed in the graph, from the size of the batch, too, which nobody knows yet. There it counts as a
prime number, and is recognized in what comes out.
"""

import math

import numpy as np

from scratchnet import ops

BATCH = 10_007  # stands for the size of the batch in what is computed of sizes


class Value:
    """A symbolic tensor in a graph of ours.

    Args:
        tensor: the KerasTensor; its first axis are the samples.
        axes: ONNX's axis of each of its axes.
        rows: how many rows of the first axis belong to one sample.
    """

    def __init__(self, tensor, axes=None, rows=1):
        self.tensor = tensor
        self.axes = tuple(range(len(tensor.shape))) if axes is None else tuple(axes)
        self.rows = rows
        self._in_order = {self.axes: tensor}

    @property
    def rank(self):
        return len(self.axes)

    @property
    def batch_axis(self):
        return self.axes[0]

    @property
    def sizes(self):
        """The shape in ONNX's order of axes, with `BATCH` for the samples and None for what is not known."""
        ours = (self.rows * BATCH, *self.tensor.shape[1:])
        return tuple(ours[self.axes.index(k)] for k in range(self.rank))

    def known_sizes(self):
        """`sizes`. Raises ValueError if one is not known."""
        if None in self.sizes:
            raise ValueError(f"its result depends on a size that is not fixed: {self.sizes}")
        return self.sizes

    def place(self, axis):
        """Our axis that is ONNX's `axis`, which may be negative."""
        return self.axes.index(counted(axis, self.rank))

    def feature_place(self, axis):
        """`place`, of an axis that is not that of the samples."""
        place = self.place(axis)
        if place == 0:
            raise ValueError("it works along the axis of the samples")
        return place

    def in_order(self, axes):
        """The tensor with its axes in this order; made once."""
        axes = tuple(axes)
        if axes[0] != self.batch_axis:
            raise ValueError("it wants the samples in another place")
        if axes not in self._in_order:
            self._in_order[axes] = ops.transpose(self.tensor, [self.axes.index(axis) for axis in axes])
        return self._in_order[axes]

    def channels_last(self):
        """The tensor as (N, ..., C), for ONNX's (N, C, ...)."""
        return self.in_order(channels_last(self.rank))

    def as_in_onnx(self):
        """The tensor with ONNX's order of axes."""
        return self.in_order(range(self.rank))

    def like(self, tensor, axes=None):
        """A Value with as many rows for each sample."""
        return Value(tensor, self.axes if axes is None else axes, self.rows)


class Folded:
    """A Value whose first axes, the samples' among them, count as one, as PyTorch has (T, N, D) before a Linear.

    In ONNX the rows are in the order of time and samples. Here the axes stay apart: rows are all the same to what is
    computed of them one by one, and the next Reshape takes them apart again.
    """

    def __init__(self, value, count):
        self.value, self.count = value, count

    @property
    def sizes(self):
        sizes = self.value.known_sizes()
        return (math.prod(sizes[: self.count]), *sizes[self.count :])


def counted(axis, rank):
    """The number from 0 of an axis, which may be negative. Raises ValueError if there is none."""
    if not -rank <= axis < rank:
        raise ValueError(f"there is no axis {axis} of {rank}")
    return axis % rank


def channels_last(rank):
    """The order of axes (N, ..., C) of a tensor (N, C, ...)."""
    return (0, *range(2, rank), 1) if rank > 1 else (0,)


def aligned(values):
    """``(operands, like)``: the values, one Value at least, as what can be broadcast, and a Value like the result.

    Arrays get the axes that the Values have. Raises ValueError where samples would meet something else.
    """
    symbolic = [value for value in values if isinstance(value, Value)]
    first = max(symbolic, key=lambda value: value.rank)
    found = []
    for value in values:
        if isinstance(value, Value):
            if value.rank != first.rank or value.rows != first.rows:
                value = _with_rank(value, first)
            found.append(value.in_order(first.axes))
            continue
        array = np.asarray(value)
        if array.ndim > first.rank:
            raise ValueError(f"an array of shape {array.shape} meets one of rank {first.rank}")
        array = array.reshape((1,) * (first.rank - array.ndim) + array.shape).transpose(first.axes)
        if array.shape[:1] == (first.rows * BATCH,):
            array = same_for_all(array)
        if array.shape[:1] != (1,):
            raise ValueError("each sample meets a number of its own")
        found.append(array if array.size > 1 else array.reshape(()))
    return found, first


def _with_rank(value, like):
    """A value of lower rank, whose missing axes are in front; its samples must be where those of `like` are."""
    missing = like.rank - value.rank
    if value.rows != like.rows or value.batch_axis + missing != like.batch_axis:
        raise ValueError("samples meet something else")
    tensor = value.tensor
    for _ in range(missing):
        tensor = ops.expand_dims(tensor, -1)
    return value.like(tensor, (*(axis + missing for axis in value.axes), *range(missing)))


def same_for_all(array):
    """The one row of an array that has the same for every sample. Raises ValueError if it has not."""
    if array.strides[0] != 0 and not (array == array[:1]).all():
        raise ValueError("it has an array whose rows are the samples'")
    return array[:1]
