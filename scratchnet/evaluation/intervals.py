"""Finding where a series is strange: from the errors of windows to points, to intervals, and how good they are.

Two questions, two scores. Point-wise, each point is right or wrong; a long event weighs as much as many short ones, and
an interval that begins a little late costs recall. Event-wise, an event counts as found if any found interval touches
it, and a found interval is right if it touches any event; how well their ends agree does not matter, and one huge
interval over everything would look perfect. So both scores are given.
"""

from typing import NamedTuple

import numpy as np

from scratchnet.evaluation.checks import check_values
from scratchnet.evaluation.style import colour, new_figure


class Scores(NamedTuple):
    precision: float  # the share of what was found that is right; 0 where nothing was found
    recall: float  # the share of what there is that was found
    f1: float  # their harmonic mean


def errors_of_points(errors, begins, steps):
    """The error of every point of a series: the mean over the windows that hold it.

    Args:
        errors: (windows, L), the errors of the points of each window.
        begins: (windows,), where each begins.
        steps: how many points the series has.

    Returns (steps,), NaN for a point that no window holds. Raises ValueError for shapes that do not match, and for
    windows that leave the series.
    """
    errors, begins = np.asarray(errors, np.float64), np.asarray(begins, np.int64)
    if errors.ndim != 2 or begins.shape != errors.shape[:1]:
        raise ValueError(
            f"errors_of_points: expected errors (windows, L) and begins (windows,), got {errors.shape} and "
            f"{begins.shape}"
        )
    L = errors.shape[1]
    if len(begins) and not 0 <= begins.min() <= begins.max() <= steps - L:
        raise ValueError(
            f"errors_of_points: windows of {L} points that begin at {begins.min()} to {begins.max()} leave a series of "
            f"{steps}"
        )
    places = (begins[:, np.newaxis] + np.arange(L)).ravel()
    total = np.bincount(places, errors.ravel(), steps)
    count = np.bincount(places, minlength=steps)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def find_intervals(marked, join=0, shortest=1):
    """``[(begin, end), ...]`` of the runs of True, each without its end.

    Runs with at most `join` points between them become one; afterwards those shorter than `shortest` are dropped.
    """
    edges = np.flatnonzero(np.diff(np.r_[False, np.asarray(marked, bool), False]))
    joined = []
    for begin, end in edges.reshape(-1, 2).tolist():
        if joined and begin - joined[-1][1] <= join:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((begin, end))
    return [(begin, end) for begin, end in joined if end - begin >= shortest]


def mark_intervals(intervals, steps):
    """(steps,) bool: True within the intervals; what lies outside of the series is cut off."""
    marked = np.zeros(steps, bool)
    for begin, end in intervals:
        marked[max(begin, 0) : max(end, 0)] = True
    return marked


def interval_scores(true, found, steps):
    """``{"points": Scores, "events": Scores}`` of found intervals against the true ones, in a series of so many points.

    Both are lists of (begin, end), each without its end. Raises ValueError if there are no true ones.
    """
    if not true:
        raise ValueError("interval_scores: there are no true intervals; a recall of nothing has no value")
    is_true, is_found = mark_intervals(true, steps), mark_intervals(found, steps)
    both = (is_true & is_found).sum()
    right = sum(bool(is_true[begin:end].any()) for begin, end in found)
    return {
        "points": _scores(both, is_found.sum(), both, is_true.sum()),
        "events": _scores(right, len(found), _touched(true, is_found), len(true)),
    }


def recall_by_kind(events, found, steps):
    """``{kind: (found, all)}`` of events ``(kind, begin, end)``: how many of each kind a found interval touches."""
    is_found = mark_intervals(found, steps)
    kinds = {}
    for kind, begin, end in events:
        kinds.setdefault(kind, []).append((begin, end))
    return {kind: (_touched(intervals, is_found), len(intervals)) for kind, intervals in kinds.items()}


def plot_intervals(series, errors, threshold, found, true=(), rate=1, first=0, title=None, axes=None):
    """A series and its errors below one another, what was found in both, and what there is as a bar above.

    Args:
        series, errors: (T,), to be drawn.
        threshold: of the errors.
        found, true: intervals in points of the series.
        rate: points in a unit of the axis, such as a second.
        first: where on the axis, in units, the series begins.
        title: of the figure.
        axes: two axes to draw on; by default on a figure of its own.

    Returns the figure. Raises ValueError unless series and errors have one shape (T,) and are finite.
    """
    series, errors = check_values("plot_intervals", series, "the series"), check_values("plot_intervals", errors)
    if len(series) != len(errors):
        raise ValueError(f"plot_intervals: {len(series)} points, but {len(errors)} errors")
    if axes is None:
        figure, axes = new_figure(8.0, 4.4, 2, 1, sharex=True, height_ratios=(2, 1))
        if title:
            figure.suptitle(title, fontsize=12)
    above, below = axes
    t = first + np.arange(len(series)) / rate
    above.plot(t, series, color="0.25", linewidth=0.8)
    below.plot(t, errors, color=colour(0), linewidth=0.8)
    below.axhline(threshold, color="black", linestyle="--", linewidth=1, label=f"threshold {threshold:.3g}")
    for ax in axes:
        for k, (begin, end) in enumerate(found):
            label = "found" if k == 0 and ax is above else None
            ax.axvspan(first + begin / rate, first + end / rate, color=colour(1), alpha=0.3, linewidth=0, label=label)
    level = series.max() + 0.06 * np.ptp(series)
    for k, (begin, end) in enumerate(true):
        ends = [first + begin / rate, first + end / rate]
        label = "true" if k == 0 else None
        above.plot(ends, [level, level], color=colour(2), linewidth=5, solid_capstyle="butt", label=label)
    above.set(ylabel="series")
    below.set(ylabel="error", yscale="log")
    for ax in axes:
        ax.margins(x=0)
        if ax.get_legend_handles_labels()[0]:
            ax.legend(fontsize="small", loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False)
    return above.figure


def _touched(intervals, marked):
    return sum(bool(marked[max(begin, 0) : max(end, 0)].any()) for begin, end in intervals)


def _scores(right, found, caught, all_true):
    precision, recall = right / max(found, 1), caught / max(all_true, 1)
    return Scores(float(precision), float(recall), float(2 * precision * recall / max(precision + recall, 1e-12)))
