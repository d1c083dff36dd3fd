"""Products of vectors, matrices and tensors.

For Z = A B: dA = dZ B^T and dB = A^T dZ. Everything here is `matmul` or `einsum`; of the latter each adjoint is another
einsum, in which dz takes the place of the operand: of ``"ij,jk->ik"`` that of the first is ``"ik,jk->ij"``.
"""

import builtins
import string

import numpy as np

from scratchnet import kernels
from scratchnet.ops.contraction import contract
from scratchnet.ops.creation import zeros_like
from scratchnet.ops.dtypes import promoted
from scratchnet.ops.elementwise import divide, multiply, sqrt, square, subtract
from scratchnet.ops.operation import operation, shape_of
from scratchnet.ops.reductions import mean, sum
from scratchnet.ops.selection import get_item
from scratchnet.ops.shapes import expand_dims, moveaxis, ravel, reshape, stack, swapaxes
from scratchnet.ops.trial import Unfit


def _product(a, b):
    """``a @ b`` (..., M, K), (..., K, N). Where one matrix b takes all of a, that is one product of two matrices."""
    if b.ndim == 2 and a.dtype == b.dtype and a.dtype.char in "fd" and a.shape[-1] == len(b):
        if a.ndim == 2:
            return kernels.matmul(a, b)
        rows = a.reshape(-1, a.shape[-1])
        return kernels.matmul(rows, b).reshape(*a.shape[:-1], b.shape[1])
    return np.matmul(a, b)


def _as_matrices(x1, x2):
    """A vector on the left is one row, one on the right one column."""
    return (x1[None] if x1.ndim == 1 else x1), (x2[:, None] if x2.ndim == 1 else x2)


def _as_matrix(dz, x1, x2):
    """dz with the axes that matmul has dropped for vectors."""
    dz = dz[..., None] if x2.ndim == 1 else dz
    return dz[..., None, :] if x1.ndim == 1 else dz


def _matmul_dx1(dz, x1, x2):
    if x1.ndim == x2.ndim == 2:
        return _product(dz, x2.T)
    _, B = _as_matrices(x1, x2)
    dA = _product(_as_matrix(dz, x1, x2), B.swapaxes(-1, -2))  # (..., M, K)
    return dA.reshape(*dA.shape[:-2], -1) if x1.ndim == 1 else dA


def _matmul_dx2(dz, x1, x2):
    if x1.ndim == x2.ndim == 2:
        return _product(x1.T, dz)
    A, B = _as_matrices(x1, x2)
    dZ = _as_matrix(dz, x1, x2)
    if B.ndim == 2:  # one matrix for all: the sum over the batch is one product
        A, dZ = A.reshape(-1, A.shape[-1]), dZ.reshape(-1, dZ.shape[-1])
    dB = _product(A.swapaxes(-1, -2), dZ)  # (..., K, N)
    return dB.reshape(*dB.shape[:-1]) if x2.ndim == 1 else dB


@operation(x1=_matmul_dx1, x2=_matmul_dx2, dtypes=promoted)
def matmul(x1, x2):
    """The matrix product (..., M, K), (..., K, N) -> (..., M, N); the axes in front broadcast.

    A vector x1 is a row, a vector x2 a column, and the axis that this adds is not in the result.
    """
    if x1.ndim == x2.ndim == 2:
        return _product(x1, x2)
    if x1.ndim == 0 or x2.ndim == 0:
        raise Unfit("matmul takes no single numbers; multiply does")
    A, B = _as_matrices(x1, x2)
    Z = _product(A, B)
    Z = Z[..., 0] if x2.ndim == 1 else Z
    return Z[..., 0, :] if x1.ndim == 1 and x2.ndim != 1 else Z[..., 0] if x1.ndim == 1 else Z


# ---- einsum ----


def _letters(subscripts, shapes):
    """The letters of each operand and of the result, with letters of their own for "..." and the result written out."""
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(shapes):
        raise Unfit(f"{subscripts!r} is of {len(terms)} operands, not of {len(shapes)}")
    spare = [letter for letter in string.ascii_letters if letter not in subscripts]
    dots = [len(shape) - len(term.replace("...", "")) if "..." in term else 0 for term, shape in zip(terms, shapes)]
    others = "".join(spare[: builtins.max(dots)])
    if not arrow:  # the convention: "..." first, then what appears once, in the order of the alphabet
        joined = "".join(terms).replace("...", "")
        right = "..." * any(dots) + "".join(sorted(c for c in set(joined) if joined.count(c) == 1))
    terms = [term.replace("...", others[len(others) - n :]) for term, n in zip(terms, dots)]
    return terms, right.replace("...", others)


def _sum_of_products(terms, result, operands):
    if len(operands) == 2:
        return contract(*terms, result, *operands)
    return np.einsum(f"{','.join(terms)}->{result}", *operands, optimize=len(operands) > 1)


def _einsum_dx(k, dz, operands, terms, result):
    """The adjoint of operand k: the einsum of dz and the others, to the letters of k."""
    sizes = {}
    for term, x in zip(terms, operands):
        for letter, n in zip(term, x.shape):
            sizes[letter] = builtins.max(n, sizes.get(letter, 1))
    term = terms[k]
    own = "".join(dict.fromkeys(term))
    others = [j for j in range(len(terms)) if j != k]
    known = set(result).union(*(terms[j] for j in others))
    found = "".join(c for c in own if c in known)
    dx = _sum_of_products([result, *(terms[j] for j in others)], found, [dz, *(operands[j] for j in others)])
    # A letter that no other has was summed: its adjoint is the same all along that axis. So it is where the others are
    # of size 1 there and were broadcast.
    dx = np.expand_dims(dx, [k for k, c in enumerate(own) if c not in known])
    dx = np.broadcast_to(dx, [sizes[c] for c in own])
    if own == term:
        return dx
    whole = np.zeros([sizes[c] for c in term], dx.dtype)  # "ii": only the diagonal was read
    np.einsum(f"{term}->{own}", whole)[...] = dx
    return whole


