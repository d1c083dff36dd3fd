"""Errors of reconstructions by hand, and pictures of images beside one another."""

import numpy as np
import pytest

from scratchnet.evaluation import (
    error_table,
    plot_best_and_worst,
    plot_error_per_class,
    plot_images,
    plot_reconstructions,
    reconstruction_error,
)

matplotlib_figure = pytest.importorskip("matplotlib.figure")


def images(count=6, *shape, seed=0):
    return np.random.default_rng(seed).random((count, *(shape or (5, 5)))).astype(np.float32)


def shown(figure):
    return [np.asarray(ax.images[0].get_array()) for ax in figure.axes]


def test_errors_by_hand():
    x = np.array([[[0.0, 1.0]], [[1.0, 1.0]]])
    y = np.array([[[0.5, 1.0]], [[0.0, 0.5]]])
    np.testing.assert_allclose(reconstruction_error(x, y), [0.125, 0.625])
    np.testing.assert_allclose(reconstruction_error(x, y, "mae"), [0.25, 0.75])
    bce = [np.log(2) / 2, (-np.log(1e-7) + np.log(2)) / 2]
    np.testing.assert_allclose(reconstruction_error(x, y, "bce"), bce, rtol=1e-6)


def test_errors_of_many_samples_are_those_of_each():
    x, y = images(2500, 3), images(2500, 3, seed=1)
    np.testing.assert_allclose(reconstruction_error(x, y), np.square(np.float64(x) - y).mean(axis=1))


def test_errors_do_not_change_their_arguments():
    x, y = images(), images(seed=1)
    kept = x.copy(), y.copy()
    for measure in ("mse", "mae", "bce"):
        reconstruction_error(x, y, measure)
    np.testing.assert_array_equal((x, y), kept)


@pytest.mark.parametrize(
    ("x", "y", "measure", "message"),
    [
        (np.zeros((2, 3)), np.zeros((2, 4)), "mse", r"originals of shape \(2, 3\), reconstructions of shape \(2, 4\)"),
        (np.zeros(3), np.zeros(3), "mse", "originals of shape"),
        (np.zeros((0, 3)), np.zeros((0, 3)), "mse", "originals of shape"),
        (np.zeros((2, 3)), np.zeros((2, 3)), "rmse", 'must be "mse", "mae" or "bce"'),
        (np.array([[0.0], [np.nan]]), np.zeros((2, 1)), "mse", "sample 1 holds NaN"),
        (np.full((2, 3), 2.0), np.zeros((2, 3)), "bce", "needs originals in"),
    ],
)
def test_errors_refuse(x, y, measure, message):
    with pytest.raises(ValueError, match=message):
        reconstruction_error(x, y, measure)


@pytest.mark.parametrize("shape", [(5, 5), (5, 5, 1), (5, 5, 3)])
def test_images_stand_in_rows_and_columns(shape):
    x, y = images(6, *shape), images(6, *shape, seed=1)
    figure = plot_images({"original": x, "noisy": y}, count=4, title="Title", captions="abcd")
    assert isinstance(figure, matplotlib_figure.Figure)
    pictures = shown(figure)
    assert len(pictures) == 8
    np.testing.assert_array_equal(pictures[1], x[1].squeeze())
    np.testing.assert_array_equal(pictures[6], y[2].squeeze())
    assert [ax.get_ylabel() for ax in figure.axes[::4]] == ["original", "noisy"]
    assert [ax.get_title() for ax in figure.axes] == ["a", "b", "c", "d", "", "", "", ""]
    assert figure.get_suptitle() == "Title" if hasattr(figure, "get_suptitle") else True


def test_values_are_cut_to_what_can_be_shown():
    x = images() * 4 - 2
    for image, picture in zip(x, shown(plot_images({"x": x}))):
        np.testing.assert_array_equal(picture, np.clip(image, 0, 1))
    assert x.min() < 0


def test_grey_is_shown_from_black_to_white_whatever_it_holds():
    image = plot_images({"x": np.full((1, 2, 2), 0.5)}).axes[0].images[0]
    assert image.get_clim() == (0, 1)


def test_reconstructions_have_a_row_for_each_model():
    x = images()
    figure = plot_reconstructions(x, {"CNN": x, "LSTM": x}, count=3)
    assert [ax.get_ylabel() for ax in figure.axes[::3]] == ["original", "CNN", "LSTM"]
    assert [ax.get_ylabel() for ax in plot_reconstructions(x, x).axes[::6]] == ["original", "reconstructed"]


