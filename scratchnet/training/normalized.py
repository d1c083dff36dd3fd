"""A normalization in use, the activation behind it, and the mean of all places behind that, in one pass.

The mean of what is scaled and shifted is the mean, scaled and shifted: without an activation it is taken first.
"""

import numpy as np

from scratchnet import activations, kernels
from scratchnet.kernels.geometry import places
from scratchnet.layers.activations.activation import Activation, ReLU
from scratchnet.layers.normalization.batch_normalization import BatchNormalization
from scratchnet.layers.normalization.group_normalization import GroupNormalization
from scratchnet.layers.pooling.global_pooling import GlobalAveragePooling1D, GlobalAveragePooling2D
from scratchnet.training.joined import JoinedNode

ANYTHING = -np.inf, np.inf  # the bounds of what is not bounded


class Normalized(JoinedNode):
    """Batch normalization, alone or with what is behind it."""

    fewest = 1

    def __init__(self, nodes):
        super().__init__(nodes)
        self._takes_mean = _averages_places(nodes[-1].layer)
        self._function = next((layer for layer in self.behind if is_function(layer)), None)

    @property
    def _activation(self):
        return activations.linear if self._function is None else self._function.activation

    def forward(self, x, training, mask=None):
        layer, x = self.layer, self.layer.accept(x)
        layer.compute_output_shape(x.shape)
        y = self._mean(x) if self._takes_mean else self._activated(x)
        return (kernels.global_average_forward(places(self._activated(x))) if y is None else y), None

    def _mean(self, x):
        """That of all places of `_activated`, (N, C); None where this is no quicker."""
        if self._activation.standard and self._activation.name == "linear":
            return self._activated(kernels.global_average_forward(places(x)))
        if kernels.normalized_mean is None:
            return None
        return kernels.normalized_mean(places(x), *averages_of(self.layer), self._activation)

    def _activated(self, x):
        mean, s, gamma, beta = averages_of(self.layer)
        within = ANYTHING if self._function is None else bounds(self._function)
        known = mean[np.newaxis], s[np.newaxis], gamma, beta, *(within or ANYTHING)
        y = kernels.normalize_forward(x.reshape(1, -1, x.shape[-1]), *known).reshape(x.shape)
        return y if within else self._activation.forward(y, overwrite=True)[0]


class NormalizedGroups(Normalized):
    """The same of groups of channels, with the averages of each sample; not alone."""

    fewest = 2

    def _mean(self, x):
        return kernels.normalized_groups_mean(places(x), *self._parameters(x), self._activation)

    def _activated(self, x):
        y, *_ = kernels.normalize_groups_forward(places(x), *self._parameters(x))
        return self._activation.forward(y.reshape(x.shape), overwrite=True)[0]

    def _parameters(self, x):
        """gamma, beta, how many groups there are, and epsilon."""
        layer, C = self.layer, x.shape[-1]
        return *layer.gamma_and_beta((C,)), layer.count_groups(C), layer.epsilon


def averages_of(layer):
    """``mean, s, gamma, beta`` of a batch normalization, each (C,)."""
    mean, variance = layer.state["moving_mean"], layer.state["moving_variance"]
    return mean, np.sqrt(variance + layer.epsilon), *layer.gamma_and_beta(mean.shape)


def normalizes_last_axis(node):
    """Whether this is a batch normalization over all axes but the last."""
    return type(node.layer) is BatchNormalization and _is_of_last_axis(node)


def normalizes_groups(node):
    """Whether this is a normalization of groups of channels, which are the last axis."""
    return type(node.layer) is GroupNormalization and _is_of_last_axis(node)


def _is_of_last_axis(node):
    return node.layer.axis in (-1, len(node.inputs.shape) - 1)


def is_function(layer):
    """Whether a layer is an activation."""
    return type(layer) in (Activation, ReLU)


def bounds(layer):
    """Between which numbers an activation keeps x, and does nothing else; None if it does something else."""
    most = layer.activation.relu_limit
    return None if most is None else (0.0, most)


# ---- whether a node can be computed with what begins in front of it, given the layer right before it ----


def cuts_off(node, before):
    """An activation that keeps its input between two bounds."""
    return is_function(node.layer) and bounds(node.layer) is not None


def takes_mean_of_places(node, before):
    """The mean of all steps or pixels."""
    return _averages_places(node.layer)


def _averages_places(layer):
    is_average = type(layer) in (GlobalAveragePooling1D, GlobalAveragePooling2D)
    return is_average and layer.data_format == "channels_last" and not layer.keepdims
