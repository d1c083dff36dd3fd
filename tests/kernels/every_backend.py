"""What tests of kernels run for: the definition, and the backends that are compared with it."""

import pytest

from scratchnet.kernels import numba_is_installed, operations

loops = operations("loops")
FAST = ["numpy"] + ["numba"] * numba_is_installed()
EVERY_FAST = pytest.mark.parametrize("backend", [operations(name) for name in FAST], ids=FAST)
NAMES = ["loops", *FAST]
EVERY = pytest.mark.parametrize("backend", [operations(name) for name in NAMES], ids=NAMES)
