"""The values that parameters start from, under Keras's names.

An initializer is called with a shape, ``init(shape, dtype=None) -> array``. One with a `seed` of its own gives the same
values at every call; one without takes new values from the library's one seed (`scratchnet.utils.set_random_seed`),
so that layers may share it. (In Keras a shared one gives them all the same values.)

Most belong to one family, `VarianceScaling`: zero mean, and a variance of ``scale / n`` where n counts the inputs
(fan_in), the outputs (fan_out), or is their mean, so that signals neither grow nor fade from layer to layer.
"""

import copy
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scratchnet import config, registry
from scratchnet import streams as seeds
from scratchnet.hints import Seed
from scratchnet.missing import refusal
from scratchnet.names import defined_in
from scratchnet.recorded import Recorded, from_recorded, recorded_config
from scratchnet.registry import register


class Initializer(metaclass=Recorded, kind="initializers"):
    """Base of all; a subclass stores its arguments under their names and defines `values`, or Keras's `__call__`."""

    def __call__(self, shape, dtype=None):
        """An array of `shape`; `dtype` is by default `scratchnet.config.floatx()`.

        Raises ValueError for a floating point dtype other than "float32" and "float64", and for a wrong shape.
        """
        dtype = config.floatx() if dtype is None else _checked_dtype(dtype)
        shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
        if any(not isinstance(size, (int, np.integer)) or size < 0 for size in shape):
            raise ValueError(f"{type(self).__name__}: a shape must be non-negative integers, got {shape}")
        return np.asarray(self.values(shape, self._generator()), dtype=dtype, order="C")

    def values(self, shape, rng):
        """An array of `shape`; `rng` is a `numpy.random.Generator`, or None for a class without an attribute `seed`."""
        raise NotImplementedError(f"{type(self).__name__} defines no values(shape, rng)")

    def _generator(self):
        seed = getattr(self, "seed", None)
        return seeds.generator(seed.next() if hasattr(seed, "next") else seed) if hasattr(self, "seed") else None

    def get_config(self):
        """The constructor's arguments as JSON-able values."""
        return recorded_config(self)

    @classmethod
    def from_config(cls, config):
        """The initializer with these arguments."""
        return from_recorded(cls, config)

    def clone(self):
        """Another one with these arguments."""
        return self.from_config(self.get_config())

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


def _check_seed(initializer, seed):
    if hasattr(seed, "next"):  # a SeedGenerator: other values at each call
        return seed
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0):
        raise ValueError(f"{type(initializer).__name__}: seed must be None or an integer of at least 0, got {seed!r}")
    return seed


def _checked_dtype(dtype):
    """`dtype` if an array of integers or booleans is wanted; else as `config.check_float_dtype`."""
    try:
        kind = np.dtype(dtype).kind
    except TypeError:
        kind = None
    return np.dtype(dtype).name if kind in ("b", "i", "u") else config.check_float_dtype(dtype)


def _check_stddev(initializer, stddev):
    if not 0 <= stddev < math.inf:
        raise ValueError(f"{type(initializer).__name__}: stddev must be a number of at least 0, got {stddev!r}")
    return stddev


@register("initializers", "zero")
class Zeros(Initializer):
    """All zeros."""

    def values(self, shape, rng):
        return np.zeros(shape)


@register("initializers", "one")
class Ones(Initializer):
    """All ones."""

    def values(self, shape, rng):
        return np.ones(shape)


@register("initializers")
class Constant(Initializer):
    """All the same value, a number; or an array, repeated as NumPy broadcasts it."""

    def __init__(self, value: float = 0.0):
        self.value = value

    def values(self, shape, rng):
        return np.full(shape, self.value, dtype=np.float64)


@register("initializers", "IdentityInitializer")
class Identity(Initializer):
    """`gain` on the diagonal of a matrix, zeros elsewhere. Raises ValueError for anything but two axes."""

    def __init__(self, gain: float = 1.0):
        self.gain = gain

    def values(self, shape, rng):
        if len(shape) != 2:
            raise ValueError(f"Identity: expected the shape of a matrix, got {shape}")
        return self.gain * np.eye(*shape)


