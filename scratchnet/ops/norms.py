"""Lengths: of vectors along one axis, of matrices along two.

Some norms of a matrix are those of its singular values. With ``A = U diag(s) V^T`` the differential of the k-th is
``ds_k = u_k^T dA v_k``, since U and V can only turn; therefore ``adjoint of A = U diag(adjoint of s) V^T``.
"""

import math

import numpy as np

from scratchnet.ops.creation import cast, in_floats
from scratchnet.ops.dtypes import floats, floatx
from scratchnet.ops.elementwise import absolute, not_equal, power, sqrt, square
from scratchnet.ops.operation import operation, shape_of
from scratchnet.ops.reductions import max, min, sum
from scratchnet.ops.shapes import expand_dims, moveaxis, squeeze


def _singular_values_dx(ds, x):
    U, _, VT = np.linalg.svd(x, full_matrices=False)
    return U * ds[..., None, :] @ VT


@operation(x=_singular_values_dx, dtypes=floats)
def singular_values(x):
    """Those of the matrices in the last two axes, the largest first."""
    return np.linalg.svd(x, compute_uv=False)


def norm(x, ord=None, axis=None, keepdims=False):
    """The length of vectors (one axis) or matrices (two): of all of x, flat, without `axis` and `ord`.

    ord: None or 2 or "fro" the root of the sum of squares; 1 the sum of the absolute values (of matrices the largest
    of the columns' sums); inf and -inf the largest and smallest absolute value (of the rows' sums); 0 how many are not
    0; another number p of a vector ``sum(|x|^p)^(1/p)``. Of matrices 2 and -2 are the largest and the smallest singular
    value, "nuc" is the sum of all. Its derivative where all are 0 is nan, as Keras's.

    Raises ValueError for an axis that x has not, and for an `ord` that vectors, or matrices, have not.
    """
    x = in_floats(x)
    ndim = len(shape_of(x))
    axes = range(ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    if not all(-ndim <= a < ndim for a in axes):
        raise ValueError(f"norm: axis {axis} is not among the {ndim} axes of its input")
    axes = tuple(a % ndim for a in axes)
    if ord is None or (ord == "fro" and len(axes) == 2) or (ord == 2 and len(axes) == 1):
        return sqrt(sum(square(x), axes, keepdims))
    if len(axes) == 1 and not isinstance(ord, str):
        return _of_vectors(x, ord, axes, keepdims)
    if len(axes) == 2 and ord in (1, -1, math.inf, -math.inf):
        summed, other = axes if abs(ord) == 1 else axes[::-1]
        largest = (max if ord > 0 else min)(sum(absolute(x), summed, keepdims=True), other, keepdims=True)
        return largest if keepdims else squeeze(largest, axes)
    if len(axes) == 2 and ord in (2, -2, "nuc"):
        reduce = {2: max, -2: min, "nuc": sum}[ord]
        z = reduce(singular_values(moveaxis(x, axes, (-2, -1))), -1)
        return expand_dims(z, sorted(axes)) if keepdims else z
    raise ValueError(f"norm: there is no ord={ord!r} of {len(axes)} axes")


def _of_vectors(x, ord, axes, keepdims):
    if ord in (math.inf, -math.inf):
        return (max if ord > 0 else min)(absolute(x), axes, keepdims)
    if ord == 0:
        return cast(sum(not_equal(x, 0), axes, keepdims), floatx())
    if ord == 1:
        return sum(absolute(x), axes, keepdims)
    with np.errstate(divide="ignore"):  # a zero to a negative power: the norm is 0
        return power(sum(power(absolute(x), ord), axes, keepdims), 1 / ord)
