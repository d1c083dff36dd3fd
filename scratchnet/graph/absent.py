"""A graph without some of its inputs: those that may be missing, ``Input(optional=True)``, and are.

Only a layer with ``call(self, x, y=None)`` can do without an array. Its node is traced anew with None in that place;
the nodes behind it stay as they are, since they read the same tensors.
"""

import copy

from scratchnet.graph.arguments import Spec, taken_apart
from scratchnet.graph.nodes import LayerNode
from scratchnet.graph.symbolic import is_tensor
from scratchnet.graph.walk import Graph
from scratchnet.structure import flatten


def with_present(graph, xs, masks, error):
    """``(graph, xs, masks)`` of those inputs whose array is not None.

    Raises what `error` makes of a message for a missing array that must not be missing.
    """
    absent = frozenset(tensor for tensor, x in zip(graph.inputs, xs) if x is None)
    if not absent:
        return graph, xs, masks
    for tensor in absent:
        if not tensor.optional:
            raise error(f"the input {tensor.name!r} is None; only one that was made by Input(optional=True) may be")
    if absent not in graph.without:
        graph.without[absent] = _without(graph, absent)
    present = [k for k, x in enumerate(xs) if x is not None]
    return graph.without[absent], [xs[k] for k in present], None if masks is None else [masks[k] for k in present]


def _without(graph, absent):
    inputs = [tensor for tensor in graph.inputs if tensor not in absent]
    nodes = [node if absent.isdisjoint(flatten(node.inputs)) else _node_without(node, absent) for node in graph.nodes]
    return Graph(inputs, graph.outputs, nodes, graph.leaves, graph.losses)


def _node_without(node, absent):
    tensors = flatten(node.inputs)
    if not isinstance(node, LayerNode) or node.arguments is None or all(tensor in absent for tensor in tensors):
        name = next(tensor.name for tensor in tensors if tensor in absent)
        raise ValueError(
            f"the input {name!r} is None, and {node} needs it; an optional input is read by a layer with "
            "call(self, x, y=None), beside another one"
        )
    filled = node.arguments.filled([None if tensor in absent else tensor for tensor in tensors])
    without = copy.copy(node)
    without.arguments, without.inputs = taken_apart(node.arguments.signature, filled, is_tensor, _spec_of)
    without._shape_is_checked = False  # the first forward sees whether the outputs have the shapes of the others
    return without


def _spec_of(tensor):
    return Spec(tensor.shape, tensor.dtype)
