import importlib.util
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).parent / "models_to_explain.py"


@pytest.fixture(scope="session")
def zoo():
    """The module models_to_explain."""
    spec = importlib.util.spec_from_file_location("models_to_explain", FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules["models_to_explain"] = module
    spec.loader.exec_module(module)
    return module
