"""The table that `model.summary()` prints, and a notebook shows of a model."""

import re

import numpy as np

from scratchnet.console import say_by, terminal_width
from scratchnet.html import html_table
from scratchnet.models.steps import sources_of, steps_of
from scratchnet.structure import flatten


def print_summary(
    model,
    line_length=None,
    positions=None,
    print_fn=None,
    expand_nested=False,
    show_trainable=False,
    layer_range=None,
):
    """Print a row for each layer, and how many parameters there are.

    A row has the layer's name and type, its output's shape, its number of parameters (trained or not) and, where the
    graph is no plain chain, what it reads: ``name[k][i]`` is the i-th output of the k-th use of that layer.

    Args:
        line_length: characters of a line at most; by default what the table needs, within Keras's length and the
            terminal.
        positions: where each column ends, as shares of the line (the last is 1) or in characters.
        print_fn: called with each line, instead of `print`.
        expand_nested: whether the layers of models within the model have rows.
        show_trainable: whether a column says if a layer is trained: Y or N, or - where it has no parameters.
        layer_range: names of the first and the last layer to show, or patterns that they match.

    Of a model that has not been built the layers are listed, with ``?`` for their shapes.

    Raises ValueError for positions that leave a column no room, and a range without a
    layer.
    """
    headings, rows = summary_rows(model, expand_nested, show_trainable, layer_range)
    usual = (88 if len(headings) == 3 + show_trainable else 108) + 12 * show_trainable
    line_length = line_length or min(usual, terminal_width())
    widths = _fitting(headings, rows, line_length) if positions is None else _given(model, positions, line_length)
    if len(widths) != len(headings):
        raise model.error(f"summary needs {len(headings)} positions for the columns {headings}, got {len(widths)}")
    say_by(print_fn, f'Model: "{model.name}"')
    for line in _table(headings, rows, widths):
        say_by(print_fn, line)
    for what, count, size in parameter_counts(model):
        say_by(print_fn, f" {what}: {count:,} ({size})")


def summary_html(model):
    """The summary as a notebook shows it."""
    headings, rows = summary_rows(model)
    counts = ", ".join(f"{what[0].lower()}{what[1:]}: {count:,}" for what, count, _ in parameter_counts(model))
    table = html_table(f'{type(model).__name__} "{model.name}"', headings, rows)
    return f"{table}<div>{counts}</div><div>model.explain(x, y) shows every number of a step</div>"


def summary_rows(model, expand_nested=False, show_trainable=False, layer_range=None):
    """``(headings, rows)`` of the table, as text."""
    chain = _is_chain(model)
    headings = ["Layer (type)", "Output Shape", "Param #"]
    headings += [] if chain else ["Connected to"]
    headings += ["Trainable"] * show_trainable
    steps = steps_of(model)
    rows = []
    for step in _range_of(model, steps, layer_range):
        rows += _rows_of(step, steps, not chain, show_trainable, expand_nested)
    return headings, rows


def _rows_of(step, steps, show_sources, show_trainable, expand_nested, level=0):
    """The row of one of the `steps` of a model, and with `expand_nested` those of the layers in it."""
    prefix = "   " * level + "└ " if level else ""
    shapes = [str(tensor.shape) for tensor in step.outputs]
    shape = shapes[0] if len(shapes) == 1 else f"[{', '.join(shapes)}]" if shapes else "?"
    row = [f"{prefix}{step.name} ({step.kind})", shape, f"{step.parameters:,}" if step.built else "0 (unbuilt)"]
    if show_sources:
        sources = [f"{source.name}[{use}][{place}]" for source, use, place in sources_of(step, steps)]
        row.append(", ".join(sources) or "-")
    if show_trainable:
        row.append("-" if not step.parameters else "Y" if step.trainable else "N")
    rows = [row]
    if expand_nested and hasattr(step.layer, "nodes"):
        inner = steps_of(step.layer)
        for inner_step in _listed(step.layer, inner):
            rows += _rows_of(inner_step, inner, show_sources, show_trainable, True, level + 1)
    return rows