def test_best_and_worst_are_in_the_order_of_their_errors():
    x = np.zeros((5, 2, 2))
    y = np.stack([np.full((2, 2), v) for v in (0.3, 0.1, 0.5, 0.2, 0.4)])
    figure = plot_best_and_worst(x, y, count=2)
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert titles == ["0.0100", "0.0400", "0.2500", "0.1600"]
    assert [picture.max() for picture in shown(figure)] == [0, 0, 0.1, 0.2, 0, 0, 0.5, 0.4]


def test_best_and_worst_by_other_errors():
    x = images()
    figure = plot_best_and_worst(x, x, errors=[5, 4, 3, 2, 1, 0], count=1)
    np.testing.assert_array_equal(shown(figure)[0], x[5])
    np.testing.assert_array_equal(shown(figure)[2], x[0])
    with pytest.raises(ValueError, match="6 originals, 6 reconstructions, 2 errors"):
        plot_best_and_worst(x, x, errors=[1, 2])


def test_images_draw_on_given_axes():
    axes = matplotlib_figure.Figure().subplots(2, 3)
    assert plot_reconstructions(images(), images(), count=3, axes=axes) is axes[0, 0].figure
    assert all(len(ax.images) == 1 for ax in axes.flat)
    with pytest.raises(ValueError, match="6 axes for 2 rows of 4 images"):
        plot_reconstructions(images(), images(), count=4, axes=axes)


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        ({}, ValueError, "no rows"),
        ({"x": np.zeros((0, 3, 3))}, ValueError, "no images"),
        ({"x": np.zeros((2, 3, 3, 2))}, ValueError, r"'x': expected images .* got shape \(2, 3, 3, 2\)"),
        ({"x": np.zeros((2, 9))}, ValueError, "'x': expected images"),
        ({"x": np.zeros((2, 3, 3), np.uint8)}, TypeError, "divide bytes by 255"),
        ({"x": np.full((2, 3, 3), np.inf)}, ValueError, "'x': the images hold NaN or infinity"),
    ],
)
def test_what_is_no_image_is_refused(rows, error, message):
    with pytest.raises(error, match=message):
        plot_images(rows)


def test_too_few_captions_are_refused():
    with pytest.raises(ValueError, match="2 captions for the 6 images of 'x'"):
        plot_images({"x": images()}, captions=["a", "b"])


def test_bars_are_the_mean_of_each_class():
    figure = plot_error_per_class({"A": [1, 3, 5], "B": [2, 2, 8]}, [[7], [7], [2]], kind="bar")
    ax = figure.axes[0]
    assert [[bar.get_height() for bar in bars] for bars in ax.containers] == [[5, 2], [8, 2]]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["2", "7"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["A", "B"]


def test_table_has_the_mean_error_of_each_class_and_of_all():
    headings, rows = error_table({"A": [1, 3, 5], "B": [2, 2, 8]}, [[7], [7], [2]])
    assert headings == ("class", "A", "B")
    assert rows == [["2", "5.00000", "8.00000"], ["7", "2.00000", "2.00000"], ["all", "3.00000", "4.00000"]]
    assert error_table([1, 2], [0, 1], ["cat", "dog"]) == (
        ("class", "error"),
        [["cat", "1.00000"], ["dog", "2.00000"], ["all", "1.50000"]],
    )
    with pytest.raises(ValueError, match="error_table: 2 errors, 3 labels"):
        error_table([1, 2], [0, 1, 2])


def test_boxes_show_the_median_of_each_class():
    ax = plot_error_per_class([1, 2, 9, 4], [0, 0, 0, 1], names=["cat", "dog"], kind="box").axes[0]
    medians = [line.get_ydata()[0] for line in ax.lines if line.get_color() == "white"]
    assert medians == [2, 4]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["cat", "dog"]
    assert ax.get_legend() is None


@pytest.mark.parametrize(
    ("errors", "labels", "kind", "message"),
    [
        ([1, 2], [0, 1, 2], "bar", "2 errors, 3 labels"),
        ([], [], "bar", "N at least 1"),
        ([1, np.nan], [0, 1], "box", "NaN or infinity, first at 1"),
        ([1, 2], [0, 1], "violin", 'kind must be "bar" or "box"'),
    ],
)
def test_error_per_class_refuses(errors, labels, kind, message):
    with pytest.raises(ValueError, match=message):
        plot_error_per_class(errors, labels, kind=kind)
