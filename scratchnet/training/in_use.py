"""A model in use, in evaluate and predict: nobody will go back through it.

Then what backward would need is not worth keeping, and layers that stand behind one another can be computed together
while the numbers are in the cache. So far these are a convolution with relu and the max pooling of 2 x 2 behind it, the
beginning of most image classifiers: `conv2d_relu_max_pool_forward`, where the backend in use has it.
"""

import copy

from scratchnet import kernels
from scratchnet.graph.nodes import Node
from scratchnet.graph.walk import Graph
from scratchnet.kernels.fused import is_relu
from scratchnet.layers.convolutional.conv2d import Conv2D
from scratchnet.layers.pooling.max_pooling2d import MaxPooling2D
from scratchnet.structure import flatten


class JoinedNode(Node):
    """A convolution and the pooling behind it as one node; of both, forward alone.

    Args:
        convolution, pooling: their nodes.
    """

    def __init__(self, convolution, pooling):
        super().__init__(convolution.inputs)
        self.outputs = pooling.outputs
        self.layer = convolution.layer
        self.name = f"{convolution.name} and {pooling.name}"

    def forward(self, x, training, mask=None):
        layer, x = self.layer, self.layer.accept(x)
        N, H, W, C = layer.unpack(x, "NHWC", C=layer.params["kernel"].shape[2] * layer.groups)
        geometry = layer.geometry(layer.pad_amounts((H, W)))
        return kernels.conv2d_relu_max_pool_forward(
            x, layer.params["kernel"], layer.params.get("bias"), *geometry
        ), None

    def __str__(self):
        return f"layers {self.name}"


def in_use(model):
    """`model`, or where layers of it can be computed together a twin in which they are; all weights are shared."""
    if kernels.conv2d_relu_max_pool_forward is None or getattr(model, "graph", None) is None:
        return model
    joined = {pooling: JoinedNode(convolution, pooling) for convolution, pooling in _pairs(model.graph)}
    if not joined:
        return model
    left_out = {node.inputs.node for node in joined}
    graph = model.graph
    nodes = [joined.get(node, node) for node in graph.nodes if node not in left_out]
    twin = copy.copy(model)
    twin.graph = Graph(graph.inputs, graph.outputs, nodes, graph.leaves, graph.losses)
    return twin


def _pairs(graph):
    """The nodes of a convolution and of the pooling behind it that can be computed together."""
    readers, ends = {}, {*graph.outputs, *graph.losses}
    for node in graph.nodes:
        for tensor in flatten(node.inputs):
            readers.setdefault(tensor, []).append(node)
    for node in graph.nodes:
        if _can_begin(node) and node.outputs not in ends:
            found = readers.get(node.outputs, ())
            if len(found) == 1 and _can_end(found[0]):
                yield node, found[0]


def _can_begin(node):
    layer = node.layer
    return (
        type(layer) is Conv2D and layer.data_format == "channels_last" and is_relu(layer.activation) and _is_plain(node)
    )


def _can_end(node):
    layer = node.layer
    is_pooling = type(layer) is MaxPooling2D and layer.data_format == "channels_last" and layer.padding == "valid"
    return is_pooling and layer.pool_size == layer.strides == (2, 2) and _is_plain(node)


def _is_plain(node):
    """Whether there is nothing but arrays: no mask, and no loss for the output."""
    return not (node.reads_mask or node.masks_output or node.adds_loss)
