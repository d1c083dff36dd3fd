"""The words of a text and the mean of their vectors, as one node, in training and in use.

No array of all vectors is made, there and back, where the backend has `mean_of_rows`.
"""

from scratchnet import kernels
from scratchnet.layers.core.embedding import EmbeddingCache
from scratchnet.layers.pooling.global_pooling import GlobalAveragePooling1D
from scratchnet.training.joined import TrainedNode


class MeanOfVectors(TrainedNode):
    """An embedding, and the mean of its vectors."""

    def forward(self, x, training, mask=None):
        tokens = self.layer.as_tokens(self.layer.accept(x))
        return kernels.mean_of_rows(self.layer.params["embeddings"], tokens), EmbeddingCache(tokens)

    def backward(self, dy, cache, adjoints, wanted):
        return {(self.layer, "embeddings"): kernels.add_mean_rows(dy, cache.tokens, self.layer.input_dim)}


def takes_mean(node, before):
    """Whether a node is the mean of the steps of a sequence."""
    layer = node.layer
    is_mean = type(layer) is GlobalAveragePooling1D and layer.data_format == "channels_last"
    return is_mean and not layer.keepdims and len(node.inputs.shape) == 3
