"""How many threads compute, and what they leave behind."""

import threading

import pytest

from scratchnet.parallel import threads


@pytest.fixture(autouse=True)
def default():
    yield
    threads.set_num_threads(None)


def test_the_setter_rules_over_the_environment(monkeypatch):
    monkeypatch.setenv("SCRATCHNET_NUM_THREADS", "3")
    assert threads.get_num_threads() == 3
    threads.set_num_threads(2)
    assert threads.get_num_threads() == 2
    threads.set_num_threads(None)
    for count in (1, 2):
        monkeypatch.setenv("SCRATCHNET_NUM_THREADS", f" {count} ")
        assert threads.get_num_threads() == count
    monkeypatch.setenv("SCRATCHNET_NUM_THREADS", "many")
    threads.set_num_threads(None)
    with pytest.raises(ValueError, match="SCRATCHNET_NUM_THREADS must be an integer of at least 1, got 'many'"):
        threads.get_num_threads()
    for wrong in (0, -1, 1.5, True):
        with pytest.raises(ValueError, match="integer of at least 1"):
            threads.set_num_threads(wrong)


def test_the_default_is_all_processors_that_this_process_may_use(monkeypatch):
    monkeypatch.delenv("SCRATCHNET_NUM_THREADS", raising=False)
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda pid: {0: {3, 5, 6}}[pid], raising=False)
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 8)
    assert threads.available_processors() == threads.get_num_threads() == 3
    assert type(threads.get_num_threads()) is int
    monkeypatch.delattr(threads.os, "sched_getaffinity")  # there is none on macOS and Windows
    assert threads.available_processors() == 8
    monkeypatch.setattr(threads.os, "cpu_count", lambda: None)
    assert threads.available_processors() == threads.get_num_threads() == 1


def test_a_forked_child_gives_blas_its_threads_back_and_waits_for_no_thread_of_its_parent(monkeypatch):
    class Library:
        counts = []

        def set_num_threads(self, count):
            self.counts.append(count)

    monkeypatch.setattr(threads, "_blas_libraries", [Library()])
    for limited in ([5], None):
        held = threading.Lock()
        held.acquire()  # by a thread that the child does not have
        for name, value in (("_blas_lock", held), ("_blas_users", 2), ("_blas_threads", limited)):
            monkeypatch.setattr(threads, name, value)
        threads._after_fork_in_child()
        assert not threads._blas_lock.locked() and (threads._blas_users, threads._blas_threads) == (0, None)
        assert Library.counts == [5]


def test_results_come_in_the_order_of_the_items_and_run_side_by_side():
    meeting = threading.Barrier(3, timeout=20)

    def work(item):
        meeting.wait()  # ends only if three are there at once
        return item * 10

    with threads.Workers(3) as workers:
        assert workers.map(work, range(6)) == [0, 10, 20, 30, 40, 50]


def test_threads_sleep_until_the_next_call_and_end_with_an_error_or_where_others_are_wanted():
    def used(count):
        with threads.Workers(count) as workers:
            workers.map(abs, range(count))
        known, pool = threads._idle._kept
        assert known == count - 1 and all(thread.is_alive() for thread in pool._threads)
        return pool

    first = used(3)
    assert used(3) is first
    assert used(2) is not first and not any(thread.is_alive() for thread in first._threads)
    with threads.Workers(2) as one, threads.Workers(2) as two:
        assert one.map(abs, [1, -2]) == two.map(abs, [1, -2]) == [1, 2]
    with pytest.raises(ZeroDivisionError), threads.Workers(2) as workers:
        workers.map(lambda item: 1 / item, [1, 0])
    assert threads._idle.exchange() is None


@pytest.mark.parametrize("failing", [0, 1])
def test_an_exception_of_any_item_is_raised_after_all_have_ended(failing):
    ended = []

    def work(item):
        if item == failing:
            raise RuntimeError("broken")
        ended.append(item)

    with threads.Workers(2) as workers, pytest.raises(RuntimeError, match="broken"):
        workers.map(work, [0, 1])
    assert ended == [1 - failing]


def test_blas_is_held_to_one_thread_until_the_last_of_several_users_has_gone():
    control = pytest.importorskip("threadpoolctl")

    def blas():  # NumPy's; other libraries may have brought another
        pools = [
            pool for pool in control.threadpool_info() if pool["user_api"] == "blas" and "numpy" in pool["filepath"]
        ]
        return {pool["num_threads"] for pool in pools}

    with control.threadpool_limits(2, "blas"):
        with threads.Workers(1):
            with threads.Workers(1):
                assert blas() <= {1}
            assert blas() <= {1}
        assert blas() <= {2}


def test_the_helper_of_one_is_made_once_woken_each_time_and_gone_at_the_end(monkeypatch):
    class Helper:
        woken, rests, inside = 0, 0, False

        def __enter__(self):
            self.inside = True

        def __exit__(self, *exception):
            self.inside = False

        def wake(self):
            assert self.inside
            self.woken += 1

        def rest(self):
            assert self.inside
            self.rests += 1

    made = []

    def helper():
        made.append(Helper())
        return made[-1]

    monkeypatch.setattr(threads.kernels, "helper", helper)
    monkeypatch.setattr(threads, "available_processors", lambda: 1)
    with threads.Workers(2) as workers:
        workers.help_one()  # they would take turns at the processor
        assert workers.can_help and not made.pop().inside  # but the batch has as many parts as with two processors
    monkeypatch.setattr(threads, "available_processors", lambda: 2)
    with threads.Workers(1) as alone:
        alone.help_one()  # there is nobody to help
    assert made == []
    with threads.Workers(2) as workers:
        assert workers.can_help and not made[0].inside  # nobody has asked yet
        workers.help_one(pays=False)
        assert not made[0].inside
        workers.map(abs, [1, 2])
        workers.help_one()
        workers.help_one()
        assert len(made) == 1 and made[0].woken == 2 and made[0].inside
        workers.map(abs, [1])
        assert made[0].rests == 0
        workers.map(abs, [1, 2])  # a helper of one of them would be a third thread
        assert made[0].rests == 1
        workers.help_one(pays=False)
        assert made[0].rests == 2 and made[0].woken == 2
    assert not made[0].inside
    monkeypatch.setattr(threads.kernels, "helper", lambda: None)
    with threads.Workers(2) as workers:
        workers.help_one()  # not of these kernels
        assert not workers.can_help
