"""The progress bar, in the form that Keras users know.

::

    12/40 ━━━━━━────────────── 3s 95ms/step - loss: 0.2104
"""

import math
import sys
import time
from numbers import Real

from scratchnet import config, kernels
from scratchnet.console import is_terminal, terminal_width, write


class Progbar:
    """A progress bar, redrawn in place in a terminal or notebook; elsewhere one line when it is complete.

    Args:
        target: how many steps there will be; None if nobody knows.
        width: of the bar, in characters.
        verbose: 0 silent, 1 the bar, 2 a line at the end without a bar.
        interval: seconds between two drawings, at least.
        stateful_metrics: names of figures that are shown as they are; of the others the mean over the steps is shown.
        stateless_metrics: the opposite: names of figures whose mean is shown. Only one of the two may be given.
        unit_name: what a step is called.

    The time of a step leaves out the compilation of kernels, which happens once.
    """

    def __init__(
        self,
        target,
        width: int = 20,
        verbose: int = 1,
        interval=0.05,
        stateful_metrics=None,
        stateless_metrics=None,
        unit_name="step",
    ):
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError("Progbar: give stateful_metrics or stateless_metrics, not both")
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self._stateful = None if stateful_metrics is None else set(stateful_metrics)
        self._stateless = None if stateless_metrics is None else set(stateless_metrics)
        self._live = verbose == 1 and is_terminal(sys.stdout) and config.is_interactive_logging_enabled()
        self._figures = {}  # name: (the sum over the steps, their number), or (what is shown, 1)
        self._seen = 0
        self._drawn = 0  # characters of the line that stands there
        self._began = self._drawn_at = time.perf_counter()
        self._compiling_before = kernels.seconds_compiling()

    def update(self, current, values=None, finalize=None):
        """Set the number of finished steps to `current`; `values`: pairs of a name and its figure in the last step.

        `finalize`: whether the bar is complete; by default, whether the target has been reached.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        for name, value in values or ():
            self._take(name, value, current, finalize)
        self._seen = current
        now = time.perf_counter()
        if finalize:
            if self.verbose:
                self._finish(now)
        elif self._live and now - self._drawn_at >= self.interval:
            self._drawn_at = now
            self._draw(now)

    def add(self, n, values=None):
        """Count `n` more finished steps."""
        self.update(self._seen + n, values)

    def interrupt(self):
        """Leave the line as it is, and continue on the next one."""
        if self._drawn:
            write("\n")
            self._drawn = 0

    def _take(self, name, value, current, finalize):
        averaged = name in self._stateless if self._stateless is not None else name not in (self._stateful or ())
        if not averaged or finalize:  # what is given at the end is the figure of the whole
            self._figures[name] = value, 1
        else:
            steps = max(current - self._seen, 1)
            total, count = self._figures.get(name, (0, 0))
            self._figures[name] = total + value * steps, count + steps

    def _draw(self, now):
        """Overwrite the line in the terminal, within its width."""
        columns = terminal_width()
        seconds = self._seconds_of_a_step(now)
        left = _duration(seconds * (self.target - self._seen) if self.target else now - self._began)
        parts = [f" {left} {_step_time(seconds)}/{self.unit_name}", *self._shown_figures()]
        while len(parts) > 1 and len(self._head()) + 5 + len("".join(parts)) >= columns:
            parts.pop()  # figures that do not fit are seen when the line is complete
        tail = "".join(parts)
        line = (self._bar(columns - len(tail) - 1) + tail)[: columns - 1]
        write("\r" + line.ljust(self._drawn))
        self._drawn = len(line)

    def _finish(self, now):
        """Write the complete line, whatever the width of the terminal."""
        seconds, step = _duration(now - self._began), f"{_step_time(self._seconds_of_a_step(now))}/{self.unit_name}"
        figures = "".join(self._shown_figures())
        if self.verbose == 2:
            write(f"{self._head()}- {seconds} - {step}{figures}\n")
            return
        tail = f" {seconds} {step}{figures}"
        line = self._bar(terminal_width() - len(tail) - 1 if self._live else math.inf) + tail
        write("\r" * self._live + line.ljust(self._drawn) + "\n")
        self._drawn = 0

    def _head(self):
        return f"{self._seen}/{self.target or 'Unknown'} "

    def _bar(self, room):
        """``12/40 ━━━━━━──────────────`` in `room` characters, of which the bar takes at least five."""
        head = self._head()
        if not self.target:
            return head.rstrip()
        width = max(min(self.width, room - len(head)), 5)
        full = min(round(width * self._seen / self.target), width)
        return head + "━" * full + "─" * (width - full)

    def _seconds_of_a_step(self, now):
        compiling = kernels.seconds_compiling() - self._compiling_before
        return max(now - self._began - compiling, 0.0) / max(self._seen, 1)

    def _shown_figures(self):
        for name, (total, count) in self._figures.items():
            yield f" - {name}: {_figure(total / count) if isinstance(total, Real) else total}"


def _figure(value):
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e5 else f"{value:.4e}"


def _duration(seconds):
    if seconds < 60:
        return f"{seconds:.0f}s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _step_time(seconds):
    if seconds >= 1:
        return f"{seconds:.0f}s"
    if seconds >= 1e-2:
        return f"{seconds * 1e3:.0f}ms"
    return f"{seconds * 1e3:.1f}ms" if seconds >= 1e-4 else f"{seconds * 1e6:.0f}us"
