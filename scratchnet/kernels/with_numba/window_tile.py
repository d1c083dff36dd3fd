"""A tile of a convolution: a matrix product in registers whose left matrix is read out of an image, window by window.

    z[r, :] = sum of x[starts[m + r] + steps[k]] * weights[k, :] over k, and bias

`starts` says where each window begins, `steps` how far from there its elements lie, the same for all windows. So
patches need not be copied together, which for few channels takes longer than to multiply them. (Dukhan, "The indirect
convolution algorithm", 2019.)

`scratchnet.kernels.with_numba.tile` explains why this is written in the language of LLVM.
"""

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from scratchnet.kernels.with_numba.tile import VECTOR_BYTES, Instructions, arrays_of, row_by_row


def make_window_tile(rows, vectors, pool=1, tells_places=False):
    """``tile(x, starts, m, steps, weights, n, least, y, row, column)``, for compiled code:

    ``y[row : row + rows // pool, column : column + width] = max(z[:, n : n + width], least)`` for the `rows` windows
    from `m` on, of which with `pool` so many that follow one another leave the largest number; NaN, where one is.

    width is that of so many vectors. x, starts and steps have one axis; the last row of weights is the bias; `least` is
    of their dtype.

    With `tells_places` a last argument, bytes for the same rows and columns as in y, is told which of the `pool`
    windows has the largest number, counted from 1 (the first of several); 0 where it is not above zero.
    """
    if numba.config.DISABLE_JIT:
        return _in_python(rows, vectors, pool)

    if tells_places:

        @intrinsic
        def tile(typing_context, x, starts, m, steps, weights, n, least, y, row, column, places):
            place = types.intp
            signature = types.void(x, starts, place, steps, weights, place, least, y, place, place, places)
            return signature, lambda *parts: _generate(rows, vectors, pool, *parts)

        return tile

    @intrinsic
    def tile(typing_context, x, starts, m, steps, weights, n, least, y, row, column):
        place = types.intp
        signature = types.void(x, starts, place, steps, weights, place, least, y, place, place)
        return signature, lambda *parts: _generate(rows, vectors, pool, *parts)

    return tile


def _in_python(rows, vectors, pool):
    def tile(x, starts, m, steps, weights, n, least, y, row, column, places=None):
        width = vectors * VECTOR_BYTES // y.itemsize
        if not x.dtype == weights.dtype == y.dtype:
            raise TypeError("a tile needs one dtype")
        if len(weights) != steps.size + 1 or n + width > weights.shape[1]:
            raise IndexError("a tile needs weights as long as the window and as wide as its vectors")
        if m + rows > starts.size or row + rows // pool > len(y) or column + width > y.shape[1]:
            raise IndexError("a tile leaves its matrix")
        elements = starts[m : m + rows, None] + steps
        if elements.min(initial=0) < 0:
            raise IndexError("a window leaves its image")
        z = row_by_row(x[elements], weights[:-1, n : n + width]) + weights[-1, n : n + width]
        z = z.reshape(-1, pool, width)
        here = slice(row, row + rows // pool), slice(column, column + width)
        y[here] = np.maximum(z.max(1), least)
        if places is not None:
            places[here] = np.where(z.max(1) > 0, z.argmax(1) + 1, 0)

    return tile


def _generate(rows, vectors, pool, context, builder, signature, arguments):
    """The instructions of a tile."""
    _, _, m, _, _, n, least, _, row, column = arguments[:10]
    x, starts, steps, weights, y, *places = arrays_of(context, builder, signature, arguments)
    write = Instructions(context, builder, signature.args[0].dtype)
    address, constant, size = write.address, write.constant, write.size

    def integer(array, index):
        return builder.load(builder.gep(array.data, [index]))

    windows = [address(x.data, (integer(starts, builder.add(m, constant(r))), size)) for r in range(rows)]
    (depth,) = cgutils.unpack_tuple(builder, steps.shape, 1)
    stride, _ = cgutils.unpack_tuple(builder, weights.strides, 2)
    panel = address(weights.data, (n, size))
    sums = [[cgutils.alloca_once_value(builder, write.zero) for _ in range(vectors)] for _ in windows]
    with cgutils.for_range(builder, depth) as loop:
        columns = write.load_row(address(panel, (loop.index, stride)), vectors)
        step = integer(steps, loop.index)
        for window, totals in zip(windows, sums):
            value = write.load_everywhere(address(window, (step, size)))
            for column_v, total in zip(columns, totals):
                builder.store(write.multiply_add(value, column_v, builder.load(total)), total)

    def larger(a, b):
        return builder.select(builder.fcmp_ordered(">", a, b), a, b)  # b, where they do not compare

    def largest(numbers):
        if pool == 1:
            return numbers[0]
        a, b, c, d = numbers
        missing = builder.or_(builder.fcmp_unordered("uno", a, b), builder.fcmp_unordered("uno", c, d))
        return builder.select(missing, write.nan, larger(larger(a, b), larger(c, d)))

    # The bias comes last, so that its digits do not push out those of the products.
    bias = write.load_row(address(panel, (depth, stride)), vectors)
    z = [[builder.fadd(builder.load(total), bias_v) for total, bias_v in zip(totals, bias)] for totals in sums]
    lowest = write.everywhere(least)
    stride, _ = cgutils.unpack_tuple(builder, y.strides, 2)
    for r in range(rows // pool):
        squares = list(zip(*z[r * pool : (r + 1) * pool]))
        pooled = [largest(numbers) for numbers in squares]
        line = builder.add(row, constant(r))
        write.store_row([larger(lowest, value) for value in pooled], address(y.data, (line, stride), (column, size)))
        for array in places:
            byte_stride, _ = cgutils.unpack_tuple(builder, array.strides, 2)
            for v, (numbers, best) in enumerate(zip(squares, pooled)):
                found = _place(builder, numbers, best, write.zero)
                first = builder.add(column, constant(v * found.type.count))
                target = address(array.data, (line, byte_stride), (first, constant(1)))
                builder.store(found, builder.bitcast(target, found.type.as_pointer()), align=1)
    return context.get_dummy_value()


def _place(builder, numbers, best, zero):
    """Bytes: the number, from 1, of the first of `numbers` that is the `best`; 0, where that is not above zero."""
    lanes = best.type.count

    def everywhere(value):
        return ir.Constant(ir.VectorType(ir.IntType(8), lanes), [value] * lanes)

    place = everywhere(len(numbers))
    for k in range(len(numbers) - 1, 0, -1):
        place = builder.select(builder.fcmp_ordered("==", numbers[k - 1], best), everywhere(k), place)
    return builder.select(builder.fcmp_ordered(">", best, zero), place, everywhere(0))
