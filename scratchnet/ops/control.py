"""Control flow as functions.

On arrays these are Python's own `if`, `for` and `while`. On symbolic tensors a loop over an axis of known size is
traced step by step; what is settled by values is recorded as one node, see `scratchnet.graph.loops`.
"""

import numpy as np

from scratchnet.ops.operation import is_symbolic, shape_of
from scratchnet.ops.selection import get_item
from scratchnet.ops.shapes import concatenate, expand_dims, moveaxis, squeeze, stack
from scratchnet.structure import flatten, map_structure, packed_like
from scratchnet.variables import as_array

recorded = {}  # by name, what records a loop or branch in a graph: `scratchnet.graph.loops` puts it here


def cond(pred, true_fn, false_fn):
    """What `true_fn` returns if `pred` is true, else what `false_fn` does; only the one is called."""
    if is_symbolic(pred):
        return recorded["branch"]("cond", pred, [true_fn, false_fn], [], _number_of_condition)
    return true_fn() if pred else false_fn()


def switch(index, branches, *operands):
    """What the branch number `index` returns for the operands; the first or last one, if there are not so many."""
    if is_symbolic(index):
        return recorded["branch"]("switch", index, branches, operands, _number_of_case)
    return branches[_number_of_case(index, len(branches))](*operands)


def _number_of_condition(pred, count):
    return 0 if pred else 1


def _number_of_case(index, count):
    return min(max(int(index), 0), count - 1)


def while_loop(cond, body, loop_vars, maximum_iterations=None):
    """`body` of the variables again and again, as long as `cond` of them is true."""
    several = isinstance(loop_vars, (tuple, list))
    values = tuple(loop_vars) if several else (loop_vars,)
    count = 0
    while maximum_iterations is None or count < maximum_iterations:
        goes_on = cond(*values)
        if is_symbolic(goes_on):
            most = None if maximum_iterations is None else maximum_iterations - count
            values = recorded["while_loop"](cond, body if several else lambda v: (body(v),), values, most)
            break
        if not goes_on:
            break
        values = tuple(body(*values)) if several else (body(*values),)
        count += 1
    return values if several else values[0]


def fori_loop(lower, upper, body_fun, init_val):
    """``value = body_fun(i, value)`` for every i from `lower` up to, without, `upper`."""
    _refuse_symbolic("fori_loop", upper, "")
    value = init_val
    for i in range(int(lower), int(upper)):
        value = body_fun(i, value)
    return value


def scan(f, init, xs=None, length=None, reverse=False, unroll=1):
    """``carry, y = f(carry, x)`` along the first axis of `xs`: the last carry, and all y as rows.

    xs, init and y may be lists, tuples or dicts of arrays; without xs, `length` says how often. `unroll` has no effect.
    """
    if xs is None and length is None:
        raise ValueError("scan: give xs, or the length")
    if xs is not None and _is_of_unknown_length(xs):
        return recorded["scan"]("scan", f, init, xs, reverse)
    n = _rows("scan", xs) if length is None else int(length)
    carry, ys = init, []
    for k in reversed(range(n)) if reverse else range(n):
        carry, y = f(carry, _row(xs, k))
        ys.append(y)
    return carry, _stacked(ys[::-1] if reverse else ys)


def map(f, xs):
    """`f` of each row of `xs` (or of the rows of several arrays in a list, tuple or dict), as rows."""
    if _is_of_unknown_length(xs):
        return recorded["scan"]("map", f, None, xs, False)
    return _stacked([f(_row(xs, k)) for k in range(_rows("map", xs))])


def associative_scan(f, elems, reverse=False, axis=0):
    """All that `f` makes of the first elements along an axis: ``z_0 = x_0, z_t = f(z_(t-1), x_t)``.

    With `reverse` from the end. elems may be a list, tuple or dict of arrays; `f` gets slices of all of them, with an
    axis of size 1. It is computed from left to right, though any order would do: f is associative.
    """
    shape = shape_of(flatten(elems)[0])
    axis %= len(shape)
    if shape[axis] is None:
        return _scanned(f, elems, reverse, axis)

    def slice_of(k):
        return map_structure(lambda x: get_item(x, (slice(None),) * axis + (slice(k, k + 1),)), elems)

    order = range(shape[axis])[::-1] if reverse else range(shape[axis])
    found = []
    for k in order:
        found.append(f(found[-1], slice_of(k)) if found else slice_of(k))
    found = found[::-1] if reverse else found
    return packed_like(elems, [concatenate(list(parts), axis) for parts in zip(*[flatten(one) for one in found])])


def _scanned(f, elems, reverse, axis):
    """`associative_scan` along an axis whose size is not known: from the first element on a `scan`."""
    in_front = map_structure(lambda x: moveaxis(x, axis, 0), elems)
    first, rest = (slice(-1, None), slice(None, -1)) if reverse else (slice(0, 1), slice(1, None))

    def step(carry, row):
        z = f(carry, map_structure(lambda x: expand_dims(x, axis), row))
        return z, z

    start = map_structure(lambda x: moveaxis(get_item(x, first), 0, axis), in_front)
    _, ys = scan(step, start, map_structure(lambda x: get_item(x, rest), in_front), reverse=reverse)
    found = []
    for z, y in zip(flatten(start), flatten(ys)):
        behind = moveaxis(squeeze(y, axis + 1), 0, axis)
        found.append(concatenate([behind, z] if reverse else [z, behind], axis))
    return packed_like(elems, found)


def vectorize(pyfunc, *, excluded=None, signature=None):
    """A function that applies `pyfunc` to each element of its arguments, as `numpy.vectorize`; on arrays alone."""
    vectorized = np.vectorize(pyfunc, excluded=excluded, signature=signature)

    def wrapped(*args, **kwargs):
        for value in (*args, *kwargs.values()):
            _refuse_symbolic("vectorize", value, "; operations work on all elements anyway")
        return map_structure(as_array, vectorized(*args, **kwargs))

    return wrapped


def vectorized_map(function, elements):
    """`map`."""
    return map(function, elements)


def _row(xs, k):
    return map_structure(lambda x: None if x is None else get_item(x, k), xs)


def _is_of_unknown_length(xs):
    return any(is_symbolic(x) and shape_of(x)[:1] == (None,) for x in flatten(xs))


def _rows(name, xs):
    shape = shape_of(flatten(xs)[0])
    if not shape or shape[0] is None:
        raise ValueError(f"{name}: a loop over an axis of unknown size cannot be traced (shape {shape})")
    return shape[0]


def _stacked(ys):
    """A list of structures as a structure of arrays with a row for each."""
    if not ys or ys[0] is None:
        return None
    return packed_like(ys[0], [stack(list(parts)) for parts in zip(*[flatten(y) for y in ys])])


def _refuse_symbolic(name, value, hint):
    if is_symbolic(value):
        raise TypeError(f"{name}: what is done depends on values, so it cannot be traced{hint}")
