"""Shapes, dtypes and independence of samples, found by trying.

No operation brings a function that computes its shape: such a function can lie. Instead the operation itself is run on
small arrays. With a batch of 5 and of 7 an axis of the result that differs is unknown, None; ``reshape(-1)``, fancy
slices and merged axes come out right for nothing. Whether samples stay apart is tried as well: the first and the last
half of the rows, computed by themselves, must give the first and the last half of the result.

Where a batch meets an array with a first axis of its own, ``x + np.ones((32, 4))``, only a batch of so many samples
will do.

Options may hold numbers of rows that are not known yet (`scratchnet.ops.shape` of a batch): anything with the method
``of_rows(rows) -> int``.
"""

import contextlib
import functools
import math
from typing import Any, NamedTuple

import numpy as np

from scratchnet.parallel.batch import drawing_rows
from scratchnet.streams import RandomStream

# Where 5 and 7 rows do not work, a shape may ask for a multiple of something: reshape(x, (-1, 2, 8)).
BATCHES = ((5, 7), (60, 120))
_HALF = 12  # rows of each half; pairs, triples and fours of them may be folded into one
_LARGE = 20_000  # elements of a sample from which on as few rows as can be are tried
_MISFITS = (ValueError, TypeError, IndexError, ZeroDivisionError)


class Unfit(ValueError):
    """Raised by an operation whose operands do not fit, in words that are true whatever the batch."""


class Spec(NamedTuple):
    """What is known of an array without its values.

    trials: the shapes that it had in the trials, by the rows of their batch; None where all unknown axes had so many.
        What is flattened, ``reshape(x, (-1, 3))``, has more rows than the batch, and later goes back to as many.
    batch: the only number of samples that will do, or None.
    """

    shape: tuple
    dtype: Any
    trials: dict | None = None
    batch: int | None = None


def output_spec(operation, operands, options):
    """See `Operation.output_spec`."""
    first_problem = None
    for batches in BATCHES if _elements(operands) < _LARGE else ((2, 3), *BATCHES):
        try:
            with np.errstate(all="ignore"):
                small, large = (_try(operation, operands, options, rows) for rows in batches)
        except _MISFITS as problem:
            first_problem = first_problem or problem
            continue
        if small.ndim == large.ndim:
            shape = tuple(n if n == m else None for n, m in zip(small.shape, large.shape))
            trials = {rows: z.shape for rows, z in zip(batches, (small, large))}
            usual = all(shape_in_trial(Spec(shape, None), rows) == sizes for rows, sizes in trials.items())
            return Spec(shape, small.dtype, None if usual else trials)
    for rows in _fixed_batches(operands, options):
        with contextlib.suppress(*_MISFITS), np.errstate(all="ignore"):
            z = _try(operation, operands, options, rows)
            return Spec((None, *z.shape[1:]) if z.shape[:1] == (rows,) else z.shape, z.dtype, None, rows)
    kind = TypeError if isinstance(first_problem, TypeError) else ValueError
    said = f": {first_problem}" if isinstance(first_problem, Unfit) else ""  # NumPy's words name the trial's sizes
    raise kind(f"{operation.name} cannot be applied to {describe(operands, options)}{said}") from None


def _fixed_batches(operands, options):
    """The sizes of first axes: one of them may be that of the batch, where nothing else is unknown."""
    unknown = {k for a in operands if _is_open(a) for k, n in enumerate(a.shape) if n is None}
    if unknown != {0}:
        return []
    shapes = [tuple(a.shape) for a in operands if hasattr(a, "shape")]
    shapes += [options[name] for name in ("shape", "newshape") if isinstance(options.get(name), (list, tuple))]
    return sorted({shape[0] for shape in shapes if shape and isinstance(shape[0], (int, np.integer)) and shape[0] > 1})


def shape_in_trial(a, rows):
    """The shape that `a` has where the batch has so many rows."""
    trials, usual = getattr(a, "trials", None), tuple(rows if n is None else n for n in a.shape)
    if trials is None or rows in trials:
        return usual if trials is None else trials[rows]
    from fractions import Fraction  # few operations come here

    share, *others = {Fraction(shape[0], tried) if shape else Fraction(1) for tried, shape in trials.items()}
    if others or (share * rows).denominator > 1:
        raise ValueError(f"no trial with {rows} rows")
    return (int(share * rows), *usual[1:])


def _try(operation, operands, options, rows):
    return _value(operation, [_ones(a, rows) if _is_spec(a) else a for a in operands], with_rows(options, rows))


