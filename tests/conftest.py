"""Settings of all tests: each draws the same numbers on every run, hypothesis the same examples and without a deadline;
batches go in parts.
"""

import gc
import os

import pytest
from hypothesis import HealthCheck, Phase, settings

from scratchnet.utils import set_random_seed

os.environ.setdefault("MPLBACKEND", "Agg")

settings.register_profile(
    "scratchnet", derandomize=True, deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", parent=settings.get_profile("scratchnet"), max_examples=200)
settings.register_profile("quick", parent=settings.get_profile("scratchnet"), max_examples=5)
# For tests/mutation: whether something fails, not the smallest example on which it does.
settings.register_profile(
    "mutation",
    parent=settings.get_profile("quick"),
    phases=[Phase.explicit, Phase.generate],
    report_multiple_bugs=False,
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "scratchnet"))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish():
    """What has been imported and collected stays to the end: no need to look again and again whether it is garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def the_same_numbers():
    """What a test does not seed by itself, as the parameters of its models, is the same on every run."""
    set_random_seed(0)


@pytest.fixture(scope="session", autouse=True)
def batches_in_parts():
    """As many parts of a batch as there are threads, although the models of tests are too small for that."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("scratchnet.training.work.LEAST", 1)
        yield


@pytest.fixture(scope="session", autouse=True)
def nobody_looks():
    """Layers are computed together although a measurement of coverage follows the program, as a debugger would."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("scratchnet.training.joined._is_followed", lambda: False)
        yield
