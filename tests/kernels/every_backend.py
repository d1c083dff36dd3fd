"""What tests of kernels run for: the definition, the backends that are compared with it, and what several run on."""

import numpy as np
import pytest

from scratchnet.kernels import numba_is_installed, operations

loops = operations("loops")
FAST = ["numpy"] + ["numba"] * numba_is_installed()
EVERY_FAST = pytest.mark.parametrize("backend", [operations(name) for name in FAST], ids=FAST)
NAMES = ["loops", *FAST]
EVERY = pytest.mark.parametrize("backend", [operations(name) for name in NAMES], ids=NAMES)


def convolution(N, size, C, F, KH=2, KW=3, dtype="float32"):
    """x, the kernel and the bias of a convolution."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(N, *size, C)).astype(dtype)
    return x, rng.normal(size=(KH, KW, C, F)).astype(dtype), rng.normal(size=F).astype(dtype)
