"""Layers that stand behind one another and are computed together, where nobody looks.

Kinds of nodes that do so are in `scratchnet.training.in_use` and `scratchnet.training.in_training`; here is what finds
their places in a graph. The layers' own forward and backward say the same one after the other, and are what runs
whenever somebody looks: `explain`, a debugger, who has put something in the place of them, and a model compiled with
``run_eagerly=True``.
"""

import sys

from scratchnet.graph.nodes import Node
from scratchnet.graph.walk import Graph
from scratchnet.layers.activations.activation import Activation, ReLU
from scratchnet.layers.attention.attention import Attention
from scratchnet.layers.attention.grouped_query_attention import GroupedQueryAttention
from scratchnet.layers.attention.multi_head_attention import MultiHeadAttention
from scratchnet.layers.convolutional.conv2d import Conv2D
from scratchnet.layers.convolutional.depthwise_conv import DepthwiseConv2D
from scratchnet.layers.core.dense import Dense
from scratchnet.layers.core.einsum_dense import EinsumDense
from scratchnet.layers.core.embedding import Embedding
from scratchnet.layers.merging.add import Add
from scratchnet.layers.merging.maximum import Maximum
from scratchnet.layers.merging.minimum import Minimum
from scratchnet.layers.merging.multiply import Multiply
from scratchnet.layers.merging.subtract import Subtract
from scratchnet.layers.normalization.batch_normalization import BatchNormalization
from scratchnet.layers.normalization.group_normalization import GroupNormalization
from scratchnet.layers.normalization.layer_normalization import LayerNormalization
from scratchnet.layers.pooling.global_pooling import GlobalAveragePooling1D, GlobalAveragePooling2D
from scratchnet.layers.pooling.max_pooling2d import MaxPooling2D
from scratchnet.layers.pooling.max_pooling_1d_3d import MaxPooling1D, MaxPooling3D
from scratchnet.layers.regularization.alpha_dropout import AlphaDropout
from scratchnet.layers.regularization.dropout import Dropout, SpatialDropout2D
from scratchnet.layers.regularization.gaussian_dropout import GaussianDropout
from scratchnet.layers.regularization.gaussian_noise import GaussianNoise
from scratchnet.layers.reshaping.up_sampling2d import UpSampling2D
from scratchnet.layers.rnn.gru import GRU
from scratchnet.layers.rnn.lstm import LSTM
from scratchnet.layers.rnn.simple_rnn import SimpleRNN


class JoinedNode(Node):
    """One or several nodes, each of which alone reads the one before it, as one.

    Attributes:
        fewest: of how many nodes, at least.
        needs_first: whether the first of what may follow must, so that anything else can.
        takes_masks: whether a mask may come in and go on.

    Args:
        nodes: in their order.
    """

    fewest, needs_first, takes_masks = 2, False, False

    def __init__(self, nodes):
        super().__init__(nodes[0].inputs)
        self.outputs = nodes[-1].outputs
        self.layer = nodes[0].layer
        self.behind = [node.layer for node in nodes[1:]]
        self.name = " and ".join(node.name for node in nodes)

    @classmethod
    def of(cls, nodes):
        """What computes these, which begin with one of its kind."""
        return cls(nodes)

    def __str__(self):
        return f"layers {self.name}" if " and " in self.name else f"layer {self.name}"

    def check_pooled(self, y, x):
        """Raises ValueError, as the pooling that is the last one does, where images x are too small for a window."""
        if y.size == 0:
            self.behind[-1].compute_output_shape(self.layer.compute_output_shape(x.shape))


class TrainedNode(JoinedNode):
    """Several nodes as one, there and back; `layer` has the weights."""

    @property
    def trainable(self):
        return self.layer.has_trainable_params

    def grads(self, dkernel, dbias):
        """What backward returns."""
        return {(self.layer, name): d for name, d in self.layer.trained({"kernel": dkernel, "bias": dbias}).items()}


