"""Features brought to mean 0 and variance 1, by what `adapt` has found in data, or by numbers that are given.

    y = (x - mean) / s        s = sqrt(variance)        dx = dy / s

and back with `invert`: y = mean + s x, dx = s dy. Where the variance is 0, s is a small number.

`adapt` sees the data batch by batch and joins what it has found in M_1 numbers with what the next M_2 show (Chan, Golub
and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979):

    mean = (M_1 mean_1 + M_2 mean_2) / (M_1 + M_2)
    variance = (M_1 (variance_1 + (mean_1 - mean)^2) + M_2 (variance_2 + (mean_2 - mean)^2)) / (M_1 + M_2)
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import config
from scratchnet.layers.base import Layer
from scratchnet.layers.preprocessing.adapting import batches_of
from scratchnet.registry import register
from scratchnet.variables import as_array


@register("layers")
class Normalization(Layer):
    """Any shape.

    Args:
        axis: the axis, or axes, with a mean and a variance for each place along them; None for one of each in all.
        mean, variance: numbers, or arrays along `axis`; both or none. Without them `adapt` finds them.
        invert: whether to undo what the layer would do otherwise.

    Its weights are ``mean``, ``variance`` and ``count``, unless they are given.

    Raises ValueError for an axis that the input does not have or whose size is unknown, and for a mean without a
    variance.
    """

    supports_masking = True

    def __init__(
        self, axis: int | Sequence[int] = -1, mean: Any = None, variance: Any = None, invert: bool = False, **kwargs
    ):
        super().__init__(**kwargs)
        self.axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        if (mean is None) != (variance is None):
            raise self.error(f"mean and variance must be given both, or neither, got {mean!r} and {variance!r}")
        if np.shape(mean) != np.shape(variance) or np.ndim(mean) > len(self.axis):
            raise self.error(
                f"mean and variance must have one shape with at most as many axes as axis={axis}, got {np.shape(mean)} "
                f"and {np.shape(variance)}"
            )
        self._built_for = None  # a shape
        self.input_mean = mean
        self.input_variance = variance
        self.invert = bool(invert)

    @property
    def mean(self):
        """What is subtracted, as it broadcasts against inputs like those that the layer was built for; None before."""
        return None if self._built_for is None else as_array(self._broadcast("mean", self._built_for).copy())

    @property
    def variance(self):
        """The variance, as `mean`."""
        return None if self._built_for is None else as_array(self._broadcast("variance", self._built_for).copy())

    def build(self, input_shape):
        self._built_for = input_shape
        sizes = [input_shape[axis] for axis in self._kept(input_shape)]
        if self.input_mean is None:
            self.add_weight(name="mean", shape=sizes, initializer="zeros", trainable=False)
            self.add_weight(name="variance", shape=sizes, initializer="ones", trainable=False)
            self.state["count"] = np.zeros((), np.int64)
        self.built = True

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "*")
        sizes = [input_shape[axis] for axis in self._kept(input_shape)]
        if "mean" in self.state and tuple(sizes) != self.state["mean"].shape:
            raise self.error(f"is made for {self.state['mean'].shape} along axis={self.axis}, got {input_shape}")
        return input_shape

    def adapt(self, data):
        """Find mean and variance: of an array, or of batches, over all axes but `axis`."""
        if self.input_mean is not None:
            raise self.error("has been given a mean and a variance: there is nothing to adapt")
        first, batches = batches_of(self, data)
        self.ensure_built(first.shape)
        count, mean, variance = 0, 0.0, 0.0
        for batch in batches:
            self.compute_output_shape(batch.shape)
            over = tuple(k for k in range(batch.ndim) if k not in self._kept(batch.shape))
            new_mean, new_variance = batch.mean(over, dtype=np.float64), batch.var(over, dtype=np.float64)
            new_count = int(np.prod([batch.shape[k] for k in over]))
            total = count + new_count
            both = (count * mean + new_count * new_mean) / total
            variance = count * (variance + (mean - both) ** 2) + new_count * (new_variance + (new_mean - both) ** 2)
            count, mean, variance = total, both, variance / total
        self.state["mean"][...], self.state["variance"][...] = mean, variance

    def get_config(self):
        return self.config_with(mean=self.input_mean, variance=self.input_variance)

    def forward(self, x, training=False):
        self.compute_output_shape(x.shape)
        mean = self._broadcast("mean", x.shape).astype(x.dtype, copy=False)
        s = np.sqrt(self._broadcast("variance", x.shape).astype(x.dtype, copy=False))
        s = np.maximum(s, x.dtype.type(config.epsilon()))
        return (mean + x * s if self.invert else (x - mean) / s), s

    def backward(self, dy, s, needs_dx=True):
        return (dy * s if self.invert else dy / s), {}

    def _broadcast(self, name, shape):
        """The "mean" or "variance" as it broadcasts against inputs of `shape`."""
        kept = self._kept(shape)
        given = self.input_mean if name == "mean" else self.input_variance
        values = np.asarray(self.state[name] if given is None else given, self.dtype)
        values = values.reshape((1,) * (len(kept) - values.ndim) + values.shape)  # fewer axes are the last of `axis`
        values = np.broadcast_to(values, [shape[k] for k in kept])
        return values.reshape([n if k in kept else 1 for k, n in enumerate(shape)])

    def _kept(self, shape):
        """`axis`, counted from the front, in order."""
        axes = sorted(axis + len(shape) if axis < 0 else axis for axis in self.axis)
        if any(not 0 <= axis < len(shape) for axis in axes):
            raise self.error(f"axis {self.axis} is not an axis of an input of shape {shape}")
        if any(shape[axis] is None for axis in axes):
            raise self.error(f"the axis {self.axis} of its input must have a size, got {shape}")
        return axes
