"""Shapes, dtypes and independence of samples, found by trying.

No operation brings a function that computes its shape: such a function can lie. Instead the operation itself is run on
small arrays. With a batch of 5 and of 7 an axis of the result that differs is unknown, None; ``reshape(-1)``, fancy
slices and merged axes come out right for nothing. Whether samples stay apart is tried as well: the first and the last
half of the rows, computed by themselves, must give the first and the last half of the result.

Options may hold numbers of rows that are not known yet (`scratchnet.ops.shape` of a batch): anything with the method
``of_rows(rows) -> int``.
"""

from typing import Any, NamedTuple

import numpy as np

# Where 5 and 7 rows do not work, a shape may ask for a multiple of something: reshape(x, (-1, 2, 8)).
_BATCHES = ((5, 7), (60, 120))
_HALF = 12  # rows of each half; pairs, triples and fours of them may be folded into one


class Unfit(ValueError):
    """Raised by an operation whose operands do not fit, in words that are true whatever the batch."""


class Spec(NamedTuple):
    """What is known of an array without its values."""

    shape: tuple
    dtype: Any


def output_spec(operation, operands, options):
    """See `Operation.output_spec`."""
    known = not any(_is_open(a) for a in operands) and with_rows(options, 1) == with_rows(options, 2)
    first_problem = None
    for batches in _BATCHES:
        try:
            results = [_run(operation, operands, options, rows, _plain) for rows in (batches[:1] if known else batches)]
        except (ValueError, TypeError, IndexError, ZeroDivisionError) as problem:
            first_problem = first_problem or problem
            continue
        small, large = results[0], results[-1]
        if small.ndim == large.ndim:
            shape = tuple(n if n == m else None for n, m in zip(small.shape, large.shape))
            return Spec(shape, small.dtype)
    kind = TypeError if isinstance(first_problem, TypeError) else ValueError
    said = f": {first_problem}" if isinstance(first_problem, Unfit) else ""  # NumPy's words name the trial's sizes
    raise kind(f"{operation.name} cannot be applied to {describe(operands, options)}{said}") from None


def rowwise(operation, operands, options, rows=None):
    """See `Operation.rowwise`."""
    if rows is None:
        rows = [1 if _is_open(a) and a.shape[0] is None else 0 for a in operands]
    rng = np.random.default_rng(0)

    def data(a, count, k):
        shape = tuple(count if n is None else n for n in a.shape)
        if rows[k]:
            shape = (count * rows[k], *shape[1:])
        return _random(rng, shape, np.dtype(a.dtype))

    whole = [a if not _is_spec(a) else data(a, 2 * _HALF, k) for k, a in enumerate(operands)]

    def part(first, last):
        cut = [a[first * m : last * m] if m else a for a, m in zip(whole, rows)]
        with np.errstate(all="ignore"):
            return operation.value(cut, with_rows(options, last - first))

    try:
        z, head, tail = part(0, 2 * _HALF), part(0, _HALF), part(_HALF, 2 * _HALF)
    except (ValueError, TypeError, IndexError, ZeroDivisionError):
        return 0
    if not z.ndim or z.ndim != head.ndim or head.shape != tail.shape:
        return 0
    count, left_over = divmod(len(head), _HALF)
    if left_over or not count or len(z) != 2 * len(head) or z.shape[1:] != head.shape[1:]:
        return 0
    same = _close(z[: len(head)], head) and _close(z[len(head) :], tail)
    return count if same else 0


def _close(a, b):
    if a.dtype.kind != "f":
        return np.array_equal(a, b)
    return np.allclose(a, b, rtol=1e-3, atol=1e-4, equal_nan=True)  # a matrix product rounds by its size


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


def _run(operation, operands, options, rows, fill):
    arrays = [fill(a, rows) if _is_spec(a) else a for a in operands]
    with np.errstate(all="ignore"):
        return operation.value(arrays, with_rows(options, rows))


def _plain(a, rows):
    """Ones, which every function takes; zeros for integers, which may be places in an axis of size 1."""
    shape = tuple(rows if n is None else n for n in a.shape)
    dtype = np.dtype(a.dtype)
    return np.broadcast_to(np.array(0 if dtype.kind in "iu" else 1, dtype), shape)


def _random(rng, shape, dtype):
    if dtype.kind == "f":
        return rng.uniform(0.1, 0.9, shape).astype(dtype)
    return rng.integers(0, 2, shape).astype(dtype)


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
