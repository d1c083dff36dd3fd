"""Sizes of axes that are not known yet: what `ops.shape(x)[0]` is for a symbolic x, and what is computed from it.

    batch = ops.shape(x)[0]
    ops.reshape(x, (batch * 4, -1))         # in a shape: the rows that are there when it is computed
    ops.sum(x) / ops.cast(batch, "float")   # as a number among tensors: the rows of the whole batch

Sizes are small formulas over axes of tensors, kept until somebody knows the shapes.
"""

import operator

import numpy as np

from scratchnet.ops.trial import shape_in_trial

_FUNCTIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv, "%": operator.mod}


class Formula:
    """Integers, and axes of tensors, put together by ``+ - * // %``.

    Args:
        function: one of these signs, or None for an axis of a tensor.
        operands: two formulas or integers; for an axis ``(tensor, axis)``.
    """

    def __init__(self, function, *operands):
        self.function = function
        self.operands = operands

    @property
    def axes(self):
        """The axes that stand here, as a list of ``(tensor, axis)``."""
        if self.function is None:
            return [self.operands]
        return [axis for f in self.operands if isinstance(f, Formula) for axis in f.axes]

    def value(self, size_of):
        """The number, where ``size_of(tensor, axis)`` tells a size."""
        if self.function is None:
            return size_of(*self.operands)
        a, b = (f.value(size_of) if isinstance(f, Formula) else f for f in self.operands)
        return _FUNCTIONS[self.function](a, b)

    def on(self, tensors):
        """The same formula over other tensors: a dict from the old ones to them."""
        if self.function is None:
            return type(self)(None, tensors[self.operands[0]], self.operands[1])
        return type(self)(self.function, *(f.on(tensors) if isinstance(f, Formula) else f for f in self.operands))

    def of_rows(self, rows):
        """The number, if all axes that are not known had so many rows; for `scratchnet.ops.trial`."""
        return self.value(lambda tensor, axis: shape_in_trial(tensor, rows)[axis])

    def _combined(self, function, other, reverse=False):
        if isinstance(other, (bool, np.bool_)) or not isinstance(other, (int, np.integer, Formula)):
            return NotImplemented
        return type(self)(function, other, self) if reverse else type(self)(function, self, other)

    # fmt: off
    def __add__(self, other): return self._combined("+", other)
    def __radd__(self, other): return self._combined("+", other, reverse=True)
    def __sub__(self, other): return self._combined("-", other)
    def __rsub__(self, other): return self._combined("-", other, reverse=True)
    def __mul__(self, other): return self._combined("*", other)
    def __rmul__(self, other): return self._combined("*", other, reverse=True)
    def __floordiv__(self, other): return self._combined("//", other)
    def __rfloordiv__(self, other): return self._combined("//", other, reverse=True)
    def __mod__(self, other): return self._combined("%", other)
    def __rmod__(self, other): return self._combined("%", other, reverse=True)
    # fmt: on

    def __repr__(self):
        if self.function is None:
            return f"shape({self.operands[0].name})[{self.operands[1]}]"
        return f"({self.operands[0]!r} {self.function} {self.operands[1]!r})"


def formulas_in(value):
    """The formulas in an option of an operation, or in a dict, list, tuple or slice of them."""
    if isinstance(value, Formula):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    elif isinstance(value, slice):
        value = [value.start, value.stop, value.step]
    elif not isinstance(value, (list, tuple)):
        return []
    return [formula for entry in value for formula in formulas_in(entry)]


def with_numbers(value, size_of):
    """The same option with numbers for formulas."""
    return map_formulas(lambda formula: formula.value(size_of), value)


def map_formulas(function, value):
    """The same option with ``function(formula)`` for formulas."""
    if isinstance(value, Formula):
        return function(value)
    if isinstance(value, dict):
        return {key: map_formulas(function, entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([map_formulas(function, entry) for entry in value])
    if isinstance(value, slice):
        return slice(*(map_formulas(function, entry) for entry in (value.start, value.stop, value.step)))
    return value
