"""From errors of windows to intervals, and how good they are."""

import numpy as np
import pytest

from scratchnet.evaluation.intervals import (
    errors_of_points,
    find_intervals,
    interval_scores,
    mark_intervals,
    plot_intervals,
    recall_by_kind,
)


def test_a_points_error_is_the_mean_over_the_windows_that_hold_it():
    errors = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    found = errors_of_points(errors, [0, 2], 6)
    np.testing.assert_array_equal(found, [1, 2, 6.5, 20, 30, np.nan])
    assert np.isnan(errors_of_points(np.zeros((0, 3)), [], 2)).all()


@pytest.mark.parametrize(
    "errors, begins, message",
    [
        (np.ones(3), [0], r"expected errors \(windows, L\) and begins \(windows,\), got \(3,\) and \(1,\)"),
        (np.ones((2, 3)), [0], r"got \(2, 3\) and \(1,\)"),
        (np.ones((2, 3)), [0, 4], "windows of 3 points that begin at 0 to 4 leave a series of 6"),
        (np.ones((1, 3)), [-1], "begin at -1 to -1 leave"),
    ],
)
def test_windows_that_do_not_fit_are_refused(errors, begins, message):
    with pytest.raises(ValueError, match=message):
        errors_of_points(errors, begins, 6)


def test_runs_become_intervals_and_close_ones_are_joined():
    marked = np.array([1, 1, 0, 1, 0, 0, 0, 1, 0, 1], bool)
    assert find_intervals(marked) == [(0, 2), (3, 4), (7, 8), (9, 10)]
    assert find_intervals(marked, join=1) == [(0, 4), (7, 10)]
    assert find_intervals(marked, shortest=2) == [(0, 2)]
    assert find_intervals(marked, join=3) == [(0, 10)]
    assert find_intervals(np.zeros(4, bool)) == find_intervals([]) == []


def test_intervals_are_marked_and_cut_at_the_ends():
    assert mark_intervals([(-2, 1), (3, 9)], 5).tolist() == [True, False, False, True, True]
    assert not mark_intervals([(-4, -1)], 5).any()


def test_points_and_events_are_scored_apart():
    true, found = [(0, 4), (10, 12)], [(2, 6), (20, 22), (30, 32), (40, 42)]
    scores = interval_scores(true, found, 50)
    assert scores["points"] == pytest.approx((2 / 10, 2 / 6, 0.25))
    assert scores["events"] == pytest.approx((1 / 4, 1 / 2, 1 / 3))
    assert interval_scores(true, true, 50)["events"] == interval_scores(true, true, 50)["points"] == (1, 1, 1)
    assert interval_scores(true, [], 50)["points"] == (0, 0, 0)
    with pytest.raises(ValueError, match="there are no true intervals"):
        interval_scores([], found, 50)


def test_each_kind_has_a_recall_of_its_own():
    events = [("spike", 0, 2), ("gap", 5, 9), ("spike", 20, 22)]
    assert recall_by_kind(events, [(1, 6)], 30) == {"spike": (1, 2), "gap": (1, 1)}


def test_the_picture_shows_what_was_found_and_what_there_is():
    pytest.importorskip("matplotlib")
    series, errors = np.sin(np.arange(100.0)), np.linspace(0.1, 1, 100)
    figure = plot_intervals(series, errors, 0.8, [(80, 100)], [(70, 90), (95, 97)], rate=10, first=5, title="found")
    above, below = figure.axes
    assert above.get_xlim() == pytest.approx((5, 15))
    labels = [text.get_text() for text in above.get_legend().get_texts()]
    assert labels == ["found", "true"] and len(above.lines) == 3 and len(above.patches) == len(below.patches) == 1
    assert plot_intervals(series, errors, 0.8, [], axes=figure.axes) is figure and figure.axes == [above, below]


@pytest.mark.parametrize(
    "series, errors, message",
    [(np.ones(4), np.ones(5), "4 points, but 5 errors"), (np.ones(4), [1, 2, np.nan, 4], "hold NaN or infinity")],
)
def test_a_picture_of_what_does_not_match_is_refused(series, errors, message):
    with pytest.raises(ValueError, match=message):
        plot_intervals(series, errors, 1, [])
