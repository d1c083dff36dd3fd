"""What a model is called on: arrays in the structure of its inputs, some of which may be missing."""

from scratchnet.structure import flatten, is_deep
from scratchnet.variables import as_array, own_array


def taken_apart(structure, x, error):
    """The leaves of `x`, which must have the `structure` of the inputs, as a list; otherwise raises ``error(text)``."""
    if isinstance(structure, dict):
        if not isinstance(x, dict) or x.keys() != structure.keys():
            raise error(f"expected a dict with the inputs {list(structure)}, got {type(x).__name__}")
        return [leaf for key in structure for leaf in taken_apart(structure[key], x[key], error)]
    if isinstance(structure, list):
        if not isinstance(x, (list, tuple)) or len(x) != len(structure):
            raise error(f"expected a list of {len(structure)} inputs, got {type(x).__name__}")
        return [leaf for inner, value in zip(structure, x) for leaf in taken_apart(inner, value, error)]
    return [x]


def unnested(x, structure):
    """`x`, or what is nested in it as a list, where a list of as many tensors is wanted: ``[tokens, [h, c]]``."""
    if not isinstance(structure, list) or not isinstance(x, (list, tuple)) or len(x) == len(structure):
        return x
    if is_deep(structure) or not is_deep(x):
        return x
    leaves = flatten(x)
    return leaves if len(leaves) == len(structure) and all(hasattr(leaf, "shape") for leaf in leaves) else x


def called_without(model, inputs, training):
    """What calling `model` returns where some of the `inputs` are None, the others arrays."""
    xs = [None if x is None else model._as_input(x) for x in model.flatten_inputs(inputs)]
    model.check_inputs(xs)
    y, cache = model.forward(model.pack_inputs(xs), training)
    if training or model.stateful:
        model.remember(cache)
    given, ys = [x for x in xs if x is not None], [as_array(a) for a in flatten(y)]
    given += model.named_arrays().values()
    for array, mask in zip(ys, cache.masks):
        array._keras_mask = mask
    return model.pack_outputs([own_array(array, given) for array in ys])
