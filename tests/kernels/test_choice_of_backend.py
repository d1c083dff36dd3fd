"""What is said of the choice of a backend, word for word, and that a choice for a block ends with it."""

import importlib.util
import sys

import pytest

from scratchnet import kernels
from scratchnet.kernels.geometry import mirrored, window_counts


@pytest.fixture(autouse=True)
def default():
    yield
    kernels.set_backend(None)


def test_without_a_choice_numba_computes_where_it_is_installed(monkeypatch):
    monkeypatch.setenv("SCRATCHNET_BACKEND", " ")
    monkeypatch.setattr(kernels, "numba_is_installed", lambda: True)
    assert kernels.describe_backend() == "scratchnet computes with numba (Numba is installed)"
    monkeypatch.setattr(kernels, "numba_is_installed", lambda: False)
    assert kernels.describe_backend() == (
        "scratchnet computes with numpy (Numba is not installed; pip install numba makes it faster)"
    )


def test_the_environment_chooses_any_backend_that_is_there(monkeypatch):
    monkeypatch.setattr(kernels, "numba_is_installed", lambda: True)
    for name in ("loops", "numpy", "numba"):
        monkeypatch.setenv("SCRATCHNET_BACKEND", f" {name} ")
        assert kernels.get_backend() == name
        assert kernels.describe_backend() == f"scratchnet computes with {name} (SCRATCHNET_BACKEND)"
    monkeypatch.setattr(kernels, "numba_is_installed", lambda: False)
    with pytest.raises(ImportError, match="^SCRATCHNET_BACKEND=numba needs Numba: pip install numba$"):
        kernels.get_backend()
    with pytest.raises(ImportError, match="^the backend 'numba' needs Numba: pip install numba$"):
        kernels.set_backend("numba")


def test_an_unknown_name_is_refused_and_changes_nothing():
    kernels.set_backend("loops")
    with pytest.raises(ValueError, match="^set_backend: unknown backend 'cuda', expected one of loops, numpy, numba$"):
        kernels.set_backend("cuda")
    assert kernels.get_backend() == "loops"


def test_a_choice_for_a_block_ends_with_it():
    kernels.set_backend("numpy")
    with kernels.using_backend("loops"):
        assert kernels.get_backend() == "loops"
        assert kernels.matmul is kernels.operations("loops").matmul
    assert kernels.get_backend() == "numpy"
    with pytest.raises(KeyError), kernels.using_backend("loops"):
        raise KeyError
    kernels.load()
    assert vars(kernels)["matmul"] is kernels.operations("numpy").matmul


def test_numba_is_found_loaded_or_installed_and_not_imported_for_that(monkeypatch):
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not kernels.numba_is_installed()
    monkeypatch.setattr(importlib.util, "find_spec", {"numba": sys}.get)
    assert kernels.numba_is_installed()
    assert "numba" not in sys.modules
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "numba", sys)
    assert kernels.numba_is_installed()


def test_another_backend_is_announced_again(monkeypatch, capsys):
    monkeypatch.setattr(kernels, "_announced", None)
    for name in ("numpy", "numpy", "loops"):
        kernels.set_backend(name)
        kernels.announce_backend()
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err == (
        "scratchnet computes with numpy (set_backend)\nscratchnet computes with loops (set_backend)\n"
    )


def test_windows_and_their_mirror_image():
    assert window_counts((7, 9), (3, 2), (2, 3), ((1, 0), (2, 1)), (2, 1)) == (2, 4)
    assert window_counts((3, 3), (3, 3), (1, 1), ((0, 0), (0, 0))) == (1, 1)
    assert mirrored(((1, 0), (2, 5)), (3, 2), (2, 1)) == ((3, 4), (-1, -4))
