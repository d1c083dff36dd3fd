"""Lion: every entry moves by the learning rate, in the direction of a mixture of gradient and momentum.

    w -= lr sign(beta_1 m + (1 - beta_1) g)             m = beta_2 m + (1 - beta_2) g

Found by a search over programs; as all steps have the same size, learning rates are a third to a tenth of Adam's. Chen
et al., "Symbolic discovery of optimization algorithms", 2023.
"""

import numpy as np

from scratchnet import kernels
from scratchnet.checks import check_bounds
from scratchnet.hints import LearningRate
from scratchnet.optimizers.arrays import compiled
from scratchnet.optimizers.base import Optimizer
from scratchnet.registry import register


@register("optimizers")
class Lion(Optimizer):
    """Lion.

    Args:
        learning_rate: see `Optimizer`, as for the arguments not named here.
        beta_1: the share of m in the direction, in (0, 1].
        beta_2: how much of m is kept, in [0, 1).
    """

    slot_names = ("m",)

    def __init__(
        self, learning_rate: LearningRate = 0.001, beta_1: float = 0.9, beta_2: float = 0.99, *common, **kwargs
    ):
        super().__init__(learning_rate, *common, **kwargs)
        self.beta_1 = check_bounds("Lion", "beta_1", beta_1, above=0, at_most=1)
        self.beta_2 = check_bounds("Lion", "beta_2", beta_2, at_least=0, below=1)

    def update_step(self, param, grad, slots, learning_rate):
        m = slots["m"]
        if compiled(param):
            kernels.lion_update(param, grad, m, learning_rate, self.beta_1, self.beta_2)
            return
        param -= param.dtype.type(learning_rate) * np.sign(m * self.beta_1 + grad * (1 - self.beta_1))
        m *= self.beta_2
        m += grad * (1 - self.beta_2)
