"""A thread that sleeps in compiled code is woken by another one that does not give the interpreter away."""

import sys
import threading
import time

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from scratchnet.kernels.with_numba.bell import Bell, wait_for  # noqa: E402

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="who waits for a bell is compiled code")


@numba.njit(nogil=True)
def _count_rings(waits, lock, heard, times):
    heard[1] = 1
    for _ in range(times):
        wait_for(waits, lock)
        heard[0] += 1


@pytest.fixture
def bell():
    bell = Bell()
    yield bell
    bell.remove()


def _listen(bell, times):
    """``(heard, thread)``: a thread that sleeps in compiled code, and its counter."""
    heard = np.zeros(2, np.int64)
    thread = threading.Thread(target=_count_rings, args=(bell.waits, bell.lock, heard, times), daemon=True)
    thread.start()
    _until(lambda: heard[1] == 1, give_way=True)
    return heard, thread


def _until(happened, give_way=False):
    end = time.perf_counter() + 20
    while not happened():
        assert time.perf_counter() < end, "it has not happened"
        if give_way:
            time.sleep(0.001)


def test_who_waits_goes_on_once_for_each_ring(bell):
    heard, thread = _listen(bell, 3)
    for rings in (1, 2, 3):
        assert thread.is_alive() and heard[0] == rings - 1
        bell.ring()
        _until(lambda rings=rings: heard[0] == rings, give_way=True)
    thread.join()


def test_what_rang_before_is_heard_too(bell):
    heard = np.zeros(2, np.int64)
    bell.ring()
    _count_rings(bell.waits, bell.lock, heard, 1)
    assert heard[0] == 1


def test_it_is_heard_while_another_thread_keeps_the_interpreter(bell):
    heard, thread = _listen(bell, 1)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)  # seconds until whoever asks for the interpreter has it
    try:
        bell.ring()
        _until(lambda: heard[0] == 1)
    finally:
        sys.setswitchinterval(interval)
    thread.join()
