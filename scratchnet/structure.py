"""Nested values: an array, a list or tuple of them, a dict of them, and lists and dicts of those.

Inputs and outputs of layers come in such structures. The functions here take them apart, and put them together again.
"""

_NESTED = (dict, list, tuple)


def flatten(structure):
    """The leaves of one value, a list (or tuple) or a dict of values, as a list; dicts in the order of their keys."""
    if not isinstance(structure, _NESTED):
        return [structure]
    values = structure.values() if isinstance(structure, dict) else structure
    return [leaf for value in values for leaf in flatten(value)]


def flatten_sorted(structure):
    """The same with dicts in the order of their sorted keys, as Keras goes through them."""
    if isinstance(structure, dict):
        return [leaf for key in sorted(structure, key=str) for leaf in flatten_sorted(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [leaf for value in structure for leaf in flatten_sorted(value)]
    return [structure]


def map_structure(function, structure):
    """`function` applied to each leaf; the lists, tuples and dicts around them stay."""
    if not isinstance(structure, _NESTED):
        return function(structure)
    if isinstance(structure, dict):
        return {key: map_structure(function, value) for key, value in structure.items()}
    mapped = [map_structure(function, value) for value in structure]
    if isinstance(structure, list):
        return mapped
    return type(structure)(*mapped) if hasattr(structure, "_fields") else tuple(mapped)


def packed_like(structure, values):
    """The structure with these values, in the order of `flatten`, in the place of its leaves."""
    remaining = iter(values)
    return map_structure(lambda _: next(remaining), structure)


def as_lists(structure):
    """The same structure with lists for tuples: where shapes stand beside it, a tuple can only be a shape."""
    if isinstance(structure, dict):
        return {key: as_lists(value) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return [as_lists(value) for value in structure]
    return structure


def flattened_like(structure, value):
    """What `value` has for each leaf of `structure`, as a list; None where it has nothing, or is not nested like it.

    A dict may leave out keys, and None stands for all that is below: those leaves get None.
    """
    if value is None:
        return [None] * len(flatten(structure))
    if isinstance(structure, dict):
        if not isinstance(value, dict) or not value.keys() <= structure.keys():
            return None
        parts = [flattened_like(inner, value.get(key)) for key, inner in structure.items()]
    elif isinstance(structure, (list, tuple)):
        if not isinstance(value, (list, tuple)) or len(value) != len(structure):
            return None
        parts = [flattened_like(inner, part) for inner, part in zip(structure, value)]
    else:
        return [value]
    return None if None in parts else [leaf for part in parts for leaf in part]


def is_deep(structure):
    """Whether there are lists or dicts in lists or dicts."""
    inner = structure.values() if isinstance(structure, dict) else structure
    return isinstance(structure, (dict, list, tuple)) and any(isinstance(v, (dict, list, tuple)) for v in inner)


def map_shapes(function, shapes):
    """`function` applied to each shape: a shape is a tuple, several shapes are a list or a dict of them."""
    if isinstance(shapes, dict):
        return {key: map_shapes(function, shape) for key, shape in shapes.items()}
    if isinstance(shapes, list):
        return [map_shapes(function, shape) for shape in shapes]
    return function(shapes)


def flatten_shapes(shapes):
    """The shapes in a shape, a list or a dict of them, as a list."""
    found = []
    map_shapes(found.append, shapes)
    return found
