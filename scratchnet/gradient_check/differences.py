"""Numeric derivatives, and the measure by which they are compared with the analytic ones.

A backward pass computes the vector-Jacobian product `dx = dy . (dy/dx)`. It is checked against central differences of
the scalar `L(x) = sum(forward(x) * dy)` for a random upstream gradient `dy`: `dL/dx` is that same product, since L is
linear in the output. Random, because a gradient of ones is blind to whole families of mistakes (the gradient of a
softmax under ones is exactly zero).
"""

import numpy as np

STEP = 1e-5  # about the cube root of float64's rounding unit, where truncation and rounding errors balance
EPSILON = float(np.finfo(np.float64).eps)


def numeric_gradient(f, x, step=STEP):
    """Central differences of the scalar function `f()` in every entry of the float64 array `x`.

    `x` is changed in place, entry by entry, and restored to the same bits; `f` takes no argument and reads `x`.
    For a function that is linear in `x`, ``step=1`` leaves no truncation error at all.
    Returns an array of x's shape.
    """
    if x.dtype != np.float64:
        raise TypeError(f"a numeric gradient needs float64, got {x.dtype}: float32 differences never get below 3e-5")
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + step
        above = f()
        x[index] = kept - step
        below = f()
        x[index] = kept
        gradient[index] = (above - below) / (2.0 * step)
    return gradient


def noise_of_differences(magnitude, step):
    """How far rounding alone may move a central difference: ``4 eps |L| / h``.

    L is a sum, and each of its two values is wrong by about eps times the sum of its terms' sizes, `magnitude`. A
    gradient smaller than this cannot be told from zero, and a difference smaller than this accuses nobody.
    """
    return 4 * EPSILON * magnitude / step


def relative_error(numeric, analytic, tiny=1e-30):
    """``max|numeric - analytic| / max(max|numeric|, max|analytic|, tiny)``: one figure for a whole array.

    Relative to the largest entry, not entry by entry: an entry that is nearly zero among large ones carries the
    rounding noise of the large ones. Raises ValueError where the shapes differ; a NaN anywhere gives infinity.
    """
    numeric, analytic = np.asarray(numeric), np.asarray(analytic)
    if numeric.shape != analytic.shape:
        raise ValueError(
            f"a gradient must have its argument's shape: numeric {numeric.shape}, analytic {analytic.shape}"
        )
    if numeric.size == 0:
        return 0.0
    error = np.max(np.abs(numeric - analytic))
    scale = max(np.max(np.abs(numeric)), np.max(np.abs(analytic)), tiny)
    return float(error / scale) if np.isfinite(error) else float("inf")
