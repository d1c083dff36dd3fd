"""The fully connected layer.

    z = x W + b          y = f(z)

Every output is a weighted sum of all inputs, passed through an activation f (Rosenblatt 1958; gradients by Rumelhart,
Hinton and Williams, "Learning representations by back-propagating errors", 1986). With L the loss and d v = dL/dv:

    dz = dy * f'(z)      dW = x^T dz      db = sum over the batch of dz      dx = dz W^T
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet import activations, constraints, initializers, kernels, regularizers
from scratchnet.checks import check_positive_int
from scratchnet.hints import ActivationLike, ConstraintLike, InitializerLike, RegularizerLike
from scratchnet.layers.base import Layer, with_activation
from scratchnet.registry import register


class DenseCache(NamedTuple):
    x: np.ndarray  # (N, ..., D)
    activation: Any


@register("layers")
class Dense(Layer):
    """``y = activation(x W + b)`` over the last axis.

    Args:
        units: U, the number of outputs.
        activation: name or Activation; None is linear.
        use_bias: whether there is a bias b.
        kernel_initializer, bias_initializer: of ``kernel`` (D, U) and ``bias`` (U,).
        kernel_regularizer, bias_regularizer: what is added to the loss for their size.
        kernel_constraint, bias_constraint: what they have to obey after each step.

    Shapes: (N, ..., D) -> (N, ..., U).

    Raises:
        ValueError: if `units` is not a positive integer, or the last axis of an input differs from what was built.
    """

    supports_masking = True
    absent = dict.fromkeys(("lora_rank", "lora_alpha", "quantization_config"), (None,))

    def __init__(
        self,
        units: int,
        activation: ActivationLike = None,
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = check_positive_int(self, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        D = input_shape[-1]
        self.add_weight(
            name="kernel",
            shape=(D, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def compute_output_shape(self, input_shape):
        self.check_shape(input_shape, "N*D", **self._expected())
        if input_shape[-1] is None:
            raise self.error(f"the last axis of its input must have a size, got {input_shape}")
        return (*input_shape[:-1], self.units)

    def forward(self, x, training=False):
        *N, D = self.unpack(x, "N*D", **self._expected())
        W = self.params["kernel"]
        z = kernels.matmul(x.reshape(-1, D), W)  # (N..., U)
        if self.use_bias:
            z += self.params["bias"]
        y, activation = self.activation.forward(z.reshape(*N, self.units), overwrite=True)
        return y, DenseCache(x, activation)

    def backward(self, dy, cache, needs_dx=True):
        x, W = cache.x, self.params["kernel"]
        D, U = W.shape
        dz = self.activation.backward(dy, cache.activation).reshape(-1, U)  # y = f(z)
        grads = {}
        if self.trainable:
            grads["kernel"] = kernels.matmul(x.reshape(-1, D).T, dz)  # z = x W + b
            if self.use_bias:
                grads["bias"] = dz.sum(axis=0)
        dx = kernels.matmul(dz, W.T).reshape(x.shape) if needs_dx else None
        return dx, self.trained(grads)

    def without_last_activation(self):
        return with_activation(self, activations.linear), self.activation

    def _expected(self):
        return {"D": self.params["kernel"].shape[0]} if self.built else {}
