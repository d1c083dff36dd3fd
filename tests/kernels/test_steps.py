"""Arrays of a recurrent step: apart in memory, and what was asked for."""

import numpy as np
import pytest

from scratchnet.kernels.steps import separate, transposed


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_separate_arrays_are_four_lines_of_a_cache_further_apart_than_they_are_long(dtype):
    arrays = separate(3, (4, 2, 8), dtype)
    assert [a.shape for a in arrays] == [(4, 2, 8)] * 3 and {a.dtype for a in arrays} == {np.dtype(dtype)}
    for before, after in zip(arrays, arrays[1:]):
        assert after.ctypes.data - before.ctypes.data == before.nbytes + 256
        assert before.flags.c_contiguous and before.flags.aligned


@pytest.mark.parametrize("shape", [(1, 4), (16, 64), (37, 5), (0, 3)])
def test_columns_become_rows_in_memory(shape):
    matrix = np.arange(np.prod(shape), dtype="float32").reshape(shape)
    for given in (matrix, matrix[:, ::-1]):
        found = transposed(given)
        assert found.flags.c_contiguous and found.dtype == given.dtype
        np.testing.assert_array_equal(found, given.T)
