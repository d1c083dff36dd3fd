"""Normalizing layers: x_hat, of mean 0 and variance 1, and what is learnt behind it."""

from scratchnet.explain.views.base import Line, View
from scratchnet.kernels.loops import normalization as loops
from scratchnet.layers import BatchNormalization, GroupNormalization, LayerNormalization


def _standardized(layer, call):
    """x_hat, as gamma gets it, and, where gamma is reached from outside, dx_hat = gamma dy."""
    axes = layer.positive_axes(call.x.shape)
    shape = tuple(n if k in axes else 1 for k, n in enumerate(call.x.shape))
    found = {"x_hat": _x_hat(layer, call.cache, call.x, shape)}
    if call.dy is not None and not isinstance(layer, GroupNormalization):
        found["dx_hat"] = call.params["gamma"].reshape(shape) * call.dy if layer.scale else call.dy
    return found


def _x_hat(layer, cache, x, shape):
    if isinstance(layer, LayerNormalization):
        return (x - cache.mean) / cache.s
    of_channels = (-1, *shape[1:])  # for each sample, or once for the batch
    x_hat = (x - cache.mean.reshape(of_channels)) / cache.s.reshape(of_channels)
    if getattr(cache, "r", None) is None:
        return x_hat
    return cache.r.reshape(shape) * x_hat + cache.d.reshape(shape)  # of batch renormalization


_X_HAT, _Y, _DGAMMA = "x̂ = ( x - μ ) / s", "y = γ ⊙ x̂ + β", "dγ = sum dy ⊙ x̂"
_DX = "dx = ( dx̂ - mean ( dx̂ ) - x̂ ⊙ mean ( dx̂ ⊙ x̂ ) ) / s"

_FORWARD = (
    Line("x_hat", _X_HAT, loops.normalize_backward, "x_hat = (x[g, m, c] - mean[g, c]) / s[g, c]"),
    Line("y", _Y, loops.normalize_forward, "/ s[g, c] * gamma[c] + beta[c]"),
)
_DGAMMA_OF_CHANNELS = Line("dgamma", _DGAMMA, loops.channel_products, "of_x_hat[g, c] += dy[g, m, c]")
_DX_OF_CHANNELS = loops.normalize_backward, "dx[g, m, c] = (gamma[c] * dy[g, m, c]"

OF_ROWS = View(
    "normalization",
    _standardized,
    (
        Line("x_hat", _X_HAT, loops.normalize_rows_backward, "x_hat = [float(x[m, d] - mean[m]) / s[m]"),
        Line("y", _Y, loops.normalize_rows_forward, "/ s[m] * gamma[d] + beta[d]"),
    ),
    (
        Line("dgamma", _DGAMMA, loops.normalize_rows_backward, "dgamma[d] += dy[m, d] * x_hat[d]"),
        Line("dx", _DX, loops.normalize_rows_backward, "dx[m, d] = (dx_hat[d] - along_1"),
    ),
)
OF_GROUPS = View("normalization", _standardized, _FORWARD, (_DGAMMA_OF_CHANNELS, Line("dx", _DX, *_DX_OF_CHANNELS)))
OF_THE_BATCH = View(
    "normalization",
    _standardized,
    _FORWARD,
    (
        _DGAMMA_OF_CHANNELS,
        Line("dx", f"training : {_DX}", *_DX_OF_CHANNELS),
        Line(
            "dx",
            "else : dx = dx̂ / s",
            BatchNormalization.backward,
            "along = np.zeros((2, 1, len(scale)))  # mean and variance are constants",
        ),
    ),
)

NORMALIZATIONS = {LayerNormalization: OF_ROWS, GroupNormalization: OF_GROUPS, BatchNormalization: OF_THE_BATCH}
