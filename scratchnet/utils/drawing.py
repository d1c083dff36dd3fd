"""A picture of a model."""

import os

from scratchnet.optional import require
from scratchnet.utils.graph_layout import place
from scratchnet.utils.model_graph import boxes_of

# In points.
_TITLE, _TEXT = 10, 8.5
_LINE = 13  # from one line of a box to the next
_MARGIN = 8
_GAP_ALONG, _GAP_ACROSS = 24, 18
_WITH_PARAMETERS, _WITHOUT, _FRAME, _INK = "#0072B2", "#6B6B6B", "#F3F3F3", "#333333"


def plot_model(
    model,
    to_file="model.png",
    show_shapes=False,
    show_dtype=False,
    show_layer_names=False,
    rankdir="TB",
    expand_nested=False,
    dpi=200,
    show_layer_activations=False,
    show_trainable=False,
    splines="ortho",
    **kwargs,
):
    """Draw the layers of a model and what reads what; needs matplotlib, not graphviz.

    Layers with parameters are blue, the others grey.

    Args:
        to_file: where to save the picture; its ending says how (png, svg, pdf). None saves nothing.
        show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable: what the boxes say besides
            the layers' types.
        rankdir: where arrows point: "TB" from top to bottom, "LR" from left to right, "BT", "RL".
        expand_nested: whether models within the model are drawn with their layers inside.
        dpi: dots per inch.
        splines: taken as Keras's.

    Returns the figure, which a notebook shows. Raises ValueError for a model that has not been built and an unknown
    rankdir, TypeError for another argument.
    """
    if kwargs:
        raise TypeError(f"plot_model has no argument {next(iter(kwargs))!r}")
    if rankdir not in ("TB", "LR", "BT", "RL"):
        raise ValueError(f'plot_model: rankdir must be "TB", "LR", "BT" or "RL", got {rankdir!r}')
    graph = boxes_of(
        model,
        expand_nested,
        show_shapes=show_shapes,
        show_dtype=show_dtype,
        show_layer_names=show_layer_names,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
    )
    require("matplotlib.figure")
    figure = _Drawing(rankdir).figure(graph, dpi)
    if to_file is not None:
        os.makedirs(os.path.dirname(os.path.abspath(to_file)), exist_ok=True)
        figure.savefig(to_file, dpi=dpi)
    return figure


class _Drawing:
    """Draws in points, y downwards."""

    def __init__(self, rankdir):
        self.vertical = rankdir in ("TB", "BT")
        self.reversed = rankdir in ("BT", "RL")

    def figure(self, graph, dpi):
        from scratchnet.evaluation.figure import Figure

        layout = self._layout(graph)
        width, height = (length + 2 * _MARGIN for length in layout["size"])
        figure = Figure(figsize=(width / 72, height / 72), dpi=dpi)
        self.axes = figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, width), ylim=(height, 0))
        self.axes.set_axis_off()
        self._draw(graph, layout, _MARGIN, _MARGIN, 0)
        return figure

    def _layout(self, graph):
        """Sizes and places of the boxes of a graph, relative to its corner."""
        inner = [None if box.inner is None else self._layout(box.inner) for box in graph.boxes]
        sizes = [_size(box, inside) for box, inside in zip(graph.boxes, inner)]  # (width, height)
        turned = [self._turned(size) for size in sizes]
        centres, routes, extent = place(turned, graph.arrows, _GAP_ALONG, _GAP_ACROSS)
        if self.reversed:
            flip = lambda point: (extent[0] - point[0], point[1])
            centres, routes = [flip(c) for c in centres], [[flip(p) for p in route] for route in routes]
        return {
            "size": self._turned(extent),
            "inner": inner,
            "sizes": sizes,
            "centres": [self._turned(centre) for centre in centres],
            "routes": [[self._turned(point) for point in route] for route in routes],
        }

    def _turned(self, pair):
        """(along, across) as (x, y), and back."""
        return pair[::-1] if self.vertical else tuple(pair)

    def _draw(self, graph, layout, left, top, depth):
        for (begin, end), route in zip(graph.arrows, layout["routes"]):
            points = [self._edge(layout, begin, 1), *route, self._edge(layout, end, -1)]
            self._arrow([(x + left, y + top) for x, y in points], depth)
        for box, size, (x, y), inner in zip(graph.boxes, layout["sizes"], layout["centres"], layout["inner"]):
            self._box(box, left + x - size[0] / 2, top + y - size[1] / 2, size, inner, depth)

    def _edge(self, layout, k, side):
        """Where arrows leave box k (side 1) or reach it (-1)."""
        (x, y), (width, height) = layout["centres"][k], layout["sizes"][k]
        side = -side if self.reversed else side
        return (x, y + side * height / 2) if self.vertical else (x + side * width / 2, y)

    def _arrow(self, points, depth):
        from matplotlib.patches import FancyArrowPatch
        from matplotlib.path import Path

        vertices, codes = [points[0]], [Path.MOVETO]
        for (x0, y0), (x1, y1) in zip(points, points[1:]):
            # A curve that leaves and arrives in the direction of the arrows.
            vertices += (
                [(x0, (y0 + y1) / 2), (x1, (y0 + y1) / 2)]
                if self.vertical
                else [
                    ((x0 + x1) / 2, y0),
                    ((x0 + x1) / 2, y1),
                ]
            )
            vertices.append((x1, y1))
            codes += [Path.CURVE4] * 3
        style = "-|>,head_length=5,head_width=2.5"
        arrow = FancyArrowPatch(path=Path(vertices, codes), arrowstyle=style, color=_INK, linewidth=1, zorder=depth)
        self.axes.add_patch(arrow)

    def _box(self, box, left, top, size, inner, depth):
        from matplotlib.patches import FancyBboxPatch

        width, height = size
        title_height = _LINE + 6
        colour = _WITH_PARAMETERS if box.step.parameters else _WITHOUT
        body = {"boxstyle": "round,pad=0,rounding_size=4", "linewidth": 1, "edgecolor": colour, "zorder": depth + 0.5}
        fill = "white" if inner is None else _FRAME
        self.axes.add_patch(FancyBboxPatch((left, top), width, height, facecolor=fill, **body))
        self.axes.add_patch(FancyBboxPatch((left, top), width, title_height, facecolor=colour, **body))
        middle = left + width / 2
        text = {"ha": "center", "va": "center", "zorder": depth + 0.6}
        self.axes.text(middle, top + title_height / 2, box.title, color="white", fontsize=_TITLE, weight="bold", **text)
        y = top + title_height + 2
        for line in box.lines:
            self.axes.text(middle, y + _LINE / 2, line, color=_INK, fontsize=_TEXT, **text)
            y += _LINE
        if inner is not None:
            self._draw(box.inner, inner, left + (width - inner["size"][0]) / 2, y + _MARGIN, depth + 1)


def _size(box, inner):
    """Width and height of a box in points."""
    width = max([_length(box.title, _TITLE, "bold"), *(_length(line, _TEXT, "normal") for line in box.lines)])
    height = _LINE + 6 + (_LINE * len(box.lines) + 4 if box.lines else 0)
    if inner is not None:
        width = max(width, inner["size"][0])
        height += inner["size"][1] + 2 * _MARGIN + (0 if box.lines else 2)
    return width + 2 * _MARGIN, height


def _length(text, size, weight):
    """How long a text is."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    return TextPath((0, 0), text, size=size, prop=FontProperties(weight=weight)).get_extents().width
