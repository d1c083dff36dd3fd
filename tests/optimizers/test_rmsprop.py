"""RMSprop: a centered variance that rounds below zero."""

import numpy as np

from scratchnet import optimizers


def test_a_centered_variance_that_rounds_below_zero_makes_no_nan():
    # Constant gradients: v - mean^2 tends to 0, its rounding error in float32 is far above epsilon.
    params = {"w": np.zeros(50, "float32")}
    grads = {"w": np.linspace(1, 1000, 50, dtype="float32")}
    optimizer = optimizers.RMSprop(centered=True)
    for _ in range(300):
        optimizer.update(params, grads)
    assert np.isfinite(params["w"]).all()
