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
    logits, replaced, known = {}, {}, {}  # by node, and by number; and by node what was found on the way
    for k in outputs:
        tensor, node = graph.outputs[k], graph.outputs[k].node
        found = None if node is None or node.outputs is not tensor else logits_of(node, known)
        if found is not None:
            logits[node], replaced[k] = found
    if not replaced:
        return graph, replaced
    ends = [logits[t.node] if k in replaced else t for k, t in enumerate(graph.outputs)]
    read = {t for node in graph.nodes if node not in logits for t in flatten(node.inputs)}.union(ends, graph.losses)
    nodes, there = [], set(graph.nodes)
    behind = {inner for node in logits for inner in _rearranged(node) if inner.outputs not in read} - logits.keys()
    for node in graph.nodes:
        if node in behind:
            continue
        if isinstance(node, LayerNode) and node in logits:
            nodes += _new_nodes(logits[node].node, there)
            there.update(nodes)
            if node.outputs in read:  # by another node: the activation stays, behind the logits
                activation = next(a for k, a in replaced.items() if graph.outputs[k] is node.outputs)
                nodes.append(ActivationNode(activation, logits[node], node))
        elif node not in logits or node.outputs in read:
            nodes.append(node)
    return Graph(graph.inputs, ends, nodes, graph.leaves, graph.losses), replaced


def logits_of(node, known=None):
    """``(tensor, activation)`` of a node that ends in an activation, or None.

    `known`: a dict of what has been found already, by node; what is found is added.
    """
    known = {} if known is None else known
    if node not in known:
        known[node] = _find_logits(node, known)
    return known[node]


def _find_logits(node, known):
    if isinstance(node, OperationNode):
        name, x = node.operation.name, node.operands[0]
        last = name == "sigmoid" or (name == "softmax" and node.options["axis"] in (-1, len(x.shape) - 1))
        return (x, activations.get(name)) if last else None
    if node.layer is None or node.layer.activity_regularizer is not None:  # which is of what the activation gives
        return None
    if node.layer.only_rearranges:
        return _behind(node, known)
    found = node.layer.without_last_activation()
    return None if found is None else (_twin(node, found[0], node.inputs), found[1])


def _behind(node, known):
    """The same for a node that puts the values of one that ends in an activation into another shape."""
    x = node.inputs
    found = logits_of(x.node, known) if x.node is not None and x.node.outputs is x else None
    if found is None:
        return None
    logits, activation = found
    if activation.name != "sigmoid" and x.shape[-1] != node.outputs.shape[-1]:
        return None  # no longer along the last axis
    return _twin(node, node.layer, logits), activation


def _twin(node, layer, inputs):
    """The outputs of a node like this one, with another layer and other inputs."""
    twin = LayerNode(layer, inputs, node.training, node.options, node.arguments)
    twin.outputs = map_structure(lambda t: KerasTensor(t.shape, t.dtype, t.name, twin), node.outputs)
    twin.find_masks()
    return twin.outputs


def _rearranged(node):
    """The nodes whose values `node` rearranges, one behind the other, if it is one that does."""
    while node.layer is not None and node.layer.only_rearranges:
        node = node.inputs.node
        yield node


def _new_nodes(node, there):
    """`node`, and before it those that it reads, as far as they are not `there`."""
    found = []
    while node is not None and node not in there:
        found.insert(0, node)
        node = getattr(node.inputs, "node", None)
    return found
