"""On which processor a thread runs.

Linux often starts a thread on the processor of the one that makes it, and leaves it there for ten milliseconds and more
although another processor is idle: the two take turns, for half of a short call. A thread that is to compute beside the
one that makes it therefore asks to be put elsewhere, for a moment: behind that it may run anywhere again. One that
sleeps may be woken there, too, and then waits up to three milliseconds for its turn: it is kept off beforehand.
"""

import ctypes
import functools
import os


def current_processor():
    """The number of the processor that the calling thread runs on; None where the system does not tell."""
    ask = _sched_getcpu()
    return None if ask is None else ask()


def leave(processor):
    """Have the calling thread moved from this processor to another that it may use, if there is one."""
    before = keep_off(processor, 0)
    if before is not None:
        os.sched_setaffinity(0, before)


def keep_off(processor, thread):
    """Have a thread run on any processor but this one from now on: where the caller may run, too.

    Args:
        thread: its `native_id`; 0 is the caller.

    Returns the processors that the caller may use; None where nothing has changed, because there is no other, nobody
    knows, or the system does not let us.
    """
    if processor is None or not hasattr(os, "sched_setaffinity"):
        return None
    try:
        allowed = os.sched_getaffinity(0)
        others = allowed - {processor}
        if not others:
            return None
        os.sched_setaffinity(thread, others)
    except OSError:  # a container may forbid it: then it stays where it is
        return None
    return allowed


@functools.cache
def _sched_getcpu():
    """The C library's function of that name, which Linux has."""
    return getattr(ctypes.CDLL(None), "sched_getcpu", None) if os.name == "posix" else None
