"""Maps of codes: where the points are, what tells the classes apart, and what the axes say."""

import numpy as np
import pytest

from scratchnet.evaluation import plot_codes


def points(ax):
    """All points of a map, and the colour of each."""
    places = np.concatenate([group.get_offsets() for group in ax.collections])
    colours = [np.resize(group.get_facecolors(), (len(group.get_offsets()), 4)) for group in ax.collections]
    return places, np.concatenate(colours)


def test_the_axes_name_their_share_of_the_variance():
    # On a line, all of the variance is along it.
    codes = np.arange(12.0).reshape(12, 1, 1) * np.ones((1, 2, 3))
    ax = plot_codes(codes, np.arange(12)[:, None] % 3, title="T").axes[0]
    assert "100.0 % of the variance" in ax.get_xlabel() and "(0.0 %)" in ax.get_ylabel() and ax.get_title() == "T"
    assert len(points(ax)[0]) == 12


def test_short_names_stand_in_place_of_points():
    ax = plot_codes(np.random.default_rng(0).normal(size=(30, 4)), np.arange(30) % 3).axes[0]
    assert len(ax.collections) == 3 and ax.get_legend() is None
    shapes = [group.get_paths()[0].vertices.shape for group in ax.collections]
    assert len(set(shapes)) == 3  # 0, 1 and 2


def test_long_names_have_points_of_their_colour_and_a_legend():
    codes = np.array([[0.0, 0.0], [1.0, 0.0], [10.0, 0.1], [11.0, 0.0]])
    ax = plot_codes(codes, [0, 0, 1, 1], names=["cats", "dogs"]).axes[0]
    places, colours = points(ax)
    side = places[:, 0] > 0
    assert len(np.unique(colours[side], axis=0)) == len(np.unique(colours[~side], axis=0)) == 1
    assert not np.array_equal(colours[side][0], colours[~side][0])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["cats", "dogs"]


def test_of_many_codes_some_are_drawn_and_all_are_analysed():
    codes = np.random.default_rng(0).normal(size=(50, 4))
    all_of_them = plot_codes(codes, np.arange(50) % 3).axes[0]
    some = plot_codes(codes, np.arange(50) % 3, most=20).axes[0]
    assert len(points(some)[0]) == 20 and some.get_xlabel() == all_of_them.get_xlabel()


def test_neighbours_stay_neighbours_on_the_map_by_t_sne():
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(60, 80))
    codes[:, :3] += 40 * np.eye(3)[np.arange(60) % 3]  # three groups
    ax = plot_codes(codes, np.arange(60) % 3, method="tsne", most=45).axes[0]
    assert len(ax.get_xticks()) == 0 and sum(len(group.get_offsets()) for group in ax.collections) == 45
    centres = np.array([group.get_offsets().mean(axis=0) for group in ax.collections])
    for group, centre in zip(ax.collections, centres):
        spread = np.linalg.norm(group.get_offsets() - centre, axis=1).max()
        assert spread < np.sort(np.linalg.norm(centres - centre, axis=1))[1]


@pytest.mark.parametrize(
    ("codes", "labels", "message"),
    [
        (np.zeros((4, 1)), [0] * 4, "at least 2"),
        (np.zeros((1, 4)), [0], "at least 2"),
        (np.zeros(4), [0] * 4, "at least 2"),
        (np.eye(4), [0, 1], "4 codes, 2 labels"),
        (np.full((4, 2), np.nan), [0] * 4, "NaN"),
        (np.ones((4, 2)), [0] * 4, "all codes are the same"),
    ],
)
def test_codes_that_have_no_map(codes, labels, message):
    with pytest.raises(ValueError, match=message):
        plot_codes(codes, labels)


def test_another_method_is_refused():
    with pytest.raises(ValueError, match='method must be "pca", "tsne" or "plane", got \'umap\''):
        plot_codes(np.eye(4), [0, 0, 1, 1], method="umap")


def test_a_plane_is_shown_as_it_is():
    codes = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, -1.0]])
    figure = plot_codes(codes, [0, 1, 0], method="plane")
    drawn = np.concatenate([points.get_offsets() for points in figure.axes[0].collections])
    assert sorted(map(tuple, drawn)) == sorted(map(tuple, codes))
    assert figure.axes[0].get_xlabel() == "first number of the code"
    with pytest.raises(ValueError, match='method "plane" is for codes of two values, not of 3'):
        plot_codes(np.arange(6.0).reshape(2, 3), [0, 1], method="plane")
