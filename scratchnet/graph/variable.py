"""A weight of a layer by its name: the handle that users hold.

The layer keeps its arrays in `params` and `state`, where optimizers change them in place. A `Variable` looks the array
up each time it is asked, so it is never out of date. It computes like the array, and answers to Keras's names.
"""

import numpy as np


class Variable(np.lib.mixins.NDArrayOperatorsMixin):
    """The weight `key` of `layer`.

    Attributes:
        array: the array itself (not a copy).
        name: such as "kernel".
        path: such as "dense/kernel".
        trainable: whether an optimizer may change it.
    """

    def __init__(self, layer, key):
        self.layer = layer
        self.key = key

    @property
    def array(self):
        params = self.layer.params
        return params[self.key] if self.key in params else self.layer.state[self.key]

    value = array

    @property
    def name(self):
        return self.key.rpartition("/")[2]

    @property
    def path(self):
        return f"{self.layer.name}/{self.key}"

    @property
    def trainable(self):
        return self.key in self.layer.trainable_params

    shape = property(lambda self: self.array.shape)
    ndim = property(lambda self: self.array.ndim)
    size = property(lambda self: self.array.size)
    nbytes = property(lambda self: self.array.nbytes)
    dtype = property(lambda self: self.array.dtype)
    T = property(lambda self: self.array.T)

    def numpy(self):
        """A copy of the values."""
        return self.array.copy()

    def assign(self, value):
        """Copy `value`, of the same shape, into the weight. Raises ValueError for another shape."""
        value = np.asarray(value)
        if value.shape != self.shape:
            raise ValueError(f"the weight {self.path!r} has shape {self.shape}, got {value.shape}")
        self.array[...] = value
        return self

    def assign_add(self, value):
        """Add `value` to the weight."""
        return self.assign(self.array + value)

    def assign_sub(self, value):
        """Subtract `value` from the weight."""
        return self.assign(self.array - value)

    def __array__(self, dtype=None, copy=None):
        array = self.array if dtype is None else self.array.astype(dtype, copy=False)
        return array.copy() if copy else array

    def __array_ufunc__(self, ufunc, method, *inputs, out=(), **kwargs):
        def arrays(values):
            return tuple(v.array if isinstance(v, Variable) else v for v in values)

        if out:
            kwargs["out"] = arrays(out)
            getattr(ufunc, method)(*arrays(inputs), **kwargs)
            return out[0] if len(out) == 1 else out
        return getattr(ufunc, method)(*arrays(inputs), **kwargs)

    def __getattr__(self, name):
        if name.startswith("_") or name in ("layer", "key"):  # while it is being copied or unpickled
            raise AttributeError(name)
        return getattr(self.array, name)  # sum, mean, reshape, ...: whatever an array has

    def __getitem__(self, index):
        return self.array[index]

    def __setitem__(self, index, value):
        self.array[index] = value

    def __len__(self):
        return len(self.array)

    def __iter__(self):
        return iter(self.array)

    def __float__(self):
        return float(self.array)

    def __int__(self):
        return int(self.array)

    def __bool__(self):
        return bool(self.array)

    __hash__ = object.__hash__

    def __repr__(self):
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}>"
