"""What ranks say to one another: values in their order, failures at once, and no waiting for ever."""

import copy
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

import scratchnet
from scratchnet.parallel import gather_over_batch, rows_of_batch, sum_over_batch
from scratchnet.parallel.agreement import check_agreement, together
from scratchnet.parallel.batch import Division, current_part, map_own_parts
from scratchnet.parallel.ranks import Alone, RankFailed, current_ranks
from scratchnet.parallel.threads import Workers, available_processors, get_num_threads
from tests.parallel.in_threads import fake_ranks, run_ranks


def test_alone_there_is_one_rank_and_nothing_is_said():
    ranks = current_ranks()
    assert isinstance(ranks, Alone) and (ranks.rank, ranks.size) == (0, 1)
    assert ranks.gather("anything", 5) == [5]
    with ranks.operation("fit"):
        pass


def test_every_rank_gets_all_values_in_the_order_of_the_ranks():
    def program(rank):
        time.sleep(0.002 * (3 - rank))
        return current_ranks().gather("a", rank * 10), current_ranks().gather("b", str(rank))

    assert run_ranks(3, program) == [([0, 10, 20], ["0", "1", "2"])] * 3


def test_some_of_the_ranks_can_talk_among_themselves():
    def program(rank):
        return current_ranks().gather("a", rank, among=2) if rank < 2 else None

    assert run_ranks(3, program) == [[0, 1], [0, 1], None]


def test_bytes_are_traded_and_counted():
    def program(rank):
        ranks = current_ranks()
        outgoing = {other: [np.full(rank + 1, 10 * rank + other, np.uint8)] for other in range(3) if other != rank}
        found = ranks.trade(outgoing, {other: other + 1 for other in range(3) if other != rank})
        return {other: list(values) for other, values in found.items()}, ranks.bytes, ranks.messages

    assert run_ranks(3, program) == [
        ({1: [10, 10], 2: [20, 20, 20]}, 2, 2),
        ({0: [1], 2: [21, 21, 21]}, 4, 2),
        ({0: [2], 1: [12, 12]}, 6, 2),
    ]


def test_messages_between_machines_use_the_memory_of_those_before():
    everybody = fake_ranks(2, one_machine=False)
    for ranks in everybody:
        ranks.comm.Irecv = lambda array, source, tag: array.fill(source + 1) or SimpleNamespace(Test=lambda: True)
        ranks.comm.Isend = lambda array, dest, tag: SimpleNamespace(Test=lambda: True)
    first = [ranks.trade({1 - ranks.rank: [np.zeros(8, np.uint8)]}, {1 - ranks.rank: 8}) for ranks in everybody]
    for ranks, found in zip(everybody, first):
        other = 1 - ranks.rank
        again = ranks.trade({other: [np.zeros(8, np.uint8)]}, {other: 8})[other]
        assert again.tolist() == [other + 1] * 8 and np.shares_memory(again, found[other])
        assert ranks.trade({}, {other: 9})[other].tolist() == [other + 1] * 9
        shorter = ranks.trade({}, {other: 4})[other]
        assert shorter.size == 4 and not np.shares_memory(shorter, found[other])  # of the longest so far


def test_a_rank_that_fails_ends_those_that_wait_for_it_and_they_name_it():
    @together
    def fit(rank):
        if rank == 1:
            raise KeyError("lost")
        current_ranks().gather("figures", rank)

    first, second, third = run_ranks(3, fit, expect=(KeyError, RankFailed))
    assert isinstance(second, KeyError)
    for error in (first, third):
        assert isinstance(error, RankFailed) and str(error) == "rank 1 has failed: KeyError: 'lost'"


def test_what_all_ranks_have_caught_is_forgotten_when_they_go_on():
    @together
    def fit():
        raise ValueError("everywhere")

    @together
    def evaluate(rank):
        return current_ranks().gather("figures", rank)

    def program(rank):
        with pytest.raises(ValueError, match="everywhere"):
            fit()
        return evaluate(rank)

    assert run_ranks(2, program) == [[0, 1]] * 2


def test_ranks_in_different_places_are_told_so_and_do_not_hang():
    def program(rank):
        current_ranks().gather("fit" if rank else "the end of the program", None)

    errors = run_ranks(2, program, expect=(RuntimeError,))
    assert "rank 0 is at 'the end of the program' while rank 1 is at 'fit'" in str(errors[0])
    assert "run the same program" in str(errors[1])