@register("initializers", "normal")
class RandomNormal(Initializer):
    """Normal with this mean and standard deviation."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None):
        self.mean, self.stddev = mean, _check_stddev(self, stddev)
        self.seed = _check_seed(self, seed)

    def values(self, shape, rng):
        return rng.normal(self.mean, self.stddev, shape)


@register("initializers")
class TruncatedNormal(Initializer):
    """Normal, with values more than two standard deviations from the mean drawn again."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None):
        self.mean, self.stddev = mean, _check_stddev(self, stddev)
        self.seed = _check_seed(self, seed)

    def values(self, shape, rng):
        return self.mean + self.stddev * _truncated_standard_normal(shape, rng)


@register("initializers", "uniform")
class RandomUniform(Initializer):
    """Uniform in [minval, maxval)."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Seed = None):
        if not minval <= maxval:
            raise ValueError(f"RandomUniform: minval must not be above maxval, got {minval!r} and {maxval!r}")
        self.minval, self.maxval = minval, maxval
        self.seed = _check_seed(self, seed)

    def values(self, shape, rng):
        return rng.uniform(self.minval, self.maxval, shape)


@register("initializers")
class VarianceScaling(Initializer):
    """Zero mean and variance ``scale / n``.

    Args:
        scale: positive.
        mode: what n is: "fan_in", "fan_out" or "fan_avg". The fans of a kernel (..., in, out) are its in or out times
            the product of the axes before them; both fans of a vector are its size.
        distribution: "truncated_normal" (or "normal"), "untruncated_normal" or "uniform" (in +- ``sqrt(3 scale / n)``).
        seed: None or an integer.
        input_axes, output_axes: the axes whose product is fan_in or fan_out, where those of a kernel (..., in, out) do
            not fit, such as (0,) and (1, 2) for (D, heads, size). Both or none.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Seed = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ):
        if not 0 < scale < math.inf:
            raise ValueError(f"VarianceScaling: scale must be a positive number, got {scale!r}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f'VarianceScaling: mode must be "fan_in", "fan_out" or "fan_avg", got {mode!r}')
        distribution = str(distribution).lower()
        distribution = "truncated_normal" if distribution == "normal" else distribution
        if distribution not in ("truncated_normal", "untruncated_normal", "uniform"):
            raise ValueError(f"VarianceScaling: unknown distribution {distribution!r}")
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.seed = _check_seed(self, seed)
        self.input_axes, self.output_axes = input_axes, output_axes

    def with_axes(self, input_axes, output_axes):
        """The same initializer for kernels with these axes, unless it has axes of its own."""
        if self.input_axes is not None and self.output_axes is not None:
            return self
        twin = copy.copy(self)
        twin.input_axes, twin.output_axes = list(input_axes), list(output_axes)
        return twin

    def values(self, shape, rng):
        fan_in, fan_out = _fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(n, 1.0)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return rng.uniform(-limit, limit, shape)
        if self.distribution == "untruncated_normal":
            return rng.normal(0, math.sqrt(variance), shape)
        # Cutting the tails at two standard deviations leaves a standard deviation of 0.8796.
        return math.sqrt(variance) / 0.87962566103423978 * _truncated_standard_normal(shape, rng)


class _Scaled(VarianceScaling):
    """A member of the family with everything but the seed and the axes fixed."""

    settings = None

    def __init__(
        self, seed: Seed = None, input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
    ):
        super().__init__(*self.settings, seed, input_axes, output_axes)


@register("initializers")
class GlorotUniform(_Scaled):
    """Uniform within ``sqrt(6 / (fan_in + fan_out))`` (Glorot and Bengio 2010)."""

    settings = (1.0, "fan_avg", "uniform")


@register("initializers")
class GlorotNormal(_Scaled):
    """Truncated normal of variance ``2 / (fan_in + fan_out)`` (Glorot and Bengio 2010)."""

    settings = (1.0, "fan_avg", "truncated_normal")


@register("initializers")
class HeUniform(_Scaled):
    """Uniform within ``sqrt(6 / fan_in)`` (He et al. 2015)."""

    settings = (2.0, "fan_in", "uniform")


@register("initializers")
class HeNormal(_Scaled):
    """Truncated normal of variance ``2 / fan_in`` (He et al. 2015)."""

    settings = (2.0, "fan_in", "truncated_normal")


@register("initializers")
class LecunUniform(_Scaled):
    """Uniform within ``sqrt(3 / fan_in)`` (LeCun et al. 1998, "Efficient backprop")."""

    settings = (1.0, "fan_in", "uniform")


@register("initializers")
class LecunNormal(_Scaled):
    """Truncated normal of variance ``1 / fan_in`` (LeCun et al. 1998; Klambauer et al. 2017)."""

    settings = (1.0, "fan_in", "truncated_normal")


@register("initializers", "OrthogonalInitializer")
class Orthogonal(Initializer):
    """`gain` times a matrix with orthonormal rows or columns, whichever are fewer (Saxe et al. 2014).

    Kernels with more than two axes are orthogonal as matrices (product of all axes but the last, last).
    Raises ValueError for fewer than two axes.
    """

    def __init__(self, gain: float = 1.0, seed: Seed = None):
        self.gain = gain
        self.seed = _check_seed(self, seed)

    def values(self, shape, rng):
        if len(shape) < 2:
            raise ValueError(f"Orthogonal: expected at least two axes, got {shape}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(rng.normal(size=(max(rows, columns), min(rows, columns))))
        q *= np.sign(np.diag(r))  # QR alone is unique only up to signs; this makes q uniformly distributed
        return self.gain * (q.T if rows < columns else q).reshape(shape)


def _truncated_standard_normal(shape, rng):
    values = rng.normal(size=shape)
    outside = np.abs(values) > 2
    while outside.any():
        values[outside] = rng.normal(size=int(outside.sum()))
        outside = np.abs(values) > 2
    return values


def _fans(shape, input_axes=None, output_axes=None):
    """fan_in and fan_out of a kernel (..., in, out), or of the given axes, as Keras counts them."""
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[axis] for axis in input_axes), math.prod(shape[axis] for axis in output_axes)
    if len(shape) < 2:
        fan = shape[0] if shape else 1
        return fan, fan
    window = math.prod(shape[:-2])
    return shape[-2] * window, shape[-1] * window


@register("initializers")
class FromArray(Initializer):
    """These values; what `get` makes of an array. Raises ValueError when another shape is asked for."""

    def __init__(self, value: float):
        self.value = np.array(value, dtype=np.float64)

    def values(self, shape, rng):
        if shape != self.value.shape:
            raise ValueError(f"FromArray: the values have shape {self.value.shape}, the parameter has {shape}")
        return self.value


@register("initializers")
class FunctionInitializer(Initializer):
    """A function ``f(shape, dtype=...)`` used as an initializer. Raises ValueError if it gives another shape."""

    def __init__(self, function: Callable[..., Any]):
        self.function = function

    @property
    def written_as(self):
        return self.function

    def __call__(self, shape, dtype=None):
        dtype = config.floatx() if dtype is None else config.check_float_dtype(dtype)
        values = np.asarray(self.function(tuple(shape), dtype=dtype), dtype=dtype)
        if values.shape != tuple(shape):
            raise ValueError(f"the initializer {self.function!r} gave shape {values.shape} instead of {tuple(shape)}")
        return values


zeros = Zeros
ones = Ones
constant = Constant
identity = Identity
random_normal = RandomNormal
truncated_normal = TruncatedNormal
random_uniform = RandomUniform
variance_scaling = VarianceScaling
glorot_uniform = GlorotUniform
glorot_normal = GlorotNormal
he_uniform = HeUniform
he_normal = HeNormal
lecun_uniform = LecunUniform
lecun_normal = LecunNormal
orthogonal = Orthogonal
IdentityInitializer = Identity
OrthogonalInitializer = Orthogonal

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]
if not TYPE_CHECKING:
    __getattr__ = refusal(__name__)


def get(identifier):
    """The Initializer that a layer's ``..._initializer=`` means.

    Args:
        identifier: a name, an Initializer, a class, what `serialize` gave, a function ``f(shape, dtype=...)``, or an
            array of the parameter's shape. None stays None: the layer's own choice.

    Raises ValueError for an unknown name, TypeError for anything else.
    """
    if isinstance(identifier, (np.ndarray, np.generic)):
        return FromArray(identifier)
    found = registry.get("initializers", identifier)
    if found is None:
        return None
    return found if isinstance(found, Initializer) else FunctionInitializer(found)


def serialize(initializer):
    """What `get` turns back into the initializer, as JSON-able values; a lambda as its code, which it does not."""
    return registry.serialize(initializer)


def deserialize(config, custom_objects=None):
    """The initializer that `serialize` described. Raises ValueError for an unknown class."""
    with registry.CustomObjectScope(custom_objects):
        return get(config)


def __dir__():
    return defined_in(globals())
