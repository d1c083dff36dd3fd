import importlib.util
import sys
from pathlib import Path

import pytest

from scratchnet import kernels

FILE = Path(__file__).parent / "models_to_explain.py"


@pytest.fixture(scope="session")
def zoo():
    """The module models_to_explain."""
    spec = importlib.util.spec_from_file_location("models_to_explain", FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules["models_to_explain"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def by_numpy():
    """Compiled kernels, also for float64, would take longer than all else: what is shown is the same."""
    with kernels.using_backend("numpy"):
        yield
