"""A trace as a table: in a terminal, and in a notebook."""

import numpy as np

from scratchnet.console import terminal_width
from scratchnet.html import html_table
from scratchnet.structure import flatten

_BARS = "▁▂▃▄▅▆▇█"
_BINS = 12


def rows_of(trace):
    """``(headings, rows)``: the calls, each with the size of what it gives and of what comes back to it."""
    back = trace.loss is not None
    headings = ["layer", "output", "|y|", "zero", "values", *(["|dL/dy|", "|dW|/|W|"] if back else [])]
    return headings, [_row(call, back) for call in trace.values()]


def _row(call, back):
    ys = [y for y in flatten(call.y) if y.dtype.kind in "fiub"]
    shape = " ".join(str(y.shape[1:]) for y in flatten(call.y))
    values = np.concatenate([np.ravel(y) for y in ys]).astype(np.float64) if ys else np.zeros(0)
    row = ["  " * call.depth + call.name, shape, figure(np.linalg.norm(values)), _share_of_zeros(values), bars(values)]
    if back:
        dys = [d for d in flatten(call.dy) if d is not None]
        row.append("none needed" if not dys else f"{norm_of(dys):.2e}")
        row.append(_relative(call))
    return row


def norm_of(arrays):
    """The length of several arrays as one vector."""
    return float(np.sqrt(sum(np.sum(np.square(a, dtype=np.float64)) for a in arrays)))


def _relative(call):
    """How large the gradient of the first parameter, W, is beside it."""
    name = next(iter(call.grads), None)
    if name is None or name not in call.params:
        return ""
    size = norm_of([call.params[name]])
    return f"{norm_of([call.grads[name]]) / size:.2e}" if size else ""


def _share_of_zeros(values):
    return f"{np.mean(values == 0):.0%}" if values.size else ""


def bars(values):
    """A histogram of the finite values in a few characters, from the smallest to the largest."""
    values = values[np.isfinite(values)]
    if not values.size:
        return " " * _BINS
    counts, _ = np.histogram(values, _BINS)
    heights = np.ceil(counts / counts.max() * len(_BARS)).astype(int)
    return "".join(" " if h == 0 else _BARS[h - 1] for h in heights)


def figure(value):
    """A number in at most seven characters."""
    return f"{value:.3f}" if 1e-2 <= abs(value) < 1000 else f"{value:.2e}" if value else "0"


def heading_of(trace):
    """One line: the model, the loss, what computed."""
    samples = len(trace.batch.x[0])
    loss = "" if trace.loss is None else f", loss {figure(trace.loss)}"
    metrics = "".join(f", {name} {figure(value)}" for name, value in trace.metrics.items())
    return f'trace of "{trace.model.name}", {samples} sample{"s" * (samples > 1)}{loss}{metrics}'


def table_of(trace):
    """The table as text, in lines that fit the terminal."""
    headings, rows = rows_of(trace)
    room = max(60, terminal_width())
    widths = [max(len(row[i]) for row in [headings, *rows]) for i in range(len(headings))]
    widths[0] = min(widths[0], max(12, room - sum(widths[1:]) - 2 * len(widths[1:])))
    left = {0, 1, 4}
    lines = [_within(heading_of(trace), room)]
    for row in [headings, *rows]:
        cells = [_within(cell, w) for cell, w in zip(row, widths)]
        aligned = [c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths))]
        lines.append("  ".join(aligned).rstrip())
    return "\n".join(lines)


def _within(text, width):
    return text if len(text) <= width else text[: width - 1] + "…"


def html_of(trace):
    """The table as a notebook shows it, no longer than a notebook should hold."""
    headings, rows = rows_of(trace)
    shown = rows[:100]
    more = f"<div>and {len(rows) - 100} more</div>" if len(rows) > 100 else ""
    return html_table(heading_of(trace), headings, shown) + more
