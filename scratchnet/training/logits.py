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

from scratchnet.graph.logits import without_last_activations


def ending_in_logits(model, outputs):
    """``(model, activations)``: the same model with logits in place of some of its outputs; all weights are shared.

    Args:
        outputs: the numbers of the outputs that may be replaced.

    `activations`: dict from the number of an output that was replaced to the activation that was left out. The new
    model returns its outputs as a flat list, or by itself if there is only one.
    """
    twin = copy.copy(model)
    twin.graph, activations = without_last_activations(model.graph, outputs)
    twin.outputs = tensors = twin.graph.outputs
    twin._output_structure = twin._given_outputs = tensors if len(tensors) > 1 else tensors[0]
    layers = list(dict.fromkeys(node.layer for node in twin.nodes if node.layer is not None))
    twin._layers = sorted(layers, key=lambda layer: layer not in model._layers)  # the names of those that stay win
    twin._keys = None
    return twin, activations
