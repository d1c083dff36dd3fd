"""Numbers so small that they have fewer digits than others count as zero.

Below 2^-126 (1.2e-38) float32 gives up digits, one by one, until at 2^-149 nothing is left. What becomes smaller from
step to step gets there: adjoints on their way back through some hundred time steps, the tails of a softmax, the running
mean of a gradient that has become zero. No loss depends on such numbers, but some processors compute each of them
outside of their usual way, which takes a hundred times as long: on Intel's the way back through an LSTM of 512 steps
took 25 times the time of 256. So they are made zero while a model computes, as TensorFlow and XLA do.

Every thread has a mode of its own for that, which is put back behind what computes: whoever calls has numbers of all
sizes. A helper takes over the mode of the thread that it helps (`team`), so that no bit depends on who computes a row.
Other processors than those with SSE are left as they are.
"""

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from scratchnet.kernels.with_numba.compile import njit
from scratchnet.kernels.with_numba.tile import SSE

_FLUSH = 0x8040  # the bits of SSE's control word that make zero of small results, and of small operands


class flushing:
    """A ``with`` block in which this thread takes subnormal numbers for zero."""

    def __enter__(self):
        self._before = _exchange(_FLUSH)

    def __exit__(self, *exception):
        _exchange(self._before)


@njit
def _exchange(bits):
    """Set the bits of `_FLUSH` to these; returns what they were."""
    word = float_mode()
    set_float_mode((word & ~_FLUSH) | bits)
    return word & _FLUSH


@intrinsic
def _float_mode(typing_context):
    """The control word of this thread's arithmetic: how it rounds, and what it does with subnormal numbers."""

    def generate(context, builder, signature, arguments):
        word = cgutils.alloca_once_value(builder, ir.Constant(ir.IntType(32), 0))
        _call(builder, "llvm.x86.sse.stmxcsr", word)
        return builder.zext(builder.load(word), ir.IntType(64))

    return types.int64(), generate


@intrinsic
def _set_float_mode(typing_context, mode):
    def generate(context, builder, signature, arguments):
        word = cgutils.alloca_once_value(builder, builder.trunc(arguments[0], ir.IntType(32)))
        _call(builder, "llvm.x86.sse.ldmxcsr", word)
        return context.get_dummy_value()

    return types.void(types.int64), generate


def _call(builder, name, word):
    if SSE:
        pointer = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [pointer])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [builder.bitcast(word, pointer)])


def _no_mode():
    return 0


def _keep_mode(mode):
    pass


float_mode, set_float_mode = (_no_mode, _keep_mode) if numba.config.DISABLE_JIT else (_float_mode, _set_float_mode)
