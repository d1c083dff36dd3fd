"""What normalizing layers share: behind x_hat, of mean 0 and variance 1, a scale gamma and a shift beta are learnt.

    y = gamma x_hat + beta        dgamma = sum(dy x_hat)        dbeta = sum(dy)        dx_hat = gamma dy

The sums are over everything along which gamma and beta do not vary. Over the axes of one group of numbers,

    mean = sum(x) / M        s = sqrt(sum((x - mean)^2) / M + epsilon)        x_hat = (x - mean) / s

x reaches x_hat in three ways: by itself, through the mean, and through s. Moving all x of a group by the same amount
changes no x_hat, and neither does stretching them: what of dx_hat lies along 1 and along x_hat is taken out.

    dx = (dx_hat - mean(dx_hat) - x_hat mean(dx_hat x_hat)) / s
"""

import math

import numpy as np

from scratchnet import constraints, initializers, regularizers
from scratchnet.checks import check_number
from scratchnet.hints import ConstraintLike, InitializerLike, RegularizerLike
from scratchnet.layers.base import Layer


class ScaleAndShift(Layer):
    """Base of the normalizing layers: ``gamma`` (where `scale`) and ``beta`` (where `center`)."""

    supports_masking = True
    lowest_axis = 1  # that `axis` may be; 0 is that of the samples
    needs_sizes = True  # whether the axes must have a size

    def __init__(
        self,
        epsilon: float,
        center: bool,
        scale: bool,
        beta_initializer: InitializerLike,
        gamma_initializer: InitializerLike,
        beta_regularizer: RegularizerLike,
        gamma_regularizer: RegularizerLike,
        beta_constraint: ConstraintLike,
        gamma_constraint: ConstraintLike,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.epsilon = check_number(self, "epsilon", epsilon)
        self.center = bool(center)
        self.scale = bool(scale)
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)

    def add_scale_and_shift(self, shape):
        """Create gamma and beta, as far as there are any."""
        if self.scale:
            self.add_weight(
                name="gamma",
                shape=shape,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
            )
        if self.center:
            self.add_weight(
                name="beta",
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )

    def gamma_and_beta(self, shape):
        """Both as arrays; ones and zeros of this shape where there are none."""
        gamma = self.params["gamma"] if self.scale else np.ones(shape, self.dtype)
        return gamma, self.params["beta"] if self.center else np.zeros(shape, self.dtype)

    def trained_grads(self, dgamma, dbeta):
        """The gradients of those that there are and that are trained."""
        found = self.trained({"gamma": dgamma, "beta": dbeta})
        return {name: d.reshape(self.params[name].shape).astype(self.dtype) for name, d in found.items()}

    def positive_axes(self, shape):
        """`self.axis`, one or several, counted from the front. Raises ValueError for what is no axis of `shape`."""
        ndim = len(shape)
        axes = self.axis if isinstance(self.axis, (list, tuple)) else [self.axis]
        positive = tuple(sorted(axis + ndim if axis < 0 else axis for axis in axes))
        if any(not self.lowest_axis <= axis < ndim for axis in positive):
            samples = ", or is that of the samples" * self.lowest_axis
            raise self.error(f"axis {self.axis} is not an axis of inputs with {ndim} axes{samples}")
        sizes = tuple(shape[axis] for axis in positive)
        if None in sizes and self.needs_sizes:
            raise self.error(f"the axis {self.axis} of its input must have a size, got {shape}")
        check_built_for(self, sizes, shape)
        return positive


def check_built_for(layer, sizes, shape):
    """Raise ValueError unless the layer's weights, which kernels read without looking, have these sizes."""
    weight = next(iter((*layer.params.values(), *layer.state.values())), None)
    if weight is not None and weight.shape != sizes:
        raise layer.error(f"was built for sizes {weight.shape} along axis {layer.axis}, got an input of shape {shape}")


def as_rows(x, axes):
    """x as (M, D): a row for each group of numbers over `axes`."""
    D = math.prod(x.shape[axis] for axis in axes)
    return (x if _are_last(axes, x.ndim) else x.transpose(_with_last(axes, x.ndim))).reshape(-1, D)


def from_rows(rows, shape, axes):
    """`as_rows` backwards, to an array of this shape."""
    if _are_last(axes, len(shape)):
        return rows.reshape(shape)
    order = _with_last(axes, len(shape))
    return rows.reshape([shape[k] for k in order]).transpose([order.index(k) for k in range(len(shape))])


def _are_last(axes, ndim):
    return axes == tuple(range(ndim - len(axes), ndim))


def _with_last(axes, ndim):
    """The order of all axes in which these are the last."""
    return [*(k for k in range(ndim) if k not in axes), *axes]
