"""The whole batch, seen from its parts: sums and rows in the order of the parts, whoever is quicker; nobody hangs."""

import time

import numpy as np
import pytest

from scratchnet.parallel import Workers, gather_over_batch, rows_of_batch, sum_over_batch
from scratchnet.parallel.batch import (
    Division,
    Part,
    PartFailed,
    WholeBatch,
    computing,
    counted_here,
    current_part,
    drawing_rows,
    in_several_parts,
    map_parts,
)


def slices(*edges):
    return [slice(a, b) for a, b in zip(edges, edges[1:])]


def in_parts(function, *edges):
    with Workers(len(edges) - 1) as workers:
        return map_parts(function, slices(*edges), 0, workers)


def test_by_hand_the_batch_is_what_is_there():
    x = np.arange(6.0).reshape(3, 2)
    total, count = sum_over_batch(x, 3)
    assert total is x and count == 3
    whole, rows = gather_over_batch(x)
    assert whole is x and rows == slice(0, 3)
    assert rows_of_batch(7) == 7 and current_part() is None


@pytest.mark.parametrize("edges", [(0, 7), (0, 3, 7), (0, 1, 4, 7), (0, 1, 2, 3, 5, 7)])
def test_every_part_gets_the_sums_and_the_rows_of_all(edges):
    x = np.random.default_rng(1).standard_normal((7, 3))

    def part(rows):
        count, total = sum_over_batch(rows.stop - rows.start, x[rows].sum(axis=0))
        whole, own = gather_over_batch(x[rows])
        assert own == rows and rows_of_batch(rows.stop - rows.start) == 7
        return count, total, whole

    for count, total, whole in in_parts(part, *edges):
        assert count == 7
        np.testing.assert_allclose(total, x.sum(axis=0), rtol=1e-14)
        np.testing.assert_array_equal(whole, x)


def test_who_is_quicker_never_changes_a_bit():
    values = np.random.default_rng(2).standard_normal(12).astype("float32") * 10.0 ** np.arange(-6, 6)

    def part(rows):
        sums = []
        for k in range(5):
            time.sleep(np.random.default_rng([k, rows.start]).random() / 2000)
            sums.append(sum_over_batch(values[rows].sum())[0])
        return sums

    first = in_parts(part, 0, 3, 6, 9, 12)
    expected = [values[rows].sum() for rows in slices(0, 3, 6, 9, 12)]
    in_order = expected[0] + expected[1] + expected[2] + expected[3]
    assert all(sums == [in_order] * 5 for sums in first)


def test_rows_that_stand_for_parts_of_a_sample_count_with_it():
    def part(rows):
        return rows_of_batch(3 * (rows.stop - rows.start)), current_part().first_row_of(3 * (rows.stop - rows.start))

    assert in_parts(part, 0, 2, 5) == [(15, 0), (15, 6)]


@pytest.mark.parametrize("culprit", [0, 2])
def test_a_part_that_fails_ends_all_with_its_own_error(culprit):
    def part(rows):
        if rows.start == culprit:
            time.sleep(0.01)  # the others wait for it by now
            raise KeyError("the real one")
        return sum_over_batch(1)

    with pytest.raises(KeyError, match="the real one"):
        in_parts(part, 0, 1, 2, 3)


def test_one_who_waits_for_a_part_that_failed_says_so():
    batch = WholeBatch(Division(slices(0, 1, 2), 0, 2))
    batch.abort()
    with pytest.raises(PartFailed, match="another part"):
        batch.exchange(0, 1.0)


def test_more_parts_than_threads_would_wait_for_ever_and_are_refused():
    with Workers(1) as workers, pytest.raises(ValueError, match="2 parts cannot wait for one another on 1 threads"):
        map_parts(lambda rows: rows, slices(0, 1, 2), 0, workers)


def test_each_part_knows_its_step_its_rows_and_its_number():
    def part(rows):
        part = current_part()
        return part.step, part.first_row, part.rows, part.index, type(rows_of_batch(rows.stop - rows.start))

    with Workers(2) as workers:
        found = map_parts(part, slices(0, 2, 5), 7, workers)
        assert map_parts(lambda rows: current_part().step, slices(0, 1), (7, 3), workers) == [(7, 3)]
    assert found == [((7,), 0, 2, 0, int), ((7,), 2, 3, 1, int)]


def test_what_is_drawn_by_hand_is_that_of_the_rows_that_are_told():
    with drawing_rows(3, 4, 2):
        part = current_part()
        assert (part.step, part.first_row, part.rows, part.index, part.batch) == ((3,), 4, 2, 0, None)
        assert part.first_row_of(2) == 4 and part.first_row_of(6) == 12 and type(part.first_row_of(6)) is int
        assert part.first_row_of(3) == 0  # has nothing to do with the batch
        assert not in_several_parts() and counted_here() == 1 and rows_of_batch(5) == 5
    assert current_part() is None and not in_several_parts() and counted_here() == 1
    with drawing_rows(3, 4):
        assert current_part().first_row_of(3) == 4


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_value_that_all_parts_share_is_counted_in_the_first(count):
    found = in_parts(lambda rows: (counted_here(), in_several_parts()), *range(count + 1))
    assert found == [(int(k == 0), count > 1) for k in range(count)]


def test_a_part_is_told_that_the_others_were_asked_for():
    def part(rows):
        told = [in_several_parts(), current_part().looks_across]
        return [*told, in_several_parts(asking=True), current_part().looks_across, current_part().is_row_by_row]

    assert in_parts(part, 0, 1, 2) == [[True, False, True, True, False]] * 2
    with computing(Part(0)):
        assert current_part().is_row_by_row and not in_several_parts(asking=True)
        assert not current_part().is_row_by_row
