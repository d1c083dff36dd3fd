"""What all pictures and tables have in common."""

import importlib
import os

# Okabe and Ito's colours, which readers with any kind of colour vision can tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000", "#7F7F7F", "#8C510A")


def require(module, extra="plot"):
    """Import a package that only evaluation needs, or raise ImportError with the command that installs it."""
    try:
        return importlib.import_module(module)
    except ImportError as problem:
        package = {"sklearn": "scikit-learn", "skimage": "scikit-image"}.get(module.split(".")[0], module.split(".")[0])
        raise ImportError(f"this needs {package}: pip install 'scratchnet[{extra}]'") from problem


def new_figure(width=8.0, height=4.5, rows=1, columns=1, **options):
    """A figure that no window and no global state knows of, and its axes; inches, at 100 dots each."""
    figure = require("matplotlib.figure").Figure(figsize=(width, height), dpi=100, layout="constrained")
    return figure, figure.subplots(rows, columns, **options)


def axes_or_new(ax, width=8.0, height=4.5):
    """``(figure, axes)``: those that were given, or new ones."""
    return new_figure(width, height) if ax is None else (ax.figure, ax)


def save_figure(figure, path):
    """Write the figure as PNG, making its folder if need be; returns the path."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    figure.savefig(path, dpi=100)
    return str(path)


def text_table(headings, rows):
    """A table as text: the first column left, the others right."""
    return "\n".join(_lines(headings, rows, "  ", ""))


def markdown_table(headings, rows):
    """The same as Markdown."""
    head, *body = _lines(headings, rows, " | ", "| ")
    rule = "|" + "|".join("---" if i == 0 else "---:" for i in range(len(headings))) + "|"
    return "\n".join([f"{head} |", rule, *(f"{line} |" for line in body)])


def _lines(headings, rows, between, before):
    cells = [[str(cell) for cell in row] for row in (headings, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headings))]
    for row in cells:
        aligned = [c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))]
        yield (before + between.join(aligned)).rstrip()
