"""The innermost part of a matrix product: a tile of the result that stays in registers from the first to the last sum.

    for k in range(depth):
        tile[:, :] += a[:, k, None] * block[k, None, :]                 (rows, width)

On a processor with 32 registers a tile has 8 rows of two vectors. For each k it loads 8 numbers and 2 vectors and
multiplies 16 times, so the multipliers never wait for a load. The 16 sums do not depend on each other, so they do not
wait for a multiplication either. With the 16 registers of AVX a tile has 6 rows of two vectors, which fill 15. (Goto
and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008; Van Zee and van de Geijn, "BLIS", 2015.)

Neither Python nor Numba can say "keep this in registers": written as loops, the compiler keeps the sums in memory, and
it takes four times as long. So the tile is written in the language of LLVM, by the library that Numba itself is made
of. Without the compiler (NUMBA_DISABLE_JIT=1) a tile is a line of NumPy. It says what is meant, and raises an error
where compiled code would silently read or write out of bounds.
"""

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.codegen import get_host_cpu_features
from numba.extending import intrinsic


def _processor_has(feature):
    """Whether Numba may use this: as the processor says, or as NUMBA_CPU_FEATURES and NUMBA_ENABLE_AVX rule."""
    chosen = numba.config.CPU_FEATURES
    return f"+{feature}" in (get_host_cpu_features() if chosen is None else chosen).split(",")


_AVX512, _AVX = _processor_has("avx512f"), _processor_has("avx")
VECTOR_BYTES = 64 if _AVX512 else 32 if _AVX else 16
TALLEST = 6 if _AVX and not _AVX512 else 8  # rows; AVX has 16 registers, AVX-512 and ARM's NEON have 32


def make_tile(rows, vectors):
    """``tile(a, m, k, depth, block, c, n, add)``, for compiled code:

    ``c[m : m + rows, n : n + width] = a[m : m + rows, k : k + depth] @ block[:depth]``, or ``+=`` where `add` is true.

    width is that of so many vectors, and the width of `block`. The columns of block and c lie one after the other in
    memory; a may have any strides.
    """
    if numba.config.DISABLE_JIT:
        return _in_python(rows, vectors)

    @intrinsic
    def tile(typing_context, a, m, k, depth, block, c, n, add):
        signature = types.void(a, types.intp, types.intp, types.intp, block, c, types.intp, types.boolean)
        return signature, lambda *parts: _generate(rows, vectors, *parts)

    return tile


def _in_python(rows, vectors):
    def tile(a, m, k, depth, block, c, n, add):
        width = vectors * VECTOR_BYTES // c.itemsize
        fits = block.shape[1] == width and (depth == 0 or block.strides[1] == block.itemsize)
        if not (fits and a.dtype == block.dtype == c.dtype):
            raise TypeError("a tile needs one dtype, and a block as wide as its vectors and dense")
        if m + rows > len(c) or n + width > c.shape[1] or depth > len(block):
            raise IndexError("a tile leaves its matrix")
        product = a[m : m + rows, k : k + depth] @ block[:depth]
        target = c[m : m + rows, n : n + width]
        target[:] = target + product if add else product

    return tile


def _generate(rows, vectors, context, builder, signature, arguments):
    """The instructions of a tile."""
    a_type, block_type, c_type = (signature.args[i] for i in (0, 4, 5))
    a, m, k, depth, block, c, n, add = arguments
    a, block, c = (
        context.make_array(t)(context, builder, v) for t, v in ((a_type, a), (block_type, block), (c_type, c))
    )
    number = context.get_data_type(a_type.dtype)
    size = context.get_abi_sizeof(number)
    vector = ir.VectorType(number, VECTOR_BYTES // size)
    sequence = range(vectors)

    def constant(value):
        return ir.Constant(k.type, value)

    def address(data, *steps):
        """`data` moved on by ``index * stride`` bytes for each of `steps`."""
        data = builder.bitcast(data, cgutils.voidptr_t)
        for index, stride in steps:
            data = builder.gep(data, [builder.mul(index, stride)])
        return data

    def load(kind, data):
        return builder.load(builder.bitcast(data, kind.as_pointer()), align=size)

    def spread(value):
        """A vector that holds `value` everywhere."""
        nothing, first = ir.Constant(vector, ir.Undefined), ir.Constant(ir.IntType(32), 0)
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
        return builder.shuffle_vector(builder.insert_element(nothing, value, first), nothing, everywhere)

    def multiply_add(x, y, total):
        """x * y + total, in one instruction where the processor has one."""
        return builder.fadd(builder.fmul(x, y, flags=["contract"]), total, flags=["contract"])

    row_stride, column_stride = cgutils.unpack_tuple(builder, a.strides, 2)
    starts = [address(a.data, (builder.add(m, constant(r)), row_stride), (k, column_stride)) for r in range(rows)]
    zero = ir.Constant(vector, None)
    sums = [
        [cgutils.alloca_once_value(builder, zero) for _ in sequence] for _ in starts
    ]  # LLVM makes registers of them
    block_stride, _ = cgutils.unpack_tuple(builder, block.strides, 2)
    with cgutils.for_range(builder, depth) as loop:
        block_row = address(block.data, (loop.index, block_stride))
        columns = [load(vector, address(block_row, (constant(v), constant(VECTOR_BYTES)))) for v in sequence]
        for start, totals in zip(starts, sums):
            value = spread(load(number, address(start, (loop.index, column_stride))))
            for column, total in zip(columns, totals):
                builder.store(multiply_add(value, column, builder.load(total)), total)

    c_stride, _ = cgutils.unpack_tuple(builder, c.strides, 2)
    for r, totals in enumerate(sums):
        target = address(c.data, (builder.add(m, constant(r)), c_stride), (n, constant(size)))
        for v, total in enumerate(totals):
            place = address(target, (constant(v), constant(VECTOR_BYTES)))
            with builder.if_then(add):
                builder.store(builder.fadd(load(vector, place), builder.load(total)), total)
            builder.store(builder.load(total), builder.bitcast(place, vector.as_pointer()), align=size)
    return context.get_dummy_value()