def _value(operation, operands, options, first_row=0):
    """z; of a random operation what the rows of the batch from `first_row` on draw, and no seed is used up."""
    if not operation.random:
        return operation.value(operands, options)
    options = {**options, "seed": RandomStream(0)}
    with drawing_rows(0, first_row):
        return operation.value(operands, options)


def rowwise(operation, operands, options, rows=None):
    """See `Operation.rowwise`."""
    if rows is None:
        rows = [1 if _is_open(a) and a.shape[0] is None else 0 for a in operands]
    half = _HALF if _elements(operands) < _LARGE else 1
    whole = [_random(a, k, m, 2 * half) if _is_spec(a) else a for k, (a, m) in enumerate(zip(operands, rows))]

    def part(first, last, rows_before=0):
        cut = [a[first * m : last * m] if m else a for a, m in zip(whole, rows)]
        return _value(operation, cut, with_rows(options, last - first), rows_before)

    try:
        with np.errstate(all="ignore"):
            z, head = part(0, 2 * half), part(0, half)
            tail = part(half, 2 * half, rows_before=head.shape[0] if head.ndim else 0)
    except _MISFITS:
        return 0
    if not z.ndim or not head.ndim or head.shape != tail.shape or z.shape != (2 * len(head), *head.shape[1:]):
        return 0
    count, left_over = divmod(len(head), half)
    same = not left_over and _close(z[: len(head)], head) and _close(z[len(head) :], tail)
    return count if same else 0


@functools.cache
def _noise():
    """As many numbers as a prime: where they are used again, rows still differ."""
    return np.random.default_rng(0).uniform(0.1, 0.9, 100_003)


def _elements(operands):
    """About how many elements a sample of the largest operand has."""
    return max((math.prod(n for n in a.shape if n) for a in operands if _is_spec(a)), default=0)


def _random(a, k, rows, samples):
    """Numbers in the shape of the spec `a`, operand k, of which each of the samples has so many rows."""
    shape = tuple(samples if n is None else n for n in a.shape)
    if rows:
        shape = (samples * rows, *shape[1:])
    size = int(np.prod(shape))
    noise = _noise()[k * 131 :]  # another place for each operand
    values = (noise[:size] if size <= len(noise) else np.resize(noise, size)).reshape(shape)
    if a.dtype == "string":
        return values.astype(str)
    dtype = np.dtype(a.dtype)
    return _regular(values.astype(dtype)) if dtype.kind == "f" else (values > 0.5).astype(dtype)


def _close(a, b):
    if np.array_equal(a, b):
        return True
    # A matrix product rounds by its size.
    return a.dtype.kind == "f" and np.allclose(a, b, rtol=1e-3, atol=1e-4, equal_nan=True)


def with_rows(value, rows):
    """`value`, an option or a dict, list, tuple or slice of them, with numbers of rows put in."""
    if hasattr(value, "of_rows"):
        return value.of_rows(rows)
    if isinstance(value, dict):
        return {k: with_rows(v, rows) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([with_rows(v, rows) for v in value])
    if isinstance(value, slice):
        return slice(with_rows(value.start, rows), with_rows(value.stop, rows), with_rows(value.step, rows))
    return value


def _ones(a, rows):
    """Ones, which every function takes; zeros for integers, which may be places in an axis of size 1."""
    shape = shape_in_trial(a, rows)
    if a.dtype == "string":
        return np.full(shape, "1")
    return np.zeros(shape, a.dtype) if np.dtype(a.dtype).kind in "iu" else _regular(np.ones(shape, a.dtype))


def _regular(x):
    """Square matrices with so much on the diagonal that they have inverses."""
    n = x.shape[-1] if x.ndim > 1 else 0
    return x + n * np.eye(n, dtype=x.dtype) if n and x.shape[-2] == n and x.dtype.kind == "f" else x


def _is_spec(a):
    return hasattr(a, "shape") and hasattr(a, "dtype") and not isinstance(a, (np.ndarray, np.generic))


def _is_open(a):
    """Whether an axis of it is unknown."""
    return _is_spec(a) and None in tuple(a.shape)


def describe(operands, options):
    """``shapes (None, 4) and (3,), axis=1``: for errors."""
    shapes = [str(tuple(a.shape)) if hasattr(a, "shape") else repr(a)[:60] for a in operands if a is not None]
    word = ["shape " if len(shapes) == 1 else "shapes "] if shapes else []
    settings = [f"{k}={v!r}" for k, v in options.items() if v is not None and v is not False]
    return ", ".join(["".join(word) + " and ".join(shapes)] * bool(shapes) + settings)
