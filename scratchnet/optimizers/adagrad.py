"""Adagrad: each step is divided by the root of the sum of all squares of the gradient so far.

    a += g^2                                     w -= lr g / sqrt(a + epsilon)

Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization", 2011.
"""

import numpy as np

from scratchnet import kernels
from scratchnet.checks import check_bounds
from scratchnet.hints import LearningRate
from scratchnet.optimizers.arrays import compiled
from scratchnet.optimizers.base import Optimizer
from scratchnet.registry import register


@register("optimizers")
class Adagrad(Optimizer):
    """Adagrad.

    Args:
        learning_rate: see `Optimizer`, as for the arguments not named here.
        initial_accumulator_value: what the sums start from, at least 0.
        epsilon: added under the root.
    """

    slot_names = ("accumulator",)

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        *common,
        **kwargs,
    ):
        super().__init__(learning_rate, *common, **kwargs)
        self.initial_accumulator_value = check_bounds(
            "Adagrad", "initial_accumulator_value", initial_accumulator_value, at_least=0
        )
        self.epsilon = check_bounds("Adagrad", "epsilon", epsilon, at_least=0)

    def initial_slot(self, name, param):
        return np.full_like(param, self.initial_accumulator_value)

    def update_step(self, param, grad, slots, learning_rate):
        accumulator = slots["accumulator"]
        if compiled(param):
            kernels.adagrad_update(param, grad, accumulator, learning_rate, self.epsilon)
            return
        accumulator += grad * grad
        param -= grad * param.dtype.type(learning_rate) / np.sqrt(accumulator + self.epsilon)
