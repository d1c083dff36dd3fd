"""Einstein's sums of two arrays as what nearly all of them are: one product of two matrices, or a stack of such.

A letter of ``"abc,cde->abde"`` stands in one of four places. What is in both operands and not in the result is summed
(c); what is in all three counts the matrices of the stack (none here); what only one operand has are the rows (a, b) or
the columns (d, e). With the axes in this order, and those of a kind made one,

    a (stack, rows, summed) times b (stack, summed, columns) = z (stack, rows, columns)
"""

import math

import numpy as np

from scratchnet import kernels


def contract(a_letters, b_letters, z_letters, a, b):
    """``np.einsum(f"{a_letters},{b_letters}->{z_letters}", a, b)``; a letter for each axis."""
    stack = [c for c in z_letters if c in a_letters and c in b_letters]
    rows = [c for c in z_letters if c in a_letters and c not in b_letters]
    columns = [c for c in z_letters if c in b_letters and c not in a_letters]
    summed = [c for c in a_letters if c in b_letters and c not in z_letters]
    sizes = {**dict(zip(a_letters, a.shape)), **dict(zip(b_letters, b.shape))}
    is_product = (
        {*stack, *rows, *summed} == {*a_letters}  # no letter is summed that only one of them has
        and {*stack, *columns, *summed} == {*b_letters}
        and all(len(set(letters)) == len(letters) for letters in (a_letters, b_letters, z_letters))  # no diagonals
        and a.shape == tuple(sizes[c] for c in a_letters)  # and no axis of size 1 that is broadcast
        and a.dtype == b.dtype
        and a.dtype in (np.float32, np.float64)
    )
    if not is_product:
        return np.einsum(f"{a_letters},{b_letters}->{z_letters}", a, b)
    S, M, K, N = (math.prod(sizes[c] for c in letters) for letters in (stack, rows, summed, columns))
    a = a.transpose([a_letters.index(c) for c in (*stack, *rows, *summed)])
    b = b.transpose([b_letters.index(c) for c in (*stack, *summed, *columns)])
    if stack:
        z = np.matmul(a.reshape(S, M, K), b.reshape(S, K, N))
    else:
        z = kernels.matmul(a.reshape(M, K), b.reshape(K, N))
    order = (*stack, *rows, *columns)
    return z.reshape([sizes[c] for c in order]).transpose([order.index(c) for c in z_letters])
