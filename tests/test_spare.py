"""What is kept is taken once, and what has to make room for it is handed out."""

import threading

from scratchnet.spare import Spare


def test_one_thing_is_kept_until_somebody_takes_it_or_leaves_another():
    spare = Spare()
    assert spare.exchange() is None and spare.exchange("a") is None
    assert spare.exchange("b") == "a" and spare.exchange() == "b" and spare.exchange() is None


def test_a_forked_child_finds_nothing_and_waits_for_nobody():
    spare = Spare()
    spare.exchange("a")
    spare._lock.acquire()  # by a thread that the child does not have
    spare.forget()
    assert spare.exchange() is None


def test_nothing_is_taken_twice_and_nothing_is_lost():
    spare, found = Spare(), []

    def leave(number):
        for k in range(500):
            found.append(spare.exchange((number, k)))

    threads = [threading.Thread(target=leave, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = [thing for thing in (*found, spare.exchange()) if thing is not None]
    assert sorted(taken) == [(number, k) for number in range(4) for k in range(500)]
