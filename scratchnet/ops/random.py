"""The functions of `keras.random`: operations that draw random numbers.

What they draw from is the argument `seed`: None (the next seed of the global sequence), an integer (the same numbers at
every call), a `SeedGenerator` or a `scratchnet.streams.RandomStream` (other numbers at every call, the same in every
run). Every number has its place in a stream, by its row; so a batch that is computed in parts draws what it would draw
as a whole. When the `call` of a layer is traced, the graph gives each random operation a stream of its own
(`stream_of`), and puts it in the place of the seed.

Random numbers are constants: what depends on parameters is made of them by other operations, as in
``mean + exp(log_var / 2) * normal(shape)``.
"""

import numpy as np

from scratchnet import special
from scratchnet.ops.dtypes import floats, kept, named
from scratchnet.ops.elementwise import multiply
from scratchnet.ops.operation import current_trace, operation, shape_of
from scratchnet.ops.selection import take
from scratchnet.ops.trial import Unfit
from scratchnet.registry import register
from scratchnet.streams import RandomStream, RepeatedStream, factor_of_kept, generator


@register("random")
class SeedGenerator:
    """A seed that goes on: random operations that get it draw other numbers at every call.

    Args:
        seed: an integer of at least 0, or None for the next seed of the global sequence.
        name: for those who print it.

    Attributes:
        stream: the `scratchnet.streams.RandomStream` that is drawn from.
    """

    def __init__(self, seed=None, name=None, **kwargs):
        if kwargs:
            raise TypeError(f"SeedGenerator: unknown argument {next(iter(kwargs))!r}")
        self.name = "seed_generator" if name is None else name
        self.stream = RandomStream(seed)
        self.seed = self.stream.seed

    def next(self, ordered=True):
        """An integer to be used as a seed, another one each time."""
        if current_trace.get() is not None:
            raise TypeError("SeedGenerator.next: within call it would give one seed for ever; pass seed=the generator")
        return int(self.stream.uniform((1,))[0] * 2**53)

    def get_config(self):
        """``{"seed": ...}``."""
        return {"seed": self.seed}

    @classmethod
    def from_config(cls, config):
        """The generator with this seed, from its start."""
        return cls(**config)


def stream_of(seed):
    """The stream that a ``seed=`` argument means. Raises ValueError for what can be no seed."""
    if isinstance(seed, RandomStream):
        return seed
    if isinstance(seed, SeedGenerator):
        return seed.stream
    return RandomStream() if seed is None else RepeatedStream(seed)


def _uniform(seed, shape):
    """Float64 numbers in [0, 1)."""
    shape = tuple(shape)
    return stream_of(seed).uniform(shape) if shape else stream_of(seed).uniform((1,))[0]


# ---- of a shape ----


@operation(options=("shape",), random=True)
def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    """Evenly from minval up to, without, maxval; of an integer dtype the integers there."""
    dtype = named(dtype)
    z = minval + (maxval - minval) * _uniform(seed, shape)
    return (np.floor(z) if dtype.kind in "iu" else z).astype(dtype)


@operation(options=("shape",), random=True)
def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Normal with this mean and standard deviation."""
    shape, dtype = tuple(shape), named(dtype)
    z = stream_of(seed).normal(shape or (1,), dtype=np.promote_types(dtype, np.float32))
    return (mean + stddev * (z if shape else z[0])).astype(dtype)


@operation(options=("shape",), random=True)
def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Normal without what is more than two standard deviations from the mean."""
    outside = special.erfc(np.float64(np.sqrt(2.0))) / 2  # the part beyond two standard deviations, on one side
    z = special.normal_quantile(outside + (1 - 2 * outside) * _uniform(seed, shape))
    return (mean + stddev * z).astype(named(dtype))


@operation(options=("shape", "minval", "maxval"), random=True)
def randint(shape, minval, maxval, dtype="int32", seed=None):
    """Integers from minval up to, without, maxval."""
    if named(dtype).kind not in "iu":
        raise Unfit(f"dtype={dtype!r} is no integer dtype")
    return (minval + np.floor((maxval - minval) * _uniform(seed, shape))).astype(named(dtype))


# ---- by an array ----


@operation(logits=None, options=("num_samples",), random=True, dtypes=floats)
def categorical(logits, num_samples, dtype="int32", seed=None):
    """(N, C) -> (N, num_samples): classes, each as often as the softmax of its logit says.

    The largest of logit + g is such a class, if all g are of Gumbel's distribution, ``-log(-log(uniform))``.
    """
    N, C = logits.shape
    u = _uniform(seed, (N, num_samples, C))
    with np.errstate(divide="ignore"):
        gumbel = -np.log(-np.log(u))
    return (logits[:, None] + gumbel).argmax(axis=-1).astype(named(dtype))


@operation(x=None, options=("rate", "noise_shape", "seed"), random=True, dtypes=kept)
def _dropout_mask(x, rate, noise_shape, seed):
    """1 / (1 - rate) where an element stays, and 0 where it is dropped, each with the probability `rate`."""
    shape = x.shape if noise_shape is None else [n if m is None else m for n, m in zip(x.shape, noise_shape)]
    mask = stream_of(seed).mask(tuple(shape) or (1,), rate, x.dtype.type(factor_of_kept(rate)))
    return mask if shape else mask[0]


def dropout(inputs, rate, noise_shape=None, seed=None):
    """`inputs` with each element 0 with the probability `rate`, the others divided by 1 - rate.

    noise_shape: where it has a 1, a whole axis is dropped or stays; None in it is the axis of `inputs`.
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"dropout: rate must be at least 0 and at most 1, got {rate!r}")
    return inputs if rate == 0 else multiply(inputs, _dropout_mask(inputs, rate, noise_shape, seed))


@operation(x=None, options=("axis", "seed"), random=True, dtypes=kept)
def _random_order(x, axis, seed):
    """The places 0 ... n - 1 of an axis of x in random order."""
    return np.argsort(_uniform(seed, (x.shape[axis],)), kind="stable").astype(np.int32)


def shuffle(x, axis=0, seed=None):
    """In random order along an axis."""
    return take(x, _random_order(x, axis % len(shape_of(x)), seed), axis)


# ---- distributions whose numbers have no fixed place in a stream ----


def gamma(shape, alpha, dtype=None, seed=None):
    """Of the gamma distribution with the shape parameter alpha and the scale 1."""
    return _generator("gamma", seed).standard_gamma(alpha, shape).astype(named(dtype))


def beta(shape, alpha, beta, dtype=None, seed=None):
    """Of the beta distribution."""
    return _generator("beta", seed).beta(alpha, beta, shape).astype(named(dtype))


def binomial(shape, counts, probabilities, dtype=None, seed=None):
    """How many of `counts` trials succeed, each with this probability."""
    return _generator("binomial", seed).binomial(counts, probabilities, shape).astype(named(dtype))


def _generator(name, seed):
    if current_trace.get() is not None:
        raise TypeError(
            f"random.{name} cannot be traced: it draws as many numbers as it happens to need, so that the parts of a "
            "batch would not draw what the whole draws; normal, uniform, truncated_normal and categorical can"
        )
    return generator(seed.next() if isinstance(seed, SeedGenerator) else seed)
