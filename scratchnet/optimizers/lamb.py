"""LAMB: Adam whose step for each parameter is as long as the parameter itself.

    m = beta_1 m + (1 - beta_1) g               v = beta_2 v + (1 - beta_2) g^2
    u = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon)
    w -= lr |w| / |u| u                         (|w| / |u| is 1 where one of them is 0)

So the learning rate is a relative change, alike for layers of very different weights, which allows very large batches.
You et al., "Large batch optimization for deep learning: training BERT in 76 minutes", 2020.
"""

import numpy as np

from scratchnet import kernels
from scratchnet.checks import check_bounds
from scratchnet.hints import LearningRate
from scratchnet.optimizers.arrays import compiled
from scratchnet.optimizers.base import Optimizer
from scratchnet.registry import register


@register("optimizers")
class Lamb(Optimizer):
    """LAMB. Arguments as `Adam`, without amsgrad."""

    slot_names = ("m", "v")
    elementwise = False

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
        self.beta_1 = check_bounds("Lamb", "beta_1", beta_1, at_least=0, below=1)
        self.beta_2 = check_bounds("Lamb", "beta_2", beta_2, at_least=0, below=1)
        self.epsilon = check_bounds("Lamb", "epsilon", epsilon, at_least=0)

    def update_step(self, param, grad, slots, learning_rate):
        dtype, t, m, v = param.dtype.type, self.updates + 1, slots["m"], slots["v"]
        of_m, of_v = 1 - dtype(self.beta_1) ** t, 1 - dtype(self.beta_2) ** t
        if compiled(param):
            flat = (a.reshape(-1) for a in (param, grad, m, v))
            kernels.lamb_update(*flat, learning_rate, self.beta_1, self.beta_2, self.epsilon, of_m, of_v)
            return
        m += (grad - m) * (1 - self.beta_1)
        v += (grad * grad - v) * (1 - self.beta_2)
        root = np.sqrt(v / of_v) + self.epsilon
        u = m / of_m / root
        w_norm, u_norm = np.sqrt(np.square(param).sum()), np.sqrt(np.square(u).sum())
        ratio = w_norm / u_norm if w_norm > 0 and u_norm > 0 else dtype(1)
        param -= ratio * dtype(learning_rate) * u
