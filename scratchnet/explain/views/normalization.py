"""Normalizing layers: x_hat, of mean 0 and variance 1, and what is learnt behind it."""

import numpy as np

from scratchnet.explain.views.base import Line, View
from scratchnet.layers import BatchNormalization, GroupNormalization, LayerNormalization
from scratchnet.layers.normalization import scale_and_shift
from scratchnet.layers.normalization.scale_and_shift import ScaleAndShift


def _standardized(layer, call):
    """x_hat, as gamma gets it, and, where gamma is reached from outside, dx_hat = gamma dy."""
    cache = call.cache
    x_hat = np.asarray(cache.x_hat).reshape(call.x.shape)
    if getattr(cache, "r", None) is not None:  # of batch renormalization
        x_hat = cache.r * x_hat + cache.d
    found = {"x_hat": x_hat}
    if call.dy is not None and not isinstance(layer, GroupNormalization):
        axes = layer.positive_axes(call.x.shape)
        shape = tuple(n if k in axes else 1 for k, n in enumerate(call.x.shape))
        found["dx_hat"] = call.params["gamma"].reshape(shape) * call.dy if layer.scale else call.dy
    return found


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
        Line("x_hat", "x̂ = ( x - μ ) / s", BatchNormalization.forward, "x_hat = np.divide(centered, s, out=centered)"),
        _SCALED,
    ),
    (
        _DGAMMA,
        Line(
            "dx",
            "training : dx = ( dx̂ - mean ( dx̂ ) - x̂ ⊙ mean ( dx̂ ⊙ x̂ ) ) / s",
            BatchNormalization.backward,
            "return (dx_hat - along) / s, grads",
        ),
        Line(
            "dx",
            "else : dx = dx̂ / s",
            BatchNormalization.backward,
            "return dx_hat / s, grads  # mean and variance are constants",
        ),
    ),
)

NORMALIZATIONS = {LayerNormalization: NORMALIZATION, GroupNormalization: NORMALIZATION, BatchNormalization: BATCH}
