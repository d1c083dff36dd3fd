"""A tile of a convolution's gradient where max pooling followed: sums in registers of what the pooling let through.

    total[r, f] += sum over m of  x[starts[4 m + p] + steps[r]] * dy[m, f],      p + 1 = places[m, f]

Of the four numbers of a square only one has a gradient, which one depends on the filter. So there are four vectors of
dz for a vector of dy, each with zeros where another place was the largest; they are made in registers, and dz is never
in memory. Nor are patches: `steps` says how far from a window's beginning its elements lie in the image.

`scratchnet.kernels.with_numba.tile` explains why this is written in the language of LLVM.
"""

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from scratchnet.kernels.with_numba.tile import VECTOR_BYTES, Instructions

SQUARE = 4  # windows that one number was chosen from


def make_pooled_tile(rows, vectors):
    """``tile(x, starts, count, steps, k, dy, places, n, total)``, for compiled code:

    the sum above, over the first `count` rows of dy and places, is added to
    ``total[k : k + rows, n : n + width]``, with steps[k : k + rows].

    width is that of so many vectors. x, starts and steps have one axis; the columns of dy, places (bytes) and total lie
    one after the other in memory.
    """
    if numba.config.DISABLE_JIT:
        return _in_python(rows, vectors)

    @intrinsic
    def tile(typing_context, x, starts, count, steps, k, dy, places, n, total):
        place = types.intp
        signature = types.void(x, starts, place, steps, place, dy, places, place, total)
        return signature, lambda *parts: _generate(rows, vectors, *parts)

    return tile


def _in_python(rows, vectors):
    def tile(x, starts, count, steps, k, dy, places, n, total):
        width = vectors * VECTOR_BYTES // dy.itemsize
        if not x.dtype == dy.dtype == total.dtype or places.dtype != np.uint8:
            raise TypeError("a tile needs one dtype, and bytes")
        if count > len(dy) or SQUARE * count > starts.size or k + rows > min(steps.size, len(total)):
            raise IndexError("a tile leaves its matrix")
        if n + width > min(dy.shape[1], places.shape[1], total.shape[1]):
            raise IndexError("a tile leaves its matrix")
        places_of_x = starts[: SQUARE * count].reshape(count, SQUARE, 1) + steps[k : k + rows]  # (count, SQUARE, rows)
        if places_of_x.min(initial=0) < 0:
            raise IndexError("a window leaves its image")
        here = places[:count, np.newaxis, n : n + width] == np.arange(1, SQUARE + 1)[:, np.newaxis]
        dz = np.where(here, dy[:count, np.newaxis, n : n + width], dy.dtype.type(0))  # (count, SQUARE, width)
        total[k : k + rows, n : n + width] += x[places_of_x].reshape(-1, rows).T @ dz.reshape(-1, width)

    return tile


def _generate(rows, vectors, context, builder, signature, arguments):
    """The instructions of a tile."""
    _, _, count, _, k, _, _, n, _ = arguments
    x, starts, steps, dy, places, total = (
        context.make_array(kind)(context, builder, value)
        for kind, value in zip(signature.args, arguments)
        if isinstance(kind, types.Array)
    )
    write = Instructions(context, builder, signature.args[0].dtype)
    address, constant, size = write.address, write.constant, write.size
    lanes = write.zero.type.count
    of_bytes = ir.VectorType(ir.IntType(8), lanes)

    def integer(array, index):
        return builder.load(builder.gep(array.data, [index]))

    dy_stride, _ = cgutils.unpack_tuple(builder, dy.strides, 2)
    byte_stride, _ = cgutils.unpack_tuple(builder, places.strides, 2)
    total_stride, _ = cgutils.unpack_tuple(builder, total.strides, 2)
    sums = [[cgutils.alloca_once_value(builder, write.zero) for _ in range(vectors)] for _ in range(rows)]
    with cgutils.for_range(builder, builder.mul(count, constant(SQUARE))) as loop:
        m, p = builder.udiv(loop.index, constant(SQUARE)), builder.urem(loop.index, constant(SQUARE))
        window = address(x.data, (integer(starts, loop.index), size))
        this = write.everywhere(builder.trunc(builder.add(p, constant(1)), of_bytes.element))
        dz = []
        for v, d in enumerate(write.load_row(address(dy.data, (m, dy_stride), (n, size)), vectors)):
            begin = address(places.data, (m, byte_stride), (builder.add(n, constant(v * lanes)), constant(1)))
            place = builder.load(builder.bitcast(begin, of_bytes.as_pointer()), align=1)
            dz.append(builder.select(builder.icmp_unsigned("==", place, this), d, write.zero))
        for r, totals in enumerate(sums):
            value = write.load_everywhere(address(window, (integer(steps, builder.add(k, constant(r))), size)))
            for d, total_ in zip(dz, totals):
                builder.store(write.multiply_add(value, d, builder.load(total_)), total_)
    for r, totals in enumerate(sums):
        target = address(total.data, (builder.add(k, constant(r)), total_stride), (n, size))
        before = write.load_row(target, vectors)
        write.store_row([builder.fadd(b, builder.load(sum_)) for b, sum_ in zip(before, totals)], target)
    return context.get_dummy_value()
