"""A tile of a product whose left matrix is known when the code is made: its numbers are constants among instructions.

    c[m : m + rows, column : column + width] = matrix @ b[row : row + depth, n : n + width]

A vector of each row of b is read once, and one of each row of c written once; in between all stays in registers. What
is zero in the matrix is left out. Two rows that are alike but for signs, as those of a polynomial's values at p and -p
are, have a half sum and a half difference that are shorter than they. So have columns, of which both are added up:

    c_i = e + o        e = (row_i + row_j) / 2 @ b        column_i b_i + column_j b_j = u (b_i + b_j) + v (b_i - b_j)
    c_j = e - o        o = (row_i - row_j) / 2 @ b        u, v = (column_i + column_j) / 2, (column_i - column_j) / 2

`scratchnet.kernels.with_numba.tile` explains why this is written in the language of LLVM.
"""

import itertools

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from scratchnet.kernels.with_numba.tile import VECTOR_BYTES, Instructions, arrays_of, row_by_row


def make_constant_tile(matrices, ends=False):
    """``tile(which, b, row, n, c, m, column, width)``, for compiled code: the product above, by ``matrices[which]``.

    width is that of a vector at least; if it is not that of several, the last one begins earlier. The columns of b and
    c lie one after the other in memory.

    With `ends` two more arguments, `bias` (as many numbers as c has columns) and `least`, make it the end of a layer:
    ``max(matrix @ b + bias, least)``.
    """
    if numba.config.DISABLE_JIT:
        return _in_python(matrices)

    if ends:

        @intrinsic
        def tile(typing_context, which, b, row, n, c, m, column, width, bias, least):
            place = types.intp
            signature = types.void(place, b, place, place, c, place, place, place, bias, least)
            return signature, lambda *parts: _generate(matrices, *parts)

        return tile

    @intrinsic
    def tile(typing_context, which, b, row, n, c, m, column, width):
        place = types.intp
        signature = types.void(place, b, place, place, c, place, place, place)
        return signature, lambda *parts: _generate(matrices, *parts)

    return tile


def _in_python(matrices):
    def tile(which, b, row, n, c, m, column, width, bias=None, least=None):
        rows, depth = matrices[which].shape
        if b.dtype != c.dtype or width * c.itemsize < VECTOR_BYTES:
            raise TypeError("a tile needs one dtype, and columns that fill a vector")
        beyond = np.subtract((row + depth, n + width, m + rows, column + width), (*b.shape, *c.shape))
        if beyond.max() > 0 or row < 0:
            raise IndexError("a tile leaves its matrix")
        product = row_by_row(matrices[which].astype(b.dtype), b[row : row + depth, n : n + width])
        if bias is not None:
            product = np.maximum(product + bias[column : column + width], least)
        c[m : m + rows, column : column + width] = product

    return tile


def _generate(matrices, context, builder, signature, arguments):
    """The instructions of a tile: those for one matrix after the other, of which one is chosen."""
    for which, matrix in matrices.items():
        chosen = builder.icmp_signed("==", arguments[0], ir.Constant(arguments[0].type, which))
        with builder.if_then(chosen):
            _generate_product(matrix, context, builder, signature, arguments)
    return context.get_dummy_value()


def _generate_product(matrix, context, builder, signature, arguments):
    _, _, row, n, _, m, column, width, *end = arguments
    b, c, *bias = arrays_of(context, builder, signature, arguments)
    write = Instructions(context, builder, signature.args[1].dtype)
    address, constant, size = write.address, write.constant, write.size
    pairs_of_columns, columns = _pairs(matrix.T)
    pairs, halves = _pairs(columns.T)

    b_stride, c_stride = (cgutils.unpack_tuple(builder, array.strides, 2)[0] for array in (b, c))
    sources = [address(b.data, (builder.add(row, constant(k)), b_stride), (n, size)) for k in range(matrix.shape[1])]
    targets = [address(c.data, (builder.add(m, constant(r)), c_stride), (column, size)) for r in range(len(matrix))]
    ends = [address(array.data, (column, size)) for array in bias]

    def ended(y):
        for bias_start in ends:
            (bias_here,) = write.load_row(address(bias_start, (here, size)), 1)
            lowest, y = write.everywhere(end[1]), builder.fadd(y, bias_here)
            y = builder.select(builder.fcmp_ordered(">", lowest, y), lowest, y)  # NaN stays NaN
        return y

    lanes = constant(write.zero.type.count)
    last = builder.sub(width, lanes)
    with cgutils.for_range_slice(builder, constant(0), width, lanes, lanes.type) as (start, _):
        here = builder.select(builder.icmp_signed(">", start, last), last, start)
        x = [write.load_row(address(source, (here, size)), 1)[0] for source in sources]
        for i, j in pairs_of_columns:
            x[i], x[j] = builder.fadd(x[i], x[j]), builder.fsub(x[i], x[j])
        alone = sorted(set(range(len(matrix))) - {*itertools.chain(*pairs)})
        for rows in [*pairs, *zip(alone)]:  # written as soon as computed: there are not so many registers
            y = [_sum_of_products(write, builder, halves[r], x) for r in rows]
            if len(rows) == 2:
                y = builder.fadd(*y), builder.fsub(*y)
            for r, y_r in zip(rows, y):
                write.store_row([ended(y_r)], address(targets[r], (here, size)))


def _pairs(matrix):
    """``pairs, halves``: which rows to compute together, and the matrix with half sum and half difference instead."""
    pairs, halves = [], matrix.copy()
    for i, j in itertools.combinations(range(len(matrix)), 2):
        both = np.array([matrix[i] + matrix[j], matrix[i] - matrix[j]]) / 2
        is_shorter = np.count_nonzero(both) + 2 < np.count_nonzero(matrix[[i, j]])
        if is_shorter and not {i, j} & {*itertools.chain(*pairs)}:
            pairs.append((i, j))
            halves[[i, j]] = both
    return pairs, halves


def _sum_of_products(write, builder, numbers, x):
    """The sum of numbers[k] x[k], without those that are zero."""
    total = None
    for number, x_k in zip(numbers, x):
        factor = ir.Constant(x_k.type, [float(number)] * x_k.type.count)
        if number and total is None:
            total = builder.fmul(factor, x_k)
        elif number:
            total = write.multiply_add(factor, x_k, total)
    return write.zero if total is None else total
