"""In which order the layers of a graph are listed: as Keras lists them, since weights are saved and set in that order.

A layer's depth is the number of layers and operations on the longest way from it to an output. The deepest come first;
those of one depth come in the order in which a walk from the outputs back meets them.
"""

from scratchnet.structure import flatten


def layers_in_order(inputs, outputs, nodes):
    """The layers and operations of a graph, and its inputs (the KerasTensors) among them, in Keras's order.

    Args:
        inputs, outputs: lists of KerasTensors.
        nodes: in an order in which each stands behind those whose outputs it reads, as `sorted_nodes` gives them.
    """
    met = {tensor: -1 for tensor in inputs} | _order_of_meeting(inputs, outputs)  # -1: no output depends on it
    depth_of_node, depth = {}, {}
    for node in reversed(nodes):
        # Of a layer that is used several times, every use counts as deep as the deepest so far.
        used = _used(node)
        depth[used] = depth_of_node[node] = max(depth_of_node.get(node, 0), depth.get(used, 0))
        for tensor in flatten(node.inputs):
            if tensor in met:  # an input, wherever it comes from
                depth[tensor] = max(depth[used] + 1, depth.get(tensor, 0))
            else:
                depth_of_node[tensor.node] = max(depth[used] + 1, depth_of_node.get(tensor.node, 0))
    return sorted(met, key=lambda thing: (-depth.get(thing, 0), met[thing]))


def _order_of_meeting(inputs, outputs):
    """Dict from layer, operation or input tensor to its number in a depth-first walk from the outputs back."""
    met, seen, inputs = {}, set(), set(inputs)
    stack = list(reversed(outputs))
    while stack:
        tensor = stack.pop()
        if tensor in inputs:
            met.setdefault(tensor, len(met))
        elif tensor.node not in seen:
            seen.add(tensor.node)
            met.setdefault(_used(tensor.node), len(met))
            stack.extend(reversed(flatten(tensor.node.inputs)))
    return met


def _used(node):
    return node if node.layer is None else node.layer
