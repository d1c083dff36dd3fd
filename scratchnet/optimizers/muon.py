"""Muon: momentum whose step is made orthogonal: all directions of a matrix move alike. Other parameters follow Adam.

    m = momentum m + g                          step = g + momentum m with nesterov, else m
    X = step / |step|                           A = X X^T,  X = a X + (b A + c A^2) X, ns_steps times
    w -= lr rms_rate sqrt(max(n, m)) X

With X = U S V^T, each Newton-Schulz iteration changes only the singular values, s -> a s + b s^3 + c s^5, towards 1: X
comes near U V^T, the orthogonal matrix that is nearest to the step, without a decomposition. Jordan et al., "Muon: an
optimizer for hidden layers in neural networks", 2024; the factor behind lr, which makes Adam's learning rates fit: Liu
et al., "Muon is scalable for LLM training", 2025.
"""

import re
from collections.abc import Sequence

import numpy as np

from scratchnet.checks import check_bounds
from scratchnet.hints import LearningRate
from scratchnet.optimizers.base import Optimizer
from scratchnet.registry import register


@register("optimizers")
class Muon(Optimizer):
    """Muon for matrices, AdamW for everything else.

    Args:
        learning_rate: see `Optimizer`, as for the arguments not named here.
        adam_beta_1, adam_beta_2, epsilon, adam_weight_decay: of AdamW.
        weight_decay: of the parameters that follow Muon.
        exclude_layers: list of regular expressions; a matrix whose key ("dense/kernel") has one follows AdamW.
        exclude_embeddings: whether keys with "embedding" do.
        muon_a, muon_b, muon_c: the polynomial of the iteration.
        adam_lr_ratio: the learning rate of AdamW, as a multiple of the other.
        momentum, nesterov: as in `SGD`.
        ns_steps: the number of iterations.
        rms_rate: see above; None leaves the factor ``rms_rate sqrt(max(n, m))`` away.
    """

    slot_names = ("m", "v")
    elementwise = False

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.7750,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float = 0.2,
        **kwargs,
    ):
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
            **kwargs,
        )
        self.adam_beta_1 = check_bounds("Muon", "adam_beta_1", adam_beta_1, at_least=0, below=1)
        self.adam_beta_2 = check_bounds("Muon", "adam_beta_2", adam_beta_2, at_least=0, below=1)
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = check_bounds("Muon", "epsilon", epsilon, at_least=0)
        self.exclude_layers = list(exclude_layers or [])
        self.exclude_embeddings = bool(exclude_embeddings)
        self.muon_a, self.muon_b, self.muon_c = muon_a, muon_b, muon_c
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = check_bounds("Muon", "momentum", momentum, at_least=0, at_most=1)
        self.ns_steps = ns_steps
        self.nesterov = bool(nesterov)
        self.rms_rate = rms_rate

    def has_slot(self, name, key, param):
        return name == "m" or self._follows_adam(key, param)

    def decay_of(self, key, param):
        return self.adam_weight_decay if self._follows_adam(key, param) else self.weight_decay

    def _follows_adam(self, key, param):
        if param.ndim != 2 or (self.exclude_embeddings and "embedding" in key.lower()):
            return True
        return any(re.search(pattern, key) for pattern in self.exclude_layers)

    def update_step(self, param, grad, slots, learning_rate):
        if "v" in slots:
            self._adam_step(param, grad, slots["m"], slots["v"], learning_rate * self.adam_lr_ratio)
            return
        m = slots["m"]
        m *= self.momentum
        m += grad
        X = self._orthogonal(grad + self.momentum * m if self.nesterov else m)
        factor = 1 if self.rms_rate is None else self.rms_rate * max(param.shape) ** 0.5
        param -= param.dtype.type(learning_rate * factor) * X

    def _orthogonal(self, step):
        tall = step.shape[0] > step.shape[1]
        X = step.T if tall else step  # so that A is the smaller of the two products
        X = X / (np.sqrt(np.square(X).sum()) + X.dtype.type(1e-7))  # no singular value is above 1
        for _ in range(self.ns_steps):
            A = X @ X.T
            X = self.muon_a * X + (self.muon_b * A + self.muon_c * A @ A) @ X
        return X.T if tall else X

    def _adam_step(self, param, grad, m, v, learning_rate):
        dtype, t = param.dtype.type, self.updates + 1
        m += (grad - m) * (1 - self.adam_beta_1)
        v += (grad * grad - v) * (1 - self.adam_beta_2)
        bias = np.sqrt(1 - dtype(self.adam_beta_2) ** t) / (1 - dtype(self.adam_beta_1) ** t)
        param -= dtype(learning_rate) * bias * m / (np.sqrt(v) + self.epsilon)
