"""How everything in this folder is compiled.

* Lazily: a function is compiled for the dtypes of its first call, and kept on disk (`cache`).
* ``nogil``: threads run kernels side by side.
* Without ``parallel=True``: threads are made once, above the layers (`scratchnet.parallel.threads`).
* fastmath without "nnan" and "ninf": NaN checks and padding with minus infinity must go on working. What is allowed is
  to reorder and fuse sums, so that they vectorise; ``reorder=False`` forbids even that, where digits were counted, and
  ``fuse=False`` a product and a sum that are rounded once, where bits must be those of NumPy.
* With NumPy's error model: a division that may raise ZeroDivisionError is not vectorised.
"""

import functools
import gc
import threading
import time

import numba
import numpy as np
from numba.core import event

from scratchnet.console import tell
from scratchnet.kernels.with_numba.cache import KernelCache, can_keep

_PATIENCE = 0.5  # seconds until somebody is told what takes so long
_SELDOM = 50_000  # objects that a compiler makes until Python looks for garbage: after 700 it takes 8 % of the time


def njit(function=None, *, reorder=True, fuse=True, inline="never", inner=False, counts=True):
    """`numba.njit` with the settings of this folder.

    With ``inline="always"`` a short function becomes part of whoever calls it, which is quicker to compile. A function
    that is `inner` has no way in for Python, which would be a third of what there is to compile of a short one: only
    compiled code can call it (from Python that would end the process). Without `counts` no references to arrays are
    counted, which takes as long as a row of some hundred numbers: for what neither makes arrays nor returns any.
    """
    if function is None:
        return functools.partial(njit, reorder=reorder, fuse=fuse, inline=inline, inner=inner, counts=counts)
    fastmath = {"nsz", *(("contract",) if fuse else ()), *(("reassoc", "arcp", "afn") if reorder else ())}
    how = {"no_cpython_wrapper": inner, "no_cfunc_wrapper": True, "_nrt": counts}
    compiled = numba.njit(nogil=True, fastmath=fastmath, error_model="numpy", inline=inline, **how)(function)
    if hasattr(compiled, "overloads"):  # with NUMBA_DISABLE_JIT=1 it is the plain function
        compiled._cache = KernelCache(function)
    return compiled


def plain(array):
    """`array`, or a copy of it, as kernels are compiled for: contiguous, aligned, writeable.

    Every other layout, and read-only memory too, would be a type of its own to Numba and be compiled for anew.
    """
    return array if array.flags.carray else np.array(array, order="C")


class CompilingWatch(event.Listener):
    """Adds up the seconds spent on compiling kernels, and tells the user once if that takes longer than a moment.

    Numba reports each function that it compiles, together with those that it calls; a function found in the cache is
    not reported. Meanwhile Python looks for garbage less often: most of what the compiler makes is still needed.
    """

    def __init__(self):
        self.seconds = 0.0
        self._depth = 0
        self._told = False

    def on_start(self, compiling):
        if not _is_kernel(compiling):
            return
        self._depth += 1
        if self._depth == 1:
            self._began, self._thresholds = time.perf_counter(), gc.get_threshold()
            often, *others = self._thresholds
            gc.set_threshold(often and max(often, _SELDOM), *others)  # 0 is never
            self._timer = threading.Timer(_PATIENCE, self._tell)
            self._timer.daemon = True
            self._timer.start()

    def on_end(self, compiling):
        if not _is_kernel(compiling):
            return
        self._depth -= 1
        if self._depth == 0:
            self._timer.cancel()
            gc.set_threshold(*self._thresholds)
            self.seconds += time.perf_counter() - self._began

    def _tell(self):
        if not self._told:
            self._told = True
            kept = "once; they are cached" if can_keep() else "there is no place to keep them: set SCRATCHNET_CACHE"
            tell(f"scratchnet: compiling kernels for this machine ({kept}) ...")


def _is_kernel(compiling):
    module = compiling.data["dispatcher"].py_func.__module__  # None of a function that `exec` has made
    return module is not None and module.startswith("scratchnet.")


watch = CompilingWatch()
event.register("numba:compile", watch)
