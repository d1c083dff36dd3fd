"""FTRL-proximal: the parameter that is best for all gradients so far, with penalties that make exact zeros.

    a' = a + g^2                                        with p = -learning_rate_power (a half)
    z += g + 2 shrinkage w - (a'^p - a^p) / lr * w
    w = (clip(z, -l1, l1) - z) / (a'^p / lr + 2 l2 + beta / lr)

w minimizes the sum of all linearized losses, z . w, plus l1 |w| + l2 w^2 and a proximal term: "follow the regularized
leader". Where |z| <= l1, w is 0. McMahan et al., "Ad click prediction: a view from the trenches", 2013.
"""

import numpy as np

from scratchnet import kernels
from scratchnet.checks import check_bounds
from scratchnet.hints import LearningRate
from scratchnet.optimizers.arrays import compiled
from scratchnet.optimizers.base import Optimizer
from scratchnet.registry import register


@register("optimizers")
class Ftrl(Optimizer):
    """FTRL.

    Args:
        learning_rate: see `Optimizer`, as for the arguments not named here; above 0.
        learning_rate_power: at most 0; 0 keeps the learning rate as it is.
        initial_accumulator_value: what a starts from, at least 0.
        l1_regularization_strength, l2_regularization_strength: of the penalties on w.
        l2_shrinkage_regularization_strength: of an L2 penalty whose gradient is added to g, but not to a.
        beta: as in the paper, an offset of the denominator.
    """

    slot_names = ("accumulator", "linear")

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        *common,
        **kwargs,
    ):
        super().__init__(learning_rate, *common, **kwargs)
        self.learning_rate_power = check_bounds("Ftrl", "learning_rate_power", learning_rate_power, at_most=0)
        at_least_0 = {
            "initial_accumulator_value": initial_accumulator_value,
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
            "beta": beta,
        }
        for argument, value in at_least_0.items():
            setattr(self, argument, check_bounds("Ftrl", argument, value, at_least=0))

    def initial_slot(self, name, param):
        return np.full_like(param, self.initial_accumulator_value if name == "accumulator" else 0)

    def update_step(self, param, grad, slots, learning_rate):
        a, z = slots["accumulator"], slots["linear"]
        lr, p, l1 = param.dtype.type(learning_rate), -self.learning_rate_power, self.l1_regularization_strength
        two_l2, two_shrinkage = 2 * self.l2_regularization_strength, 2 * self.l2_shrinkage_regularization_strength
        if compiled(param) and p == 0.5:
            kernels.ftrl_update(param, grad, a, z, lr, l1, two_l2, two_shrinkage, self.beta)
            return
        new_a = a + grad * grad
        z += grad + two_shrinkage * param - (new_a**p - a**p) / lr * param
        curvature = new_a**p / lr + two_l2 + self.beta / lr
        param[...] = (np.clip(z, -l1, l1) - z) / curvature
        a[...] = new_a
