"""Adam and its relatives: steps in the direction of a running mean, divided by the root of a running mean square.

    m = beta_1 m + (1 - beta_1) g                v = beta_2 v + (1 - beta_2) g^2
    w -= lr sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon)

Both means start at zero; the factor in front of m, at step t = 1, 2, ..., corrects that bias (Kingma and Ba,
"Adam: a method for stochastic optimization", 2015; this order of the operations is the one after their algorithm 1,
with epsilon outside the root).
"""

import numpy as np

from scratchnet import kernels
from scratchnet.checks import check_bounds
from scratchnet.hints import LearningRate
from scratchnet.optimizers.arrays import compiled
from scratchnet.optimizers.base import Optimizer
from scratchnet.registry import register


@register("optimizers")
class Adam(Optimizer):
    """Adam.

    Args:
        learning_rate: see `Optimizer`, as for the arguments not named here.
        beta_1, beta_2: how much of the running means of g and g^2 is kept, in [0, 1).
        epsilon: added to the root.
        amsgrad: whether to divide by the largest v so far (Reddi, Kale and Kumar, "On the convergence of Adam and
            beyond", 2018).
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        *common,
        **kwargs,
    ):
        super().__init__(learning_rate, *common, **kwargs)
        name = type(self).__name__
        self.beta_1 = check_bounds(name, "beta_1", beta_1, at_least=0, below=1)
        self.beta_2 = check_bounds(name, "beta_2", beta_2, at_least=0, below=1)
        self.epsilon = check_bounds(name, "epsilon", epsilon, at_least=0)
        self.amsgrad = bool(amsgrad)
        self.slot_names = ("m", "v", "v_hat") if amsgrad else ("m", "v")

        self._step_sizes = {}  # dtype -> ((t, learning rate), step size)

    def _step_size(self, dtype, learning_rate):
        """``lr sqrt(1 - beta_2^t) / (1 - beta_1^t)``, the same for all parameters of a step."""
        now = self.updates + 1, learning_rate
        known, step_size = self._step_sizes.get(dtype, (None, None))
        if known != now:
            # In the parameter's dtype, as in Keras: float32's 0.999 makes the first steps 6e-6 shorter, which is seen.
            of_v, of_m = np.sqrt(1 - dtype(self.beta_2) ** now[0]), 1 - dtype(self.beta_1) ** now[0]
            step_size = dtype(learning_rate) * of_v / of_m
            self._step_sizes[dtype] = now, step_size
        return step_size

    def update_step(self, param, grad, slots, learning_rate):
        step_size = self._step_size(param.dtype.type, learning_rate)
        m, v, v_hat = slots["m"], slots["v"], slots.get("v_hat")
        if not self.amsgrad:
            kernels.adam_update(param, grad, m, v, step_size, self.beta_1, self.beta_2, self.epsilon)
            return
        if compiled(param):
            kernels.amsgrad_update(param, grad, m, v, v_hat, step_size, self.beta_1, self.beta_2, self.epsilon)
            return
        m += (grad - m) * (1 - self.beta_1)
        v += (grad * grad - v) * (1 - self.beta_2)
        np.maximum(v_hat, v, out=v_hat)
        param -= m * step_size / (np.sqrt(v_hat) + self.epsilon)


@register("optimizers")
class AdamW(Adam):
    """Adam with weight decay beside the gradient step instead of in the gradient.

    Loshchilov and Hutter, "Decoupled weight decay regularization", 2019. Arguments as `Adam`; `weight_decay` is 0.004
    by default.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        *common,
        **kwargs,
    ):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, *common, **kwargs)
        if weight_decay is None:
            raise ValueError("AdamW: weight_decay must be a number; use Adam to go without")


@register("optimizers")
class Nadam(Optimizer):
    """Adam with Nesterov's look ahead: the next step's momentum is applied in this one.

    mu_t = beta_1 (1 - 0.5 * 0.96^t) is the momentum of step t, and with M_t = mu_1 ... mu_t

        m_hat = mu_(t+1) m / (1 - M_(t+1)) + (1 - mu_t) g / (1 - M_t)        v_hat = v / (1 - beta_2^t)
        w -= lr m_hat / (sqrt(v_hat) + epsilon)

    Dozat, "Incorporating Nesterov momentum into Adam", 2016. Arguments as `Adam`, without amsgrad.
    """

    slot_names = ("m", "v")

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
        self.beta_1 = check_bounds("Nadam", "beta_1", beta_1, at_least=0, below=1)
        self.beta_2 = check_bounds("Nadam", "beta_2", beta_2, at_least=0, below=1)
        self.epsilon = check_bounds("Nadam", "epsilon", epsilon, at_least=0)
        self._product = (0, 1.0)  # (t, mu_1 ... mu_t)

    def _momentum(self, t):
        return self.beta_1 * (1 - 0.5 * 0.96**t)

    def momentum_product(self, t):
        """mu_1 ... mu_t"""
        done, product = self._product if self._product[0] <= t else (0, 1.0)  # else: set_state went back
        for k in range(done + 1, t + 1):
            product *= self._momentum(k)
        return product

    def begin_step(self):
        t = self.updates + 1
        self._product = (t, self.momentum_product(t))

    def update_step(self, param, grad, slots, learning_rate):
        t = self.updates + 1
        dtype = param.dtype.type
        m, v = slots["m"], slots["v"]
        mu, mu_next = self._momentum(t), self._momentum(t + 1)
        _, product = self._product
        of_m, of_grad, of_v = mu_next / (1 - product * mu_next), (1 - mu) / (1 - product), 1 - self.beta_2**t
        if compiled(param):
            numbers = learning_rate, self.beta_1, self.beta_2, self.epsilon, of_m, of_grad, of_v
            kernels.nadam_update(param, grad, m, v, *numbers)
            return
        m += (grad - m) * (1 - self.beta_1)
        v += (grad * grad - v) * (1 - self.beta_2)
        m_hat = m * dtype(of_m) + grad * dtype(of_grad)
        v_hat = v / dtype(of_v)
        param -= m_hat * dtype(learning_rate) / (np.sqrt(v_hat) + self.epsilon)
