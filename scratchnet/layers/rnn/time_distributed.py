"""One layer, applied to every time step alike.

    y_t = layer(x_t)    for t = 1 ... T

The steps share the layer's weights and know nothing of each other: they are simply more samples. So time is folded into
the batch, (N, T, ...) -> (N T, ...), the layer computes forward or backward as ever, and the result is unfolded.

A layer that remembers something of a batch in training, as BatchNormalization does its mean, is another matter: there
each step is a batch of its own, remembered after the one before, and the gradients of the weights add up.
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet.layers.rnn.masks import of_steps
from scratchnet.layers.wrapper import Wrapper
from scratchnet.registry import register


class TimeDistributedCache(NamedTuple):
    steps: tuple  # (N, T)
    inner: Any  # the layer's own cache, of the folded batch


class StepByStepCache(NamedTuple):
    inners: list  # the layer's own cache of each step


@register("layers")
class TimeDistributed(Wrapper):
    """Applies `layer` to every step of a sequence.

    Args:
        layer: any layer (or model) with one input and one output; its parameters are this layer's.

    A mask (N, T) goes on with the output. One that has further axes is of what is within the steps, and for the layer.
    In training a layer that normalizes the batch normalizes each step by itself, as in Keras.

    Shapes: (N, T, ...) -> (N, T, ...), where the layer takes (N, ...) to (N, ...).

    Raises:
        TypeError: if `layer` is not a layer.
        ValueError: for an input of fewer than three axes, or one whose steps the layer refuses.
    """

    supports_masking = True

    # ---- shapes ----

    def build(self, input_shape):
        self.layer.ensure_built(self._folded(input_shape))
        self.built = True

    def compute_output_shape(self, input_shape):
        folded = self._folded(input_shape)
        if self.layer.looks_across(folded) and not self.layer.stateful:
            raise self.error(f"samples meet in the layer {self.layer.name!r}, which would take all steps for samples")
        shape = self.layer.compute_output_shape(folded)
        if not isinstance(shape, tuple):
            raise self.error(f"expected a layer with one output, got {len(shape)} from {self.layer.name}")
        return (*input_shape[:2], *shape[1:])

    def _folded(self, shape):
        """(N, T, ...) -> (N T, ...)"""
        if not isinstance(shape, tuple):
            raise self.error(f"expected one input of shape (N, T, ...), got {len(shape)} inputs")
        if len(shape) < 3:
            raise self.error(f"expected an input of shape (N, T, ...) with at least three axes, got {shape}")
        N, T, *rest = shape
        return (None if None in (N, T) else N * T, *rest)

    # ---- masks ----

    @property
    def takes_mask(self):
        return self.layer.takes_mask

    def compute_mask(self, x, mask=None):
        if mask is not None and tuple(mask.shape[:2]) != tuple(x.shape[:2]):
            raise self.error(f"a mask of shape {tuple(mask.shape)} does not fit an input of shape {tuple(x.shape)}")
        is_of_steps = mask is None or len(mask.shape) <= 2
        return mask if is_of_steps or self.layer.output_masked(True) else of_steps(mask)

    # ---- computing ----

    def forward(self, x, training=False, mask=None):
        if training and self.layer.trainable and self.layer.state:
            return self._forward_step_by_step(x, mask)
        N, T = x.shape[:2]
        options = {}
        if mask is not None and np.ndim(mask) > 2:
            options["mask"] = np.reshape(mask, (N * T, *np.shape(mask)[2:]))  # that of each step, to its step
        y, inner = self.layer.forward(x.reshape(self._folded(x.shape)), training=training, **options)
        return y.reshape(N, T, *y.shape[1:]), TimeDistributedCache((N, T), inner)

    def _forward_step_by_step(self, x, mask):
        ys, caches = [], []
        for t in range(x.shape[1]):
            options = {}
            if mask is not None and self.takes_mask and (np.ndim(mask) > 2 or x.ndim == 3):
                options["mask"] = mask[:, t]  # that of the step's values or, of a step (N, D), of its samples
            y, cache = self.layer.forward(np.ascontiguousarray(x[:, t]), training=True, **options)
            ys.append(y)
            caches.append(cache)
        return np.stack(ys, axis=1), StepByStepCache(caches)

    def backward(self, dy, cache, needs_dx=True):
        if isinstance(cache, StepByStepCache):
            return self._backward_step_by_step(dy, cache, needs_dx)
        N, T = cache.steps
        dx, grads = self.layer.backward(dy.reshape(N * T, *dy.shape[2:]), cache.inner, needs_dx=needs_dx)
        return dx.reshape(N, T, *dx.shape[1:]) if needs_dx else None, grads

    def _backward_step_by_step(self, dy, cache, needs_dx):
        dxs, sums = [], {}
        for t, inner in enumerate(cache.inners):
            dx, grads = self.layer.backward(np.ascontiguousarray(dy[:, t]), inner, needs_dx=needs_dx)
            dxs.append(dx)
            for name, gradient in grads.items():
                sums[name] = sums[name] + gradient if name in sums else gradient
        return np.stack(dxs, axis=1) if needs_dx else None, sums

    def remember(self, cache):
        for inner in _inners(cache):
            self.layer.remember(inner)

    def added_loss(self, cache):
        return sum(self.layer.added_loss(inner) for inner in _inners(cache))


def _inners(cache):
    return cache.inners if isinstance(cache, StepByStepCache) else [cache.inner]
