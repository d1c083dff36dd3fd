"""How everything in this folder is compiled.

* Lazily: a function is compiled for the dtypes of its first call, and cached on disk (`cache=True`). The cache does not
  notice a change in a function that comes from another file; so a kernel's helpers stand in the kernel's own file.
  After a change of what is shared, `matrix_product`, `tile` and the settings here, the folder's ``__pycache__`` has to
  be deleted.
* ``nogil``: threads run kernels side by side.
* Without ``parallel=True``: threads are made once, above the layers (`scratchnet.parallel.threads`).
* fastmath without "nnan" and "ninf": NaN checks and padding with minus infinity must go on working. What is allowed is
  to reorder and fuse sums, so that they vectorise; ``reorder=False`` forbids even that, where digits were counted.
* With NumPy's error model: a division that may raise ZeroDivisionError is not vectorised.
"""

import functools
import sys
import threading

import numba
import numpy as np

_PATIENCE = 0.5  # seconds until somebody is told what takes so long

_lock = threading.RLock()
_told = False


def njit(function=None, *, reorder=True):
    """`numba.njit` with the settings of this folder; says so, once, when compiling takes longer than a blink."""
    if function is None:
        return functools.partial(njit, reorder=reorder)
    fastmath = {"contract", "nsz", "reassoc", "arcp", "afn"} if reorder else {"contract", "nsz"}
    compiled = numba.njit(nogil=True, cache=True, fastmath=fastmath, error_model="numpy")(function)
    if hasattr(compiled, "compile"):  # with NUMBA_DISABLE_JIT=1 it is the plain function
        compiled.compile = _telling(compiled.compile)
    return compiled


def plain(array):
    """`array`, or a copy of it, as kernels are compiled for: contiguous, aligned, writeable.

    Every other layout, and read-only memory too, would be a type of its own to Numba and be compiled for anew.
    """
    return array if array.flags.carray else np.array(array, order="C")


def _telling(compile_):
    @functools.wraps(compile_)
    def compile_and_tell(*args, **kwargs):
        with _lock:  # two threads that need the same kernel compile it once
            timer = threading.Timer(_PATIENCE, _tell)
            timer.daemon = True
            timer.start()
            try:
                return compile_(*args, **kwargs)
            finally:
                timer.cancel()

    return compile_and_tell


def _tell():
    global _told
    if not _told:
        _told = True
        print("scratchnet: compiling kernels for this machine (once; they are cached) ...", file=sys.stderr, flush=True)
