"""A model as boxes and arrows: what `plot_model` and `model_to_dot` draw."""

from dataclasses import dataclass, field

from scratchnet.models.steps import sources_of, steps_of
from scratchnet.structure import flatten


@dataclass
class Box:
    """A layer or operation, or with `inner` a model whose layers are drawn inside."""

    step: object
    title: str
    lines: list  # what stands below the title
    inner: "BoxGraph" = None


@dataclass
class BoxGraph:
    boxes: list
    arrows: list = field(default_factory=list)  # pairs of places in `boxes`, in the order of the uses


def boxes_of(model, expand_nested=False, **shown):
    """The `BoxGraph` of a model: a box for each layer and operation, an arrow for each that reads another's output.

    Args:
        expand_nested: whether models within the model are drawn with their layers inside.
        shown: show_shapes, show_dtype, show_layer_names, show_layer_activations and show_trainable of `plot_model`.

    Raises ValueError for a model that has not been built.
    """
    if not model.built:
        raise model.error("cannot be drawn before it is built: give it an Input, or call build or fit first")
    steps = steps_of(model)
    graph = BoxGraph([_box(step, expand_nested, shown) for step in steps])
    for place, step in enumerate(steps):
        for source, _, _ in sources_of(step, steps):
            arrow = next(k for k, other in enumerate(steps) if other is source), place
            if arrow not in graph.arrows:
                graph.arrows.append(arrow)
    return graph


def _box(step, expand_nested, shown):
    kind = step.kind
    if getattr(step.layer, "layer", None) is not None:  # a wrapper
        kind = f"{kind}({type(step.layer.layer).__name__})"
    title = f"{step.name} ({kind})" if shown.get("show_layer_names") else kind
    inner = boxes_of(step.layer, True, **shown) if expand_nested and hasattr(step.layer, "nodes") else None
    return Box(step, title, _lines(step, **shown), inner)


def _lines(
    step,
    show_shapes=False,
    show_dtype=False,
    show_layer_names=False,
    show_layer_activations=False,
    show_trainable=False,
):
    lines = []
    activation = getattr(step.layer, "activation", None)
    if show_layer_activations and activation is not None:
        lines.append(f"activation: {getattr(activation, '__name__', None) or getattr(activation, 'name', activation)}")
    if show_shapes:
        if step.nodes:
            lines.append(f"input: {_shapes(flatten(step.nodes[0].inputs))}")
        lines.append(f"output: {_shapes(step.outputs)}")
    if show_dtype:
        lines.append(f"dtype: {step.dtype}")
    if show_trainable and step.parameters:
        lines.append("trainable" if step.trainable else "frozen")
    return lines


def _shapes(tensors):
    return ", ".join(str(tensor.shape) for tensor in tensors)
