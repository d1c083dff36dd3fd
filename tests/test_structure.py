"""Nested values, taken apart and put together."""

from scratchnet.graph.symbolic import is_symbolic
from scratchnet.layers import Input
from scratchnet.structure import flatten, map_shapes, map_structure


def test_structures():
    nested = {"a": [1, (2, 3)], "b": 4}
    assert flatten(nested) == [1, 2, 3, 4]
    assert map_structure(lambda n: n + 1, nested) == {"a": [2, (3, 4)], "b": 5}
    assert not is_symbolic(nested) and is_symbolic([1, {"a": Input((1,))}])
    assert map_shapes(len, {"a": [(1, 2), (3,)], "b": ()}) == {"a": [2, 1], "b": 0}
