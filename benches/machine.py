"""The machine under a bench: which instructions the sides may use, and whether two threads are two processors.

Two virtual processors are sometimes one: then no side gains from its second thread, and a ratio says nothing. So each
turn is judged by a loop that is known to gain, before anybody has seen the turn's readings.
"""

import os
import threading
import time

ISAS = ("native", "avx2", "avx512")
NAMES = {"avx2": "AVX2", "avx512": "AVX-512", "neither": "no AVX2"}
LEAST_GAIN = 1.7  # of two threads over one: below that a turn does not count
HELD = "SCRATCHNET_BENCH_ISA"  # environment variable: what this process and its workers are held to


_NEEDED = {"avx512": "avx512f", "avx2": "avx2"}  # the longer vectors first


def widest():
    """The longer vectors of the two that this processor has, "neither", or None where nothing can tell."""
    try:
        features = _features()
    except ImportError:  # no Numba here
        return None
    return next((isa for isa, feature in _NEEDED.items() if features.get(feature)), "neither")


def _features():
    import llvmlite.binding

    return llvmlite.binding.get_host_cpu_features()


def instruction_set(isa):
    """The environment variables that hold every side to `isa`; none for "native".

    Raises ValueError where the processor has no such instructions, or nobody has said how to leave the others out.
    """
    if isa == "native":
        return {}
    features = _features()
    if not features.get(_NEEDED[isa]):
        raise ValueError(f"--isa {isa}: this processor does not have it")
    kept = {name: has and not (isa == "avx2" and name.startswith("avx512")) for name, has in features.items()}
    return {
        "NUMBA_CPU_NAME": {"avx2": "haswell", "avx512": "skylake-avx512"}[isa],
        "NUMBA_CPU_FEATURES": ",".join(("+" if has else "-") + name for name, has in sorted(kept.items())),
        "OPENBLAS_CORETYPE": {"avx2": "Haswell", "avx512": "SkylakeX"}[isa],
        "ONEDNN_MAX_CPU_ISA": {"avx2": "AVX2", "avx512": "AVX512_CORE"}[isa],
        "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_max_isa={isa.upper()}".strip(),
        "ATEN_CPU_CAPABILITY": isa,
        HELD: isa,
    }


def thread_gain(threads, milliseconds=30):
    """How many times as fast a compiled loop is when `threads` threads share it; 1.0 for one thread."""
    if threads == 1:
        return 1.0
    calls = max(threads, int(milliseconds / _seconds(1, 1) / 1e3))
    calls -= calls % threads
    return _seconds(calls, 1) / _seconds(calls, threads)


def _seconds(calls, threads):
    """How long `calls` matrix products of some hundred microseconds take, shared by so many threads.

    Each thread stays on a processor of its own: new threads are often put on the same one, and stay there for ten
    milliseconds although another is idle. Those of a fit, which wait for each other all the time, are moved at once.
    """
    import numpy as np
    from threadpoolctl import threadpool_limits

    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

    def multiply(number=None):
        if number is not None and allowed:
            os.sched_setaffinity(0, {allowed[number % len(allowed)]})  # of this thread alone
        a, b, c = np.ones((96, 256), "float32"), np.ones((256, 256), "float32"), np.empty((96, 256), "float32")
        for _ in range(calls // threads):
            np.matmul(a, b, out=c)

    with threadpool_limits(1, user_api="blas"):
        multiply()  # every page touched
        workers = [threading.Thread(target=multiply, args=(number,)) for number in range(threads)]
        began = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return time.perf_counter() - began
