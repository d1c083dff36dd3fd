"""From probabilities back to logits.

A model that ends in a softmax or sigmoid gives probabilities p; cross-entropy wants their logarithm. Taken one after
the other they lose what they are made of: where p rounds to 0 or 1 the logarithm has to be cut, and behind the cut
nothing is learnt any more, just where the model is most wrong. Taken together they are simple. For logits z,
p = softmax(z) and the true class k,

    -log p_k = log(sum over j of e^(z_j)) - z_k          d(-log p_k) / dz = p - onehot(k)

the loss grows with z and its gradient never dies; the same holds for sigmoid and binary cross-entropy. (It is also the
cheaper way: one subtraction instead of a quotient and the product with softmax's Jacobian. Bishop, "Pattern recognition
and machine learning", 2006, section 4.3.6: the canonical link.) So training and evaluation leave out the last
activation and compute the loss from the logits.
"""

import copy

from scratchnet.graph.symbolic import record_layer
from scratchnet.graph.walk import Graph
from scratchnet.layers import Activation
from scratchnet.structure import flatten


def ending_in_logits(model, outputs):
    """``(model, activations)``: the same model with logits in place of some of its outputs; all weights are shared.

    Args:
        outputs: the numbers of the outputs that may be replaced.

    `activations`: dict from the number of an output that was replaced to the activation that was left out. The new
    model returns its outputs as a flat list, or by itself if there is only one.
    """
    tensors, replaced, activations = list(model.outputs), {}, {}
    for k in outputs:
        node = tensors[k].node
        found = None
        if node is not None and node.layer is not None and node.outputs is tensors[k]:
            found = node.layer.without_last_activation()
        if found is not None:
            layer, activations[k] = found
            tensors[k] = record_layer(layer, node.inputs, tensors[k].shape, node.training, node.options)
            replaced[node] = tensors[k].node
    still_read = {t for node in model.nodes for t in flatten(node.inputs)} | set(tensors)
    nodes = []
    for node in model.nodes:
        nodes.append(replaced.get(node, node))
        if node in replaced and node.outputs in still_read:
            k = next(k for k, tensor in enumerate(model.outputs) if tensor is node.outputs)
            layer = Activation(activations[k], name=f"{node.layer.name} activation")
            activation = record_layer(layer, tensors[k], node.outputs.shape).node
            activation.outputs = node.outputs  # the tensor that the others read
            nodes.append(activation)
    twin = copy.copy(model)
    twin.graph, twin.outputs = Graph(model.inputs, tensors, nodes), tensors
    twin._output_structure = twin._given_outputs = tensors if len(tensors) > 1 else tensors[0]
    layers = list(dict.fromkeys(node.layer for node in nodes if node.layer is not None))
    twin._layers = sorted(layers, key=lambda layer: layer not in model._layers)  # the names of those that stay win
    twin._keys = None
    return twin, activations
