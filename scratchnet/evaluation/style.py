"""What all pictures and tables have in common."""

import os

from scratchnet.optional import require

# The eight colours of Okabe and Ito ("Color universal design", 2008), which readers with any kind of colour vision can
# tell apart, yellow and black last since they are the hardest to read beside the others; a grey and a brown make ten.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000", "#7F7F7F", "#8C510A")


def colour(k):
    """The k-th colour; after the last one the first comes again."""
    return COLOURS[k % len(COLOURS)]


def new_figure(width=8.0, height=4.5, rows=1, columns=1, **options):
    """A figure that is registered nowhere, and its axes; sizes in inches, at 100 dots each."""
    require("matplotlib.figure")
    from scratchnet.evaluation.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100, layout="constrained")
    return figure, figure.subplots(rows, columns, **options)


def axes_or_new(ax, width=8.0, height=4.5):
    """``(figure, axes)``: those that were given, or new ones."""
    return new_figure(width, height) if ax is None else (ax.figure, ax)


def save_figure(figure, path):
    """Write the figure as PNG, making its folder if need be; returns the path."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    figure.savefig(path, dpi=100)
    return str(path)


def text_table(headings, rows, width=80):
    """A table as text: the first column aligned left, the others right.

    Where a line would be longer than `width`, the first column is shortened, down to eight characters.
    """
    cells = [[str(cell) for cell in row] for row in (headings, *rows)]
    excess = max(len(line) for line in _lines(cells, "  ")) - width
    if excess > 0:
        room = max(max(len(row[0]) for row in cells) - excess, 8)
        cells = [[row[0] if len(row[0]) <= room else row[0][: room - 3] + "...", *row[1:]] for row in cells]
    return "\n".join(line.rstrip() for line in _lines(cells, "  "))


def markdown_table(headings, rows):
    """The same as Markdown, at full width; a ``|`` in a cell is escaped."""
    cells = [[str(cell).replace("|", r"\|") for cell in row] for row in (headings, *rows)]
    head, *body = [f"| {line} |" for line in _lines(cells, " | ")]
    rule = "|" + "|".join("---" if i == 0 else "---:" for i in range(len(headings))) + "|"
    return "\n".join([head, rule, *body])


def _lines(cells, between):
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    for row in cells:
        yield between.join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths)))
