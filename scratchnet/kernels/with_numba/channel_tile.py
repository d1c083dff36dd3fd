"""Tiles of a depthwise convolution, where each channel meets its own weights: vectors of channels, in registers.

    z[r, c] = sum over k of  x[starts[m + r] + steps[k] + c] * weights[k, n + c] + bias[n + c]
    y[row + r, n + c] = min(max(z[r, c], least), most)
    total[k, n + c] += sum over m of  x[starts[m] + steps[k] + c] * dz[m, n + c]

`starts` says where each window begins, `steps` how far from there its elements lie; c goes over channels, which lie
side by side, and of which x begins with that numbered n. Each number of y, and of total, is written once. A loop over
one element of the window at a time, which is all that a compiler makes of it, reads and writes them at each.

`scratchnet.kernels.with_numba.tile` explains why this is written in the language of LLVM.
"""

import numba
import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from scratchnet.kernels.with_numba.tile import VECTOR_BYTES, Instructions, arrays_of


def make_channel_tile(rows, vectors):
    """``tile(x, starts, m, steps, weights, n, least, most, y, row)``, for compiled code:

    ``y[row : row + rows, n : n + width]``, as above, for the `rows` windows from `m` on. width is that of so many
    vectors. x, starts and steps have one axis; the last row of weights is the bias; `least` and `most` are of that
    dtype.
    """
    if numba.config.DISABLE_JIT:
        return _tile_in_python(rows, vectors)

    @intrinsic
    def tile(typing_context, x, starts, m, steps, weights, n, least, most, y, row):
        place = types.intp
        signature = types.void(x, starts, place, steps, weights, place, least, most, y, place)
        return signature, lambda *parts: _generate_tile(rows, vectors, *parts)

    return tile


def make_channel_sums(rows):
    """``sums(x, starts, count, steps, k, dz, n, total)``, for compiled code:

    the second of the sums above, over the first `count` windows, is added to ``total[k : k + rows, n : n + width]``,
    with steps[k : k + rows]. width is that of a vector.
    """
    if numba.config.DISABLE_JIT:
        return _sums_in_python(rows)

    @intrinsic
    def sums(typing_context, x, starts, count, steps, k, dz, n, total):
        place = types.intp
        signature = types.void(x, starts, place, steps, place, dz, place, total)
        return signature, lambda *parts: _generate_sums(rows, *parts)

    return sums


def _tile_in_python(rows, vectors):
    def tile(x, starts, m, steps, weights, n, least, most, y, row):
        width = vectors * VECTOR_BYTES // y.itemsize
        if not x.dtype == weights.dtype == y.dtype:
            raise TypeError("a tile needs one dtype")
        if len(weights) != steps.size + 1 or n + width > weights.shape[1]:
            raise IndexError("a tile needs weights as long as the window and as wide as its vectors")
        if m + rows > starts.size or row + rows > len(y) or n + width > y.shape[1]:
            raise IndexError("a tile leaves its matrix")
        z = (_elements(x, starts[m : m + rows], steps, width) * weights[:-1, n : n + width]).sum(axis=1)
        y[row : row + rows, n : n + width] = np.clip(z + weights[-1, n : n + width], least, most)

    return tile


def _sums_in_python(rows):
    def sums(x, starts, count, steps, k, dz, n, total):
        width = VECTOR_BYTES // dz.itemsize
        if not x.dtype == dz.dtype == total.dtype:
            raise TypeError("a tile needs one dtype")
        if count > min(len(dz), starts.size) or k + rows > min(steps.size, len(total)):
            raise IndexError("a tile leaves its matrix")
        if n + width > min(dz.shape[1], total.shape[1]):
            raise IndexError("a tile leaves its matrix")
        elements = _elements(x, starts[:count], steps[k : k + rows], width)
        total[k : k + rows, n : n + width] += (elements * dz[:count, None, n : n + width]).sum(axis=0)

    return sums


def _elements(x, starts, steps, width):
    """What the windows read: (windows, elements, width)."""
    places = starts[:, None, None] + steps[:, None] + np.arange(width)
    if places.min(initial=0) < 0:
        raise IndexError("a window leaves its image")
    return x[places]


def _generate_tile(rows, vectors, context, builder, signature, arguments):
    """The instructions of a tile."""
    _, _, m, _, _, n, least, most, _, row = arguments
    x, starts, steps, weights, y = arrays_of(context, builder, signature, arguments)
    write = Instructions(context, builder, signature.args[0].dtype)
    address, constant, size = write.address, write.constant, write.size
    windows = [address(x.data, (_integer(builder, starts, builder.add(m, constant(r))), size)) for r in range(rows)]
    (depth,) = cgutils.unpack_tuple(builder, steps.shape, 1)
    stride, _ = cgutils.unpack_tuple(builder, weights.strides, 2)
    panel = address(weights.data, (n, size))
    sums = [[cgutils.alloca_once_value(builder, write.zero) for _ in range(vectors)] for _ in windows]
    with cgutils.for_range(builder, depth) as loop:
        columns = write.load_row(address(panel, (loop.index, stride)), vectors)
        step = _integer(builder, steps, loop.index)
        for window, totals in zip(windows, sums):
            values = write.load_row(address(window, (step, size)), vectors)
            for value, column_v, total in zip(values, columns, totals):
                builder.store(write.multiply_add(value, column_v, builder.load(total)), total)
    # The bias comes last, so that its digits do not push out those of the products.
    bias = write.load_row(address(panel, (depth, stride)), vectors)
    lowest, highest = write.everywhere(least), write.everywhere(most)
    stride, _ = cgutils.unpack_tuple(builder, y.strides, 2)
    for r, totals in enumerate(sums):
        z = [builder.fadd(builder.load(total), bias_v) for total, bias_v in zip(totals, bias)]
        z = [builder.select(builder.fcmp_ordered(">", lowest, z_v), lowest, z_v) for z_v in z]  # NaN stays NaN
        z = [builder.select(builder.fcmp_ordered("<", highest, z_v), highest, z_v) for z_v in z]
        write.store_row(z, address(y.data, (builder.add(row, constant(r)), stride), (n, size)))
    return context.get_dummy_value()


def _generate_sums(rows, context, builder, signature, arguments):
    """The instructions of the sums for `total`."""
    _, _, count, _, k, _, n, _ = arguments
    x, starts, steps, dz, total = arrays_of(context, builder, signature, arguments)
    write = Instructions(context, builder, signature.args[0].dtype)
    address, constant, size = write.address, write.constant, write.size
    dz_stride, _ = cgutils.unpack_tuple(builder, dz.strides, 2)
    total_stride, _ = cgutils.unpack_tuple(builder, total.strides, 2)
    sums = [cgutils.alloca_once_value(builder, write.zero) for _ in range(rows)]
    elements = [address(x.data, (_integer(builder, steps, builder.add(k, constant(r))), size)) for r in range(rows)]
    with cgutils.for_range(builder, count) as loop:
        start = _integer(builder, starts, loop.index)
        (d,) = write.load_row(address(dz.data, (loop.index, dz_stride), (n, size)), 1)
        for element, total_r in zip(elements, sums):
            (value,) = write.load_row(address(element, (start, size)), 1)
            builder.store(write.multiply_add(value, d, builder.load(total_r)), total_r)
    for r, total_r in enumerate(sums):
        target = address(total.data, (builder.add(k, constant(r)), total_stride), (n, size))
        (before,) = write.load_row(target, 1)
        write.store_row([builder.fadd(before, builder.load(total_r))], target)
    return context.get_dummy_value()


def _integer(builder, array, index):
    return builder.load(builder.gep(array.data, [index]))
