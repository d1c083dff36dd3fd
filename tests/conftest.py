"""Settings of all tests: each draws the same numbers on every run, hypothesis the same examples and without a deadline;
batches go in parts; gradients are proved by NumPy.
"""

import contextlib
import functools
import gc
import os
import types

import pytest
from hypothesis import HealthCheck, Phase, settings

from scratchnet import kernels
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


# Proofs are in float64, for which Numba would compile all kernels once more: NumPy computes them. In the leg
# `gradients` of .ci/run compiled kernels compute all layers, and in the leg `kernels` tests/kernels asks themselves.
IN_DOUBLE = {
    "float64",
    "F64",
    "catalogue",
    "check_adjoint",
    "check_layer",
    "check_loss",
    "check_operation",
    "check_parts",
}


def words_of(function, depth=1):
    """The names and strings in a function, and in those of its file that it calls."""
    function = getattr(getattr(function, "hypothesis", None), "inner_test", function)
    codes, words = [function.__code__], set()
    for code in codes:  # and those within, which come to the end of the list
        words.update(code.co_names, (c for c in code.co_consts if isinstance(c, str)))
        codes += (c for c in code.co_consts if isinstance(c, types.CodeType))
    for other in map(function.__globals__.get, [*words] * depth):
        if isinstance(other, types.FunctionType) and other.__module__ == function.__module__:
            words |= words_of(other, 0)
    return words


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes():
    """Processes side by side have one thread of BLAS and OpenMP each: more would wait for each other, busily."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by marks
def pytest_collection_modifyitems(items):
    words = functools.cache(words_of)
    for item in items:
        is_proof = IN_DOUBLE & words(item.function) and "float32" not in words(item.function)
        if is_proof and not item.nodeid.startswith("tests/kernels/"):
            item.add_marker("proof")


@pytest.fixture(autouse=True)
def proofs_by_numpy(request):
    """Unless the test itself has chosen another backend, or whoever calls the tests."""
    by_numpy = request.node.get_closest_marker("proof") and not os.environ.get("SCRATCHNET_BACKEND")
    with kernels.using_backend("numpy") if by_numpy else contextlib.nullcontext():
        yield


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
