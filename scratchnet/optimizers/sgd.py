"""Stochastic gradient descent, with momentum and Nesterov's look ahead.

    velocity = momentum velocity - lr g          w += velocity
    with nesterov                                w += momentum velocity - lr g

Robbins and Monro 1951; momentum: Polyak 1964; Sutskever et al., "On the importance of initialization and momentum in
deep learning", 2013.
"""

from scratchnet import kernels
from scratchnet.checks import check_bounds
from scratchnet.hints import LearningRate
from scratchnet.optimizers.arrays import compiled
from scratchnet.optimizers.base import Optimizer
from scratchnet.registry import register


@register("optimizers")
class SGD(Optimizer):
    """Gradient descent.

    Args:
        learning_rate: see `Optimizer`, as for the arguments not named here.
        momentum: in [0, 1].
        nesterov: whether the step looks ahead along the velocity.
    """

    def __init__(
        self, learning_rate: LearningRate = 0.01, momentum: float = 0.0, nesterov: bool = False, *common, **kwargs
    ):
        super().__init__(learning_rate, *common, **kwargs)
        self.momentum = check_bounds("SGD", "momentum", momentum, at_least=0)
        if momentum > 1:
            raise ValueError(f"SGD: momentum must be at most 1, got {momentum!r}")
        self.nesterov = bool(nesterov)
        self.slot_names = ("momentum",) if momentum else ()

    def update_step(self, param, grad, slots, learning_rate):
        velocity = slots.get("momentum")
        if compiled(param):
            kernels.sgd_update(param, grad, velocity, learning_rate, self.momentum, self.nesterov)
            return
        step = grad * param.dtype.type(-learning_rate)
        if not self.momentum:
            param += step
            return
        velocity *= self.momentum
        velocity += step
        param += velocity * self.momentum + step if self.nesterov else velocity
