"""How everything in this folder is compiled.

* Lazily: a function is compiled for the dtypes of its first call, and cached on disk (`cache=True`). The cache does not
  notice a change in a function that comes from another file; so a kernel's helpers stand in the kernel's own file.
* ``nogil``: threads run kernels side by side.
* Without ``parallel=True``: threads are made once, above the layers (`scratchnet.threads`).
* fastmath without "nnan" and "ninf": NaN checks and padding with minus infinity must go on working. What is allowed is
  to reorder and fuse sums, so that they vectorise.
"""

import functools
import sys
import threading
import time

import numba

_FASTMATH = {"reassoc", "contract", "nsz", "arcp", "afn"}
_PATIENCE = 0.5  # seconds until somebody is told what takes so long

_lock = threading.Lock()
_told = False


def njit(function):
    """`numba.njit` with the settings of this folder; says so, once, when compiling takes longer than a blink."""
    compiled = numba.njit(nogil=True, cache=True, fastmath=_FASTMATH)(function)
    if not hasattr(compiled, "_compile_for_args"):  # NUMBA_DISABLE_JIT=1 gives the plain function back
        return compiled
    compile_for_args = compiled._compile_for_args

    @functools.wraps(compile_for_args)
    def compile_and_tell(*args, **kwargs):
        with _lock:  # two threads that need the same kernel compile it once
            timer = threading.Timer(_PATIENCE, _tell)
            timer.daemon = True
            timer.start()
            try:
                return compile_for_args(*args, **kwargs)
            finally:
                timer.cancel()

    try:
        compiled._compile_for_args = compile_and_tell
    except AttributeError:
        pass
    return compiled


def _tell():
    global _told
    if not _told:
        _told = True
        print("scratchnet: compiling kernels for this machine (once; they are cached) ...", file=sys.stderr, flush=True)