def _einsum_dxs(dz, operands, needs, subscripts):
    terms, result = _letters(subscripts, [x.shape for x in operands])
    return [_einsum_dx(k, dz, operands, terms, result) if need else None for k, need in enumerate(needs)]


@operation(name="einsum", operands=_einsum_dxs, sequence=True, options=("subscripts",))
def _einsum(operands, subscripts):
    terms, result = _letters(subscripts, [x.shape for x in operands])
    return _sum_of_products(terms, result, operands)


def einsum(subscripts, *operands, **kwargs):
    """Products summed by Einstein's convention: ``einsum("ij,jk->ik", a, b)`` is the matrix product.

    Letters that are not in the result are summed. "..." stands for axes that broadcast. `kwargs` are those of other
    libraries (``optimize=``), which change no result.
    """
    return _einsum(operands, subscripts)


# ---- written with the operations above ----


def tensordot(x1, x2, axes=2):
    """The sum of products over axes of both: the last `axes` of x1 with the first of x2, or ``(axes1, axes2)``."""
    n1, n2 = len(shape_of(x1)), len(shape_of(x2))
    if isinstance(axes, int):
        axes1, axes2 = range(n1 - axes, n1), range(axes)
    else:
        axes1, axes2 = ([a] if isinstance(a, int) else list(a) for a in axes)
    letters = iter(string.ascii_letters)
    first = [next(letters) for _ in range(n1)]
    second = [next(letters) for _ in range(n2)]
    for a1, a2 in zip(axes1, axes2):
        second[a2] = first[a1]
    summed = {first[a] for a in axes1}
    result = [c for c in first + second if c not in summed]
    return einsum(f"{''.join(first)},{''.join(second)}->{''.join(result)}", x1, x2)


def dot(x1, x2):
    """As NumPy's: the product of numbers, vectors or matrices; else the last axis of x1 with the second last of x2."""
    n1, n2 = len(shape_of(x1)), len(shape_of(x2))
    if n1 == 0 or n2 == 0:
        return multiply(x1, x2)
    if n2 <= 2:
        return matmul(x1, x2)
    return tensordot(x1, x2, ((n1 - 1,), (n2 - 2,)))


def inner(x1, x2):
    """The sum of products over the last axis of both."""
    n1, n2 = len(shape_of(x1)), len(shape_of(x2))
    return multiply(x1, x2) if n1 == 0 or n2 == 0 else tensordot(x1, x2, ((n1 - 1,), (n2 - 1,)))


def outer(x1, x2):
    """Every element of x1 with every one of x2, both flat: (M, N)."""
    return multiply(reshape(x1, (-1, 1)), reshape(x2, (1, -1)))


def vdot(x1, x2):
    """The sum of the products of all elements."""
    return sum(multiply(ravel(x1), ravel(x2)))


def kron(x1, x2):
    """Each element of x1 times all of x2, as blocks of a larger array (Kronecker's product)."""
    ndim = builtins.max(len(shape_of(x1)), len(shape_of(x2)))
    n1, n2 = ((1,) * (ndim - len(shape_of(x))) + shape_of(x) for x in (x1, x2))
    x1 = reshape(x1, [n for size in n1 for n in (size, 1)])  # (a, 1, b, 1, ...)
    x2 = reshape(x2, [n for size in n2 for n in (1, size)])  # (1, c, 1, d, ...)
    return reshape(multiply(x1, x2), [a * b for a, b in zip(n1, n2)])


def cross(x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """The vector at right angles to two of three elements; of two elements each, the third element alone."""
    if axis is not None:
        axisa = axisb = axisc = axis
    x1, x2 = moveaxis(x1, axisa, -1), moveaxis(x2, axisb, -1)
    if not {shape_of(x1)[-1], shape_of(x2)[-1]} <= {2, 3}:
        raise ValueError(f"cross: vectors have 2 or 3 elements, got the shapes {shape_of(x1)} and {shape_of(x2)}")
    a, b = ([get_item(x, (..., k)) for k in range(shape_of(x)[-1])] for x in (x1, x2))
    z3 = subtract(multiply(a[0], b[1]), multiply(a[1], b[0]))
    if len(a) == len(b) == 2:
        return z3
    a, b = (v if len(v) == 3 else [*v, zeros_like(v[0])] for v in (a, b))
    z1 = subtract(multiply(a[1], b[2]), multiply(a[2], b[1]))
    z2 = subtract(multiply(a[2], b[0]), multiply(a[0], b[2]))
    return stack([z1, z2, z3], axisc)


def cdist(x, y):
    """(..., M, D), (..., N, D) -> (..., M, N): how far each vector of x is from each of y."""
    difference = subtract(expand_dims(x, -2), expand_dims(y, -3))
    return sqrt(sum(square(difference), -1))


def corrcoef(x):
    """(variables, observations): the correlation of each two rows."""
    centred = subtract(x, mean(x, -1, keepdims=True))
    products = matmul(centred, swapaxes(centred, -1, -2))
    deviations = sqrt(sum(square(centred), -1))
    return divide(products, outer(deviations, deviations))
