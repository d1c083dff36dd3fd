"""What is read off the capsules: their lengths as probabilities, and one of them alone for the decoder.

Length:       y_j = |v_j|                                dv_j = dy_j v_j / |v_j|
CapsuleMask:  y = v_j of the true class, 0 elsewhere     dv_j = dy_j there, 0 elsewhere
"""

from typing import NamedTuple

import numpy as np

from scratchnet.layers.base import Layer
from scratchnet.registry import register


class LengthCache(NamedTuple):
    v: np.ndarray  # (N, J, D)
    y: np.ndarray  # (N, J)


@register("layers")
class Length(Layer):
    """(N, ..., D) -> (N, ...): the lengths of the vectors along the last axis."""

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "N*D")
        return input_shape[:-1]

    def forward(self, x, training=False):
        y = np.sqrt(np.square(x).sum(axis=-1))
        return y, LengthCache(x, y)

    def backward(self, dy, cache, needs_dx=True):
        v, y = cache
        return (dy / np.where(y > 0, y, 1))[..., np.newaxis] * v, {}


@register("layers")
class CapsuleMask(Layer):
    """Keeps one capsule of each sample, and flattens: what a decoder reconstructs the input from.

    Shapes: [v (N, J, D), one-hot targets (N, J)] -> (N, J D), the capsule of the true class, for training; or v alone,
    of which the longest is kept, for use. Raises ValueError for other shapes.
    """

    def compute_output_shape(self, input_shape):
        shape = input_shape[0] if isinstance(input_shape, list) else input_shape
        self.check_shape(shape, "NJD")
        N, J, D = shape
        if isinstance(input_shape, list) and (len(input_shape) != 2 or tuple(input_shape[1][1:]) != (J,)):
            raise self.error(f"expected v or [v, one-hot targets (N, {J})], got {input_shape}")
        return N, J * D

    def forward(self, x, training=False):
        v, chosen = x if isinstance(x, list) else (x, None)
        if chosen is None:
            chosen = np.eye(v.shape[1], dtype=v.dtype)[np.square(v).sum(axis=-1).argmax(axis=1)]
        chosen = chosen.astype(v.dtype, copy=False)[..., np.newaxis]  # (N, J, 1)
        return (v * chosen).reshape(len(v), -1), (chosen, v.shape, isinstance(x, list))

    def backward(self, dy, cache, needs_dx=True):
        chosen, shape, has_targets = cache
        dv = dy.reshape(shape) * chosen
        return [dv, np.zeros(shape[:2], dy.dtype)] if has_targets else dv, {}
