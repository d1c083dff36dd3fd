"""A figure that shows itself: in a notebook and in a window."""

import io
import sys
import types

import numpy as np
import pytest

from scratchnet.evaluation import plot_curves

plots = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture
def figure():
    return plot_curves({"loss": [1.0, 0.5]})


def test_a_notebook_shows_the_picture(figure):
    png = figure._repr_png_()
    assert png.startswith(b"\x89PNG")
    height, width, _ = plots.imread(io.BytesIO(png)).shape
    assert (width, height) == tuple(figure.get_size_inches() * figure.dpi)


def test_show_in_a_notebook_displays_the_figure_below_the_cell(figure, monkeypatch):
    shown = []
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=shown.append))
    monkeypatch.setattr(sys, "stdout", type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})())
    figure.show()
    assert shown == [figure]


def test_show_elsewhere_opens_a_window_with_the_very_picture(figure, monkeypatch):
    windows = []
    monkeypatch.setattr(plots, "show", lambda: windows.extend(map(plots.figure, plots.get_fignums())))
    try:
        figure.show()
        (window,) = windows
        window.canvas.draw()
        expected = plots.imread(io.BytesIO(figure._repr_png_()))
        np.testing.assert_allclose(np.asarray(window.canvas.buffer_rgba()) / 255, expected, atol=1 / 255)
    finally:
        plots.close("all")
