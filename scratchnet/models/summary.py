"""The table that `model.summary()` prints."""

from scratchnet.console import say_by
from scratchnet.structure import flatten


def print_summary(model, line_length=80, print_fn=None):
    """Print a row for each layer: name and type, output shape, number of parameters, and, where the graph is not a
    plain chain, the layers it reads from. Raises ValueError for a model that has not been built."""
    if not model.built:
        raise model.error("has no summary before it is built: give it an Input, or call build or fit first")
    uses = {}
    for node in model.nodes:
        uses.setdefault(node.layer, []).append(node)
    chain = (
        all(
            len(flatten(node.inputs)) == 1 and flatten(node.inputs)[0] in flatten(previous.outputs)
            for previous, node in zip(model.nodes, model.nodes[1:])
        )
        and len(model.inputs) == 1
    )
    headings = ["Layer (type)", "Output Shape", "Param #"] + ([] if chain else ["Connected to"])
    rows = []
    for layer in model.layers:
        nodes = uses.get(layer)
        shape = layer.batch_shape if nodes is None else _shape(nodes[0].outputs)
        row = [f"{layer.name} ({type(layer).__name__})", str(shape), f"{layer.count_params():,}"]
        if not chain:
            sources = dict.fromkeys(t.name for node in nodes or [] for t in flatten(node.inputs))
            row.append(", ".join(sources) or "-")
        rows.append(row)
    lines = [f'Model: "{model.name}"', *_table(headings, rows, line_length)]
    total = model.count_params()
    trainable = sum(w.size for w in model.trainable_weights)
    lines.append(f" Total params: {total:,} ({_size(model.weights)})")
    lines.append(f" Trainable params: {trainable:,} ({_size(model.trainable_weights)})")
    lines.append(f" Non-trainable params: {total - trainable:,} ({_size(model.non_trainable_weights)})")
    if model.optimizer is not None and model.optimizer.state:
        slots = list(model.optimizer.state.values())
        lines.append(f" Optimizer params: {sum(s.size for s in slots):,} ({_size(slots)})")
    for line in lines:
        say_by(print_fn, line)


def _shape(outputs):
    shapes = [str(t.shape) for t in flatten(outputs)]
    return shapes[0] if len(shapes) == 1 else f"[{', '.join(shapes)}]"


def _size(arrays):
    size = sum(a.nbytes for a in arrays)
    for unit in ("B", "KB", "MB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} GB"


def _table(headings, rows, line_length):
    widths = [max(len(row[i]) for row in [headings, *rows]) for i in range(len(headings))]
    room = line_length - 3 * len(widths) - 1
    while sum(widths) > room and max(widths) > 8:  # the widest columns give way; their cells wrap
        widths[widths.index(max(widths))] -= 1
    if sum(widths) < room:
        widths[0] += min(room - sum(widths), 20)

    def rule(left, middle, right, line):
        return left + middle.join(line * (w + 2) for w in widths) + right

    def cells(row):
        wrapped = [[text[i : i + w] for i in range(0, len(text), w)] or [""] for text, w in zip(row, widths)]
        for k in range(max(map(len, wrapped))):
            parts = [column[k] if k < len(column) else "" for column in wrapped]
            aligned = [p.rjust(w) if i == 2 else p.ljust(w) for i, (p, w) in enumerate(zip(parts, widths))]
            yield "│ " + " │ ".join(aligned) + " │"

    yield rule("┌", "┬", "┐", "─")
    yield from cells(headings)
    yield rule("├", "┼", "┤", "─")
    for row in rows:
        yield from cells(row)
    yield rule("└", "┴", "┘", "─")
