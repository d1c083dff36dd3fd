"""Schedule-free AdamW: a mean of all iterates instead of a learning rate that decays.

    v = beta_2 v + (1 - beta_2) g^2                     g at y, between z and x
    z -= lr g / (sqrt(v / (1 - beta_2^t)) + epsilon)
    x = (1 - 1/t) x + z / t                             y = (1 - beta_1) z + beta_1 x

z takes plain steps; x is the mean of all z so far, which is where they lead; and the gradient is taken at y, near x but
carried along by z. The parameters hold y; x is found back from y and z. Defazio et al., "The road less scheduled",
2024.
"""

import numpy as np

from scratchnet.checks import check_bounds
from scratchnet.hints import LearningRate
from scratchnet.optimizers.base import Optimizer
from scratchnet.registry import register


@register("optimizers")
class ScheduleFreeAdamW(Optimizer):
    """Schedule-free AdamW.

    Keras 3.15 on TensorFlow takes the new z for the old one where it finds x back, so its numbers are others.

    Args:
        learning_rate: see `Optimizer`, as for the arguments not named here.
        beta_1: where y stands between z (0) and x (1), in (0, 1).
        beta_2: how much of the mean square is kept, in [0, 1).
        epsilon: added to the root.
        warmup_steps: over how many steps the learning rate climbs in a straight line.
    """

    slot_names = ("z", "v")

    def __init__(
        self,
        learning_rate: LearningRate = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        *common,
        **kwargs,
    ):
        super().__init__(learning_rate, *common, **kwargs)
        self.beta_1 = check_bounds("ScheduleFreeAdamW", "beta_1", beta_1, above=0, below=1)
        self.beta_2 = check_bounds("ScheduleFreeAdamW", "beta_2", beta_2, at_least=0, below=1)
        self.epsilon = check_bounds("ScheduleFreeAdamW", "epsilon", epsilon, at_least=0)
        self.warmup_steps = check_bounds("ScheduleFreeAdamW", "warmup_steps", warmup_steps, at_least=0)

    def initial_slot(self, name, param):
        return param.copy() if name == "z" else np.zeros_like(param)

    def update_step(self, param, grad, slots, learning_rate):
        dtype, t, z, v = param.dtype.type, self.updates + 1, slots["z"], slots["v"]
        if self.warmup_steps:
            learning_rate *= min(t / self.warmup_steps, 1)
        x = (param - (1 - self.beta_1) * z) / self.beta_1  # y = (1 - beta_1) z + beta_1 x
        v += (grad * grad - v) * (1 - self.beta_2)
        z -= dtype(learning_rate) * grad / (np.sqrt(v / (1 - dtype(self.beta_2) ** t)) + self.epsilon)
        x += (z - x) / dtype(t)
        param[...] = (1 - self.beta_1) * z + self.beta_1 * x
