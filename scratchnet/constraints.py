"""What parameters have to obey, under Keras's names: after each step of training they are put back into bounds.

    w[...] = constraint(w)

The nearest point of the allowed set is taken, or one near it, which makes a step of gradient descent one of *projected*
gradient descent. Bounded norms were proposed for networks with dropout (Srivastava et al. 2014), so that large learning
rates cannot blow weights up.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from scratchnet import config, registry
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


class Constraint(metaclass=Recorded, kind="constraints"):
    """Base of all; a subclass defines `__call__`."""

    def __call__(self, w):
        """The parameter within its bounds, of w's shape and dtype; `w` itself is not changed."""
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

    def __call__(self, w):
        return np.maximum(w, 0)


class _Norm(Constraint):
    """Base of those that bound the norms of vectors along `axis`, an integer or a list: the inputs of each unit."""

    def _scaled(self, w, wanted):
        """`w` with its vectors scaled to the norms that `wanted` makes of theirs; a vector of zeros stays."""
        w = np.asarray(w)
        axis = tuple(self.axis) if isinstance(self.axis, (list, tuple)) else self.axis
        norm = np.sqrt(np.square(w).sum(axis=axis, keepdims=True))
        return w * (wanted(norm) / (norm + w.dtype.type(config.epsilon()))).astype(w.dtype)


@register("constraints")
class MaxNorm(_Norm):
    """Norms of at most `max_value`.

    Args:
        max_value: the largest norm.
        axis: along which norms are taken: 0 for the kernel (D, U) of a Dense, [0, 1, 2] for that of a Conv2D.
    """

    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0):
        self.max_value, self.axis = max_value, axis

    def __call__(self, w):
        return self._scaled(w, lambda norm: np.clip(norm, 0, self.max_value))


@register("constraints")
class UnitNorm(_Norm):
    """Norms of 1, along `axis` as in `MaxNorm`."""

    def __init__(self, axis: int | Sequence[int] = 0):
        self.axis = axis

    def __call__(self, w):
        return self._scaled(w, np.ones_like)


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

    def __call__(self, w):
        bounds = self.min_value, self.max_value
        return self._scaled(w, lambda norm: self.rate * np.clip(norm, *bounds) + (1 - self.rate) * norm)


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
