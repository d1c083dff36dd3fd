"""The same vector at every time step: the bridge from an encoder to a decoder.

    y_t = x    for t = 1 ... T          dx = sum over t of dy_t

Nothing is copied: y is x seen with a stride of zero along the time axis. A recurrent layer behind it can be told that
all its steps have the same input (``repeat``), and multiplies it by its kernel once instead of T times.
"""

import numpy as np

from scratchnet.checks import check_positive_int
from scratchnet.layers.base import Layer
from scratchnet.registry import register


@register("layers")
class RepeatVector(Layer):
    """Repeats each sample's vector `n` times.

    Args:
        n: T, the number of time steps that come out.

    Shapes: (N, D) -> (N, n, D). The output is a read-only view of the input.

    Raises:
        TypeError: if `n` is no integer.
        ValueError: if it is not positive, or the input has not two axes.
    """

    repeats = True

    keeps_integers = True

    def __init__(self, n: int, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(n, (int, np.integer)):
            raise self.error(f"n must be an integer, got {n!r}", TypeError)
        self.n = check_positive_int(self, "n", n)

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "ND")
        N, D = input_shape
        return (N, self.n, D)

    def forward(self, x, training=False):
        N, D = self.unpack(x, "ND")
        return np.broadcast_to(x[:, np.newaxis], (N, self.n, D)), None

    def backward(self, dy, cache, needs_dx=True):
        return dy.sum(axis=1), {}  # (N, D)
