"""Where the boxes of a graph stand: in ranks, one behind the other, with few crossings and short arrows.

The steps are those of Sugiyama, Tagawa and Toda ("Methods for visual understanding of hierarchical system structures",
1981): a box stands one rank behind the last of those that it reads; an arrow over several ranks gets a point in each
that it passes, which takes part like a box without extent; within a rank, everything goes to the mean place of its
neighbours, as the order allows.

Here "along" is the direction of the arrows, "across" the other one.
"""

from collections import defaultdict

_SWEEPS = 12


def place(sizes, arrows, gap_along, gap_across):
    """Places for boxes of the given sizes.

    Args:
        sizes: (along, across) of each box; boxes are in an order in which they stand behind what they read.
        arrows: pairs of boxes.
        gap_along, gap_across: room between two ranks, and between two boxes of one.

    Returns:
        ``(centres, routes, extent)``: the centre (along, across) of each box, for each arrow the points where it enters
        and leaves the ranks between its boxes, and the size (along, across) of the whole.
    """
    ranks = _ranks(len(sizes), arrows)
    extents = dict(enumerate(sizes))  # of boxes and, behind them, of the points of long arrows
    rank_of = dict(enumerate(ranks))
    neighbours = defaultdict(list)
    points = []
    for begin, end in arrows:
        chain = [begin]
        step = 1 if ranks[end] >= ranks[begin] else -1  # a layer that is used once more, behind a later one
        for rank in range(ranks[begin] + step, ranks[end], step):
            chain.append(len(extents))
            rank_of[len(extents)] = rank
            extents[len(extents)] = (0.0, 0.0)
        chain.append(end)
        points.append(chain[1:-1])
        for a, b in zip(chain, chain[1:]):
            neighbours[a].append(b)
            neighbours[b].append(a)
    rows = [[v for v in extents if rank_of[v] == rank] for rank in range(max(ranks, default=0) + 1)]
    across = _across(rows, rank_of, neighbours, {v: extents[v][1] for v in extents}, gap_across)
    along, borders, begin = {}, {}, 0.0
    for row in rows:
        depth = max(extents[v][0] for v in row)
        along.update((v, begin + depth / 2) for v in row)
        borders.update((v, (begin, begin + depth)) for v in row)
        begin += depth + gap_along
    first = min(across[v] - extents[v][1] / 2 for v in extents)
    last = max(across[v] + extents[v][1] / 2 for v in extents)
    centres = [(along[v], across[v] - first) for v in range(len(sizes))]
    routes = []
    for (tail, head), chain in zip(arrows, points):
        forward = ranks[head] >= ranks[tail]  # an arrow runs straight through a rank and bends between two
        routes.append([(edge, across[v] - first) for v in chain for edge in borders[v][:: 1 if forward else -1]])
    return centres, routes, (begin - gap_along, last - first)


def _ranks(count, arrows):
    """For each box, how many stand one behind the other before it. Arrows to an earlier box are not counted."""
    sources = defaultdict(list)
    for begin, end in arrows:
        if begin < end:
            sources[end].append(begin)
    ranks = []
    for box in range(count):
        ranks.append(1 + max((ranks[source] for source in sources[box]), default=-1))
    return ranks


def _across(rows, rank_of, neighbours, widths, gap):
    """The place of everything within its rank."""
    places = {}
    for row in rows:
        places.update(_spread(row, dict.fromkeys(row, 0.0), widths, gap))
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        # Towards those before, then towards those behind; at last towards both, in the order that has been found.
        both = sweep >= _SWEEPS - 4
        for row in rows if forward else rows[::-1]:
            wanted = {}
            for v in row:
                seen = [u for u in neighbours[v] if both or (rank_of[u] < rank_of[v]) == forward]
                wanted[v] = sum(places[u] for u in seen) / len(seen) if seen else places[v]
            if not both:
                row.sort(key=wanted.get)
            places.update(_spread(row, wanted, widths, gap))
    return places


def _spread(row, wanted, widths, gap):
    """Places in the order of `row`, as near as can be to those wanted, that leave the gap between boxes.

    Neighbours that are too near one another become a block, which stands at the mean of what its members want.
    """
    offsets = [0.0]  # from the first of the row, were all side by side
    for before, after in zip(row, row[1:]):
        offsets.append(offsets[-1] + (widths[before] + widths[after]) / 2 + gap)
    begins = [wanted[v] - offset for v, offset in zip(row, offsets)]  # each asks the row to begin there
    blocks = []  # [sum of what its members ask, their number]
    for begin in begins:
        blocks.append([begin, 1])
        while len(blocks) > 1 and _mean(blocks[-2]) > _mean(blocks[-1]):
            total, count = blocks.pop()
            blocks[-1] = [blocks[-1][0] + total, blocks[-1][1] + count]
    settled = [_mean(block) for block in blocks for _ in range(block[1])]
    return {v: begin + offset for v, begin, offset in zip(row, settled, offsets)}


def _mean(block):
    return block[0] / block[1]
