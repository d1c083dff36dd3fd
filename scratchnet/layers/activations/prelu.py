"""The parametric rectified linear unit: the slope below 0 is learnt, one for each place or channel.

    y = x where x > 0, else a x            dx = dy where x > 0, else a dy            da = sum over x <= 0 of dy x

(He et al., "Delving deep into rectifiers", 2015.)
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scratchnet import constraints, initializers, kernels, regularizers
from scratchnet.hints import ConstraintLike, InitializerLike, RegularizerLike
from scratchnet.layers.base import Layer
from scratchnet.ops.operation import unbroadcast
from scratchnet.registry import register


class PReLUCache(NamedTuple):
    x: np.ndarray


@register("layers")
class PReLU(Layer):
    """Any shape.

    Args:
        alpha_initializer, alpha_regularizer, alpha_constraint: of the slopes ``alpha``, of a sample's shape.
        shared_axes: axes along which one slope serves all places: [1, 2] for the pixels of an image. As in Keras these
            are places in the shape of a sample, counted from 1, so that 0 is its last axis and -1 the one before it.

    Raises ValueError for axes that the input does not have, and for unknown sizes along the others.
    """

    supports_masking = True

    def __init__(
        self,
        alpha_initializer: InitializerLike = "Zeros",
        alpha_regularizer: RegularizerLike = None,
        alpha_constraint: ConstraintLike = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.shared_axes = [shared_axes] if isinstance(shared_axes, int) else shared_axes

    def build(self, input_shape):
        shape = list(input_shape[1:])
        for axis in self.shared_axes or ():
            if not isinstance(axis, (int, np.integer)) or not -len(shape) <= axis - 1 < len(shape):
                raise self.error(f"shared_axes {self.shared_axes} are not axes of an input of shape {input_shape}")
            shape[axis - 1] = 1
        if None in shape:
            raise self.error(f"needs known sizes along all axes that are not shared, got {input_shape}")
        self.add_weight(
            name="alpha",
            shape=shape,
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        self.built = True

    def forward(self, x, training=False):
        self.unpack(x, "*")
        alpha = self.params["alpha"]
        if kernels.prelu_forward is not None and _are_rows(x, alpha):
            y = kernels.prelu_forward(x.reshape(-1, alpha.size), alpha.reshape(-1))
            return y.reshape(x.shape), PReLUCache(x)
        return np.where(x > 0, x, alpha * x), PReLUCache(x)

    def backward(self, dy, cache, needs_dx=True):
        (x,), alpha = cache, self.params["alpha"]
        is_like_x = dy.dtype == x.dtype and dy.shape == x.shape
        if kernels.prelu_backward is not None and is_like_x and _are_rows(x, alpha):
            rows = dy.reshape(-1, alpha.size), x.reshape(-1, alpha.size)
            dx, dalpha = kernels.prelu_backward(*rows, alpha.reshape(-1))
            return dx.reshape(x.shape), self.trained({"alpha": dalpha.reshape(alpha.shape)})
        positive = x > 0
        dalpha = unbroadcast(np.where(positive, 0, dy * x), alpha.shape)
        return np.where(positive, dy, alpha * dy), self.trained({"alpha": dalpha})


def _are_rows(x, alpha):
    """Whether x is rows (M, D) beside slopes (D,), as kernels take them: one for each place, or for each channel."""
    first = next((axis for axis, size in enumerate(alpha.shape) if size != 1), alpha.ndim)  # that is not shared
    return x.shape[first + 1 :] == alpha.shape[first:]
