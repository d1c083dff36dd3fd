"""Penalties on the size of parameters, and their derivatives, under Keras's names.

    value = regularizer(w)          R(w), a number that is added to the loss
    dw    = regularizer.gradient(w) dR/dw, of w's shape

Of two sets of parameters that fit the data equally well, a penalty prefers the smaller one. The squares (L2) shrink
every entry in proportion to itself: ridge regression (Hoerl and Kennard 1970), in networks "weight decay". The absolute
values (L1) pull every entry towards 0 with the same force, so that many become 0: the lasso (Tibshirani 1996). Both
together are the elastic net (Zou and Hastie 2005). `layer.penalty()` sums what a layer's parameters cost, once a step.
"""

from typing import TYPE_CHECKING

import numpy as np

from scratchnet import registry
from scratchnet.missing import refusal
from scratchnet.names import defined_in
from scratchnet.recorded import Recorded, from_recorded, recorded_config
from scratchnet.registry import register

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]
if not TYPE_CHECKING:
    __getattr__ = refusal(__name__)


class Regularizer(metaclass=Recorded, kind="regularizers"):
    """Base of all; a subclass defines `__call__`, R(x), written with operations of `scratchnet.ops`.

    It may bring its derivative, ``gradient(x)`` of x's shape and dtype; otherwise `__call__` is traced.

    Attributes:
        sums_samples: whether R of a batch is the sum of R of its samples.
    """

    sums_samples = False

    def __call__(self, x):
        """R(x), a number."""
        return 0.0

    def get_config(self):
        """The constructor's arguments as JSON-able values."""
        return recorded_config(self)

    @classmethod
    def from_config(cls, config):
        """The regularizer with these arguments."""
        return from_recorded(cls, config)

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


@register("regularizers", "l1_l2")
class L1L2(Regularizer):
    """``R = l1 sum(|x|) + l2 sum(x^2)``; its derivative is ``l1 sign(x) + 2 l2 x``, where sign(0) = 0."""

    sums_samples = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0):
        self.l1 = 0.0 if l1 is None else _check_factor(self, "l1", l1)
        self.l2 = 0.0 if l2 is None else _check_factor(self, "l2", l2)

    def __call__(self, x):
        x = np.asarray(x)
        value = 0.0
        if self.l1:
            value += self.l1 * float(np.abs(x).sum(dtype=np.float64))
        if self.l2:
            value += self.l2 * float(np.square(x).sum(dtype=np.float64))
        return value

    def gradient(self, x):
        dx = np.zeros_like(x)
        if self.l1:
            dx += self.l1 * np.sign(x)
        if self.l2:
            dx += 2 * self.l2 * x
        return dx


@register("regularizers")
class L1(L1L2):
    """``R = l1 sum(|x|)``."""

    def __init__(self, l1: float = 0.01):
        super().__init__(l1=0.01 if l1 is None else l1)


@register("regularizers")
class L2(L1L2):
    """``R = l2 sum(x^2)``."""

    def __init__(self, l2: float = 0.01):
        super().__init__(l2=0.01 if l2 is None else l2)


@register("regularizers")
class OrthogonalRegularizer(Regularizer):
    """The mean size of the cosines between the rows (or columns) of a matrix: 0 where all are orthogonal.

        u_i = x_i / |x_i|       R = factor / 2 * sum over i != j of |u_i . u_j| / pairs       pairs = n (n - 1) / 2

    The derivative, with ``s_ij = sign(u_i . u_j)`` for i != j, else 0, and without the part along u_i, which only
    makes x_i longer:

        du_i = factor / pairs * sum over j of s_ij u_j        dx_i = (du_i - u_i (u_i . du_i)) / |x_i|

    Args:
        factor: at least 0.
        mode: "rows" or "columns".

    Raises ValueError for another mode, and for an x that is no matrix.
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows"):
        self.factor = _check_factor(self, "factor", factor)
        if mode not in ("rows", "columns"):
            raise ValueError(f'OrthogonalRegularizer: mode must be "rows" or "columns", got {mode!r}')
        self.mode = mode

    def __call__(self, x):
        u, _, pairs = self._unit_vectors(x)
        cosines = u @ u.T
        np.fill_diagonal(cosines, 0)
        return self.factor / 2 * float(np.abs(cosines).sum(dtype=np.float64)) / pairs

    def gradient(self, x):
        u, length, pairs = self._unit_vectors(x)
        s = np.sign(u @ u.T)
        np.fill_diagonal(s, 0)
        du = self.factor / pairs * (s @ u)  # each pair stands twice in the sum, which takes the half away
        dx = (du - u * (u * du).sum(axis=1, keepdims=True)) / length
        return (dx if self.mode == "rows" else dx.T).astype(x.dtype)

    def _unit_vectors(self, x):
        x = np.asarray(x)
        if x.ndim != 2:
            raise ValueError(f"OrthogonalRegularizer: expected a matrix, got shape {x.shape}")
        x = x if self.mode == "rows" else x.T
        length = np.sqrt(np.square(x).sum(axis=1, keepdims=True))
        length[length == 0] = 1
        n = len(x)
        return x / length, length, max(n * (n - 1) / 2, 1)


l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer


def _check_factor(regularizer, argument, value):
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not number or not 0 <= value < float("inf"):
        owner = type(regularizer).__name__
        raise ValueError(f"{owner}: {argument} must be a finite number of at least 0, got {value!r}")
    return float(value)


def get(identifier):
    """What a layer's ``..._regularizer=`` means: a name, a Regularizer, a class, a config, a function, or None.

    A function ``x -> number`` is written with operations of `scratchnet.ops`: layers trace it. Raises ValueError for an
    unknown name, TypeError for anything else.
    """
    return registry.get("regularizers", identifier)


def serialize(regularizer):
    """What `deserialize` turns back into the regularizer, as JSON-able values."""
    return registry.serialize(regularizer)


def deserialize(config, custom_objects=None):
    """The regularizer that `serialize` described. Raises ValueError for an unknown class."""
    with registry.CustomObjectScope(custom_objects):
        return get(config)


def __dir__():
    return defined_in(globals())
