"""Diagonals and triangles of matrices, which lie in the last or in any two axes."""

import numpy as np

from scratchnet.ops.dtypes import kept
from scratchnet.ops.operation import added_into, operation, shape_of
from scratchnet.ops.reductions import sum
from scratchnet.ops.shapes import ravel
from scratchnet.ops.trial import Unfit


def _diagonal_adds(dx, dz, offset, axis1, axis2):
    places = np.arange(dz.shape[-1])
    matrices = np.moveaxis(dx, (axis1, axis2), (-2, -1))  # a view
    matrices[..., places + max(-offset, 0), places + max(offset, 0)] += dz


@operation(x=added_into(_diagonal_adds), dtypes=kept)
def diagonal(x, offset=0, axis1=0, axis2=1):
    """What lies `offset` above the diagonal of the matrices in two axes, as the last axis."""
    return x.diagonal(offset, axis1, axis2)


def trace(x, offset=0, axis1=0, axis2=1):
    """The sum of a diagonal."""
    return sum(diagonal(x, offset, axis1, axis2), -1)


@operation(name="diag", x=lambda dz, k: dz.diagonal(k), dtypes=kept)
def _diag(x, k=0):
    return np.diag(x, k)


def diag(x, k=0):
    """Of a vector the matrix with it k above the diagonal; of a matrix that diagonal."""
    if len(shape_of(x)) not in (1, 2):
        raise ValueError(f"diag: takes a vector or a matrix, got the shape {shape_of(x)}; diagonal takes more axes")
    return _diag(x, k) if len(shape_of(x)) == 1 else diagonal(x, k)


def diagflat(x, k=0):
    """The matrix with all of x, flat, k above the diagonal."""
    return _diag(ravel(x), k)


@operation(x=lambda dz, k: np.tril(dz, k), dtypes=kept)
def tril(x, k=0):
    """The last two axes with zeros above the diagonal that is k above the main one."""
    _check_matrices(x)
    return np.tril(x, k)


@operation(x=lambda dz, k: np.triu(dz, k), dtypes=kept)
def triu(x, k=0):
    """The last two axes with zeros below the diagonal that is k above the main one."""
    _check_matrices(x)
    return np.triu(x, k)


def _check_matrices(x):
    if x.ndim < 2:
        raise Unfit(f"a matrix has two axes, not {x.ndim}")
