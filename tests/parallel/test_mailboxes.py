"""Memory that the ranks of one machine share: the same bytes arrive, and nothing is overwritten before it is read."""

import time

import numpy as np

from scratchnet.parallel import mailboxes
from scratchnet.parallel import ranks as ranks_module
from scratchnet.parallel.ranks import current_ranks
from tests.parallel.in_threads import run_ranks


def test_on_one_machine_arrays_of_any_layout_are_read_where_they_lie():
    def program(rank):
        ranks, other = current_ranks(), 1 - current_ranks().rank
        assert ranks.here == 2
        ranks.make_room(100)
        found = []
        for k in range(5):
            numbers = np.arange(12, dtype=np.float32).reshape(3, 4)[:, ::2] + 100 * rank + 10 * k
            outgoing, sizes = {other: [numbers.T, np.array([k], np.int64)]}, {other: 32}
            if k == 3:  # rank 1 has nothing to say
                outgoing, sizes = (outgoing, {}) if rank == 0 else ({}, sizes)
            came = ranks.trade(outgoing, sizes)
            assert list(came) == list(sizes)
            for array in came.values():
                found.append((list(array[:24].view(np.float32)), list(array[24:].view(np.int64))))
        return found

    def expected(rank, k):
        return [100 * rank + 10 * k + i for i in (0, 4, 8, 2, 6, 10)], [k]

    first, second = run_ranks(2, program)
    assert first == [expected(1, k) for k in (0, 1, 2, 4)]
    assert second == [expected(0, k) for k in range(5)]


def test_a_list_for_several_ranks_lies_in_the_mailbox_once():
    def program(rank):
        ranks, others = current_ranks(), [other for other in range(3) if other != current_ranks().rank]
        ranks.make_room(64)  # three copies of 40 bytes would not fit
        arrays = [np.full(5, rank, np.int64)]
        came = ranks.trade(dict.fromkeys(others, arrays), dict.fromkeys(others, 40))
        return {other: list(found.view(np.int64)) for other, found in came.items()}

    assert run_ranks(3, program)[1] == {0: [0] * 5, 2: [2] * 5}


def test_without_memory_to_share_the_ranks_of_a_machine_send_messages(monkeypatch):
    free = [1e9]
    monkeypatch.setattr(ranks_module, "free_shared_memory", lambda: free[0])

    def program(rank):
        ranks, other = current_ranks(), 1 - current_ranks().rank
        open_boxes = []
        for size in (64, 128, 32):  # the mailboxes are not made smaller again
            ranks.make_room(size)
            came = ranks.trade({other: [np.full(4, size, np.int64)]}, {other: 32})[other]
            assert list(came.view(np.int64)) == [size] * 4
            open_boxes.append(ranks._mailboxes.is_open)
            ranks.gather("all have read", None)
            free[0] = 100
        return open_boxes

    assert run_ranks(2, program) == [[True, False, False]] * 2


def test_a_half_is_filled_again_only_when_the_others_have_read_it():
    def program(rank):
        ranks, other = current_ranks(), 1 - current_ranks().rank
        ranks.make_room(8)
        for k in range(20):
            came = ranks.trade({other: [np.array([k + 1000 * rank])]}, {other: 8})[other]
            time.sleep(0.001 * (k % 3) * rank)  # rank 0 hurries ahead
            assert came.view(np.int64)[0] == k + 1000 * other
        return True

    assert run_ranks(2, program) == [True] * 2


def test_a_system_that_says_nothing_of_its_shared_memory_has_none_to_spare(monkeypatch):
    def no_such_folder(path):
        raise FileNotFoundError(path)

    monkeypatch.setattr(mailboxes.os, "statvfs", no_such_folder, raising=False)
    assert mailboxes.free_shared_memory() == 0
    monkeypatch.undo()
    assert mailboxes.free_shared_memory() >= 0
