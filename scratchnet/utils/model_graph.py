"""A model as boxes and arrows: what `plot_model` and `model_to_dot` draw."""

from dataclasses import dataclass, field

from scratchnet.structure import flatten


@dataclass
class Box:
    """A layer, or with `inner` a model whose layers are drawn inside."""

    layer: object
    title: str
    lines: list  # what stands below the title
    inner: "BoxGraph" = None


@dataclass
class BoxGraph:
    boxes: list
    arrows: list = field(default_factory=list)  # pairs of places in `boxes`, in the order of the uses


def boxes_of(model, expand_nested=False, **shown):
    """The `BoxGraph` of a model: a box for each layer, an arrow for each layer that reads another's output.

    Args:
        expand_nested: whether models within the model are drawn with their layers inside.
        shown: show_shapes, show_dtype, show_layer_names, show_layer_activations and show_trainable of `plot_model`.

    Raises ValueError for a model that has not been built.
    """
    if not model.built:
        raise model.error("cannot be drawn before it is built: give it an Input, or call build or fit first")
    layers = list(dict.fromkeys([*model.input_layers, *(node.layer for node in model.nodes)]))
    places = {layer: place for place, layer in enumerate(layers)}
    graph = BoxGraph([_box(layer, model, expand_nested, shown) for layer in layers])
    of_input = dict(zip(model.inputs, model.input_layers))
    for node in model.nodes:
        for tensor in flatten(node.inputs):
            source = of_input[tensor] if tensor in of_input else tensor.node.layer
            arrow = places[source], places[node.layer]
            if arrow not in graph.arrows:
                graph.arrows.append(arrow)
    return graph


def _box(layer, model, expand_nested, shown):
    kind = type(layer).__name__
    if getattr(layer, "layer", None) is not None:  # a wrapper
        kind = f"{kind}({type(layer.layer).__name__})"
    title = f"{layer.name} ({kind})" if shown.get("show_layer_names") else kind
    inner = boxes_of(layer, True, **shown) if expand_nested and hasattr(layer, "nodes") else None
    return Box(layer, title, _lines(layer, model, **shown), inner)


def _lines(
    layer,
    model,
    show_shapes=False,
    show_dtype=False,
    show_layer_names=False,
    show_layer_activations=False,
    show_trainable=False,
):
    lines = []
    activation = getattr(layer, "activation", None)
    if show_layer_activations and activation is not None:
        lines.append(f"activation: {getattr(activation, '__name__', None) or getattr(activation, 'name', activation)}")
    node = next((node for node in model.nodes if node.layer is layer), None)
    if show_shapes:
        if node is not None:
            lines.append(f"input: {_shapes(node.inputs)}")
        lines.append(f"output: {layer.batch_shape if node is None else _shapes(node.outputs)}")
    if show_dtype:
        lines.append(f"dtype: {layer.dtype if node is None else flatten(node.outputs)[0].dtype}")
    if show_trainable and layer.count_params():
        lines.append("trainable" if layer.trainable else "frozen")
    return lines


def _shapes(tensors):
    return ", ".join(str(tensor.shape) for tensor in flatten(tensors))
