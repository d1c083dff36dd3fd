"""Which backend computes, and who decides."""

import subprocess
import sys

import pytest

from scratchnet import kernels


@pytest.fixture(autouse=True)
def default():
    yield
    kernels.set_backend(None)


def test_the_setter_rules_over_the_environment(monkeypatch):
    monkeypatch.setenv("SCRATCHNET_BACKEND", "loops")
    assert kernels.get_backend() == "loops"
    assert kernels.describe_backend() == "scratchnet computes with loops (SCRATCHNET_BACKEND)"
    kernels.set_backend("numpy")
    assert kernels.describe_backend() == "scratchnet computes with numpy (set_backend)"


def test_unknown_names_are_refused(monkeypatch):
    with pytest.raises(ValueError, match="unknown backend 'cuda', expected one of loops, numpy, numba"):
        kernels.set_backend("cuda")
    monkeypatch.setenv("SCRATCHNET_BACKEND", "fast")
    with pytest.raises(ValueError, match="SCRATCHNET_BACKEND: unknown backend 'fast'"):
        kernels.get_backend()


def test_without_numba_numpy_computes_and_says_why(monkeypatch):
    monkeypatch.delenv("SCRATCHNET_BACKEND", raising=False)
    monkeypatch.setattr(kernels, "numba_is_installed", lambda: False)
    kernels.set_backend(None)
    assert kernels.describe_backend().startswith("scratchnet computes with numpy (Numba is not installed; pip install")
    with pytest.raises(ImportError, match="pip install numba$"):
        kernels.set_backend("numba")
    monkeypatch.setenv("SCRATCHNET_BACKEND", "numba")
    with pytest.raises(ImportError, match="SCRATCHNET_BACKEND=numba needs Numba"):
        kernels.get_backend()


def test_the_backend_is_announced_once(capsys, monkeypatch):
    monkeypatch.setattr(kernels, "_announced", None)
    kernels.set_backend("numpy")
    kernels.announce_backend()
    kernels.announce_backend()
    assert capsys.readouterr().err.count("computes with numpy") == 1


def test_importing_everything_imports_neither_numba_nor_plotting():
    code = (
        "import sys, scratchnet.models, scratchnet.layers, scratchnet.callbacks;"
        "import scratchnet.datasets, scratchnet.evaluation;"
        "print([m for m in ('numba', 'matplotlib', 'sklearn', 'threadpoolctl', 'tensorflow') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
