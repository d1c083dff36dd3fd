"""What the bits of a result depend on besides the program: versions, kernels, and the instructions of the processor.

A matrix product on a processor with AVX-512 adds in another order than one with AVX2. With ranks of both kinds the
result would be one that no single machine computes. So all ranks must agree in all of this.
"""

import importlib
import platform
import sys
import zlib

import numpy as np

from scratchnet import kernels


def environment():
    """A dict of texts that must be the same on all ranks."""
    backend = kernels.get_backend()
    found = {
        "scratchnet": sys.modules["scratchnet"].__version__,
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "NumPy": np.__version__,
        "kernels": backend,
        "BLAS": _blas(),
        "instructions known to NumPy": _instructions(),
    }
    if backend == "numba":
        llvm = importlib.import_module("llvmlite.binding")
        found["Numba"] = importlib.import_module("numba").__version__
        features = sorted(name for name, has in llvm.get_host_cpu_features().items() if has)
        found["the processor"] = f"{llvm.get_host_cpu_name()}, instructions {_short(features)}"
    return found


def _blas():
    from threadpoolctl import threadpool_info

    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return ", ".join(f"{p['internal_api']} {p['version']} {p.get('architecture', '')}".strip() for p in pools)


def _instructions():
    core = "numpy._core" if hasattr(np, "_core") else "numpy.core"
    features = importlib.import_module(f"{core}._multiarray_umath").__cpu_features__
    return _short(sorted(name for name, has in features.items() if has))


def _short(names):
    return f"{zlib.crc32(' '.join(names).encode()):08x} ({' '.join(names)})"
