"""A graph without the activations that it ends in: what `scratchnet.training.logits` says is better to train on."""

from scratchnet import activations
from scratchnet.graph.nodes import ActivationNode, LayerNode
from scratchnet.graph.operation_node import OperationNode
from scratchnet.graph.symbolic import KerasTensor
from scratchnet.graph.walk import Graph
from scratchnet.structure import flatten, map_structure


def without_last_activations(graph, outputs):
    """``(graph, replaced)``: the same graph with logits in place of some of its outputs; all weights are shared.

    Args:
        outputs: the numbers of the outputs that may be replaced.

    `replaced`: dict from the number of an output to the activation that was left out.
    """
    logits, replaced = {}, {}  # by node, and by number
    for k in outputs:
        tensor, node = graph.outputs[k], graph.outputs[k].node
        found = None if node is None or node.outputs is not tensor else logits_of(node)
        if found is not None:
            logits[node], replaced[k] = found
    if not replaced:
        return graph, replaced
    ends = [logits[t.node] if k in replaced else t for k, t in enumerate(graph.outputs)]
    read = {t for node in graph.nodes for t in flatten(node.inputs)}.union(ends, graph.losses)
    nodes = []
    for node in graph.nodes:
        if isinstance(node, LayerNode) and node in logits:
            nodes.append(logits[node].node)
            if node.outputs in read:  # by another node: the activation stays, behind the logits
                activation = next(a for k, a in replaced.items() if graph.outputs[k] is node.outputs)
                nodes.append(ActivationNode(activation, logits[node], node))
        elif node not in logits or node.outputs in read:
            nodes.append(node)
    return Graph(graph.inputs, ends, nodes, graph.leaves, graph.losses), replaced


def logits_of(node):
    """``(tensor, activation)`` of a node that ends in an activation, or None."""
    if isinstance(node, OperationNode):
        name, x = node.operation.name, node.operands[0]
        last = name == "sigmoid" or (name == "softmax" and node.options["axis"] in (-1, len(x.shape) - 1))
        return (x, activations.get(name)) if last else None
    if node.layer is None or node.layer.activity_regularizer is not None:  # which is of what the activation gives
        return None
    found = node.layer.without_last_activation()
    if found is None:
        return None
    layer, activation = found
    twin = LayerNode(layer, node.inputs, node.training, node.options, node.arguments)
    twin.outputs = map_structure(lambda t: KerasTensor(t.shape, t.dtype, t.name, twin), node.outputs)
    twin.find_masks()
    return twin.outputs, activation
