"""Normalizing layers: x_hat, of mean 0 and variance 1, and what is learnt behind it."""

import numpy as np

from scratchnet.explain.views.base import Line, View
from scratchnet.kernels.loops import normalization as loops
from scratchnet.layers import BatchNormalization, GroupNormalization, LayerNormalization
from scratchnet.layers.normalization import scale_and_shift
from scratchnet.layers.normalization.batch_normalization import BatchNormalizationCache
from scratchnet.layers.normalization.scale_and_shift import ScaleAndShift


def _standardized(layer, call):
    """x_hat, as gamma gets it, and, where gamma is reached from outside, dx_hat = gamma dy."""
    axes = layer.positive_axes(call.x.shape)
    shape = tuple(n if k in axes else 1 for k, n in enumerate(call.x.shape))
    found = {"x_hat": _x_hat(call.cache, call.x, shape)}
    if call.dy is not None and not isinstance(layer, GroupNormalization):
        found["dx_hat"] = call.params["gamma"].reshape(shape) * call.dy if layer.scale else call.dy
    return found


def _x_hat(cache, x, shape):
    if not isinstance(cache, BatchNormalizationCache):
        return np.asarray(cache.x_hat).reshape(x.shape)
    x_hat = (x - cache.mean.reshape(shape)) / cache.s.reshape(shape)
    return x_hat if cache.r is None else cache.r.reshape(shape) * x_hat + cache.d.reshape(shape)


_X_HAT = Line("x_hat", "x̂ = ( x - μ ) / s", scale_and_shift.standardized, "return centered / s, s")
_SCALED = Line("y", "y = γ ⊙ x̂ + β", ScaleAndShift.scale_and_shift, 'y = self.params["gamma"].reshape(shape) * y')
_DGAMMA = Line(
    "dgamma", "dγ = sum dy ⊙ x̂", ScaleAndShift.scale_and_shift_backward, 'grads["gamma"] = (dy * x_hat).sum(over)'
)
_DX = Line(
    "dx",
    "dx = ( dx̂ - mean ( dx̂ ) - x̂ ⊙ mean ( dx̂ ⊙ x̂ ) ) / s",
    scale_and_shift.standardized_backward,
    "return (dx_hat - along_1 - x_hat * along_x_hat) / s",
)

NORMALIZATION = View("normalization", _standardized, (_X_HAT, _SCALED), (_DGAMMA, _DX))
BATCH = View(
    "normalization",
    _standardized,
    (
        Line("x_hat", "x̂ = ( x - μ ) / s", loops.normalize_backward, "x_hat = (x[g, m, c] - mean[g, c]) / s[g, c]"),
        Line("y", "y = γ ⊙ x̂ + β", loops.normalize_forward, "/ s[g, c] * gamma[c] + beta[c]"),
    ),
    (
        Line("dgamma", "dγ = sum dy ⊙ x̂", loops.channel_products, "of_x_hat[g, c] += dy[g, m, c]"),
        Line(
            "dx",
            "training : dx = ( dx̂ - mean ( dx̂ ) - x̂ ⊙ mean ( dx̂ ⊙ x̂ ) ) / s",
            loops.normalize_backward,
            "dx[g, m, c] = (gamma[c] * dy[g, m, c]",
        ),
        Line(
            "dx",
            "else : dx = dx̂ / s",
            BatchNormalization.backward,
            "along = np.zeros((2, 1, len(scale)))  # mean and variance are constants",
        ),
    ),
)

NORMALIZATIONS = {LayerNormalization: NORMALIZATION, GroupNormalization: NORMALIZATION, BatchNormalization: BATCH}
