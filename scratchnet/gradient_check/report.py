"""What a gradient check found."""

from typing import NamedTuple, Optional

import numpy as np

from scratchnet.gradient_check.differences import relative_error


class Row(NamedTuple):
    """One argument: by how much the two derivatives differ, and where they differ most."""

    argument: str
    error: float  # relative to the largest entry
    bound: float
    step: float  # of the differences; 0 where none were needed
    worst: Optional[tuple]  # index of the entry that differs most
    numeric: float  # its two values
    analytic: float

    @property
    def passed(self):
        return self.error <= self.bound  # false for NaN


class Report:
    """The rows of one check; `str` gives a table.

    Attributes:
        subject: what was checked.
        rows: a list of `Row`.
    """

    def __init__(self, subject, rows):
        self.subject = subject
        self.rows = rows

    @property
    def passed(self):
        """Whether every error is within its bound."""
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
        for row in self.rows:
            place = (
                ""
                if row.worst is None
                else f"{list(row.worst)}: numeric {row.numeric:.9g}, analytic {row.analytic:.9g}"
            )
            mark = "" if row.passed else "  <-- FAILED"
            lines.append(
                f"  {row.argument:{width}}  {row.error:8.1e}  {row.bound:8.1e}  {row.step:8.1e}  {place}{mark}"
            )
        return "\n".join(lines)


def compare(argument, numeric, analytic, bound, step):
    """The Row for an argument whose derivative is `analytic` by the backward pass and `numeric` by differences."""
    numeric, analytic = np.asarray(numeric), np.asarray(analytic)
    error = relative_error(numeric, analytic)
    if numeric.size == 0:
        return Row(argument, error, bound, step, None, 0.0, 0.0)
    worst = np.unravel_index(np.argmax(np.nan_to_num(np.abs(numeric - analytic), nan=np.inf)), numeric.shape)
    worst = tuple(int(i) for i in worst)
    return Row(argument, error, bound, step, worst, float(numeric[worst]), float(analytic[worst]))
