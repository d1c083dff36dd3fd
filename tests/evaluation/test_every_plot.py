"""The package as a whole: what it imports and when, missing packages, figures without pyplot, tables."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

from scratchnet import evaluation
from scratchnet.optional import require

Y = np.arange(20) % 2
P = np.stack([0.9 - 0.8 * (np.arange(20) % 3 > 0), 0.1 + 0.8 * (np.arange(20) % 3 > 0)], axis=1)
IMAGES = np.random.default_rng(0).random((20, 8, 8)).astype(np.float32)

PLOTS = {
    "curves": lambda: evaluation.plot_curves({"loss": [1.0, 0.5]}),
    "confusion": lambda: evaluation.plot_confusion_matrix(Y, P),
    "roc": lambda: evaluation.plot_roc_curves(Y, P),
    "mistakes": lambda: evaluation.plot_mistakes(IMAGES, Y, P),
    "images": lambda: evaluation.plot_images({"a": IMAGES}),
    "reconstructions": lambda: evaluation.plot_reconstructions(IMAGES, IMAGES),
    "best and worst": lambda: evaluation.plot_best_and_worst(IMAGES, IMAGES[::-1]),
    "error per class": lambda: evaluation.plot_error_per_class(np.arange(20.0), Y),
    "box per class": lambda: evaluation.plot_error_per_class(np.arange(20.0), Y, kind="box"),
    "few labels": lambda: evaluation.plot_few_labels({"a": np.array([[0.5, 0.6]])}, (10,)),
    "codes": lambda: evaluation.plot_codes(IMAGES, Y),
    "intervals": lambda: evaluation.plot_intervals(np.arange(9.0), np.arange(1.0, 10), 5, [(5, 9)]),
    "histogram": lambda: evaluation.plot_error_histogram(np.arange(1.0, 9), {"a": [9.0]}, 5),
}


def test_every_public_name_is_there_and_documented():
    assert set(evaluation.__all__) <= set(dir(evaluation))
    for name in evaluation.__all__:
        value = getattr(evaluation, name)
        assert name == "COLOURS" or value.__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'plot_everything'"):
        _ = evaluation.plot_everything


def test_every_plot_is_tried_here():
    plots = {name for name in evaluation.__all__ if name.startswith("plot_")}
    used = {name for plot in PLOTS.values() for name in plot.__code__.co_names}
    assert plots <= used


def test_importing_takes_no_heavy_package_and_plotting_takes_no_pyplot():
    program = """
import sys
import numpy as np
import scratchnet.evaluation as e
e.plot_curves, e.ClassifierReport, e.add_noise, e.denoising_table, e.plot_roc_curves
print(sorted({"sklearn", "matplotlib", "skimage", "scipy", "numba"} & set(sys.modules)))
e.plot_curves({"loss": [1.0]}), e.plot_confusion_matrix([0, 1], np.eye(2))
print("matplotlib.pyplot" in sys.modules)
"""
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed.split("\n")[:2] == ["[]", "False"]


@pytest.mark.parametrize("name", PLOTS)
def test_saved_picture_is_not_blank_and_fits_a_readme(name, tmp_path):
    image_module = pytest.importorskip("matplotlib.image")
    pytest.importorskip("sklearn")
    figure = PLOTS[name]()
    path = evaluation.save_figure(figure, tmp_path / "new" / "picture.png")
    picture = image_module.imread(path)[..., :3]
    assert picture.std() > 0.03
    assert picture.shape[1] <= 800
    edges = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    assert edges.min() == 1, "something is cut off at the edge"


def test_many_figures_leave_nothing_behind():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    before = pyplot.get_fignums()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(25):
            evaluation.plot_curves({"loss": [1.0]})
    for name in ("roc", "mistakes", "codes", "histogram"):
        PLOTS[name]()
    assert pyplot.get_fignums() == before


@pytest.mark.parametrize(
    ("module", "call", "message"),
    [
        ("matplotlib.figure", PLOTS["curves"], r"needs matplotlib: pip install matplotlib"),
        ("sklearn.metrics", PLOTS["confusion"], r"needs scikit-learn: pip install scikit-learn"),
        (
            "skimage.metrics",
            lambda: evaluation.image_quality(IMAGES, IMAGES),
            r"needs scikit-image: pip install scikit-image",
        ),
    ],
)
def test_a_missing_package_is_named_with_the_command_that_installs_it(module, call, message, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=message):
        call()


def test_a_broken_package_raises_its_own_error(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("import a_module_that_is_missing")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_missing"):
        require("broken_package")


def test_text_table_is_aligned():
    text = evaluation.text_table(("model", "loss"), [["CNN", 0.5], ["LSTM", "10.25"]])
    assert text == "model   loss\nCNN      0.5\nLSTM   10.25"


def test_text_table_shortens_the_first_column_only():
    name = "n" * 60
    lines = evaluation.text_table(("model", "a"), [[name, "1" * 40], ["short", "2"]]).splitlines()
    assert max(map(len, lines)) == 80
    assert lines[1].endswith("...  " + "1" * 40) and lines[2].startswith("short ")


def test_markdown_table_escapes_bars():
    text = evaluation.markdown_table(("a", "b"), [["x|y", 1]])
    assert text.splitlines() == [r"| a    | b |", "|---|---:|", r"| x\|y | 1 |"]
