"""What Python's operators mean on values that are not there yet: the operations of `scratchnet.ops`.

``x + y``, ``x[:, 0]``, ``x < 3`` become nodes of a graph. What asks for the values themselves (``if x``, ``float(x)``,
``np.exp(x)``) cannot be, and is told what can be done instead.
"""

import numpy as np

from scratchnet import ops
from scratchnet.ops.operation import current_trace

_UFUNCS = {
    np.add: ops.add,
    np.subtract: ops.subtract,
    np.multiply: ops.multiply,
    np.divide: ops.divide,
    np.floor_divide: ops.floor_divide,
    np.remainder: ops.mod,
    np.power: ops.power,
    np.matmul: ops.matmul,
    np.negative: ops.negative,
    np.absolute: ops.absolute,
    np.equal: ops.equal,
    np.not_equal: ops.not_equal,
    np.less: ops.less,
    np.less_equal: ops.less_equal,
    np.greater: ops.greater,
    np.greater_equal: ops.greater_equal,
    np.bitwise_and: ops.logical_and,
    np.bitwise_or: ops.logical_or,
    np.bitwise_xor: ops.logical_xor,
    np.invert: ops.logical_not,
}


def ufunc_as_operation(ufunc, method, inputs, kwargs):
    """The operation that a ufunc means, applied; NumPy's arrays meet tensors in this way, as in ``array * tensor``.

    Raises TypeError for all ufuncs that are no operators.
    """
    if method == "__call__" and ufunc in _UFUNCS and not kwargs:
        return _UFUNCS[ufunc](*inputs)
    if kwargs.get("out") is not None:
        raise TypeError("an array that exists cannot take up a symbolic tensor: write y = y + x instead of y += x")
    raise _untraceable(f"{ufunc.__name__}.{method}" if method != "__call__" else ufunc.__name__)


def refuse_numpy_function(function):
    """Raise the TypeError that names the operation in the place of a function of NumPy."""
    raise _untraceable(function.__name__)


def _untraceable(name):
    instead = f"use scratchnet.ops.{name}" if hasattr(ops, name) else "use the operations of scratchnet.ops"
    return TypeError(f"np.{name} cannot be traced: {instead}")


class Operators:
    """Base of what stands for an array in a graph. A subclass has `shape`, and says itself what operations do."""

    __hash__ = object.__hash__

    # fmt: off
    def __add__(self, other): return ops.add(self, other)
    def __radd__(self, other): return ops.add(other, self)
    def __sub__(self, other): return ops.subtract(self, other)
    def __rsub__(self, other): return ops.subtract(other, self)
    def __mul__(self, other): return ops.multiply(self, other)
    def __rmul__(self, other): return ops.multiply(other, self)
    def __truediv__(self, other): return ops.divide(self, other)
    def __rtruediv__(self, other): return ops.divide(other, self)
    def __floordiv__(self, other): return ops.floor_divide(self, other)
    def __rfloordiv__(self, other): return ops.floor_divide(other, self)
    def __mod__(self, other): return ops.mod(self, other)
    def __rmod__(self, other): return ops.mod(other, self)
    def __pow__(self, other): return ops.power(self, other)
    def __rpow__(self, other): return ops.power(other, self)
    def __matmul__(self, other): return ops.matmul(self, other)
    def __rmatmul__(self, other): return ops.matmul(other, self)
    def __neg__(self): return ops.negative(self)
    def __pos__(self): return self
    def __abs__(self): return ops.absolute(self)
    def __round__(self, ndigits=None): return ops.round(self, ndigits or 0)
    def __lt__(self, other): return ops.less(self, other)
    def __le__(self, other): return ops.less_equal(self, other)
    def __gt__(self, other): return ops.greater(self, other)
    def __ge__(self, other): return ops.greater_equal(self, other)
    def __eq__(self, other): return ops.equal(self, other) if _is_value(other) else False
    def __ne__(self, other): return ops.not_equal(self, other) if _is_value(other) else True
    def __and__(self, other): return ops.logical_and(self, other)
    def __rand__(self, other): return ops.logical_and(other, self)
    def __or__(self, other): return ops.logical_or(self, other)
    def __ror__(self, other): return ops.logical_or(other, self)
    def __xor__(self, other): return ops.logical_xor(self, other)
    def __rxor__(self, other): return ops.logical_xor(other, self)
    def __invert__(self): return ops.logical_not(self)
    def __getitem__(self, key): return ops.get_item(self, key)
    # fmt: on

    # Without `__iter__` Python would ask for x[0], x[1], ... for ever: an index beyond the end is no error here.
    def __iter__(self):
        if not self.shape:
            raise TypeError(f"{self!r} has no axes, so there is nothing to loop over")
        if self.shape[0] is None:
            raise TypeError(
                f"{self!r}: a loop over the samples of a batch cannot be traced; write it for all samples at once"
            )
        return (self[k] for k in range(self.shape[0]))

    def __len__(self):
        if not self.shape or self.shape[0] is None:
            raise TypeError(f"{self!r} has no length yet; ops.shape(x)[0] stands for the number of its rows")
        return self.shape[0]

    def __setitem__(self, key, value):
        raise TypeError(
            "assignment to parts of a tensor cannot be traced; use ops.where, ops.slice_update or ops.concatenate"
        )

    def __bool__(self):
        raise TypeError(
            f"{self._valueless()}, so Python's if, while, and, not cannot ask for it; use ops.where, ops.logical_and"
        )

    def __float__(self):
        raise TypeError(self._valueless())

    __int__ = __index__ = __complex__ = __float__

    def numpy(self):
        """Refused: there are no values yet."""
        raise TypeError(self._valueless())

    def __array__(self, *args, **kwargs):
        raise TypeError(f"{self._valueless()}: use scratchnet.ops instead of NumPy, or predict of a Model made from it")

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return ufunc_as_operation(ufunc, method, inputs, kwargs)

    def __array_function__(self, function, types, args, kwargs):
        if function in (np.shape, np.ndim) and args and args[0] is self:
            return self.shape if function is np.shape else len(self.shape)
        refuse_numpy_function(function)

    def _valueless(self):
        return f"{self!r} has no value while {'a graph' if current_trace.get() is None else 'call'} is traced"


def _is_value(other):
    """Whether elements can be compared with `other`: neither None nor text."""
    return other is not None and not isinstance(other, (str, bytes, type))
