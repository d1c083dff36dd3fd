"""How many threads compute, and how they get their work.

A step is split once, above the layers: each thread takes a part of the batch through the whole model. BLAS is held to
one thread meanwhile, because two pools of threads on the same cores (BLAS's and ours) spend their time waiting for each
other. NumPy and the compiled kernels release the interpreter lock, so plain Python threads do run side by side.

Where there is too little for two parts, one thread takes the whole batch, and a helper shares its large kernels
(`Workers.help_one`).

`set_num_threads` or `SCRATCHNET_NUM_THREADS` sets the number. The default is the number of processors that this process
may use, divided by the number of ranks on this machine. Threads are made for a call of fit, evaluate or predict, and
then sleep until the next one: to start them takes as long as a small model takes for a batch.
"""

import contextlib
import os
import threading

from scratchnet import kernels
from scratchnet.kernels.subnormals import flushing
from scratchnet.parallel.batch import PartFailed
from scratchnet.parallel.memory import keep_freed_memory
from scratchnet.parallel.ranks import current_ranks
from scratchnet.processors import current_processor, leave
from scratchnet.spare import Spare

_num_threads = None
_blas_lock = threading.Lock()
_blas_users = 0
_blas_libraries = None  # that this process has loaded, as threadpoolctl controls them
_blas_threads = None  # how many each of them had, while they are limited
_idle = Spare()  # a pair: how many threads sleep, and the pool that they belong to


def set_num_threads(count):
    """Use `count` threads from now on; None is the default. Raises ValueError unless it is an int of at least 1."""
    global _num_threads
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
        raise ValueError(f"the number of threads must be an integer of at least 1, got {count!r}")
    _num_threads = count


def get_num_threads():
    """The number of threads: as set, else `SCRATCHNET_NUM_THREADS`, else this rank's share of the processors."""
    if _num_threads is not None:
        return _num_threads
    setting = os.environ.get("SCRATCHNET_NUM_THREADS", "").strip()
    if setting:
        if not setting.isdecimal() or int(setting) < 1:
            raise ValueError(f"SCRATCHNET_NUM_THREADS must be an integer of at least 1, got {setting!r}")
        return int(setting)
    return max(1, available_processors() // current_ranks().here)


def available_processors():
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Workers:
    """A few threads for the length of a ``with`` block, BLAS held to one thread each.

    `count`: how many items `map` computes at the same time; by default `get_num_threads()`.
    `is_helped`: whether the calling thread has a helper now, who waits at work: an item more would take its processor.
    """

    def __init__(self, count=None):
        self.count = get_num_threads() if count is None else count

    def __enter__(self):
        keep_freed_memory()
        kernels.load()
        self._scope = contextlib.ExitStack()
        self._scope.enter_context(_single_threaded_blas())
        self._helper = self._pool = None
        self._helps = self.is_helped = False
        return self

    def __exit__(self, *exception):
        return self._scope.__exit__(*exception)

    @property
    def can_help(self):
        """Whether large kernels can be shared by two threads: not those of NumPy.

        With that a batch goes in one part instead of two, whatever the number of processors, and be the two threads of
        one rank or of two: no bit depends on that.
        """
        if self._helper is None:
            self._helper = kernels.helper()
        return self._helper is not None

    @property
    def have_one_to_help(self):
        """Whether a helper would have a processor: with one for both they would wait for each other."""
        return self.count > 1 and available_processors() > 1 and self.can_help

    def help_one(self, pays=True):
        """Another thread is to help the calling one in large kernels: those of a step that is computed in one part.

        It goes on alone where there is none, and where a helper does not pay: see `scratchnet.parallel.trial`.
        """
        if not self.have_one_to_help:
            return
        self.is_helped = pays
        if not pays:
            if self._helps:
                self._helper.rest()
            return
        if not self._helps:
            self._helps = True
            self._scope.enter_context(self._helper)
        self._helper.wake()

    def map(self, function, items):
        """``[function(item) for item in items]``, at most `count` at a time; the results are in the order of the items.

        Meanwhile subnormal numbers are zero, in every thread (`scratchnet.kernels.subnormals`).

        After all have ended, the first error is raised here. An error that only says that another part has failed comes
        after all others.
        """
        items = list(items)
        if len(items) == 1:
            with flushing():
                return [function(items[0])]
        results = []
        for start in range(0, len(items), self.count):
            mine, *others = items[start : start + self.count]
            if others and self._helps:
                self._helper.rest()  # or there would be a thread more than `count`
                self.is_helped = False
            if others and self._pool is None:  # the calling thread computes as well
                self._pool = self._scope.enter_context(_pool(self.count - 1))
            here = current_processor() if others else None
            futures = [self._pool.submit(_elsewhere, here, function, item) for item in others]
            errors = []
            try:
                with flushing():
                    results.append(function(mine))
            except BaseException as error:
                errors.append(error)
            errors += [error for error in (future.exception() for future in futures) if error is not None]
            if errors:  # all have ended: no part may still be computing when the caller goes on
                raise next((error for error in errors if not isinstance(error, PartFailed)), errors[0])
            results.extend(future.result() for future in futures)
        return results


@contextlib.contextmanager
def helped():
    """A ``with`` block in which another thread shares large kernels, unless a call of fit or the like has them busy."""
    if _blas_users or get_num_threads() == 1:
        yield
        return
    with Workers() as workers, flushing():
        workers.help_one()
        yield


@contextlib.contextmanager
def _pool(count):
    """So many threads that nobody else uses meanwhile. Where an error leaves the block, they end."""
    from concurrent.futures import ThreadPoolExecutor  # a small model needs none

    known, pool = _idle.exchange() or (count, ThreadPoolExecutor(count, "scratchnet"))
    if known != count:
        pool.shutdown()
        pool = ThreadPoolExecutor(count, "scratchnet")
    try:
        yield pool
    except BaseException:
        pool.shutdown()
        raise
    if (other := _idle.exchange((count, pool))) is not None:
        other[1].shutdown()


def _elsewhere(processor, function, item):
    """``function(item)``, by a thread that has been woken by the one on this processor."""
    leave(processor)
    with flushing():
        return function(item)


@contextlib.contextmanager
def _single_threaded_blas():
    """Limits BLAS to one thread; of several users at the same time, the last one restores its threads."""
    global _blas_users, _blas_libraries, _blas_threads
    with _blas_lock:
        if _blas_users == 0:
            if _blas_libraries is None:
                from threadpoolctl import ThreadpoolController

                _blas_libraries = ThreadpoolController().select(user_api="blas").lib_controllers
            _blas_threads = [library.num_threads for library in _blas_libraries]
            _set_blas_threads([1] * len(_blas_threads))
        _blas_users += 1
    try:
        yield
    finally:
        with _blas_lock:
            _blas_users -= 1
            if _blas_users == 0:
                _set_blas_threads(_blas_threads)
                _blas_threads = None


def _set_blas_threads(counts):
    for library, count in zip(_blas_libraries, counts):
        library.set_num_threads(count)


def _after_fork_in_child():
    """A forked child has none of its parent's threads, one of which may have held the lock."""
    global _blas_lock, _blas_users, _blas_threads
    _blas_lock = threading.Lock()
    if _blas_threads is not None:
        _set_blas_threads(_blas_threads)
    _blas_users, _blas_threads = 0, None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
