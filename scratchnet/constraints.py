"""What parameters have to obey, under Keras's names: after each step of training they are put back into bounds.

    w[...] = constraint(w)

The nearest point of the allowed set is taken, or one near it, which makes a step of gradient descent one of *projected*
gradient descent. Bounded norms were proposed for networks with dropout (Srivastava et al. 2014), so that large learning
rates cannot blow weights up.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from scratchnet import config, kernels, registry
from scratchnet.missing import refusal
from scratchnet.names import defined_in
from scratchnet.recorded import Recorded, from_recorded, recorded_config
from scratchnet.registry import register

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]
if not TYPE_CHECKING:
    __getattr__ = refusal(__name__)


_LEAST = 16  # vectors side by side, for which there are kernels


def put_in_bounds(constraint, w):
    """``w[...] = constraint(w)``, without an array in between where nobody has defined that otherwise."""
    if isinstance(constraint, Constraint) and type(constraint).__call__ is Constraint.__call__:
        constraint._bounded(w, out=w)
    else:
        w[...] = constraint(w)


class Constraint(metaclass=Recorded, kind="constraints"):
    """Base of all; a subclass defines `__call__`."""

    def __call__(self, w):
        """The parameter within its bounds, of w's shape and dtype; `w` itself is not changed."""
        return self._bounded(w)

    def _bounded(self, w, out=None):
        """The same, written into `out`, which is `w`, or into a new array: this is what is defined here."""
        return w

    def get_config(self):
        """The constructor's arguments as JSON-able values."""
        return recorded_config(self)

    @classmethod
    def from_config(cls, config):
        """The constraint with these arguments."""
        return from_recorded(cls, config)

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


@register("constraints")
class NonNeg(Constraint):
    """No entry is negative."""

    def _bounded(self, w, out=None):
        return np.maximum(w, np.zeros_like(w), out=out)  # NumPy takes four times as long with a single zero


class _Norm(Constraint):
    """Base of those that bound the norms of vectors along `axis`, an integer or a list: the inputs of each unit."""

    def _scaled(self, w, wanted, out):
        """`w` with its vectors scaled to the norms that `wanted` makes of theirs; a vector of zeros stays."""
        w = np.asarray(w)
        axis = tuple(self.axis) if isinstance(self.axis, (list, tuple)) else self.axis
        matrices = _as_matrices(w, axis)
        if matrices is None:
            norm = np.sqrt(np.square(w).sum(axis=axis, keepdims=True))
        else:
            norm = np.sqrt(kernels.sums_of_squares(matrices)[1])
        factor = (wanted(norm) / (norm + w.dtype.type(config.epsilon()))).astype(w.dtype)
        if matrices is None:
            return np.multiply(w, factor, out=out)
        out = w.copy() if out is None else out
        kernels.scale_columns(out.reshape(matrices.shape), factor)
        return out


def _as_matrices(w, axis):
    """`w` as matrices (L, N, M) whose columns are its vectors along `axis`; None where there is no kernel for them."""
    axes = axis if isinstance(axis, tuple) else (axis,)
    if kernels.sums_of_squares is None or w.dtype not in (np.float32, np.float64) or not w.flags.carray:
        return None
    if not all(isinstance(a, int) and -w.ndim <= a < w.ndim for a in axes):
        return None
    axes = sorted(a % w.ndim for a in axes)
    first, stop = (axes[0], axes[-1] + 1) if axes else (0, 0)
    M = math.prod(w.shape[stop:])
    if axes != list(range(first, stop)) or M < _LEAST or not w.size:
        return None
    return w.reshape(math.prod(w.shape[:first]), -1, M)


@register("constraints")
class MaxNorm(_Norm):
    """Norms of at most `max_value`.

    Args:
        max_value: the largest norm.
        axis: along which norms are taken: 0 for the kernel (D, U) of a Dense, [0, 1, 2] for that of a Conv2D.
    """

    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0):
        self.max_value, self.axis = max_value, axis

    def _bounded(self, w, out=None):
        return self._scaled(w, lambda norm: np.clip(norm, 0, self.max_value), out)


@register("constraints")
class UnitNorm(_Norm):
    """Norms of 1, along `axis` as in `MaxNorm`."""

    def __init__(self, axis: int | Sequence[int] = 0):
        self.axis = axis

    def _bounded(self, w, out=None):
        return self._scaled(w, np.ones_like, out)


@register("constraints")
class MinMaxNorm(_Norm):
    """Norms between `min_value` and `max_value`.

    Args:
        min_value, max_value: the bounds.
        rate: in [0, 1]: what share of the way into the bounds is gone at each step.
        axis: as in `MaxNorm`.
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: int | Sequence[int] = 0
    ):
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def _bounded(self, w, out=None):
        bounds = self.min_value, self.max_value
        return self._scaled(w, lambda norm: self.rate * np.clip(norm, *bounds) + (1 - self.rate) * norm, out)


max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm


def get(identifier):
    """The constraint that a layer's ``..._constraint=`` means: a name, a Constraint, a class, a config, or None.

    A function of somebody's own, ``f(w) -> w``, is taken as it is. Raises ValueError for an unknown name.
    """
    return registry.get("constraints", identifier)


def serialize(constraint):
    """What `deserialize` turns back into the constraint, as JSON-able values."""
    return registry.serialize(constraint)


def deserialize(config, custom_objects=None):
    """The constraint that `serialize` described. Raises ValueError for an unknown class."""
    with registry.CustomObjectScope(custom_objects):
        return get(config)


def __dir__():
    return defined_in(globals())
