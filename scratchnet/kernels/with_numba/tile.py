"""The innermost part of a matrix product: a tile of the result that stays in registers from the first to the last sum.

    for k in range(depth):
        tile[:, :] += a[:, k, None] * block[k, None, :]                 (rows, width)

On a processor with 32 registers a tile has 8 rows of two vectors. For each k it loads 8 numbers and 2 vectors and
multiplies 16 times, so the multipliers never wait for a load. The 16 sums do not depend on each other, so they do not
wait for a multiplication either. With 16 registers, of SSE or AVX, a tile has 6 rows of two vectors. (Goto and van de
Geijn, "Anatomy of high-performance matrix multiplication", 2008; Van Zee and van de Geijn, "BLIS", 2015.)

Neither Python nor Numba can say "keep this in registers": written as loops, the compiler keeps the sums in memory, and
it takes four times as long. So the tile is written in the language of LLVM, by the library that Numba itself is made
of. Without the compiler (NUMBA_DISABLE_JIT=1) a tile is a line of NumPy. It says what is meant, and raises an error
where compiled code would silently read or write out of bounds.
"""

import numba
import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.core.codegen import get_host_cpu_features
from numba.extending import intrinsic


def _processor_has(feature):
    """Whether Numba may use this: as the processor says, or as NUMBA_CPU_FEATURES and NUMBA_ENABLE_AVX rule."""
    chosen = numba.config.CPU_FEATURES
    return f"+{feature}" in (get_host_cpu_features() if chosen is None else chosen).split(",")


_AVX512, _AVX = _processor_has("avx512f"), _processor_has("avx")
SSE = _AVX or _processor_has("sse2")
VECTOR_BYTES = 64 if _AVX512 else 32 if _AVX else 16
# Zen 4 multiplies vectors of 64 bytes by halves, and so waits for memory half as much as others that have them.
MULTIPLIES_HALVES = _AVX512 and (numba.config.CPU_NAME or binding.get_host_cpu_name()) == "znver4"
TALLEST = 6 if SSE and not _AVX512 else 8  # rows; SSE and AVX have 16 registers, AVX-512 and ARM's NEON have 32


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


def row_by_row(a, b):
    """``a @ b``, each row rounded as if it were alone, as compiled tiles do: BLAS may go by how many there are."""
    return np.einsum("mk,kn->mn", a, b, optimize=False)


def _make_transposer():
    """``copy_square(source, k, n, target, d, j)``, for compiled code: ``target[d : d + L, j : j + L]`` becomes
    ``source[k : k + L, n : n + L]``, L being how many numbers a vector has.

    The columns of source lie one after the other in memory, as do the rows of target. Read and written number by number
    that takes as long as 8 rows of a product; here both are whole vectors.
    """
    if numba.config.DISABLE_JIT:
        return _square_in_python

    @intrinsic
    def copy_square(typing_context, source, k, n, target, d, j):
        return types.void(source, types.intp, types.intp, target, types.intp, types.intp), _generate_transposer

    return copy_square


def _make_copier():
    """``copy_pair(source, k, n, target, d, j)``, for compiled code: two vectors of row k go into row d of target."""
    if numba.config.DISABLE_JIT:
        return _pair_in_python

    @intrinsic
    def copy_pair(typing_context, source, k, n, target, d, j):
        def generate(context, builder, signature, arguments):
            _, k, n, _, d, j = arguments
            source, target = (context.make_array(signature.args[i])(context, builder, arguments[i]) for i in (0, 3))
            write = Instructions(context, builder, signature.args[0].dtype)
            (row, _), (place, _) = (cgutils.unpack_tuple(builder, array.strides, 2) for array in (source, target))
            pair = write.load_row(write.address(source.data, (k, row), (n, write.size)), 2)
            write.store_row(pair, write.address(target.data, (d, place), (j, write.size)))
            return context.get_dummy_value()

        return types.void(source, types.intp, types.intp, target, types.intp, types.intp), generate

    return copy_pair