def parameter_counts(model):
    """For each line below the table: its name, how many numbers that are, and how much memory they take."""
    trainable, fixed = model.trainable_weights, model.non_trainable_weights
    slots = _kept_by(model.optimizer)
    kinds = [("Total params", [*trainable, *fixed, *slots])]
    kinds += [("Trainable params", trainable), ("Non-trainable params", fixed)]
    kinds += [("Optimizer params", slots)] if slots else []
    return [(what, sum(a.size for a in arrays), _memory(arrays)) for what, arrays in kinds]


def _kept_by(optimizer):
    """The arrays of an optimizer that has begun, the number of its steps and its learning rate among them."""
    if optimizer is None or not (optimizer.state or optimizer.steps):
        return []
    scheduled = isinstance(optimizer.get_config()["learning_rate"], dict)
    return [np.int64(optimizer.steps), *([] if scheduled else [np.float32(0)]), *optimizer.state.values()]


def _is_chain(model):
    """Whether each layer reads what the one before it gives, and nothing else; what `call` does is not shown."""
    if model.is_traced or not model.built:
        return True
    if len(model.inputs) != 1 or len({node.layer for node in model.nodes} - {None}) != len(model.nodes):
        return False
    last = set(model.inputs)
    for node in model.nodes:
        if len(flatten(node.inputs)) != 1 or flatten(node.inputs)[0] not in last:
            return False
        last = set(flatten(node.outputs))
    return True


def _listed(model, steps):
    """The steps that have a row: as in Keras, the input of a `Sequential` has none."""
    return [step for step in steps if step.nodes or step.layer in model.layers]


def _range_of(model, steps, layer_range):
    """The steps from the first that matches the first pattern to the last that matches the second."""
    steps = _listed(model, steps)
    if layer_range is None:
        return steps
    if len(layer_range) != 2 or not all(isinstance(name, str) for name in layer_range):
        raise model.error(f"layer_range must be the names of two layers, got {layer_range!r}")
    places = []
    for pattern, which in zip(layer_range, (0, -1)):
        matches = [k for k, step in enumerate(steps) if re.match(pattern, step.name)]
        if not matches:
            names = ", ".join(step.name for step in steps)
            raise model.error(f"layer_range: no layer's name matches {pattern!r}; there are {names}")
        places.append(matches[which])
    first, last = sorted(places)
    return steps[first : last + 1]


def _memory(arrays):
    size = sum(a.nbytes for a in arrays)
    for unit in ("B", "KB", "MB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} GB"


# ---- the table as text ----
#
# A line is "│ " + cells joined by " │ " + " │": three characters a column besides its width, and one more.


def _fitting(headings, rows, line_length):
    """The widths that the cells need; where the line is too short, the widest give way, and their cells wrap."""
    widths = [max(len(row[i]) for row in [headings, *rows]) for i in range(len(headings))]
    room = line_length - 3 * len(widths) - 1
    while sum(widths) > room and max(widths) > 4:
        widths[widths.index(max(widths))] -= 1
    return widths


def _given(model, positions, line_length):
    """The columns' widths, for columns that end at the given positions."""
    if positions[-1] <= 1:
        positions = [int(share * (line_length - 1)) for share in positions]
    widths = [end - begin - 3 for begin, end in zip([0, *positions], positions)]
    if min(widths) < 1:
        raise model.error(f"summary: lines of {line_length} characters have no room for the positions {positions}")
    return widths


def _table(headings, rows, widths):
    def rule(left, middle, right):
        return left + middle.join("─" * (w + 2) for w in widths) + right

    def cells(row):
        wrapped = [[text[i : i + w] for i in range(0, len(text), w)] or [""] for text, w in zip(row, widths)]
        for k in range(max(map(len, wrapped))):
            parts = [column[k] if k < len(column) else "" for column in wrapped]
            aligned = [p.rjust(w) if i == 2 else p.ljust(w) for i, (p, w) in enumerate(zip(parts, widths))]
            yield "│ " + " │ ".join(aligned) + " │"

    yield rule("┌", "┬", "┐")
    yield from cells(headings)
    yield rule("├", "┼", "┤")
    for row in rows:
        yield from cells(row)
    yield rule("└", "┴", "┘")
