"""A number or array of an optimizer by its name: the handle that users hold, under Keras's names.

The optimizer keeps plain numbers and arrays. A handle looks its value up each time it is asked, so it is never out of
date: ``rate = optimizer.learning_rate; rate.assign(0.01); float(rate)``.
"""

import numpy as np


class Rate(float):
    """A learning rate that a schedule or function gives: a number, which does not change any more."""

    def numpy(self):
        """The number as NumPy's."""
        return np.float64(self)


class OptimizerVariable(np.lib.mixins.NDArrayOperatorsMixin):
    """What `read` returns and `write` sets; it computes like that number or array.

    Attributes:
        name: such as "learning_rate" or "m".
        path: such as "adam/learning_rate" or "adam/m/dense/kernel".
        value: the number or array itself.
    """

    trainable = False

    def __init__(self, path, read, write, name=None):
        self.path = path
        self.name = path.rpartition("/")[2] if name is None else name
        self._read, self._write = read, write

    @property
    def value(self):
        return self._read()

    shape = property(lambda self: np.shape(self.value))
    ndim = property(lambda self: np.ndim(self.value))
    dtype = property(lambda self: np.asarray(self.value).dtype)

    def numpy(self):
        """A copy of the value."""
        return np.array(self.value)[()]

    def item(self):
        """The number as Python's."""
        return np.asarray(self.value).item()

    def assign(self, value):
        """Set the value. Raises ValueError for another shape, TypeError where it cannot be set."""
        value = np.asarray(value)
        if value.shape != self.shape:
            raise ValueError(f"{self.path} has shape {self.shape}, got {value.shape}")
        self._write(value[()])
        return self

    def assign_add(self, value):
        """Add `value`."""
        return self.assign(self.value + np.asarray(value))

    def assign_sub(self, value):
        """Subtract `value`."""
        return self.assign(self.value - np.asarray(value))

    def __array__(self, dtype=None, copy=None):
        return np.array(self.value, dtype=dtype)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        values = (x.value if isinstance(x, OptimizerVariable) else x for x in inputs)
        return getattr(ufunc, method)(*values, **kwargs)

    def __float__(self):
        return float(self.value)

    def __int__(self):
        return int(self.value)

    def __index__(self):
        return int(self.value)

    def __bool__(self):
        return bool(self.value)

    def __format__(self, specification):
        return format(self.item() if self.ndim == 0 else str(self.value), specification)

    __hash__ = object.__hash__

    def __repr__(self):
        return f"<OptimizerVariable path={self.path}, shape={self.shape}, value={self.value}>"
