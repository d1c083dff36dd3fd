"""A function that brings its own gradient.

    @ops.custom_gradient
    def reversed_gradient(x):                        # Ganin and Lempitsky 2015
        return x, lambda upstream: -upstream

Backward does what the function says, whether that is its derivative or not: a gradient that is turned around, cut, or
passed straight through where there is none (Bengio et al. 2013).
"""

import functools

import numpy as np

from scratchnet.ops.dtypes import kept
from scratchnet.ops.operation import is_symbolic, operation
from scratchnet.structure import flatten
from scratchnet.variables import as_array


def _dxs(dz, xs, function):
    found = function(*xs)[1](dz)
    found = list(found) if isinstance(found, (tuple, list)) else [found]
    if len(found) != len(xs):
        raise ValueError(f"custom_gradient: the gradient returned {len(found)} arrays for {len(xs)} arguments")
    return [np.zeros_like(x) if d is None else np.asarray(d) for x, d in zip(xs, found)]


@operation(name="custom_gradient", xs=_dxs, dtypes=kept, sequence=True, options=("function",))
def _own(xs, function):
    return np.asarray(function(*xs)[0])


def custom_gradient(f):
    """`f` with the gradient that it returns: ``f(*xs) -> (z, grad)`` and ``grad(dz) -> dx``, or one for each of xs.

    On symbolic tensors z is one array; both functions then get arrays, once in each pass.
    """

    @functools.wraps(f)
    def wrapped(*xs, **options):
        function = functools.partial(f, **options) if options else f
        if any(is_symbolic(x) for x in flatten(xs)):
            return _own(list(xs), function)
        z = function(*xs)[0]
        return as_array(z) if isinstance(z, np.ndarray) else z

    return wrapped
