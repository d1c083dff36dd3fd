"""Whether somebody who could help is a help, by the clock.

Two threads that share a kernel read in part what the other has written. Processors that are neighbours hand it over in
passing; where they are not, or have other programs to run, waiting may cost more than is gained, and that may change
from one minute to the next. No bit depends on whether a helper is there, so a clock may decide: now and then a few
steps are taken with the helper, as many without, and all that follow as was quicker.
"""

import time

import numpy as np

_ROUND = 500  # steps from one trial to the next
_TRIED = 6  # steps of each way, of which the first does not count: it finds in the caches what the other way left
_WARM = 50  # steps before the first trial, in which kernels are compiled and memory is touched for the first time


class Trial:
    """`asks` is called before each step; the times between its calls are those of the steps."""

    def __init__(self):
        self._place = -_WARM  # in the round
        self._began = None  # the last step
        self._times = []  # of the steps on trial, with the helper and then without
        self._pays = True

    def asks(self):
        """Whether to take the step that begins now with the helper."""
        now, place = time.perf_counter(), self._place
        if 0 < place <= 2 * _TRIED and (place - 1) % _TRIED:
            self._times.append(now - self._began)
        if place == 2 * _TRIED:
            self._pays = np.median(self._times[: _TRIED - 1]) <= np.median(self._times[_TRIED - 1 :])
            self._times = []
        self._place = place + 1 if place + 1 < _ROUND else 0
        self._began = now
        return 0 <= place < _TRIED or (self._pays and not _TRIED <= place < 2 * _TRIED)
