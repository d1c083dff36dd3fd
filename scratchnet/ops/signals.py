"""One-dimensional signals: how alike two of them are at each distance, and powers of numbers as columns."""

import numpy as np

from scratchnet.ops.elementwise import power
from scratchnet.ops.fourier import extract_sequences
from scratchnet.ops.linear import matmul
from scratchnet.ops.operation import shape_of
from scratchnet.ops.selection import get_item
from scratchnet.ops.shapes import expand_dims, flip, pad


def correlate(x1, x2, mode="valid"):
    """``z_k = sum over n of  x1_(n+k) x2_n`` of two vectors.

    mode: "valid" where they overlap wholly, "same" as many k as the longer one has numbers, "full" where they touch.
    """
    if mode not in ("valid", "same", "full"):
        raise ValueError(f'correlate: mode must be "valid", "same" or "full", got {mode!r}')
    (n1,), (n2,) = shape_of(x1), shape_of(x2)
    if n1 < n2:  # the same, read backwards
        return flip(correlate(x2, x1, mode))
    z = matmul(extract_sequences(pad(x1, [(n2 - 1, n2 - 1)]), n2, 1), x2)
    first = {"valid": n2 - 1, "same": n2 - 1 - n2 // 2, "full": 0}[mode]
    return get_item(z, slice(first, first + {"valid": n1 - n2 + 1, "same": n1, "full": n1 + n2 - 1}[mode]))


def vander(x, N=None, increasing=False):
    """N powers of each number of a vector as columns, ``x^(N-1) ... x^1 x^0``, or `increasing`; N: by default all."""
    exponents = np.arange(shape_of(x)[0] if N is None else N)
    return power(expand_dims(x, -1), exponents if increasing else exponents[::-1])
