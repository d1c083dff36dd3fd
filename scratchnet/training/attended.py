"""Attention that does not keep its scores.

They are as many as queries and keys multiplied, for each head: soon more numbers than the rest of a model puts out. In
use nobody asks for them again. In training the way back needs them; of long sequences it computes them once more, where
the backend has `attention_forward`: that takes less time than to write them to memory and to fetch them, and no memory.
"""

import math

from scratchnet.layers.attention.attention import Attention
from scratchnet.layers.attention.grouped_query_attention import GroupedQueryAttention
from scratchnet.layers.attention.multi_head_attention import MultiHeadAttention
from scratchnet.structure import flatten
from scratchnet.training.joined import JoinedNode

ATTENDING = Attention, GroupedQueryAttention, MultiHeadAttention
_FEW = 1 << 16  # scores of a head, up to which they stay in the cache, and are kept for the way back


class Attended(JoinedNode):
    """A layer of attention."""

    fewest, takes_masks = 1, True

    def __init__(self, nodes):
        super().__init__(nodes)
        (node,) = nodes
        self._options, self.reads_mask, self.masks_output = node.options, node.reads_mask, node.masks_output

    @property
    def trainable(self):
        return self.layer.has_trainable_params

    def forward(self, xs, training, mask=None):
        layer, xs = self.layer, [self.layer.accept(x) for x in xs]
        queries, keys = (math.prod(x.shape[1:-1]) for x in xs[:2])
        keeps = training and queries * keys <= _FEW
        options = {**self._options, "mask": mask} if self.reads_mask else self._options
        return layer.forward(xs, training, keeps_scores=keeps, **options)

    def backward(self, dy, cache, adjoints, wanted):
        dxs, grads = self.layer.backward(dy, cache, needs_dx=any(wanted))
        if any(wanted):
            for tensor, d, want in zip(flatten(self.inputs), flatten(dxs), wanted):
                if want:
                    adjoints.add(tensor, d)
        return {(self.layer, name): grads[name] for name in self.layer.trainable_params}

    def output_masks(self, x, mask, cache):
        return self.layer.output_masks(x, mask, cache)


def is_long(node):
    """Whether a sequence that looks at itself has too many scores to keep them."""
    shape = flatten(node.inputs)[0].shape
    return None not in shape[1:] and math.prod(shape[1:-1]) ** 2 > _FEW