def test_of_ranks_that_fail_alike_the_first_shows_the_error():
    first_has_failed = threading.Event()

    def program(rank):
        if rank == 1:
            first_has_failed.wait()
        shown = current_ranks().is_first_to_fail(ValueError("everywhere"))
        first_has_failed.set()
        return shown

    assert run_ranks(2, program) == [True, False]
    alone, _ = fake_ranks(2)
    assert alone.is_first_to_fail(ValueError("here")) and not alone.is_first_to_fail(RankFailed("there"))
    assert copy.deepcopy(alone) is alone


def test_what_differs_between_ranks_is_named_on_all_of_them():
    def program(rank):
        check_agreement("fit", {"batch_size": 32, "epochs": 3})
        check_agreement("fit", {"batch_size": 32 + (rank == 1), "epochs": 3 + (rank == 2)})

    for error in run_ranks(3, program, expect=ValueError):
        assert str(error) == (
            "fit: the ranks do not agree: batch_size: 32 on rank 0, 33 on rank 1; epochs: 3 on rank 0, 4 on rank 2"
        )


def test_ranks_that_compare_or_add_up_in_different_places_are_told_which():
    def program(rank):
        if rank == 0:
            check_agreement("fit", {})
        else:
            with Workers(1) as workers:
                map_own_parts(sum_over_batch, Division(slices(0, 1, 2), 1, 2), 0, workers, current_ranks())

    for error in run_ranks(2, program, expect=(RuntimeError, RankFailed)):
        assert "'fit'" in str(error) and "'the whole batch'" in str(error)


def test_the_ranks_of_a_machine_share_its_processors(monkeypatch):
    scratchnet.set_num_threads(None)
    monkeypatch.delenv("SCRATCHNET_NUM_THREADS", raising=False)
    assert run_ranks(2, lambda rank: get_num_threads()) == [max(1, available_processors() // 2)] * 2


def slices(*edges):
    return [slice(a, b) for a, b in zip(edges, edges[1:])]


@pytest.mark.parametrize("ranks, counts", [(1, [5]), (2, [3, 2]), (3, [2, 2, 1]), (5, [1] * 5), (7, [1] * 5 + [0] * 2)])
def test_the_parts_of_a_batch_are_dealt_out_in_order(ranks, counts):
    parts = slices(0, 3, 6, 8, 9, 10)
    divisions = [Division.among(parts, each) for each in fake_ranks(ranks)]
    assert [part for division in divisions for part in division.own] == parts
    assert [len(division.own) for division in divisions] == counts == divisions[0].counts(fake_ranks(ranks)[0])
    assert divisions[0].size == 10 and divisions[0].rows.start == 0
    assert divisions[-1].rows == (slice(0, 0) if ranks == 7 else slice(divisions[-1].own[0].start, 10))
    assert divisions[0].leaves_out(fake_ranks(ranks)[0]) == (ranks == 7)


def sums_and_rows(x):
    def part(rows):
        total, count = sum_over_batch(x[rows].sum(axis=0), rows.stop - rows.start)
        whole, own = gather_over_batch(x[rows])
        assert own == rows and count == rows_of_batch(rows.stop - rows.start) == len(x)
        assert current_part().first_row_of(rows.stop - rows.start) == rows.start
        return total.tobytes(), whole.tobytes()

    return part


@pytest.mark.parametrize("count, threads", [(4, 1), (2, 2), (1, 4), (3, 2), (5, 1)])
def test_parts_on_several_ranks_get_the_bits_of_parts_on_one(count, threads):
    x = np.random.default_rng(1).standard_normal((11, 3)).astype("float32") * 10.0 ** np.arange(-5, 6)[:, None]
    parts = slices(0, 2, 5, 9, 11)
    with Workers(4) as workers:
        expected = map_own_parts(sums_and_rows(x), Division(parts, 0, 4), 0, workers)

    def program(rank):
        with Workers(threads) as workers:
            return map_own_parts(sums_and_rows(x), Division.among(parts, current_ranks()), 0, workers, current_ranks())

    assert [result for results in run_ranks(count, program) for result in results] == expected


def test_a_part_that_fails_on_one_rank_ends_the_parts_of_all():
    def part(rows):
        if rows.start == 3:
            raise KeyError("the real one")
        return sum_over_batch(1)

    @together
    def step(rank):
        with Workers(2) as workers:
            map_own_parts(part, Division.among(slices(0, 1, 2, 3, 4), current_ranks()), 0, workers, current_ranks())

    first, second = run_ranks(2, step, expect=(KeyError, RankFailed))
    assert isinstance(first, RankFailed) and isinstance(second, KeyError)
