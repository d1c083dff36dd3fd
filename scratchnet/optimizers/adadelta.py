"""Adadelta: steps in the unit of the parameter, from running means of squared gradients and of squared steps.

    a = rho a + (1 - rho) g^2
    step = -sqrt(d + epsilon) / sqrt(a + epsilon) * g
    d = rho d + (1 - rho) step^2                         w += lr step

Unlike Adagrad's sum, the mean a forgets, so the steps do not shrink towards zero. The root of d gives the step the unit
of w, so the learning rate hardly matters. Zeiler, "ADADELTA: an adaptive learning rate method", 2012.
"""

import numpy as np

from scratchnet import kernels
from scratchnet.checks import check_bounds
from scratchnet.hints import LearningRate
from scratchnet.optimizers.arrays import compiled
from scratchnet.optimizers.base import Optimizer
from scratchnet.registry import register


@register("optimizers")
class Adadelta(Optimizer):
    """Adadelta; the paper's form has ``learning_rate=1.0``.

    Args:
        learning_rate: see `Optimizer`, as for the arguments not named here.
        rho: how much of the running means is kept, in [0, 1).
        epsilon: added under the roots.
    """

    slot_names = ("accumulated_grad", "accumulated_delta_var")

    def __init__(
        self, learning_rate: LearningRate = 0.001, rho: float = 0.95, epsilon: float = 1e-7, *common, **kwargs
    ):
        super().__init__(learning_rate, *common, **kwargs)
        self.rho = check_bounds("Adadelta", "rho", rho, at_least=0, below=1)
        self.epsilon = check_bounds("Adadelta", "epsilon", epsilon, at_least=0)

    def update_step(self, param, grad, slots, learning_rate):
        a, d = slots["accumulated_grad"], slots["accumulated_delta_var"]
        if compiled(param):
            kernels.adadelta_update(param, grad, a, d, learning_rate, self.rho, self.epsilon)
            return
        a *= self.rho
        a += (1 - self.rho) * grad * grad
        step = -np.sqrt(d + self.epsilon) / np.sqrt(a + self.epsilon) * grad
        d *= self.rho
        d += (1 - self.rho) * step * step
        param += param.dtype.type(learning_rate) * step
