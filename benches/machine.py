"""The machine under a bench: which instructions the sides may use, and whether two threads are two processors.

Two virtual processors are sometimes one: then no side gains from its second thread, and a ratio says nothing. So each
turn is judged by a loop that is known to gain, before anybody has seen the turn's readings.
"""

import os
import threading
import time
from typing import NamedTuple

NAMES = {"avx512": "AVX-512", "avx2": "AVX2", "sse42": "SSE4.2", "neither": "no AVX2"}
LEAST_GAIN = 1.7  # of two threads over one: below that a turn does not count
HELD = "SCRATCHNET_BENCH_ISA"  # environment variable: what this process and its workers are held to


class InstructionSet(NamedTuple):
    """How everybody is told to keep to some instructions."""

    feature: str  # that the processor must have
    later: tuple  # how the names of features begin that came afterwards, or need what did
    numba: str  # a processor with these instructions
    openblas: str
    onednn: str
    xla: str
    aten: str


_AVX = ("avx", "fma", "f16c", "bmi", "vaes", "vpclmul", "xop", "sha512", "sm3", "sm4")
SETS = {  # the longer vectors first
    "avx512": InstructionSet("avx512f", (), "skylake-avx512", "SkylakeX", "AVX512_CORE", "AVX512", "avx512"),
    "avx2": InstructionSet("avx2", ("avx512", "avx10"), "haswell", "Haswell", "AVX2", "AVX2", "avx2"),
    "sse42": InstructionSet("sse4.2", _AVX, "nehalem", "Nehalem", "SSE41", "SSE4_2", "default"),
}
ISAS = ("native", *SETS)


def widest():
    """The longer vectors that this processor has, "avx512", "avx2" or "neither"; None where nothing can tell."""
    try:
        features = _features()
    except ImportError:  # no Numba here
        return None
    return next((isa for isa in ("avx512", "avx2") if features.get(SETS[isa].feature)), "neither")


def _features():
    import llvmlite.binding

    return llvmlite.binding.get_host_cpu_features()


def instruction_set(isa):
    """The environment variables that hold every side to `isa`; none for "native".

    Raises ValueError where the processor has no such instructions, or nobody has said how to leave the others out.
    """
    if isa == "native":
        return {}
    wanted, features = SETS[isa], _features()
    if not features.get(wanted.feature):
        raise ValueError(f"--isa {isa}: this processor does not have it")
    kept = {name: has and not name.startswith(wanted.later) for name, has in features.items()}
    return {
        "NUMBA_CPU_NAME": wanted.numba,
        "NUMBA_CPU_FEATURES": ",".join(("+" if has else "-") + name for name, has in sorted(kept.items())),
        "OPENBLAS_CORETYPE": wanted.openblas,
        "ONEDNN_MAX_CPU_ISA": wanted.onednn,
        "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_max_isa={wanted.xla}".strip(),
        "ATEN_CPU_CAPABILITY": wanted.aten,
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
