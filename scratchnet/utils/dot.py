"""A model as text for graphviz."""

from scratchnet.utils.model_graph import boxes_of


def model_to_dot(
    model,
    show_shapes=False,
    show_dtype=False,
    show_layer_names=True,
    rankdir="TB",
    expand_nested=False,
    dpi=200,
    subgraph=False,
    show_layer_activations=False,
    show_trainable=False,
    splines="ortho",
    **kwargs,
):
    """The layers of a model and what reads what, in graphviz's language DOT: a string, for the program `dot`.

    The arguments are those of `plot_model`, which draws without graphviz; `splines` is graphviz's, the shape of its
    arrows. `subgraph`: whether the text is a cluster, to stand in another graph. Raises what `plot_model` raises.
    """
    if kwargs:
        raise TypeError(f"model_to_dot has no argument {next(iter(kwargs))!r}")
    if rankdir not in ("TB", "LR", "BT", "RL"):
        raise ValueError(f'model_to_dot: rankdir must be "TB", "LR", "BT" or "RL", got {rankdir!r}')
    graph = boxes_of(
        model,
        expand_nested,
        show_shapes=show_shapes,
        show_dtype=show_dtype,
        show_layer_names=show_layer_names,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
    )
    name = f"cluster_{model.name}" if subgraph else model.name
    lines = [f"{'subgraph' if subgraph else 'digraph'} {_quoted(name)} {{"]
    if subgraph:
        lines.append(f"  label={_quoted(model.name)};")
    else:
        lines.append(f"  graph [rankdir={rankdir}, dpi={dpi}, splines={splines}, compound=true, concentrate=true];")
        lines.append("  node [shape=record];")
    lines += _body(graph, model.name, "  ")
    return "\n".join([*lines, "}"]) + "\n"


def _body(graph, prefix, indent):
    """Boxes and arrows; a model that is expanded is a cluster of its own."""
    for box in graph.boxes:
        if box.inner is None:
            label = "|".join(_escaped(text) for text in [box.title, *box.lines])
            yield f'{indent}{_node(prefix, box)} [label="{{{label}}}"];'
        else:
            yield f"{indent}subgraph {_cluster(prefix, box)} {{"
            yield f"{indent}  label={_quoted(box.title)};"
            yield from _body(box.inner, f"{prefix}/{box.step.name}", indent + "  ")
            yield f"{indent}}}"
    for begin, end in graph.arrows:
        (tail, tail_cluster), (head, head_cluster) = (_end(prefix, graph.boxes[k], k == begin) for k in (begin, end))
        # An arrow stands between two nodes; that it belongs to the clusters around them is said besides.
        borders = [f"ltail={tail_cluster}"] * bool(tail_cluster) + [f"lhead={head_cluster}"] * bool(head_cluster)
        yield f"{indent}{tail} -> {head}" + (f" [{', '.join(borders)}];" if borders else ";")


def _end(prefix, box, is_tail):
    """The node that an arrow leaves or reaches, and the cluster that it stands for, if any."""
    if box.inner is None:
        return _node(prefix, box), None
    inside = f"{prefix}/{box.step.name}"
    node, _ = _end(inside, box.inner.boxes[-1 if is_tail else 0], is_tail)
    return node, _cluster(prefix, box)


def _node(prefix, box):
    return _quoted(f"{prefix}/{box.step.name}")


def _cluster(prefix, box):
    return _quoted(f"cluster_{prefix}/{box.step.name}")


def _quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _escaped(text):
    """Text in a record's label, where brackets and bars mean something."""
    return "".join(f"\\{letter}" if letter in '{}|<>"\\' else letter for letter in text)
