"""What ranks must have alike."""

import sys
from types import SimpleNamespace

import numpy as np

import scratchnet
from scratchnet import kernels
from scratchnet.distribution import environment as module


def test_versions_kernels_and_instructions_are_told(monkeypatch):
    with kernels.using_backend("numpy"):
        found = module.environment()
    assert found["scratchnet"] == scratchnet.__version__ and found["NumPy"] == np.__version__
    assert found["kernels"] == "numpy" and "Numba" not in found
    assert all(isinstance(value, str) for value in found.values())


def test_with_compiled_kernels_the_compiler_and_its_processor_are_told_too(monkeypatch):
    llvm = SimpleNamespace(
        get_host_cpu_name=lambda: "znver3", get_host_cpu_features=lambda: {"avx2": True, "sse5": False}
    )
    monkeypatch.setitem(sys.modules, "llvmlite", SimpleNamespace(binding=llvm, __path__=[]))
    monkeypatch.setitem(sys.modules, "llvmlite.binding", llvm)
    monkeypatch.setitem(sys.modules, "numba", SimpleNamespace(__version__="0.99"))
    monkeypatch.setattr(kernels, "get_backend", lambda: "numba")
    found = module.environment()
    assert found["Numba"] == "0.99"
    assert found["the processor"].startswith("znver3, instructions ") and found["the processor"].endswith("(avx2)")