def _pair_in_python(source, k, n, target, d, j):
    size = 2 * VECTOR_BYTES // source.itemsize
    target[d, j : j + size] = source[k, n : n + size]


def _square_in_python(source, k, n, target, d, j):
    size = VECTOR_BYTES // source.itemsize
    if source.strides[0] != source.itemsize or target.strides[1] != target.itemsize:
        raise TypeError("a square needs a source with dense columns and a target with dense rows")
    target[d : d + size, j : j + size] = source[k : k + size, n : n + size]


def _generate_transposer(context, builder, signature, arguments):
    """The instructions of `copy_square`.

    A matrix of two rows and columns is transposed by exchanging the two numbers off its diagonal, one of 4 by
    exchanging the squares of 2 off its diagonal and transposing all four, and so on: for each power of two, each vector
    exchanges half of its numbers with another.
    """
    source_type, target_type = signature.args[0], signature.args[3]
    source, k, n, target, d, j = arguments
    source, target = (
        context.make_array(t)(context, builder, v) for t, v in ((source_type, source), (target_type, target))
    )
    write = Instructions(context, builder, source_type.dtype)
    (_, column), (row, _) = (cgutils.unpack_tuple(builder, array.strides, 2) for array in (source, target))
    size = write.zero.type.count
    start = write.address(source.data, (k, write.size), (n, column))
    vectors = [write.load_row(write.address(start, (write.constant(i), column)), 1)[0] for i in range(size)]
    step = 1
    while step < size:
        for i in (i for i in range(size) if not i & step):
            x, y = vectors[i], vectors[i + step]
            vectors[i] = write.pick(x, y, [e if not e & step else size + e - step for e in range(size)])
            vectors[i + step] = write.pick(x, y, [e + step if not e & step else size + e for e in range(size)])
        step *= 2
    start = write.address(target.data, (d, row), (j, write.size))
    for i, vector in enumerate(vectors):
        write.store_row([vector], write.address(start, (write.constant(i), row)))
    return context.get_dummy_value()


def _in_python(rows, vectors):
    def tile(a, m, k, depth, block, c, n, add):
        width = vectors * VECTOR_BYTES // c.itemsize
        fits = block.shape[1] == width and (depth == 0 or block.strides[1] == block.itemsize)
        if not (fits and a.dtype == block.dtype == c.dtype):
            raise TypeError("a tile needs one dtype, and a block as wide as its vectors and dense")
        if m + rows > len(c) or n + width > c.shape[1] or depth > len(block):
            raise IndexError("a tile leaves its matrix")
        product = row_by_row(a[m : m + rows, k : k + depth], block[:depth])
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
    write = Instructions(context, builder, a_type.dtype)
    address, constant, size = write.address, write.constant, write.size
    sequence = range(vectors)

    row_stride, column_stride = cgutils.unpack_tuple(builder, a.strides, 2)
    starts = [address(a.data, (builder.add(m, constant(r)), row_stride), (k, column_stride)) for r in range(rows)]
    sums = [
        [cgutils.alloca_once_value(builder, write.zero) for _ in sequence] for _ in starts
    ]  # LLVM makes registers of them
    block_stride, _ = cgutils.unpack_tuple(builder, block.strides, 2)
    with cgutils.for_range(builder, depth) as loop:
        columns = write.load_row(address(block.data, (loop.index, block_stride)), vectors)
        for start, totals in zip(starts, sums):
            value = write.load_everywhere(address(start, (loop.index, column_stride)))
            for column, total in zip(columns, totals):
                builder.store(write.multiply_add(value, column, builder.load(total)), total)

    c_stride, _ = cgutils.unpack_tuple(builder, c.strides, 2)
    for r, totals in enumerate(sums):
        target = address(c.data, (builder.add(m, constant(r)), c_stride), (n, size))
        with builder.if_then(add):
            for before, total in zip(write.load_row(target, vectors), totals):
                builder.store(builder.fadd(before, builder.load(total)), total)
        write.store_row([builder.load(total) for total in totals], target)
    return context.get_dummy_value()


