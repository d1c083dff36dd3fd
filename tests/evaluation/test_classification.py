"""Plots of classifiers: numbers by hand, what is drawn, and what is refused."""

import numpy as np
import pytest

from scratchnet.evaluation import one_vs_rest_auc, plot_confusion_matrix, plot_mistakes, plot_roc_curves

matplotlib_figure = pytest.importorskip("matplotlib.figure")
sklearn_metrics = pytest.importorskip("sklearn.metrics")

# Four samples of two classes. Class 1 has the scores 0.4 and 0.9, class 0 has 0.1 and 0.45. Of the four pairs (one of
# each class) three are in the right order: the area is 3/4. The predicted classes 0, 0, 0, 1 would give
# (1 - 0) * (1 + 1/2) / 2 = 3/4 as well for these, so the scores of `test_area_is_of_probabilities` are others.
P2 = np.array([[0.9, 0.1], [0.55, 0.45], [0.6, 0.4], [0.1, 0.9]])
Y2 = np.array([0, 0, 1, 1])


def probabilities(y, classes, seed=0, strength=2.0):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(len(y), classes))
    z[np.arange(len(y)), y] += strength
    p = np.exp(z)
    return p / p.sum(axis=1, keepdims=True)


def labels(count, classes, seed=1):
    return np.random.default_rng(seed).integers(0, classes, count)


def test_area_by_hand():
    np.testing.assert_allclose(one_vs_rest_auc(Y2, P2), [0.75, 0.75])


def test_area_is_of_probabilities_not_of_the_predicted_class():
    # All four are predicted to be class 0, so the predicted class tells nothing (area 0.5); the order is perfect.
    p = np.array([[0.95, 0.05], [0.9, 0.1], [0.7, 0.3], [0.6, 0.4]])
    assert sklearn_metrics.roc_auc_score(Y2, p.argmax(axis=1)) == 0.5
    np.testing.assert_allclose(one_vs_rest_auc(Y2, p), [1, 1])
    legend = [text.get_text() for text in plot_roc_curves(Y2, p).axes[0].get_legend().get_texts()]
    assert legend[:2] == ["0 (1.0000)", "1 (1.0000)"]


def test_areas_are_those_of_sklearn():
    y = labels(300, 4)
    p = probabilities(y, 4)
    mean = sklearn_metrics.roc_auc_score(y, p, multi_class="ovr", average="macro")
    np.testing.assert_allclose(one_vs_rest_auc(y, p).mean(), mean)


def test_a_class_without_samples_has_no_area_and_no_curve():
    p = probabilities(np.array([0, 1, 0, 1]), 3)
    areas = one_vs_rest_auc([0, 1, 0, 1], p)
    assert np.isnan(areas[2]) and np.isfinite(areas[:2]).all()
    legend = [text.get_text() for text in plot_roc_curves([0, 1, 0, 1], p).axes[0].get_legend().get_texts()]
    assert [text.split(" (")[0] for text in legend] == ["0", "1", "macro average", "chance"]


def test_roc_of_a_single_class_is_refused():
    with pytest.raises(ValueError, match="all samples belong to one class"):
        plot_roc_curves([1, 1], [[0.5, 0.5], [0.1, 0.9]])


def test_area_under_the_macro_average_is_the_mean_of_the_areas():
    y = labels(60, 3)
    p = probabilities(y, 3, strength=0.7)
    ax = plot_roc_curves(y, p).axes[0]
    line = next(line for line in ax.lines if line.get_label().startswith("macro"))
    rates, mean = line.get_data()
    assert (rates[0], mean[0], rates[-1], mean[-1]) == (0, 0, 1, 1)
    np.testing.assert_allclose(sklearn_metrics.auc(rates, mean), one_vs_rest_auc(y, p).mean(), rtol=1e-12)


def test_roc_draws_a_line_for_each_class_the_mean_and_chance():
    y = labels(200, 10)
    figure = plot_roc_curves(y, probabilities(y, 10, strength=1.0), title="these curves")
    ax = figure.axes[0]
    assert isinstance(figure, matplotlib_figure.Figure)
    assert len(ax.lines) == 12 and not ax.child_axes
    assert (ax.get_title(), ax.get_xlabel()) == ("these curves", "false positive rate")
    assert ax.get_ylabel() == "true positive rate"


def test_roc_of_good_classifiers_has_an_inset():
    y = labels(200, 3)
    ax = plot_roc_curves(y, probabilities(y, 3, strength=9)).axes[0]
    assert len(ax.child_axes) == 1 and ax.child_axes[0].get_xscale() == "log"


def test_many_classes_stay_readable():
    y = np.arange(120) % 30
    p = probabilities(y, 30, strength=1.0)
    ax = plot_roc_curves(y, p).axes[0]
    assert len(ax.lines) == 32
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    areas = one_vs_rest_auc(y, p)
    assert legend[0] == f"30 classes\n({areas.min():.4f} to {areas.max():.4f})" and len(legend) == 3
    ax = plot_confusion_matrix(y, p).axes[0]
    assert not ax.texts and ax.images[0].get_array().shape == (30, 30)


