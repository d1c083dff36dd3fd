"""Adamax: Adam with the largest gradient instead of the mean square.

    m = beta_1 m + (1 - beta_1) g                u = max(beta_2 u, |g|)
    w -= lr / (1 - beta_1^t) * m / (u + epsilon)

The root of the mean square is a 2-norm over the past; this is its limit for the infinity norm, which needs no
correction for its start. Kingma and Ba 2015, section 7.1.
"""

import numpy as np

from scratchnet import kernels
from scratchnet.checks import check_bounds
from scratchnet.hints import LearningRate
from scratchnet.optimizers.arrays import compiled
from scratchnet.optimizers.base import Optimizer
from scratchnet.registry import register


@register("optimizers")
class Adamax(Optimizer):
    """Adamax.

    Args:
        learning_rate: see `Optimizer`, as for the arguments not named here.
        beta_1: how much of the running mean of g is kept, in [0, 1).
        beta_2: how much of the largest |g| is kept, in [0, 1).
        epsilon: added to u.
    """

    slot_names = ("m", "u")

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        *common,
        **kwargs,
    ):
        super().__init__(learning_rate, *common, **kwargs)
        self.beta_1 = check_bounds("Adamax", "beta_1", beta_1, at_least=0, below=1)
        self.beta_2 = check_bounds("Adamax", "beta_2", beta_2, at_least=0, below=1)
        self.epsilon = check_bounds("Adamax", "epsilon", epsilon, at_least=0)

    def update_step(self, param, grad, slots, learning_rate):
        dtype, m, u = param.dtype.type, slots["m"], slots["u"]
        step_size = dtype(learning_rate) / (1 - dtype(self.beta_1) ** (self.updates + 1))
        if compiled(param):
            kernels.adamax_update(param, grad, m, u, step_size, self.beta_1, self.beta_2, self.epsilon)
            return
        m += (grad - m) * (1 - self.beta_1)
        np.maximum(self.beta_2 * u, np.abs(grad), out=u)
        param -= step_size * m / (u + self.epsilon)