def joined(model, kind_of, followers):
    """`model`, or where layers of it can be computed together a twin in which they are; all weights are shared.

    Args:
        kind_of: ``kind_of(node)`` is the kind of `JoinedNode` that begins with a node, or None.
        followers: for each kind, functions ``can_follow(node, before)`` that say whether a node can be computed with
            what begins in front of it, given the layer right before it.
    """
    graph = vars(model).get("graph")  # a model with `call` has one for each call
    found = [] if graph is None or _is_followed() else list(_chains(graph, kind_of, followers))
    if not found:
        return model
    before, quicker = graph.joined.get(kind_of, (None, None))
    if found != before:
        quicker = _with_joined(graph, found)
        graph.joined[kind_of] = found, quicker
    return _twin_of(model, quicker)


def _twin_of(model, graph):
    """`model` with another graph; all weights are shared."""
    twin = object.__new__(type(model))
    vars(twin).update(vars(model), graph=graph)
    return twin


def _with_joined(graph, chains):
    """The graph with one node for each of the chains."""
    joined = {nodes[-1]: kind.of(nodes) for kind, nodes in chains}
    left_out = {node for _, nodes in chains for node in nodes[:-1]}
    nodes = [joined.get(node, node) for node in graph.nodes if node not in left_out]
    return Graph(graph.inputs, graph.outputs, nodes, graph.leaves, graph.losses)


def _chains(graph, kind_of, followers):
    """Pairs ``(kind, nodes)``: a kind of `JoinedNode`, and nodes that it computes."""
    taken = set()

    def only_reader(node):
        """Who alone reads what the node puts out; None where there is nobody, several, the user, or who is taken."""
        found = graph.readers.get(node.outputs, ())
        return found[0] if len(found) == 1 and found[0] not in taken else None

    for node in graph.nodes:
        kind = None if node in taken else kind_of(node)
        if kind is None or not _is_plain(node, kind.takes_masks):
            continue
        nodes = [node]
        for can_follow in followers[kind]:
            behind = only_reader(nodes[-1])
            if behind is not None and can_follow(behind, nodes[-1].layer) and _fits(behind, node):
                nodes.append(behind)
            elif kind.needs_first and len(nodes) == 1:
                break
        if len(nodes) >= kind.fewest:
            taken.update(nodes)
            yield kind, nodes


def _fits(node, first):
    """Whether a node computes nothing else than the `first` of those it stands behind, and in the same dtype."""
    return _is_plain(node) and node.layer.dtype == first.layer.dtype


def _is_plain(node, takes_masks=False):
    """Whether there is nothing but arrays, no mask, no loss for the output, not what training would do; as written."""
    is_more = node.adds_loss or node.casts or getattr(node, "training", None)
    is_more = is_more or not takes_masks and (node.reads_mask or node.masks_output)
    return not is_more and _is_as_written(node.layer)


# ---- who wants to see every layer ----

_KINDS = (
    *(Activation, Add, AlphaDropout, Attention, BatchNormalization, Conv2D, Dense, DepthwiseConv2D, Dropout),
    *(EinsumDense, Embedding, GRU, GaussianDropout, GaussianNoise, GlobalAveragePooling1D, GlobalAveragePooling2D),
    *(GroupNormalization, GroupedQueryAttention, LSTM, LayerNormalization),
    *(MaxPooling1D, MaxPooling2D, MaxPooling3D, Maximum, Minimum, MultiHeadAttention, Multiply),
    *(ReLU, SimpleRNN, SpatialDropout2D, Subtract, UpSampling2D),
)
_WRITTEN = {kind: (kind.forward, kind.backward) for kind in _KINDS}


def _is_as_written(layer):
    """Whether forward and backward are the library's: nobody has put something in their place, to look on."""
    layers = (layer, *layer.sublayers.values()) if hasattr(type(layer), "sublayers") else (layer,)
    for one in layers:
        kind, own = type(one), vars(one)
        if "forward" in own or "backward" in own or (kind.forward, kind.backward) != _WRITTEN[kind]:
            return False
    return True


def _is_followed():
    """Whether a debugger is at work, or something else that follows the program line by line."""
    monitoring = getattr(sys, "monitoring", None)  # since Python 3.12
    return sys.gettrace() is not None or (
        monitoring is not None and monitoring.get_tool(monitoring.DEBUGGER_ID) is not None
    )
