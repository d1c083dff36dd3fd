"""RMSprop: each step is divided by the root of a running mean of the gradient's square.

    v = rho v + (1 - rho) g^2                    w -= lr g / sqrt(v + epsilon)
    centered: the mean of g, squared, is taken off v; momentum: the step is added to a velocity

Tieleman and Hinton, "Lecture 6.5", Coursera 2012; centered: Graves 2013, section 2.
"""

import numpy as np

from scratchnet import kernels
from scratchnet.checks import check_bounds
from scratchnet.hints import LearningRate
from scratchnet.optimizers.arrays import compiled
from scratchnet.optimizers.base import Optimizer
from scratchnet.registry import register


@register("optimizers")
class RMSprop(Optimizer):
    """RMSprop.

    Args:
        learning_rate: see `Optimizer`, as for the arguments not named here.
        rho: how much of the running means is kept, in [0, 1).
        momentum: in [0, 1).
        epsilon: added under the root.
        centered: whether to divide by the standard deviation instead of the root mean square.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        *common,
        **kwargs,
    ):
        super().__init__(learning_rate, *common, **kwargs)
        self.rho = check_bounds("RMSprop", "rho", rho, at_least=0, below=1)
        self.momentum = check_bounds("RMSprop", "momentum", momentum, at_least=0, below=1)
        self.epsilon = check_bounds("RMSprop", "epsilon", epsilon, at_least=0)
        self.centered = bool(centered)
        self.slot_names = ("v", *["mean"] * self.centered, *["momentum"] * (self.momentum > 0))

    def update_step(self, param, grad, slots, learning_rate):
        v, mean, velocity = map(slots.get, ("v", "mean", "momentum"))
        if compiled(param):
            numbers = learning_rate, self.rho, self.momentum, self.epsilon
            kernels.rmsprop_update(param, grad, v, mean, velocity, *numbers)
            return
        v *= self.rho
        v += grad * grad * (1 - self.rho)
        variance = v
        if self.centered:
            mean *= self.rho
            mean += grad * (1 - self.rho)
            variance = np.maximum(v - mean * mean, 0)  # rounding can make it negative
        step = grad * param.dtype.type(learning_rate) / np.sqrt(variance + self.epsilon)
        if self.momentum:
            velocity *= self.momentum
            velocity += step
            step = velocity
        param -= step
