"""Freed memory is kept for the next step."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
from scratchnet.parallel.memory import keep_freed_memory

def faults_of_a_step():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(4_000_000, "float32")  # 16 MB, freed at once
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

np.ones(40_000_000, "float32")  # teaches malloc nothing: larger than what it may learn to keep
fresh = faults_of_a_step()
keep_freed_memory()
faults_of_a_step()
print(fresh, faults_of_a_step())
"""

CALLS = """
import resource
import numpy as np
from scratchnet.layers import ReLU

layer, x = ReLU(), np.ones((10, 1_000_000), "float32")  # 40 MB, more than malloc learns to keep by itself
for call in range(3):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    layer(x)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
only_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told to keep memory")


@only_glibc
def test_an_array_made_again_causes_no_page_faults():
    output = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    fresh, kept = map(int, output.split())
    assert fresh > 0
    assert kept == 0


@only_glibc
def test_nor_does_a_layer_that_is_called_again():
    output = subprocess.run([sys.executable, "-c", CALLS], capture_output=True, text=True, check=True).stdout
    assert int(output.split()[-1]) == 0
