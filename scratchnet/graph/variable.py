"""A weight of a layer by its name: the handle that users hold.

The layer keeps its arrays in `params` and `state`, where optimizers change them in place. A `Variable` looks the array
up each time it is asked, so it is never out of date. It computes like the array, and answers to Keras's names.

While `call` of a layer is traced, it stands for a symbolic tensor: a leaf of the graph, which gets a gradient. What
would take its values out instead, and make them a constant, is refused.
"""

import functools

import numpy as np

from scratchnet.graph.operators import ufunc_as_operation
from scratchnet.graph.symbolic import KerasTensor, record
from scratchnet.ops import get_item, transpose
from scratchnet.ops.operation import current_trace
from scratchnet.ops.operation import is_symbolic as stands_for_an_array
from scratchnet.variables import as_array, own_array


class Variable(np.lib.mixins.NDArrayOperatorsMixin):
    """The weight `key` of `layer`.

    Attributes:
        array: the array itself (not a copy).
        name: such as "kernel".
        path: such as "dense/kernel".
        trainable: whether an optimizer may change it; may be set, until `trainable` of the layer is set again.
    """

    def __init__(self, layer, key):
        self.layer = layer
        self.key = key

    @property
    def array(self):
        layer, key = self.layer, self.key
        for arrays in (layer._params, layer._state):
            if key in arrays:
                return arrays[key]
        return layer.named_arrays()[key]

    @property
    def value(self):
        """The array; within `call` the tensor that stands for it."""
        return self.array if current_trace.get() is None else self.as_tensor()

    @property
    def name(self):
        return self.key.rpartition("/")[2]

    @property
    def path(self):
        return f"{self.layer.name}/{self.key}"

    @property
    def trainable(self):
        if self.key in self.layer._params:
            return self.layer.trainable and self.key not in self.layer._frozen
        return self.key in self.layer.trainable_params

    @trainable.setter
    def trainable(self, value):
        self.layer.freeze_weight(self.key, not value)

    @property
    def regularizer(self):
        """What is added to the loss for this weight, or None."""
        return self.layer._regularizers.get(self.key)

    @property
    def constraint(self):
        """What this weight has to obey after each step, or None."""
        return self.layer._constraints.get(self.key)

    shape = property(lambda self: self.array.shape)
    ndim = property(lambda self: self.array.ndim)
    size = property(lambda self: self.array.size)
    nbytes = property(lambda self: self.array.nbytes)
    dtype = property(lambda self: self.array.dtype)
    T = property(transpose)

    def numpy(self):
        """A copy of the values."""
        self._refuse_in_call("numpy()")
        return self.array.copy()

    # ---- within a graph ----

    def as_tensor(self):
        """The symbolic tensor that stands for it while `call` is traced."""
        trace = current_trace.get()
        if trace is None:
            raise TypeError(
                f"the parameter {self.path!r} meets a symbolic tensor outside of a layer's call: put this computation "
                "into a Layer with call"
            )
        return trace.parameter(self)

    def __scratchnet_operation__(self, operation, operands, options):
        if current_trace.get() is not None or any(_is_symbolic(a) for a in operands):
            return record(operation, operands, options)
        arrays = [a.array if isinstance(a, Variable) else a for a in operands]
        own = [a.array for a in operands if isinstance(a, Variable)]
        return own_array(as_array(operation.compute(arrays, options)), own)

    def _refuse_in_call(self, what):
        """Raise TypeError while `call` is traced."""
        if current_trace.get() is not None:
            raise TypeError(
                f"{what} of the parameter {self.path!r} inside call: that would make it a constant without a gradient; "
                f"use the parameter itself (self.{self.name}) and the operations of scratchnet.ops"
            )

    def _refuse_to_change_in_call(self):
        if current_trace.get() is not None:
            raise TypeError(
                f"assignment to parts of {self.path!r} inside call: call is traced once and changes nothing in place; "
                "give the whole weight another value with assign"
            )

    # ---- as an array ----

    def assign(self, value):
        """Copy `value`, of the same shape, into the weight. Raises ValueError for another shape.

        Within `call` it is taken up when the step is over, see `scratchnet.graph.changes`.
        """
        if current_trace.get() is not None:
            current_trace.get().assign(self, value)
            return self
        value = np.asarray(value)
        if value.shape != self.shape:
            raise ValueError(f"the weight {self.path!r} has shape {self.shape}, got {value.shape}")
        self.array[...] = value
        return self

    def assign_add(self, value):
        """Add `value` to the weight."""
        return self.assign(self.value + value)

    def assign_sub(self, value):
        """Subtract `value` from the weight."""
        return self.assign(self.value - value)

    def __array__(self, dtype=None, copy=None):
        self._refuse_in_call("the array")
        return self.array.astype(self.dtype if dtype is None else dtype, copy=copy is not False)

    def __array_ufunc__(self, ufunc, method, *inputs, out=(), **kwargs):
        if current_trace.get() is not None or any(_is_symbolic(a) for a in inputs):
            if any(isinstance(a, Variable) for a in out):
                self._refuse_to_change_in_call()
            return ufunc_as_operation(ufunc, method, inputs, {**kwargs, **({"out": out} if out else {})})

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
        array = self.array
        if hasattr(array, name):
            self._refuse_in_call(name)
        found = getattr(array, name)  # sum, mean, reshape, ...: whatever an array has
        return functools.partial(_value_of, array, found) if callable(found) else _stays(found, array)

    def __getitem__(self, index):
        return as_array(self.array[index].copy()) if current_trace.get() is None else get_item(self, index)

    def __setitem__(self, index, value):
        self._refuse_to_change_in_call()
        self.array[index] = value

    def __len__(self):
        return len(self.array)

    def __iter__(self):
        return iter(self[...] if current_trace.get() is None else self.as_tensor())

    def __float__(self):
        self._refuse_in_call("the value")
        return float(self.array)

    def __int__(self):
        self._refuse_in_call("the value")
        return int(self.array)

    def __bool__(self):
        self._refuse_in_call("the value")
        return bool(self.array)

    __hash__ = object.__hash__

    def __repr__(self):
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}>"


def _value_of(array, method, *args, **kwargs):
    """What a method of `array` returns; in place it may work on the array itself (``w.fill(0)``)."""
    return _stays(method(*args, **kwargs), array)


def _stays(value, array):
    return own_array(as_array(value), [array]) if isinstance(value, np.ndarray) else value


def _is_symbolic(value):
    """Whether this is something whose values are not there: no array, no number, and no Variable."""
    return isinstance(value, KerasTensor) or (stands_for_an_array(value) and not isinstance(value, Variable))
