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
    monkeypatch.setenv("SCRATCHNET_NUM_THREADS", "many")
    threads.set_num_threads(None)
    with pytest.raises(ValueError, match="SCRATCHNET_NUM_THREADS must be an integer of at least 1, got 'many'"):
        threads.get_num_threads()
    for wrong in (0, -1, 1.5, True):
        with pytest.raises(ValueError, match="integer of at least 1"):
            threads.set_num_threads(wrong)


def test_results_come_in_the_order_of_the_items_and_run_side_by_side():
    meeting = threading.Barrier(3, timeout=20)

    def work(item):
        meeting.wait()  # ends only if three are there at once
        return item * 10

    with threads.Workers(3) as workers:
        assert workers.map(work, range(6)) == [0, 10, 20, 30, 40, 50]
    assert not [t for t in threading.enumerate() if t.name.startswith("scratchnet")]


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
    info = pytest.importorskip("threadpoolctl").threadpool_info

    def blas():  # NumPy's; other libraries may have brought another
        return [pool["num_threads"] for pool in info() if pool["user_api"] == "blas" and "numpy" in pool["filepath"]]

    before = blas()
    with threads.Workers(1):
        with threads.Workers(1):
            assert set(blas()) <= {1}
        assert set(blas()) <= {1}
    assert blas() == before
