"""Models made after the pattern of other models: clones, and what JSON describes."""

from scratchnet import registry
from scratchnet.files.settings import warn_not_compiled
from scratchnet.graph.symbolic import KerasTensor, record_again
from scratchnet.layers import Input
from scratchnet.models.model import Model
from scratchnet.models.sequential import Sequential
from scratchnet.structure import flatten, map_structure


def clone_model(model, input_tensors=None, clone_function=None, call_function=None, recursive=False, **kwargs):
    """A model of the same architecture with weights of its own, newly initialized; compiled as the model is.

    Args:
        model: a Sequential, a functional model, or one of a class with `get_config`.
        input_tensors: symbolic tensors to start from, instead of new inputs.
        clone_function: ``layer -> layer``, what stands in the place of each layer; by default a new one like it.
        call_function: ``(layer, inputs) -> outputs``, how each is called; by default it simply is.
        recursive: whether `clone_function` goes into models within the model; otherwise these are cloned as a whole.

    Raises ValueError if the model is no graph of layers, but one of the functions, or tensors, are given.
    """
    if kwargs:
        raise TypeError(f"clone_model has no argument {next(iter(kwargs))!r}")
    if input_tensors is None and clone_function is None and call_function is None:
        clone = registry.clone(model)
    elif not model.built or model.graph is None:
        raise model.error("only a graph of layers that is built can be cloned by functions, or onto tensors")
    else:
        clone = _clone_graph(model, input_tensors, clone_function, call_function, recursive)
    if model.compiled:
        clone.compile_from_config(registry.clone(model.get_compile_config()))
    return clone


def _clone_graph(model, input_tensors, clone_function, call_function, recursive):
    def cloned(layer):
        if recursive and isinstance(layer, Model):
            return _clone_graph(layer, None, clone_function, call_function, recursive)
        return registry.clone(layer) if clone_function is None or isinstance(layer, Model) else clone_function(layer)

    used = dict.fromkeys(node.layer for node in model.nodes if node.layer is not None)
    layers = {layer: cloned(layer) for layer in used}
    given = [None] * len(model.inputs) if input_tensors is None else flatten(_checked(input_tensors, model))
    tensors = {}
    for old, new in zip(model.inputs, given):
        if not isinstance(new, KerasTensor):
            new = Input(batch_shape=old.shape, dtype=old.dtype, name=old.name)
        tensors[old] = new
    if isinstance(model, Sequential):
        return Sequential([tensors[model.inputs[0]], *layers.values()], name=model.name)
    for node in model.nodes:
        if node.layer is None:
            outputs = record_again(node, tensors)
        elif call_function is None:
            args, kwargs = node.call_arguments(tensors)
            outputs = layers[node.layer](*args, **kwargs)
        else:
            outputs = call_function(layers[node.layer], map_structure(tensors.__getitem__, node.inputs))
        tensors.update(zip(flatten(node.outputs), flatten(outputs)))
    clone = Model(
        map_structure(tensors.__getitem__, model.input),
        map_structure(tensors.__getitem__, model._given_outputs),
        name=model.name,
    )
    clone.add_loss([tensors[loss] for loss in model.graph.losses])
    return clone


def _checked(input_tensors, model):
    """`input_tensors`, if they have the structure of the model's inputs."""
    keys = [set(s) if isinstance(s, dict) else None for s in (input_tensors, model.input)]
    if keys[0] != keys[1] or len(flatten(input_tensors)) != len(model.inputs):
        raise model.error(f"clone_model: input_tensors must have the structure of model.input, {model.input}")
    return input_tensors


def model_from_json(json_string, custom_objects=None):
    """The model that `Model.to_json` described, with new weights, compiled as it was.

    Raises ValueError for a text that is no JSON, or names a class that is neither ours nor in `custom_objects`.
    """
    import json  # most programs need none

    try:
        config = json.loads(json_string)
    except json.JSONDecodeError as problem:
        raise ValueError(f"model_from_json: the text is no JSON: {problem}") from None
    settings = config.pop("compile_config", None) if isinstance(config, dict) else None
    model = registry.deserialize(config, "layers", custom_objects)
    if settings:
        try:
            with registry.CustomObjectScope(custom_objects):
                model.compile_from_config(settings)
        except Exception as problem:  # a setting may be anybody's
            warn_not_compiled(model, "model_from_json", problem)
    return model
