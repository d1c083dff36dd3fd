"""Numbers and arrays that users hold by a handle, and results that answer to Keras's `.numpy()`.

An optimizer or a metric keeps plain numbers and arrays. A handle computes like what it stands for, and can set it:
``rate = optimizer.learning_rate; rate.assign(0.01); float(rate)``. It is never out of date.
"""

import contextvars

import numpy as np

from scratchnet import config, registry

# None, or the trace in which `call` of a layer, model or loss runs: it wants to know of what no tensor takes part in.
current_trace = contextvars.ContextVar("scratchnet_trace", default=None)


class Handle(np.lib.mixins.NDArrayOperatorsMixin):
    """Base: a subclass has `path`, `name`, `value` (the number or array itself) and `_write`."""

    trainable = False

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
        if current_trace.get() is not None:
            raise TypeError(
                f"assignment to {self.path!r} inside call: what a call moves on is a weight of its layer, made by "
                "add_weight(..., trainable=False) or a Variable that is the layer's attribute"
            )
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
        if any(hasattr(type(x), "__scratchnet_operation__") for x in inputs):
            return NotImplemented  # the tensor's or parameter's method is asked next
        values = (x.value if isinstance(x, Handle) else x for x in inputs)
        return getattr(ufunc, method)(*values, **kwargs)

    def __getitem__(self, index):
        return as_array(self.value[index].copy())

    def __len__(self):
        return len(self.value)

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
        return f"<{type(self).__name__} path={self.path}, shape={self.shape}, value={self.value}>"


class BoundVariable(Handle):
    """What `read` returns and `write` sets: something that an optimizer keeps in its own way."""

    def __init__(self, path, read, write, name=None):
        self.path = path
        self.name = path.rpartition("/")[2] if name is None else name
        self._read, self._write = read, write

    @property
    def value(self):
        return self._read()


class StateVariable(Handle):
    """An array of its own. While a `call` is traced it is a constant that is looked up anew at every step."""

    def __init__(self, path, array):
        self.path = path
        self.name = path.rpartition("/")[2]
        self.value = array

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        trace = current_trace.get()
        if trace is not None:
            return trace.ufunc(ufunc, method, inputs, kwargs)
        return super().__array_ufunc__(ufunc, method, *inputs, **kwargs)

    def _write(self, value):
        self.value[...] = value


class Variable(StateVariable):
    """An array under Keras's name, for training loops by hand: an optimizer's `apply_gradients` takes it.

    Args:
        initializer: the values; or the name of an initializer or a function ``f(shape, dtype=...)``, which need a
            `shape`.
        shape: by default that of the values.
        dtype: by default that of the values if it is a float, else `scratchnet.config.floatx()`.
        trainable: whether an optimizer may change it, where it becomes the weight of a layer: as its attribute.
        autocast, aggregation, synchronization: accepted for Keras's sake.
        name: by default "variable".
    """

    constraint = None

    def __init__(
        self,
        initializer,
        shape=None,
        dtype=None,
        trainable=True,
        autocast=True,
        aggregation="none",
        synchronization="auto",
        name=None,
    ):
        if isinstance(initializer, str):
            initializer = registry.get("initializers", initializer)
        if callable(initializer):
            if shape is None:
                raise ValueError("Variable: a function as initializer needs a shape")
            initializer = initializer(tuple(shape), dtype=dtype or config.floatx())
        array = np.array(initializer, dtype=dtype)
        if dtype is None and array.dtype not in (np.float32, np.float64) or isinstance(initializer, (list, float, int)):
            array = array.astype(dtype or config.floatx())
        if shape is not None and array.shape != tuple(shape):
            raise ValueError(f"Variable: the values have shape {array.shape}, not {tuple(shape)}")
        super().__init__(name or "variable", array)
        self.trainable = bool(trainable)

    @property
    def array(self):
        """The array itself, which optimizers change in place."""
        return self.value


class Number(float):
    """A result that is one number, and does not change any more."""

    shape = ()

    def numpy(self):
        """The number as NumPy's."""
        return np.float64(self)


class Array(np.ndarray):
    """An array that also answers Keras's ``.numpy()``: what layers, models, metrics and operations return.

    What is taken out of it, or computed from it, does so as well, be it a single number.
    """

    _keras_mask = None  # what counts of it, where it came out of a layer with a mask; not of what is computed from it

    def __getitem__(self, index):
        found = super().__getitem__(index)
        return found if isinstance(found, np.ndarray) else as_array(found)

    def __array_wrap__(self, array, context=None, return_scalar=False):
        return as_array(array)

    def __hash__(self):
        if self.ndim:
            raise TypeError("unhashable type: 'Array'; a single number in it is not")
        return hash(self.item())

    def __round__(self, digits=0):
        return np.round(self, digits)

    def __str__(self):
        return str(np.asarray(self)) if self.dtype.kind in "OSU" else super().__str__()

    def __repr__(self):  # where NumPy writes words, it writes what indexing gives
        return "Array" + repr(np.asarray(self))[5:] if self.dtype.kind in "OSU" else super().__repr__()

    def numpy(self):
        """The same memory as a plain array."""
        return np.asarray(self)


def as_array(y):
    """`y` as an `Array`."""
    return np.asarray(y).view(Array)


def own_array(y, given):
    """The `Array` y, or a copy: whoever writes into it can, and writes into none of the `given` arrays."""
    if y.flags.writeable and not any(np.may_share_memory(y, x) for x in given):
        return y
    copied = y.copy()
    copied.__dict__.update(vars(y))  # its mask
    return copied


def answer(value):
    """`value`, a number or an array, or a dict of them, as a `Number` or `Array`; anything else as it is.

    An array is a copy: what a metric counts in goes on changing.
    """
    if isinstance(value, dict):
        return {key: answer(entry) for key, entry in value.items()}
    if isinstance(value, Handle):
        value = value.value
    if not isinstance(value, (int, float, np.generic, np.ndarray)) or isinstance(value, bool):
        return value
    return Number(value) if np.ndim(value) == 0 else as_array(value.copy())
