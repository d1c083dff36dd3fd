"""A tile of a convolution's gradient where max pooling followed: sums in registers of what the pooling let through.

    total[r, f] += sum over m of  x[starts[4 m + p] + steps[r]] * dy[m, f],      p + 1 = places[m, f]

Of the four numbers of a square only one has a gradient, which one depends on the filter. So an element of the kernel
meets one of four numbers of the image: these lie side by side in `quads`, a vector's lanes each choose one of them, and
a square takes one multiplication for each filter and element where its four windows would take four.

`scratchnet.kernels.with_numba.tile` explains why this is written in the language of LLVM.
"""

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from scratchnet.kernels.with_numba.tile import VECTOR_BYTES, Instructions, arrays_of

SQUARE = 4  # windows that one number was chosen from


def make_pooled_tile(rows, vectors):
    """``tile(quads, starts, count, steps, k, dy, places, n, total)``, for compiled code:

    the sum above, over the first `count` rows of dy and places, is added to
    ``total[k : k + rows, n : n + width]``, with steps[k : k + rows].

    width is that of so many vectors. Four numbers of quads, from 4 i on, are what x[i] and its neighbours are to the
    windows of a square, the last window first: then the last two bits of a place, which is 1 to 4, say which it is.
    quads, starts and steps have one axis; the columns of dy, places (bytes) and total lie one after the other in
    memory.
    """
    if numba.config.DISABLE_JIT:
        return _in_python(rows, vectors)

    @intrinsic
    def tile(typing_context, quads, starts, count, steps, k, dy, places, n, total):
        place = types.intp
        signature = types.void(quads, starts, place, steps, place, dy, places, place, total)
        return signature, lambda *parts: _generate(rows, vectors, *parts)

    return tile


def _in_python(rows, vectors):
    def tile(quads, starts, count, steps, k, dy, places, n, total):
        width = vectors * VECTOR_BYTES // dy.itemsize
        if not quads.dtype == dy.dtype == total.dtype or places.dtype != np.uint8:
            raise TypeError("a tile needs one dtype, and bytes")
        if count > len(dy) or SQUARE * count > starts.size or k + rows > min(steps.size, len(total)):
            raise IndexError("a tile leaves its matrix")
        if n + width > min(dy.shape[1], places.shape[1], total.shape[1]):
            raise IndexError("a tile leaves its matrix")
        elements = starts[: SQUARE * count : SQUARE, None] + steps[k : k + rows]  # (count, rows)
        if elements.min(initial=0) < 0:
            raise IndexError("a window leaves its image")
        place = places[:count, n : n + width]
        dz = np.where(place > 0, dy[:count, n : n + width], dy.dtype.type(0))
        chosen = quads[SQUARE * elements[:, :, None] + place[:, None] % SQUARE]  # (count, rows, width)
        with np.errstate(over="ignore", invalid="ignore"):  # where there is no filter, dy is whatever memory held
            total[k : k + rows, n : n + width] += (chosen * dz[:, None]).sum(axis=0)

    return tile


def _generate(rows, vectors, context, builder, signature, arguments):
    """The instructions of a tile."""
    _, _, count, _, k, _, _, n, _ = arguments
    quads, starts, steps, dy, places, total = arrays_of(context, builder, signature, arguments)
    write = Instructions(context, builder, signature.args[0].dtype)
    address, constant, size = write.address, write.constant, write.size
    lanes = write.zero.type.count
    of_bytes, of_integers = (ir.VectorType(ir.IntType(bits), lanes) for bits in (8, 32))
    quad = constant(SQUARE * size.constant)

    def integer(array, index):
        return builder.load(builder.gep(array.data, [index]))

    dy_stride, _ = cgutils.unpack_tuple(builder, dy.strides, 2)
    byte_stride, _ = cgutils.unpack_tuple(builder, places.strides, 2)
    total_stride, _ = cgutils.unpack_tuple(builder, total.strides, 2)
    sums = [[cgutils.alloca_once_value(builder, write.zero) for _ in range(vectors)] for _ in range(rows)]
    elements = [builder.mul(integer(steps, builder.add(k, constant(r))), quad) for r in range(rows)]
    with cgutils.for_range(builder, count) as loop:
        m = loop.index
        window = address(quads.data, (integer(starts, builder.mul(m, constant(SQUARE))), quad))
        dz, chosen = [], []
        for v, d in enumerate(write.load_row(address(dy.data, (m, dy_stride), (n, size)), vectors)):
            begin = address(places.data, (m, byte_stride), (builder.add(n, constant(v * lanes)), constant(1)))
            place = builder.load(builder.bitcast(begin, of_bytes.as_pointer()), align=1)
            place = builder.zext(place, of_integers)
            chosen.append(place)
            dz.append(builder.select(builder.icmp_unsigned("==", place, ir.Constant(of_integers, None)), write.zero, d))
        for r, totals in enumerate(sums):
            four = write.load_four(builder.gep(window, [elements[r]]))
            for d, place, total_ in zip(dz, chosen, totals):
                value = write.choose(four, place)
                builder.store(write.multiply_add(value, d, builder.load(total_)), total_)
    for r, totals in enumerate(sums):
        target = address(total.data, (builder.add(k, constant(r)), total_stride), (n, size))
        before = write.load_row(target, vectors)
        write.store_row([builder.fadd(b, builder.load(sum_)) for b, sum_ in zip(before, totals)], target)
    return context.get_dummy_value()