def test_confusion_matrix_by_hand():
    y = [0, 0, 1, 2]
    p = np.eye(3)[[0, 1, 1, 0]]
    figure = plot_confusion_matrix(y, p, ["cat", "dog", "deer"])
    ax = figure.axes[0]
    counts = np.array([int(text.get_text()) for text in ax.texts]).reshape(3, 3)
    np.testing.assert_array_equal(counts, [[1, 1, 0], [0, 1, 0], [1, 0, 0]])  # rows are true, columns predicted
    np.testing.assert_array_equal(ax.images[0].get_array()[0], [50, 50, 0])
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["cat", "dog", "deer"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")


@pytest.mark.parametrize("shape", [(4, 8, 8), (4, 8, 8, 1), (4, 8, 8, 3)])
def test_mistakes_are_the_surest_first(shape):
    p = np.array([[0.6, 0.4, 0.0], [0.1, 0.8, 0.1], [0.0, 0.05, 0.95], [0.0, 0.0, 1.0]])
    figure = plot_mistakes(np.zeros(shape), [1, 0, 0, 2], p, ["a", "b", "c"])
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert titles == ["c (95.0 %)\ntrue: a", "b (80.0 %)\ntrue: a", "a (60.0 %)\ntrue: b"]


def test_mistakes_count_limits_the_pictures():
    p = np.tile([0.3, 0.7], (30, 1))
    figure = plot_mistakes(np.zeros((30, 4, 4)), np.zeros(30, int), p, count=7)
    assert sum(len(ax.images) for ax in figure.axes) == 7


def test_no_mistakes_are_an_error():
    with pytest.raises(ValueError, match="no mistakes"):
        plot_mistakes(np.zeros((4, 2, 2)), [0, 0, 0, 1], P2)


def test_mistakes_refuse_bytes_and_other_lengths():
    with pytest.raises(TypeError, match="divide bytes by 255"):
        plot_mistakes(np.zeros((4, 2, 2), np.uint8), Y2, P2)
    with pytest.raises(ValueError, match="3 images, 4 labels"):
        plot_mistakes(np.zeros((3, 2, 2)), Y2, P2)
    with pytest.raises(ValueError, match="NaN"):
        plot_mistakes(np.full((4, 2, 2), np.nan), Y2, P2)


@pytest.mark.parametrize("plot", [plot_confusion_matrix, plot_roc_curves])
def test_plots_draw_on_given_axes(plot):
    figure = matplotlib_figure.Figure()
    left, right = figure.subplots(1, 2)
    assert plot(Y2, P2, ax=right) is figure
    assert right.get_title() and not left.get_title() and not left.lines


def test_mistakes_draw_on_given_axes():
    axes = matplotlib_figure.Figure().subplots(1, 3)
    assert plot_mistakes(np.zeros((4, 2, 2)), Y2, P2, axes=axes) is axes[0].figure
    assert [len(ax.images) for ax in axes] == [1, 0, 0]
    with pytest.raises(ValueError, match="1 axes for 4 pictures"):
        plot_mistakes(np.zeros((4, 2, 2)), 1 - Y2, np.eye(2)[Y2], axes=axes[0])


@pytest.mark.parametrize("y", [Y2, Y2[:, None], np.eye(2)[Y2], np.uint8(Y2)])
def test_labels_may_be_columns_or_one_hot(y):
    np.testing.assert_allclose(one_vs_rest_auc(y, P2), [0.75, 0.75])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (Y2[:3], "3 labels for the probabilities of 4 samples"),
        ([0, 1, 2, 0], "from 0 to 1, got 0 to 2"),
        ([0, -1, 1, 0], "from 0 to 1, got -1 to 1"),
        (np.float32(Y2), "integer labels"),
        (np.eye(3)[Y2], "must be one-hot: 2 columns"),
        ([[1, 1], [1, 0], [0, 1], [0, 1]], "must be one-hot"),
        ([[0.3, 0.7], [1, 0], [0, 1], [0, 1]], "must be one-hot"),
        (np.zeros((4, 2, 2), int), "integer labels"),
    ],
)
def test_what_is_no_label_is_refused(y, message):
    with pytest.raises(ValueError, match=message):
        plot_confusion_matrix(y, P2)


@pytest.mark.parametrize(
    ("p", "message"),
    [
        (np.zeros((0, 2)), "no probabilities"),
        (np.ones((4, 1)), "at least 2 classes"),
        (np.ones(4), "at least 2 classes"),
        ([[0.5, 0.5], [0.5, np.nan], [1, 0], [1, 0]], "sample 1 are not finite"),
        ([[0.5, 0.5], [0.5, 0.5], [3.0, -2.0], [1, 0]], "sample 2 are not probabilities.*softmax"),
        ([[0.5, 0.6], [0.5, 0.5], [1, 0], [1, 0]], "sample 0 are not probabilities"),
    ],
)
def test_what_is_no_probability_is_refused(p, message):
    with pytest.raises(ValueError, match=message):
        plot_roc_curves(Y2, p)


def test_another_count_of_class_names_is_refused():
    with pytest.raises(ValueError, match="3 class names for 2 classes"):
        plot_confusion_matrix(Y2, P2, ["a", "b", "c"])
