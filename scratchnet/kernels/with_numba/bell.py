"""A thread that sleeps in compiled code, and is woken without the interpreter's lock.

Who sleeps in Python needs that lock to go on. It belongs to the thread that wakes it, as long as that one runs Python:
one that is to help in a kernel would come when the kernel is half done. But the interpreter has locks for C code, too,
on every system, which can be waited for without it.

    bell = Bell()
    wait_for(bell.waits, bell.lock)  # in compiled code, by the one who sleeps: comes back when the bell rings
    bell.ring()  # once for each time that somebody waits, before or meanwhile
"""

import ctypes

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


class Bell:
    """Attributes: `waits`, `lock`: the addresses of a function and of what it waits for."""

    def __init__(self):
        new, acquire, self._release, self._free = (_of_python(*declared) for declared in _FUNCTIONS)
        self.waits, self.lock = ctypes.cast(acquire, ctypes.c_void_p).value, new()
        acquire(self.lock, 1)  # and whoever does so again waits

    def ring(self):
        self._release(self.lock)

    def remove(self):
        """Nobody waits for it any more."""
        self._free(self.lock)


_FUNCTIONS = (
    ("PyThread_allocate_lock", ctypes.c_void_p),
    ("PyThread_acquire_lock", ctypes.c_int, ctypes.c_void_p, ctypes.c_int),
    ("PyThread_release_lock", None, ctypes.c_void_p),
    ("PyThread_free_lock", None, ctypes.c_void_p),
)


def _of_python(name, *types_of_result_and_arguments):
    """A function of the interpreter: the one of `ctypes.pythonapi` is everybody's, who may say other types."""
    return ctypes.PYFUNCTYPE(*types_of_result_and_arguments)((name, ctypes.pythonapi))


@intrinsic
def wait_for(typing_context, waits, lock):
    """Sleep until the bell rings with these addresses. No interpreter is needed meanwhile, nor afterwards."""

    def generate(context, builder, signature, arguments):
        waits, lock = arguments
        number, pointer = ir.IntType(32), ir.IntType(8).as_pointer()
        kind = ir.FunctionType(number, [pointer, number])
        builder.call(builder.inttoptr(waits, kind.as_pointer()), [builder.inttoptr(lock, pointer), number(1)])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), generate
