import numpy as np

from scratchnet.explain.table import bars, figure


def test_a_heading_that_is_too_long_is_cut(zoo, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    model, x, y = zoo.branching()
    t = model.trace(x, [1e4 * a for a in y])
    heading = str(t).splitlines()[0]
    assert len(heading) == 80 and heading.endswith("…")


def test_a_line_for_each_call_within_the_width_of_the_terminal(zoo, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    model, x, y = zoo.branching()
    lines = str(model.trace(x, y)).splitlines()
    assert lines[0].startswith('trace of "branching", 2 samples, loss ')
    assert lines[1].split() == ["layer", "output", "|y|", "zero", "values", "|dL/dy|", "|dW|/|W|"]
    assert len(lines) == 2 + len(model.trace(x, y)) and max(map(len, lines)) <= 80
    assert any(line.startswith("  within") for line in lines)


def test_a_gradient_that_nobody_needed_is_not_shown_as_zero():
    from scratchnet.layers import Dense, Input
    from scratchnet.models import Sequential

    model = Sequential([Input((2,), dtype="int32"), Dense(2, trainable=False, name="frozen"), Dense(1)])
    model.compile("sgd", "mse")
    lines = str(model.trace(np.ones((1, 2), np.int64), np.ones((1, 1)))).splitlines()
    assert "none needed" in lines[2]


def test_without_a_pass_back_there_are_no_gradients_in_the_table(zoo):
    model, x, _ = zoo.classifier()
    t = model.trace(x)
    assert "dL/dy" not in str(t) and repr(t) == str(t) and "loss" not in str(t)


def test_in_a_notebook_it_is_a_small_table(zoo):
    model, x, y = zoo.classifier()
    html = model.trace(x, y)._repr_html_()
    assert html.count("<tr>") == 5 and len(html) < 30_000 and "script" not in html


def test_a_histogram_is_drawn_of_what_is_finite():
    assert bars(np.array([0.0, 0.0, 1.0])) == "█" + " " * 10 + "▄"
    assert bars(np.array([np.nan])) == " " * 12
    assert [figure(v) for v in (0, 0.5, 1e-9, 12345.0)] == ["0", "0.500", "1.00e-09", "1.23e+04"]
