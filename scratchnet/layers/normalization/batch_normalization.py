"""Batch normalization: every channel with mean 0 and variance 1 over the batch, then scaled and shifted.

    mean = sum(x) / M        variance = sum((x - mean)^2) / M        over all M values of a channel in the whole batch
    x_hat = (x - mean) / s        s = sqrt(variance + epsilon)        y = gamma x_hat + beta

A layer behind it need not follow the drift of what comes before it, and learns at larger rates (Ioffe and Szegedy,
"Batch normalization: accelerating deep network training by reducing internal covariate shift", 2015). At inference a
sample must not depend on its neighbours: mean and variance are then running averages from training, constants.

x reaches y in three ways: by itself, through the mean, and through the variance. Moving all x of a channel by the same
amount changes no y, and neither does stretching them: so what of dy lies along 1 and along x_hat is taken out.

    dgamma = sum(dy x_hat)        dbeta = sum(dy)        dx_hat = gamma dy
    dx = (dx_hat - sum(dx_hat) / M - x_hat sum(dx_hat x_hat) / M) / s

With batch renormalization (Ioffe, "Batch renormalization: towards reducing minibatch dependence in batch-normalized
models", 2017) a small batch is brought near to what the running averages m and t of mean and s say:

    y = gamma (r x_hat + d) + beta        r = s / t        d = (mean - m) / t        clipped, and taken as constants

so that training and inference see nearly the same. Then dgamma = sum(dy (r x_hat + d)) and dx_hat = r gamma dy.

A batch is computed in parts, by threads and perhaps by processes, but it is normalized as a whole: `sum_over_batch`
adds up what all parts hand in and gives every part the same sums.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from scratchnet import initializers, kernels
from scratchnet.checks import check_number
from scratchnet.hints import ConstraintLike, InitializerLike, RegularizerLike
from scratchnet.layers.normalization.scale_and_shift import ScaleAndShift, as_rows, from_rows
from scratchnet.parallel import sum_over_batch
from scratchnet.registry import register


class BatchNormalizationCache(NamedTuple):
    x: np.ndarray
    s: np.ndarray  # (C,)
    M: Any  # how many values a channel has in the whole batch; None where mean and variance are constants
    mean: np.ndarray  # (C,), of the whole batch
    variance: np.ndarray
    counted: Any  # of x's shape: 1 where it counts, 0 where a mask leaves it out; None where all of it counts
    r: Any = None  # (C,), the correction of batch renormalization; None without
    d: Any = None


@register("layers")
class BatchNormalization(ScaleAndShift):
    """Normalizes each channel over the batch in training, and by running averages at inference.

    Args:
        axis: that of the channels; all others are averaged over.
        momentum: how much of a running average stays at each step.
        epsilon: added to the variance.
        center, scale: whether there are beta and gamma.
        beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer: of the weights, each
            (C,).
        beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: of beta and gamma.
        renorm: whether batches are renormalized in training.
        renorm_clipping: a dict with some of "rmin", "rmax" and "dmax": r stays in [rmin, rmax], d in [-dmax, dmax].
        renorm_momentum: as `momentum`, of the averages m and t.
        synchronized: taken: the batch is always normalized as a whole.

    A layer that is frozen (``trainable = False``) runs in inference mode, and its averages stand still, as in Keras.
    `state`: ``moving_mean`` and ``moving_variance``; with `renorm` also ``moving_stddev``, ``renorm_mean`` (m) and
    ``renorm_stddev`` (t). A mask (N, T) leaves masked steps out of mean and variance.

    Shapes: any with a channel axis of known size; the output has that of the input.

    Raises:
        ValueError: for a momentum, epsilon or clipping out of range, or an input without that axis.
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: InitializerLike = "zeros",
        gamma_initializer: InitializerLike = "ones",
        moving_mean_initializer: InitializerLike = "zeros",
        moving_variance_initializer: InitializerLike = "ones",
        beta_regularizer: RegularizerLike = None,
        gamma_regularizer: RegularizerLike = None,
        beta_constraint: ConstraintLike = None,
        gamma_constraint: ConstraintLike = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs,
    ):
        super().__init__(
            epsilon,
            center,
            scale,
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
            **kwargs,
        )
        self.axis = axis
        self.momentum = check_number(self, "momentum", momentum)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.renorm = bool(renorm)
        self.renorm_clipping = self._check_clipping(renorm_clipping or {}) if renorm else renorm_clipping
        self.renorm_momentum = check_number(self, "renorm_momentum", renorm_momentum)
        self.synchronized = bool(synchronized)

    def build(self, input_shape):
        (axis,) = self.positive_axes(input_shape)
        C = input_shape[axis]
        self.add_scale_and_shift((C,))
        self.add_weight((C,), self.moving_mean_initializer, trainable=False, name="moving_mean")
        self.add_weight((C,), self.moving_variance_initializer, trainable=False, name="moving_variance")
        if self.renorm:
            t = np.sqrt(self.moving_variance_initializer((C,), dtype=self.dtype))
            self.add_weight((C,), lambda shape, dtype: t, trainable=False, name="moving_stddev")
            self.add_weight((C,), self.moving_mean_initializer, trainable=False, name="renorm_mean")
            self.add_weight((C,), lambda shape, dtype: t, trainable=False, name="renorm_stddev")
        self.built = True

    def _check_clipping(self, clipping):
        unknown = sorted(clipping.keys() - {"rmin", "rmax", "dmax"})
        if unknown:
            raise self.error(f"renorm_clipping takes rmin, rmax and dmax, got {', '.join(unknown)}")
        bounds = {name: check_number(self, name, value) for name, value in clipping.items() if value is not None}
        if bounds.get("rmin", 0) > bounds.get("rmax", np.inf):
            raise self.error(f"rmin {bounds['rmin']} is above rmax {bounds['rmax']}")
        return clipping

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "*")
        self.positive_axes(input_shape)
        return input_shape

    def forward(self, x, training=False, mask=None):
        self.unpack(x, "*")
        rows, counted = self._rows(x), None  # (1, M, C)
        if training and self.trainable:
            counted = None if mask is None else _as_factor(mask, x)
            M, mean, variance = batch_moments(rows, None if mask is None else self._rows(counted))
        else:
            M, mean, variance = None, self.state["moving_mean"].copy(), self.state["moving_variance"]
        s = np.sqrt(variance + self.epsilon)
        cache = BatchNormalizationCache(x, s, M, mean, variance, counted)
        gamma, beta = self.gamma_and_beta(mean.shape)
        if M is not None and self.renorm:
            r, d = self._correction(mean, s)
            gamma, beta = gamma * r, gamma * d + beta  # y = gamma (r x_hat + d) + beta
            cache = cache._replace(r=r, d=d)
        y = kernels.normalize_forward(rows, mean[np.newaxis], s[np.newaxis], gamma, beta)
        return from_rows(y, x.shape, self.positive_axes(x.shape)), cache

    def _correction(self, mean, s):
        """(r, d) of batch renormalization."""
        m, t = self.state["renorm_mean"], np.maximum(self.state["renorm_stddev"], np.sqrt(self.epsilon))
        bounds = {name: value for name, value in self.renorm_clipping.items() if value is not None}
        r = np.clip(s / t, bounds.get("rmin", 0), bounds.get("rmax", np.inf))
        dmax = bounds.get("dmax", np.inf)
        return r, np.clip((mean - m) / t, -dmax, dmax)

    def backward(self, dy, cache, needs_dx=True):
        M, r, d, shape = cache.M, cache.r, cache.d, cache.x.shape
        arrays = self._rows(dy), self._rows(cache.x), cache.mean[np.newaxis], cache.s[np.newaxis]
        scale, _ = self.gamma_and_beta(cache.s.shape)
        (dbeta,), (dgamma,) = kernels.channel_products(*arrays)  # y = gamma x_hat + beta, of this part
        if r is None:
            grads = self.trained_grads(dgamma, dbeta)
        else:  # y = gamma (r x_hat + d) + beta
            grads, scale = self.trained_grads(r * dgamma + d * dbeta, dbeta), scale * r
        if not needs_dx:
            return None, grads
        along = np.zeros((2, 1, len(scale)))  # mean and variance are constants
        if M is not None:  # what of dx_hat = scale dy lies along 1 and along x_hat, in the whole batch
            along[:, 0] = np.divide(sum_over_batch(scale * dbeta, scale * dgamma), M)
        dx = kernels.normalize_backward(*arrays, scale, *along)
        if cache.counted is not None:  # what is masked moves neither mean nor variance
            by_itself = kernels.normalize_backward(*arrays, scale, *np.zeros_like(along))
            dx = np.where(self._rows(cache.counted), dx, by_itself)
        return from_rows(dx, shape, self.positive_axes(shape)), grads

    def remember(self, cache):
        if cache.M is None:
            return
        moved = [("moving_mean", cache.mean, self.momentum), ("moving_variance", cache.variance, self.momentum)]
        if self.renorm:
            s = np.sqrt(cache.variance + self.epsilon)
            moved[1] = ("moving_stddev", s, self.momentum)
            moved += [("renorm_mean", cache.mean, self.renorm_momentum), ("renorm_stddev", s, self.renorm_momentum)]
        for name, value, momentum in moved:
            self.state[name] += (1 - momentum) * (value - self.state[name])
        if self.renorm:
            variance = np.square(self.state["moving_stddev"]) - self.epsilon
            self.state["moving_variance"][...] = np.maximum(variance, 0)

    def _rows(self, x):
        """x as (1, M, C), the channels last."""
        return as_rows(x, self.positive_axes(x.shape))[np.newaxis]


def batch_moments(x, counted):
    """``(M, mean, variance)`` of each channel of (1, M, C) in the whole batch, of the values that count."""
    if counted is None:
        (mean_here,), (squares,) = kernels.channel_moments(x)
        M_here = x.shape[1]
        total = M_here * mean_here
    else:
        M_here, total = float(counted.sum()) / x.shape[-1], (x * counted).sum((0, 1), dtype=np.float64)
    M, total = sum_over_batch(M_here, total)
    M = np.maximum(M, 1.0)  # a batch of which nothing counts has the mean 0
    mean = total / M  # (C,)
    if counted is None:  # of this part around its own mean, and of that around the mean of the batch
        squares = squares + M_here * np.square(mean_here - mean)
    else:  # in a second pass: E[x^2] - mean^2 would cancel
        squares = (np.square(x - mean.astype(x.dtype)) * counted).sum((0, 1), dtype=np.float64)
    (squares,) = sum_over_batch(squares)
    return M, mean, squares / M


def _as_factor(mask, x):
    """A mask as zeros and ones of x's shape."""
    return np.broadcast_to(mask.reshape(mask.shape + (1,) * (x.ndim - mask.ndim)).astype(x.dtype), x.shape)
