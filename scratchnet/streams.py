"""Every random number of the library comes from here, and from one seed.

Two kinds of users draw random numbers:

* whoever draws *once* (an initializer, the shuffling of a `fit`) takes a fresh
  `numpy.random.Generator` from `generator()`;
* a layer that draws *at every step* (Dropout, GaussianNoise) owns a `RandomStream`.

A training step may be computed in several parts of the batch, each in its own thread. The noise of a sample must
not depend on that. A `RandomStream` therefore draws from a counter-based generator (Philox: Salmon et al., "Parallel
random numbers: as easy as 1, 2, 3", 2011) whose key is (seed of the stream, number of the step, number of the draw in
that step) and which can be advanced to any row of the batch at no cost. The training loop announces step and rows
(`scratchnet.parallel.batch`); a layer that is called by hand simply counts its own calls.
"""

import threading

import numpy as np

from scratchnet import kernels
from scratchnet.parallel.batch import current_part

_COMPILED = np.dtype(np.float32), np.dtype(np.float64)

_lock = threading.Lock()
_root = None  # made when first drawn from: importing numpy.random takes as long as importing all layers


def set_seed(seed):
    """Seed everything that is drawn from now on; `scratchnet.utils.set_random_seed` is its public name.

    Raises ValueError unless `seed` is an integer of at least 0.
    """
    global _root
    with _lock:
        _root = np.random.default_rng(_check_seed(seed))


def state_of_seeds():
    """What all later seeds depend on, as a text; None before the first seed."""
    return None if _root is None else repr(_root.bit_generator.state)


def _check_seed(seed):
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"the seed must be an integer of at least 0, got {seed!r}")
    return int(seed)


def new_seed():
    """The next seed (a Python int below 2**63) of the global sequence."""
    global _root
    with _lock:
        if _root is None:
            _root = np.random.default_rng()
        return int(_root.integers(2**63))


def generator(seed=None):
    """A `numpy.random.Generator`: of `seed` if one is given, else of the next seed of the global sequence."""
    return np.random.default_rng(new_seed() if seed is None else seed)


def factor_of_kept(rate):
    """What dropout multiplies by what it keeps, so that the expected value stays; 0 where it keeps nothing."""
    return 1 / (1 - rate) if rate < 1 else 0.0


class RandomStream:
    """Random numbers for a layer that draws at every step; a row of the batch has its own place in the stream.

    `seed`: an integer of at least 0 makes the stream repeatable by itself; None takes the next global seed.
    Raises ValueError for anything else.
    """

    def __init__(self, seed=None):
        self.seed = new_seed() if seed is None else _check_seed(seed)
        self._calls = 0

    def uniform(self, shape, by_row=True):
        """Float64 uniforms in [0, 1) of `shape` = (rows, ...).

        `by_row`: whether the rows are samples, or belong to them; otherwise all parts of a batch draw the same.
        """
        key, first_row = self._next_draw(shape[0])
        row_size = _size_of_row(shape)
        # Philox makes four 64-bit numbers a counter step: a row starts on a whole counter step of its own.
        counters = -(-row_size // 4)
        bits = np.random.Philox(key=key)
        if by_row:
            bits.advance(first_row * counters)
        flat = np.random.Generator(bits).random((shape[0], counters * 4))
        return flat[:, :row_size].reshape(shape)

    def mask(self, shape, rate, factor, by_row=True):
        """What dropout multiplies by: 0 where a uniform is below `rate`, else `factor`, a number of NumPy's.

        `shape` and `by_row` as of `uniform`; the result has the dtype of `factor`.
        """
        if factor.dtype not in _COMPILED or kernels.mask_rows is None:
            return (self.uniform(shape, by_row) >= rate) * factor
        key, first_row = self._next_draw(shape[0])
        rows = kernels.mask_rows(key, first_row if by_row else 0, shape[0], _size_of_row(shape), rate, factor)
        return rows.reshape(shape)

    def normal(self, shape, mean=0.0, stddev=1.0, dtype=np.float64):
        """Normals of `shape` = (rows, ...), by the Box-Muller transform (1958).

        It takes a fixed count of uniforms for each normal, which rejection methods do not, so that a row's place in
        the stream is known without drawing the rows before it.
        """
        if dtype == np.float32 and kernels.normal_rows is not None:
            draw = self._next_draw(shape[0])
            return kernels.normal_rows(*draw, shape[0], _size_of_row(shape), mean, stddev).reshape(shape)
        u = self.uniform((shape[0], 2, *shape[1:]))
        radius = np.sqrt(-2.0 * np.log1p(-u[:, 0]))
        z = radius * np.cos(2.0 * np.pi * u[:, 1])
        return (mean + stddev * z).astype(dtype, copy=False)

    def _next_draw(self, rows):
        """``(key, first_row)``: Philox's key of the next draw, and where its rows begin in the whole batch."""
        part = current_part()
        if part is None:
            draw, first_row = (1 << 32) + self._calls, 0  # by hand: a step number that no fit reaches
            self._calls += 1
            key = (draw, 0)
        else:
            count = part.draws.get(id(self), 0)
            part.draws[id(self)] = count + 1
            key, first_row = (*part.step, count), part.first_row_of(rows)
        # As a spawn key: in one list with the seed, numbers of more than 32 bits would be taken apart into several, and
        # [seed, 2**32 + k, 0] and [seed, k, 1] would be the same.
        return _philox_key(np.random.SeedSequence(self.seed, spawn_key=key)), first_row


def _philox_key(entropy):
    """The key that `numpy.random.Philox` takes from a SeedSequence."""
    return entropy.generate_state(2, np.uint64)


def _size_of_row(shape):
    return int(np.prod(shape[1:], dtype=np.int64))


class RepeatedStream(RandomStream):
    """The same random numbers at every draw; those of a row are its own, as in every stream.

    This is what an integer as the seed of a random operation means: a call draws what the last one drew.
    """

    def _next_draw(self, rows):
        part = current_part()
        return _philox_key(np.random.SeedSequence(self.seed)), 0 if part is None else part.first_row_of(rows)


class SharedStream(RandomStream):
    """The numbers of another stream, in all parts of a batch the same: they belong to no row of it."""

    def __init__(self, stream):
        self.stream = stream
        self.seed = stream.seed

    def _next_draw(self, rows):
        return self.stream._next_draw(rows)[0], 0
