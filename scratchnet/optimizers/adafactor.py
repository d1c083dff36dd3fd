"""Adafactor: Adam without a momentum, whose mean squares of a matrix are kept as one number a row and one a column.

    beta = 1 - t^beta_2_decay                          s = g^2 + epsilon_1
    r = beta r + (1 - beta) mean(s over columns)       c = beta c + (1 - beta) mean(s over rows)
    v = r c^T / mean(r)                                (a vector has v = beta v + (1 - beta) s itself)
    u = g / sqrt(v)                                    u = u / max(1, rms(u) / clip_threshold)
    w -= max(epsilon_2, rms(w)) rho u                  rho = min(lr, 1 / sqrt(t))

r c^T / mean(r) is the matrix of rank 1 that is nearest to the full v in the sense of the generalized Kullback-Leibler
divergence, for n + m numbers instead of n m. The step is relative to the size of w. Shazeer and Stern, "Adafactor:
adaptive learning rates with sublinear memory cost", 2018.
"""

import numpy as np

from scratchnet import kernels
from scratchnet.checks import check_bounds
from scratchnet.hints import LearningRate
from scratchnet.optimizers.arrays import compiled
from scratchnet.optimizers.base import Optimizer
from scratchnet.registry import register


@register("optimizers")
class Adafactor(Optimizer):
    """Adafactor.

    Args:
        learning_rate: see `Optimizer`, as for the arguments not named here.
        beta_2_decay: the exponent of t, below 0.
        epsilon_1: added to g^2.
        epsilon_2: the smallest size of a parameter, to which the step is relative.
        clip_threshold: the largest root mean square of a step.
        relative_step: whether a learning rate that is a number is at most 1 / sqrt(t).
    """

    slot_names = ("r", "c", "v")
    elementwise = False

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        *common,
        **kwargs,
    ):
        super().__init__(learning_rate, *common, **kwargs)
        self.beta_2_decay = check_bounds("Adafactor", "beta_2_decay", beta_2_decay, below=0)
        self.epsilon_1 = check_bounds("Adafactor", "epsilon_1", epsilon_1, at_least=0)
        self.epsilon_2 = check_bounds("Adafactor", "epsilon_2", epsilon_2, at_least=0)
        self.clip_threshold = check_bounds("Adafactor", "clip_threshold", clip_threshold, above=0)
        self.relative_step = bool(relative_step)

    def has_slot(self, name, key, param):
        return (name == "v") == (param.ndim < 2)

    def initial_slot(self, name, param):
        if name == "v":
            return np.zeros_like(param)
        return np.zeros_like(param[..., 0] if name == "r" else param[..., 0, :])

    def update_step(self, param, grad, slots, learning_rate):
        dtype, t = param.dtype.type, self.updates + 1
        rho = dtype(min(learning_rate, t**-0.5))
        beta = dtype(1 - t**self.beta_2_decay)
        if param.ndim > 1 and compiled(param):
            numbers = rho, beta, self.epsilon_1, self.epsilon_2, self.clip_threshold
            kernels.adafactor_update(param, grad, slots["r"], slots["c"], *numbers)
            return
        s = grad * grad + dtype(self.epsilon_1)
        if param.ndim < 2:
            v = slots["v"]
            v += (s - v) * (1 - beta)
        else:
            r, c = slots["r"], slots["c"]  # (..., n), (..., m)
            r += (s.mean(axis=-1) - r) * (1 - beta)
            c += (s.mean(axis=-2) - c) * (1 - beta)
            v = (r / r.mean(axis=-1, keepdims=True))[..., None] * c[..., None, :]  # (..., n, m)
        u = grad / np.sqrt(v)
        u /= max(dtype(1), _rms(u) / dtype(self.clip_threshold))
        param -= max(dtype(self.epsilon_2), _rms(param)) * rho * u


def _rms(a):
    return np.sqrt(np.square(a).mean())
