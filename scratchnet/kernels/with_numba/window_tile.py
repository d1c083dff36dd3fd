"""A tile of a convolution: a matrix product in registers whose left matrix is read out of an image, window by window.

    z[r, :] = sum of x[starts[m + r] + runs[i] + k] * weights[i * length + k, :] over i and k < length, and bias

A window is a few runs of neighbours in memory: a line of the window with all its channels, or a pixel where windows are
dilated. `starts` says where each window begins, `runs` where its runs lie from there. So patches need not be copied
together, which for few channels takes longer than to multiply them. (Dukhan, "The indirect convolution algorithm",
2019.)

`scratchnet.kernels.with_numba.tile` explains why this is written in the language of LLVM.
"""

import numba
import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from scratchnet.kernels.with_numba.tile import VECTOR_BYTES, Instructions


def make_window_tile(rows, vectors, pool=1):
    """``tile(x, starts, m, runs, length, weights, n, least, y, row, column)``, for compiled code:

    ``y[row : row + rows // pool, column : column + width] = max(z[:, n : n + width], least)`` for the `rows` windows
    from `m` on, of which with `pool` so many that follow one another leave the largest number; NaN, where one is.

    width is that of so many vectors. x, starts and runs have one axis; the last row of weights is the bias; `least` is
    of their dtype.
    """
    if numba.config.DISABLE_JIT:
        return _in_python(rows, vectors, pool)

    @intrinsic
    def tile(typing_context, x, starts, m, runs, length, weights, n, least, y, row, column):
        place = types.intp
        signature = types.void(x, starts, place, runs, place, weights, place, least, y, place, place)
        return signature, lambda *parts: _generate(rows, vectors, pool, *parts)

    return tile


def _in_python(rows, vectors, pool):
    def tile(x, starts, m, runs, length, weights, n, least, y, row, column):
        width = vectors * VECTOR_BYTES // y.itemsize
        if not x.dtype == weights.dtype == y.dtype:
            raise TypeError("a tile needs one dtype")
        if len(weights) != runs.size * length + 1 or n + width > weights.shape[1]:
            raise IndexError("a tile needs weights as long as the window and as wide as its vectors")
        if m + rows > starts.size or row + rows // pool > len(y) or column + width > y.shape[1]:
            raise IndexError("a tile leaves its matrix")
        places = starts[m : m + rows, None] + (runs[:, None] + np.arange(length)).reshape(-1)
        if places.min(initial=0) < 0:
            raise IndexError("a window leaves its image")
        z = x[places] @ weights[:-1, n : n + width] + weights[-1, n : n + width]
        y[row : row + rows // pool, column : column + width] = np.maximum(z.reshape(-1, pool, width).max(1), least)

    return tile


def _generate(rows, vectors, pool, context, builder, signature, arguments):
    """The instructions of a tile."""
    x, starts, m, runs, length, weights, n, least, y, row, column = arguments
    x, starts, runs, weights, y = (
        context.make_array(kind)(context, builder, value)
        for kind, value in zip(signature.args, arguments)
        if isinstance(kind, types.Array)
    )
    write = Instructions(context, builder, signature.args[0].dtype)
    address, constant, size = write.address, write.constant, write.size

    def integer(array, index):
        return builder.load(builder.gep(array.data, [index]))

    windows = [address(x.data, (integer(starts, builder.add(m, constant(r))), size)) for r in range(rows)]
    (runs_count,) = cgutils.unpack_tuple(builder, runs.shape, 1)
    stride, _ = cgutils.unpack_tuple(builder, weights.strides, 2)
    panel = address(weights.data, (n, size))
    sums = [[cgutils.alloca_once_value(builder, write.zero) for _ in range(vectors)] for _ in windows]
    with cgutils.for_range(builder, runs_count) as run:
        lines = [address(window, (integer(runs, run.index), size)) for window in windows]
        first = address(panel, (builder.mul(run.index, length), stride))
        with cgutils.for_range(builder, length) as loop:
            columns = write.load_row(address(first, (loop.index, stride)), vectors)
            for line, totals in zip(lines, sums):
                value = write.load_everywhere(address(line, (loop.index, size)))
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
    bias = write.load_row(address(panel, (builder.mul(runs_count, length), stride)), vectors)
    z = [[builder.fadd(builder.load(total), bias_v) for total, bias_v in zip(totals, bias)] for totals in sums]
    lowest = write.everywhere(least)
    stride, _ = cgutils.unpack_tuple(builder, y.strides, 2)
    for r in range(rows // pool):
        pooled = [largest(numbers) for numbers in zip(*z[r * pool : (r + 1) * pool])]
        target = address(y.data, (builder.add(row, constant(r)), stride), (column, size))
        write.store_row([larger(lowest, value) for value in pooled], target)
    return context.get_dummy_value()
