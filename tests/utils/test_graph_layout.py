"""Where boxes stand: no overlap, no crossing that can be avoided, straight chains."""

import pytest

from scratchnet.utils.graph_layout import place


def layout(arrows, count, size=(10, 20)):
    return place([size] * count, arrows, 5, 6)


def test_a_chain_is_a_line():
    centres, routes, extent = layout([(0, 1), (1, 2)], 3)
    assert centres == [(5, 10), (20, 10), (35, 10)] and routes == [[], []] and extent == (40, 20)


def test_nothing_of_a_rank_overlaps_and_a_fork_is_symmetric():
    centres, _, extent = layout([(0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4)], 5)
    across = sorted(c for _, c in centres[1:4])
    assert across == pytest.approx([10, 36, 62]) and extent == (40, pytest.approx(72))
    assert centres[0][1] == pytest.approx(36) and centres[4][1] == pytest.approx(36)


def test_a_long_arrow_passes_the_boxes_between_its_ends():
    centres, routes, _ = layout([(0, 1), (1, 2), (2, 3), (0, 3)], 4)
    route = routes[3]
    assert [along for along, _ in route] == [15, 25, 30, 40]  # the borders of the two ranks between
    for (_, across), (_, box) in zip(route, [centres[1]] * 2 + [centres[2]] * 2):
        assert abs(across - box) >= 10 + 6 - 1e-9


def test_arrows_that_need_not_cross_do_not():
    centres, _, _ = layout([(0, 3), (1, 2), (0, 4), (1, 5)], 6)
    order = sorted([2, 3, 4, 5], key=lambda k: centres[k][1])
    assert {frozenset(order[:2]), frozenset(order[2:])} == {frozenset({3, 4}), frozenset({2, 5})}
    left = order[:2] == [3, 4] or set(order[:2]) == {3, 4}
    assert (centres[0][1] < centres[1][1]) == left


def test_a_layer_that_is_used_again_behind_a_later_one_has_an_arrow_back():
    centres, routes, _ = layout([(0, 1), (1, 2), (2, 3), (3, 1)], 4)
    assert [along for along, _ in centres] == [5, 20, 35, 50]
    assert [along for along, _ in routes[3]] == [40, 30]
