"""Spectral normalization: a kernel divided by its largest singular value, so that the layer stretches nothing.

    W_bar = W / sigma,    sigma = max over h of  |h W| / |h|        W as a matrix of (everything else, outputs)

Then no input that moves by d moves the output by more than |d|: the layer's Lipschitz constant is 1, which keeps a
discriminator from growing so steep that the generator learns nothing (Miyato et al., "Spectral normalization for
generative adversarial networks", 2018). sigma is found by power iteration, whose vectors u and v close in on the
singular vectors that belong to it. u goes on where the step before left it, so that one iteration a step is enough:

    v = u W^T / |u W^T|        u = v W / |v W|        sigma = v W u^T

As in Keras it is the kernel itself that is normalized, at each step of training before the layer is used: it *is* W_bar
then, and the gradient is that of W_bar. forward computes with W_bar, but changes nothing; `remember`, after the step,
adds W_bar - W to what the optimizer has made of the kernel. At inference the kernel is used as it is.
"""

import copy
from typing import Any, NamedTuple

import numpy as np

from scratchnet.checks import check_positive_int
from scratchnet.initializers import TruncatedNormal
from scratchnet.layers.wrapper import Wrapper
from scratchnet.registry import register


class SpectralNormalizationCache(NamedTuple):
    inner: Any  # the layer's own cache
    W_bar: Any  # None at inference
    moved: Any  # W_bar - W
    u: Any  # (1, outputs)


@register("layers")
class SpectralNormalization(Wrapper):
    """A layer whose kernel (or embeddings) is kept at the spectral norm 1 in training.

    Args:
        layer: a layer with a `kernel`, such as Dense or a convolution, or with `embeddings`.
        power_iterations: how many iterations are made at each step.

    Shapes: those of the layer. `state`: ``vector_u`` (1, outputs), beside that of the layer.

    Raises:
        TypeError: if `layer` is not a layer.
        ValueError: for a layer without such a weight, or iterations that are not positive.
    """

    def __init__(self, layer: Any, power_iterations: int = 1, **kwargs):
        super().__init__(layer, **kwargs)
        self.power_iterations = check_positive_int(self, "power_iterations", power_iterations)

    def build(self, input_shape):
        self.layer.ensure_built(input_shape)
        kernel = self.layer.params[self._kernel_name]
        self.add_weight((1, kernel.shape[-1]), TruncatedNormal(stddev=0.02), trainable=False, name="vector_u")
        self.built = True

    @property
    def _kernel_name(self):
        found = [name for name in ("kernel", "embeddings") if name in self.layer.params]
        if not found:
            raise self.error(f'the layer "{self.layer.name}" has neither a kernel nor embeddings to normalize')
        return found[0]

    def named_arrays(self):
        """In Keras's order: the kernel, u, the rest."""
        arrays = super().named_arrays()
        return {self._kernel_name: arrays[self._kernel_name], **arrays} if self.built else arrays

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def normalized(self):
        """``(W_bar, u)``; a kernel of zeros, which has no direction, stays as it is."""
        W, u = self.layer.params[self._kernel_name], self.state["vector_u"]
        if not W.any():
            return W, u
        matrix = W.reshape(-1, W.shape[-1])
        for _ in range(self.power_iterations):
            v = _unit(u @ matrix.T)
            u = _unit(v @ matrix)
        sigma = (v @ matrix @ u.T).item()
        return W / W.dtype.type(sigma), u

    def forward(self, x, training=False):
        if not training:
            y, inner = self.layer.forward(x)
            return y, SpectralNormalizationCache(inner, None, None, None)
        W_bar, u = self.normalized()
        y, inner = self._with_kernel(W_bar).forward(x, training=True)
        return y, SpectralNormalizationCache(inner, W_bar, W_bar - self.layer.params[self._kernel_name], u)

    def backward(self, dy, cache, needs_dx=True):
        layer = self.layer if cache.W_bar is None else self._with_kernel(cache.W_bar)
        return layer.backward(dy, cache.inner, needs_dx=needs_dx)

    def remember(self, cache):
        self.layer.remember(cache.inner)
        if cache.W_bar is not None:
            self.layer.params[self._kernel_name] += cache.moved
            self.state["vector_u"][...] = cache.u

    def added_loss(self, cache):
        return self.layer.added_loss(cache.inner)

    def _with_kernel(self, W_bar):
        """The layer with W_bar in place of its kernel."""
        twin = copy.copy(self.layer)
        twin._params = {**self.layer.params, self._kernel_name: W_bar}
        return twin


def _unit(vector):
    return vector / max(np.linalg.norm(vector), np.finfo(vector.dtype).tiny)
