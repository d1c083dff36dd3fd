"""Memory that the ranks of one machine share: the same bytes arrive, and nothing is overwritten before it is read."""

import time
from types import SimpleNamespace

import numpy as np
import pytest

from scratchnet.parallel import mailboxes
from scratchnet.parallel import ranks as ranks_module
from scratchnet.parallel.ranks import RankFailed, Ranks, current_ranks
from tests.parallel.in_threads import FakeWindow, run_ranks


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
    shared = SimpleNamespace(f_bavail=10, f_frsize=4096, f_bfree=11, f_bsize=512)
    monkeypatch.setattr(mailboxes.os, "statvfs", lambda path: {"/dev/shm": shared}[path], raising=False)
    assert mailboxes.free_shared_memory() == 40960
    monkeypatch.undo()
    assert mailboxes.free_shared_memory() >= 0


def test_arrays_begin_where_a_line_of_the_cache_does_in_one_half_after_the_other():
    sizes, memory = [], [np.zeros(512, np.uint8), np.zeros(512, np.uint8)]

    def open_window(size):
        sizes.append(size)
        return FakeWindow(memory)

    boxes = mailboxes.Mailboxes(0, [0, 4, 7], open_window)
    memory.append(memory[0])
    boxes.resize(129)
    assert boxes.is_open and sizes == [2 * 192]  # three lines for each half
    one, other = [np.full(3, 1, np.uint8), np.full(2, 2, np.uint8)], [np.full(4, 3, np.uint8)]
    first, second = boxes.put({4: one, 7: other}), boxes.put({4: one, 7: one})
    assert first[7] - first[4] == 64 and second[4] == second[7]
    assert sorted([first[4], second[4]]) == [0, 192]
    assert boxes.put({7: other}) == {7: first[4]}
    assert boxes.look(0, second[4], 5).tolist() == [1, 1, 1, 2, 2]
    boxes.resize(0)
    assert not boxes.is_open and sizes == [384]


def test_bytes_in_a_mailbox_count_as_sent():
    def program(rank):
        ranks = current_ranks()
        ranks.make_room(64)
        before = ranks.bytes, ranks.messages
        ranks.trade({1 - rank: [np.zeros(3, np.uint8), np.zeros(2, np.int16)]}, {1 - rank: 7})
        return ranks.bytes - before[0], ranks.messages - before[1]

    assert run_ranks(2, program) == [(7, 1)] * 2


def test_room_is_made_once_and_only_of_a_quarter_of_what_is_free(monkeypatch):
    made, boxes = [], SimpleNamespace(members=[0, 1, 2], resize=lambda size: made.append(size))
    for free in (1536, 1535):  # bytes; two halves of 64 for each of three ranks are a quarter of 1536
        monkeypatch.setattr(ranks_module, "free_shared_memory", lambda free=free: free)
        ranks = Ranks(None, 0, 1, -1, boxes)
        for size in (64, 64, 32):
            ranks.make_room(size)
    assert made == [64, 0]
    Ranks(None, 0, 1, -1).make_room(64)  # alone on its machine it needs none


@pytest.mark.parametrize("place", ["room for gradients", "ranks on a machine"])
def test_ranks_that_make_room_are_told_where_another_one_is(place):
    def program(rank):
        ranks = current_ranks()
        if rank == 0:
            return ranks.make_room(64)
        if place == "ranks on a machine":
            ranks.gather("room for gradients", 1e9)
        ranks.gather("elsewhere", None)

    for error in run_ranks(2, program, expect=(RuntimeError, RankFailed)):
        assert f"'{place}'" in str(error) and "'elsewhere'" in str(error)


def test_between_machines_the_bytes_of_each_rank_arrive_in_memory_of_their_own():
    def program(rank):
        others = [other for other in range(3) if other != rank]
        current_ranks().make_room(8)
        came = current_ranks().trade(
            {other: [np.array([10 * rank + other])] for other in others}, dict.fromkeys(others, 8)
        )
        return {other: int(found.view(np.int64)[0]) for other, found in came.items()}

    assert run_ranks(3, program, one_machine=False) == [{1: 10, 2: 20}, {0: 1, 2: 21}, {0: 2, 1: 12}]
