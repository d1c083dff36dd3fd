"""A model in use, in evaluate and predict: nobody will go back through it.

Then what backward would need is not worth keeping, and layers that stand behind one another can be computed together
while the numbers are in the cache. So far these are, where the backend in use has them,

* a convolution with relu and the max pooling of 2 x 2 behind it, the beginning of most image classifiers:
  `conv2d_relu_max_pool_forward`;
* batch normalization by its averages, with the relu behind it, if there is one, which residual networks and MobileNets
  have behind each convolution: `normalize_forward`.

The numbers are the same, bit by bit.
"""

import copy

import numpy as np

from scratchnet import kernels
from scratchnet.graph.nodes import Node
from scratchnet.graph.walk import Graph
from scratchnet.kernels.fused import is_relu
from scratchnet.layers.activations.activation import Activation, ReLU
from scratchnet.layers.convolutional.conv2d import Conv2D
from scratchnet.layers.normalization.batch_normalization import BatchNormalization
from scratchnet.layers.pooling.max_pooling2d import MaxPooling2D
from scratchnet.structure import flatten


class JoinedNode(Node):
    """Two nodes as one; of both, forward alone.

    Args:
        first, last: the nodes. `last` reads what comes out of `first`, and nobody else does; or they are the same one.
    """

    def __init__(self, first, last):
        super().__init__(first.inputs)
        self.first, self.last = first, last
        self.outputs = last.outputs
        self.layer = first.layer
        self.name = first.name if first is last else f"{first.name} and {last.name}"

    def __str__(self):
        return f"layers {self.name}"


class PooledConvolution(JoinedNode):
    """A convolution with relu, and the pooling behind it."""

    def forward(self, x, training, mask=None):
        layer, x = self.layer, self.layer.accept(x)
        N, H, W, C = layer.unpack(x, "NHWC", C=layer.params["kernel"].shape[2] * layer.groups)
        geometry = layer.geometry(layer.pad_amounts((H, W)))
        return kernels.conv2d_relu_max_pool_forward(
            x, layer.params["kernel"], layer.params.get("bias"), *geometry
        ), None


class Normalized(JoinedNode):
    """Batch normalization, alone or with the relu behind it."""

    def __init__(self, first, last):
        super().__init__(first, last)
        self.bounds = (-np.inf, np.inf) if first is last else _bounds(last)

    def forward(self, x, training, mask=None):
        layer, x = self.layer, self.layer.accept(x)
        layer.compute_output_shape(x.shape)
        mean, variance = layer.state["moving_mean"], layer.state["moving_variance"]
        gamma = layer.params.get("gamma", np.ones_like(mean))
        beta = layer.params.get("beta", np.zeros_like(mean))
        s = np.sqrt(variance + layer.epsilon)
        return kernels.normalize_forward(x, mean, s, gamma, beta, *self.bounds), None


def in_use(model):
    """`model`, or where layers of it can be computed together a twin in which they are; all weights are shared."""
    graph = getattr(model, "graph", None)
    joined = {} if graph is None else {node.last: node for node in _joined(graph)}
    if not joined:
        return model
    left_out = {node.first for node in joined.values()} - joined.keys()
    nodes = [joined.get(node, node) for node in graph.nodes if node not in left_out]
    twin = copy.copy(model)
    twin.graph = Graph(graph.inputs, graph.outputs, nodes, graph.leaves, graph.losses)
    return twin


def _joined(graph):
    """What may stand in the place of nodes where nobody goes back."""
    readers, ends = {}, {*graph.outputs, *graph.losses}
    for node in graph.nodes:
        for tensor in flatten(node.inputs):
            readers.setdefault(tensor, []).append(node)
    for node in graph.nodes:
        behind = None
        if len(flatten(node.outputs)) == 1 and node.outputs not in ends and len(readers.get(node.outputs, ())) == 1:
            (behind,) = readers[node.outputs]
        if _is_convolution(node) and behind is not None and _is_pooling(behind):
            yield PooledConvolution(node, behind)
        elif _is_normalization(node):
            yield Normalized(node, node if behind is None or _bounds(behind) is None else behind)


def _is_convolution(node):
    layer = node.layer
    return (
        kernels.conv2d_relu_max_pool_forward is not None
        and (type(layer) is Conv2D and layer.data_format == "channels_last")
        and (is_relu(layer.activation) and _is_plain(node))
    )


def _is_pooling(node):
    layer = node.layer
    is_pooling = type(layer) is MaxPooling2D and layer.data_format == "channels_last" and layer.padding == "valid"
    return is_pooling and layer.pool_size == layer.strides == (2, 2) and _is_plain(node)


def _is_normalization(node):
    layer = node.layer
    return (
        kernels.normalize_forward is not None
        and (type(layer) is BatchNormalization and layer.axis in (-1, len(node.inputs.shape) - 1))
        and (not node.training and _is_plain(node))
    )


def _bounds(node):
    """Between which numbers the layer of a node keeps x, and does nothing else; None if it does something else."""
    layer = node.layer
    if type(layer) not in (Activation, ReLU) or not _is_plain(node):
        return None
    if is_relu(layer.activation):
        return (0.0, np.inf)
    if layer.activation.standard and layer.activation.name == "relu6":
        return (0.0, 6.0)
    if type(layer) is ReLU and not (layer.negative_slope or layer.threshold):
        return (0.0, layer.max_value)
    return None


def _is_plain(node):
    """Whether there is nothing but arrays: no mask, and no loss for the output."""
    return not (node.reads_mask or node.masks_output or node.adds_loss)