def arrays_of(context, builder, signature, arguments):
    """Those of the arguments of an intrinsic that are arrays."""
    return [
        context.make_array(kind)(context, builder, value)
        for kind, value in zip(signature.args, arguments)
        if isinstance(kind, types.Array)
    ]


class Instructions:
    """Writes instructions on vectors of one dtype; rows are vectors that follow one another in memory."""

    def __init__(self, context, builder, dtype):
        self._builder = builder
        self._index = context.get_value_type(types.intp)
        self._number = context.get_data_type(dtype)
        self._bytes = context.get_abi_sizeof(self._number)
        self._vector = ir.VectorType(self._number, VECTOR_BYTES // self._bytes)
        self.size = self.constant(self._bytes)  # of a number
        self.zero = ir.Constant(self._vector, None)
        self.nan = ir.Constant(self._vector, [float("nan")] * self._vector.count)

    def constant(self, value):
        return ir.Constant(self._index, value)

    def address(self, data, *steps):
        """`data` moved on by ``index * stride`` bytes for each of `steps`."""
        data = self._builder.bitcast(data, cgutils.voidptr_t)
        for index, stride in steps:
            data = self._builder.gep(data, [self._builder.mul(index, stride)])
        return data

    def everywhere(self, value):
        """A vector that holds `value` everywhere."""
        kind = ir.VectorType(value.type, self._vector.count)
        nothing, first = ir.Constant(kind, ir.Undefined), ir.Constant(ir.IntType(32), 0)
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), kind.count), [0] * kind.count)
        return self._builder.shuffle_vector(self._builder.insert_element(nothing, value, first), nothing, zeros)

    def pick(self, x, y, places):
        """The numbers at `places` of x, and behind it y, as a vector."""
        return self._builder.shuffle_vector(x, y, ir.Constant(ir.VectorType(ir.IntType(32), len(places)), places))

    def load_everywhere(self, data):
        return self.everywhere(self._load(self._number, data))

    def load_four(self, data):
        """A vector of four numbers, again and again; of four where others have two."""
        four = self._load(ir.VectorType(self._number, 4), data)
        return self.pick(four, four, [lane % 4 for lane in range(max(self._vector.count, 4))])

    def choose(self, four, places):
        """For each lane that of `four` that the last two bits of `places` (32 bits each) say."""
        lanes = self._vector.count
        if _AVX and self._bytes == 4:
            name = {8: "llvm.x86.avx.vpermilvar.ps.256", 16: "llvm.x86.avx512.vpermilvar.ps.512"}[lanes]
            kind = ir.FunctionType(self._vector, [self._vector, places.type])
            return self._builder.call(cgutils.get_or_insert_function(self._builder.module, kind, name), [four, places])
        chosen = self.pick(four, four, [0] * lanes)
        places = self._builder.and_(places, ir.Constant(places.type, [3] * lanes))
        for k in (1, 2, 3):
            here = self._builder.icmp_unsigned("==", places, ir.Constant(places.type, [k] * lanes))
            chosen = self._builder.select(here, self.pick(four, four, [k] * lanes), chosen)
        return chosen

    def load_row(self, data, vectors):
        return [self._load(self._vector, place) for place in self._places(data, vectors)]

    def store_row(self, row, data):
        for value, place in zip(row, self._places(data, len(row))):
            self._builder.store(value, self._builder.bitcast(place, self._vector.as_pointer()), align=self._bytes)

    def multiply_add(self, x, y, total):
        """x * y + total, in one instruction where the processor has one."""
        return self._builder.fadd(self._builder.fmul(x, y, flags=["contract"]), total, flags=["contract"])

    def _load(self, kind, data):
        return self._builder.load(self._builder.bitcast(data, kind.as_pointer()), align=self._bytes)

    def _places(self, data, vectors):
        return [self.address(data, (self.constant(v), self.constant(VECTOR_BYTES))) for v in range(vectors)]


copy_square, copy_pair = _make_transposer(), _make_copier()
