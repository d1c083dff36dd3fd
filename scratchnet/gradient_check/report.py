"""What a gradient check found."""

from typing import NamedTuple

import numpy as np

from scratchnet.gradient_check.differences import relative_error

PASSED, BELOW_NOISE, FAILED = "passed", "below the noise", "FAILED"


class Row(NamedTuple):
    """One argument: by how much the two derivatives differ, and where they differ most."""

    argument: str
    error: float  # relative to the largest entry
    bound: float
    step: float  # of the differences; 0 where none were needed
    worst: tuple | None = None  # index of the entry that differs most
    numeric: float = 0.0  # its two values
    analytic: float = 0.0
    noise: float = 0.0  # by how much rounding alone may move the numeric one

    @property
    def verdict(self):
        """`PASSED`; `BELOW_NOISE` where the two differ by more than the bound, but by no more than rounding may
        explain, so that nothing is proved either way; else `FAILED`."""
        if self.error <= self.bound:  # false for NaN
            return PASSED
        return BELOW_NOISE if abs(self.numeric - self.analytic) <= self.noise else FAILED

    @property
    def passed(self):
        """Whether there is no objection."""
        return self.verdict != FAILED


class Report:
    """The rows of one check; `str` gives a table.

    Attributes:
        subject: what was checked.
        rows: a list of `Row`.
        sides: what the two values of a row are.
    """

    def __init__(self, subject, rows, sides=("numeric", "analytic")):
        self.subject = subject
        self.rows = rows
        self.sides = sides

    @property
    def passed(self):
        """Whether no row failed."""
        return all(row.passed for row in self.rows)

    @property
    def worst_error(self):
        """The largest error of all rows."""
        return max((row.error for row in self.rows), default=0.0)

    def raise_if_failed(self):
        """Raise AssertionError, with the table, unless the check passed; returns the report."""
        if not self.passed:
            raise AssertionError(f"wrong gradient\n{self}")
        return self

    def __str__(self):
        lines = [f"{self.subject}: {'passed' if self.passed else 'FAILED'}"]
        width = max([len("argument"), *(len(row.argument) for row in self.rows)])
        lines.append(f"  {'argument':{width}}  {'error':>8}  {'bound':>8}  {'step':>8}  worst entry")
        one, other = self.sides
        for row in self.rows:
            place = ""
            if row.worst is not None:
                place = f"{list(row.worst)}: {one} {row.numeric:.9g}, {other} {row.analytic:.9g}"
            mark = "" if row.verdict == PASSED else f"  <-- {row.verdict}"
            lines.append(
                f"  {row.argument:{width}}  {row.error:8.1e}  {row.bound:8.1e}  {row.step:8.1e}  {place}{mark}"
            )
        return "\n".join(lines)


def compare(argument, numeric, analytic, bound, step, noise=0.0):
    """The Row for an argument whose derivative is `analytic` by the backward pass and `numeric` by differences."""
    numeric, analytic = np.asarray(numeric), np.asarray(analytic)
    error = relative_error(numeric, analytic)
    if numeric.size == 0:
        return Row(argument, error, bound, step)
    worst = np.unravel_index(np.argmax(np.nan_to_num(np.abs(numeric - analytic), nan=np.inf)), numeric.shape)
    worst = tuple(int(i) for i in worst)
    return Row(argument, error, bound, step, worst, float(numeric[worst]), float(analytic[worst]), noise)
