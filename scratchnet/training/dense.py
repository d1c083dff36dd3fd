"""A dense layer in one pass.

It adds its bias, and cuts off what is negative for a relu, while the product is in the cache, and so on the way back.
Where the backend has `affine_forward`, two threads can share all of it.
"""

from scratchnet.kernels import fused
from scratchnet.layers.core.dense import Dense, DenseCache
from scratchnet.training.blocks import FeedForward
from scratchnet.training.joined import TrainedNode


def is_of_rows(node):
    """Whether a node is a dense layer whose activation needs no more than rows."""
    return type(node.layer) is Dense and (node.layer.activation.is_by_row or len(node.inputs.shape) == 2)


class ActivatedDense(TrainedNode):
    """A dense layer; with what goes on behind it, half of a Transformer's block."""

    fewest, needs_first = 1, True

    @classmethod
    def of(cls, nodes):
        return cls(nodes) if len(nodes) == 1 else FeedForward(nodes)

    def forward(self, x, training, mask=None):
        layer, x = self.layer, self.layer.accept(x)
        shape, W = layer.compute_output_shape(x.shape), layer.params["kernel"]
        rows = x.reshape(-1, len(W))
        y, activation = fused.affine_forward(rows, W, layer.params.get("bias"), layer.activation)  # y = f(x W + b)
        return y.reshape(shape), DenseCache(x, activation) if training else None  # in use nobody goes back

    def backward(self, dy, cache, adjoints, wanted):
        layer, W, x = self.layer, self.layer.params["kernel"], cache.x
        D, U = W.shape
        rows = dy.reshape(-1, U), cache.activation, x.reshape(-1, D)
        dx, dW, db = fused.affine_backward(*rows, W, layer.activation, needs_dx=any(wanted))
        adjoints.add(self.inputs, None if dx is None else dx.reshape(x.shape))
        return self.grads(dW, db)
