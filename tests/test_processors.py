"""Threads that begin on another processor than the one that made them."""

import os
import threading
from types import SimpleNamespace

import pytest

from scratchnet import processors


def test_a_thread_is_moved_and_may_then_run_anywhere_again(monkeypatch):
    asked = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda thread: {2, 3, 5}, raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", lambda thread, allowed: asked.append((thread, allowed)), raising=False)
    processors.leave(3)
    assert asked == [(0, {2, 5}), (0, {2, 3, 5})]


def test_where_there_is_no_other_or_nobody_can_tell_it_stays(monkeypatch):
    def refuse(thread, allowed):
        raise AssertionError("nothing to ask for")

    monkeypatch.setattr(os, "sched_getaffinity", lambda thread: {3}, raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", refuse, raising=False)
    processors.leave(3)
    processors.leave(None)
    monkeypatch.delattr(os, "sched_setaffinity")
    processors.leave(4)


def test_a_system_that_forbids_it_is_no_error(monkeypatch):
    asked = []

    def forbid(thread, allowed):
        asked.append(allowed)
        raise PermissionError

    monkeypatch.setattr(os, "sched_getaffinity", lambda thread: {0, 1}, raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", forbid, raising=False)
    processors.leave(0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda thread: forbid(thread, "all"), raising=False)
    processors.leave(0)
    assert asked == [{1}, "all"]


def test_the_number_of_the_processor_is_told_where_the_system_knows_it(monkeypatch):
    monkeypatch.setattr(processors, "_sched_getcpu", lambda: None)
    assert processors.current_processor() is None
    monkeypatch.setattr(processors, "_sched_getcpu", lambda: lambda: 7)
    assert processors.current_processor() == 7


def test_other_systems_are_not_asked(monkeypatch):
    processors._sched_getcpu.cache_clear()
    try:
        monkeypatch.setattr(processors, "os", SimpleNamespace(name="nt"))
        assert processors._sched_getcpu() is None
    finally:
        processors._sched_getcpu.cache_clear()


def test_a_thread_is_kept_off_the_processor_of_the_one_that_wakes_it(monkeypatch):
    asked = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda thread: {2, 3, 5}, raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", lambda thread, allowed: asked.append((thread, allowed)), raising=False)
    assert processors.keep_off(3, 77) == {2, 3, 5}
    assert processors.keep_off(None, 77) is None
    assert asked == [(77, {2, 5})]
    monkeypatch.setattr(os, "sched_getaffinity", lambda thread: {3})
    assert processors.keep_off(3, 77) is None  # there is no other
    assert len(asked) == 1
    monkeypatch.delattr(os, "sched_setaffinity")
    assert processors.keep_off(3, 77) is None


def test_a_system_that_forbids_to_keep_a_thread_off_is_no_error(monkeypatch):
    def forbid(thread, allowed):
        raise PermissionError

    monkeypatch.setattr(os, "sched_getaffinity", lambda thread: {0, 1}, raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", forbid, raising=False)
    assert processors.keep_off(0, 77) is None


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no such call")
def test_the_processors_of_a_thread_are_the_same_behind_it():
    seen, before = [], os.sched_getaffinity(0)

    def look(processor):
        processors.leave(processor)
        seen.append(os.sched_getaffinity(0))

    thread = threading.Thread(target=look, args=(processors.current_processor(),))
    thread.start()
    thread.join()
    assert seen == [before] == [os.sched_getaffinity(0)]
