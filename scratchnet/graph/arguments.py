"""The arguments of a call, with numbered places for the arrays among them.

``attention(query, [keys, values], causal=True)`` is the pattern ``(0, [1, 2], causal=True)``. What `call` is traced for
is the pattern with the shapes and dtypes of what stands in the places; all arrays that come later go the same way.
"""

import inspect
from typing import Any, NamedTuple

from scratchnet.structure import flatten, map_structure


class Place:
    """Where an array stands."""

    def __init__(self, number):
        self.number = number


class Spec(NamedTuple):
    """What is known of an array: its shape, None where it is not known, and its dtype as a string."""

    shape: tuple
    dtype: str


class Arguments(NamedTuple):
    """The arguments of a call, without the arrays.

    Attributes:
        signature: of the function that is called.
        pattern: dict from the name of an argument to its structure, with a `Place` for each array.
        specs: those of the arrays, in the order of their places.
        key: says which trace is the right one.
    """

    signature: Any
    pattern: dict
    specs: tuple
    key: tuple

    def filled(self, arrays):
        """The dict of arguments with these arrays in the places."""
        return {name: _map_places(lambda place: arrays[place.number], value) for name, value in self.pattern.items()}

    def with_shapes(self, shapes):
        """The same for arrays of other shapes; a first axis that is not known stays so, how many samples there are."""
        specs = tuple(
            Spec((*spec.shape[:1], *shape[1:]) if spec.shape[:1] == (None,) else shape, spec.dtype)
            for shape, spec in zip(shapes, self.specs)
        )
        return self._replace(specs=specs, key=(self.key[0], specs))

    def bound(self, values):
        """``(args, kwargs)`` of a call with a dict of arguments."""
        bound = inspect.BoundArguments(self.signature, {n: values[n] for n in self.signature.parameters if n in values})
        return bound.args, bound.kwargs

    def by_name(self, values):
        """Dict from the name of each argument with arrays in it to its structure with `values` in their places."""
        found = {}
        for name, argument in self.pattern.items():
            places = _map_places(lambda place: place, argument, lambda leaf: None)
            if any(isinstance(leaf, Place) for leaf in flatten(places)):
                found[name] = _map_places(lambda place: values[place.number], places)
        return found


def taken_apart(signature, values, is_array, spec_of):
    """``(arguments, arrays)`` of a dict from name to argument, as in `inspect.BoundArguments`.

    Args:
        is_array: tells the arrays (or tensors) among the leaves.
        spec_of: tells the Spec of one.
    """
    arrays = []

    def place(leaf):
        if not is_array(leaf):
            return leaf
        arrays.append(leaf)
        return Place(len(arrays) - 1)

    pattern = {name: map_structure(place, value) for name, value in values.items()}
    specs = tuple(spec_of(array) for array in arrays)
    return Arguments(signature, pattern, specs, (_frozen(pattern), specs)), arrays


def _map_places(function, structure, of_others=lambda leaf: leaf):
    if isinstance(structure, Place):
        return function(structure)
    if isinstance(structure, dict):
        return {key: _map_places(function, value, of_others) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return type(structure)([_map_places(function, value, of_others) for value in structure])
    return of_others(structure)


def _frozen(value):
    """Something hashable that is the same for equal arguments."""
    if isinstance(value, Place):
        return "place", value.number
    if isinstance(value, dict):
        return tuple((key, _frozen(entry)) for key, entry in value.items())
    if isinstance(value, (list, tuple)):
        return type(value).__name__, tuple(_frozen(entry) for entry in value)
    if isinstance(value, (type(None), bool, int, float, str)):
        return type(value).__name__, value
    return "object", id(value)  # it lives as long as the pattern does
