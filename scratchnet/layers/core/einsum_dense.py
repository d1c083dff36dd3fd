"""The fully connected layer for tensors of any layout: which axes are summed, kept and made, an equation says.

    y = f(einsum(equation, x, W) + b)            "abc,cde->abde":  z[a, b, d, e] = sum over c of  x[a, b, c] W[c, d, e]

`Dense` is "...x,xy->...y"; the heads of an attention layer are the example above. Each adjoint is an einsum as well, in
which dz takes the place of what is looked for (Einstein's convention of sums, 1916; Laue, Mitterreiter and Giesen, "A
simple and efficient tensor calculus", 2020):

    dz = dy * f'(z)      dx = einsum("abde,cde->abc", dz, W)      dW = einsum("abc,abde->cde", x, dz)
"""

import functools
import math
import re
import string
from typing import Any, NamedTuple

import numpy as np

from scratchnet import activations, constraints, initializers, regularizers
from scratchnet.hints import ActivationLike, ConstraintLike, InitializerLike, RegularizerLike
from scratchnet.kernels import fused
from scratchnet.layers.base import Layer, with_activation
from scratchnet.ops.contraction import contract
from scratchnet.ops.operation import unbroadcast
from scratchnet.registry import register


class EinsumDenseCache(NamedTuple):
    x: np.ndarray
    activation: Any


@register("layers")
class EinsumDense(Layer):
    """``y = activation(einsum(equation, x, kernel) + bias)``.

    Args:
        equation: "x,kernel->y" with a letter for each axis; "..." in front or behind stands for axes of x that y has as
            well.
        output_shape: the sizes of y's axes without that of the samples and those of "..."; None for a size that x says.
        activation: name or Activation; None is linear.
        bias_axes: the letters of y along which the bias varies; None for no bias.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, kernel_constraint, bias_constraint:
            of ``kernel``, whose shape the equation tells, and of ``bias``.

    Shapes: as the equation says.

    Raises:
        ValueError: for an invalid equation, one that does not determine the kernel, or that x or `output_shape` does
            not fit; and where a letter is in x alone: sum x along it first.
    """

    absent = dict.fromkeys(("lora_rank", "lora_alpha", "gptq_unpacked_column_size", "quantization_config"), (None,))

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: ActivationLike = None,
        bias_axes: str | None = None,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.equation = equation
        self.output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        self.activation = activations.get(activation)
        self.bias_axes = bias_axes
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self._check_equation()

    def build(self, input_shape):
        x, w, y = self._letters(len(input_shape))
        sizes = self._sizes(input_shape)
        if any(sizes[c] is None for c in w):
            raise self.error(f"the axes of its kernel must have a size, got {self.equation!r} of {input_shape}")
        initializer = self.kernel_initializer
        if isinstance(initializer, initializers.VarianceScaling):
            made = [k for k, c in enumerate(w) if c in y]
            initializer = initializer.with_axes([k for k in range(len(w)) if k not in made], made)
        self.add_weight(
            name="kernel",
            shape=[sizes[c] for c in w],
            initializer=initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.bias_axes is not None:
            first = min(y.index(c) for c in self.bias_axes)
            self.add_weight(
                name="bias",
                shape=[sizes[c] if c in self.bias_axes else 1 for c in y[first:]],
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def compute_output_shape(self, input_shape):
        y, sizes = self._letters(len(input_shape))[2], self._sizes(input_shape)
        return tuple(sizes[c] for c in y)

    def forward(self, x, training=False):
        self.unpack(x, "*")
        self.compute_output_shape(x.shape)
        if summed := self._summed(x.ndim):
            W, b = self._matrix_and_bias(summed)
            y, kept = fused.affine_forward(x.reshape(-1, len(W)), W, b, self.activation)
            return y.reshape(*x.shape[:-summed], *self.params["kernel"].shape[summed:]), EinsumDenseCache(x, kept)
        z = contract(*self._letters(x.ndim), x, self.params["kernel"])
        if self.bias_axes is not None:
            z += self.params["bias"]
        y, activation = self.activation.forward(z, overwrite=True)
        return y, EinsumDenseCache(x, activation)

    def backward(self, dy, cache, needs_dx=True):
        x, W = cache.x, self.params["kernel"]
        if summed := self._summed(x.ndim):
            return self._backward_of_matrix(dy, cache, summed, needs_dx)
        x_letters, w_letters, z_letters = self._letters(x.ndim)
        dz = self.activation.backward(dy, cache.activation)  # y = f(z)
        grads = {}
        if self.trainable:
            grads["kernel"] = contract(x_letters, z_letters, w_letters, x, dz)  # z = einsum(x, W) + b
            if self.bias_axes is not None:
                grads["bias"] = unbroadcast(dz, self.params["bias"].shape)
        dx = contract(z_letters, w_letters, x_letters, dz, W) if needs_dx else None
        return dx, grads

    # ---- where it is x W + b ----

    def _summed(self, ndim):
        """How many axes are summed where each row of x meets one matrix, as in `Dense`: the last of x, first of W.

        Otherwise 0: where axes lie in another order, or an activation is not element by element.
        """
        x, w, y = self._letters(ndim)
        summed = len(w) - sum(c in y for c in w)
        rows, made = x[: len(x) - summed], w[summed:]
        is_matrix = summed and x == rows + w[:summed] and y == rows + made
        has_its_bias = self.bias_axes is None or {*self.bias_axes} == {*made}
        is_elementwise = self.activation is activations.linear or fused.is_relu(self.activation)
        return summed if is_matrix and has_its_bias and is_elementwise else 0

    def _matrix_and_bias(self, summed):
        kernel, bias = self.params["kernel"], self.params.get("bias")
        return kernel.reshape(math.prod(kernel.shape[:summed]), -1), None if bias is None else bias.reshape(-1)

    def _backward_of_matrix(self, dy, cache, summed, needs_dx):
        (x, kept), (W, _) = cache, self._matrix_and_bias(summed)
        dx, dW, db = fused.affine_backward(
            dy.reshape(-1, W.shape[1]), kept, x.reshape(-1, len(W)), W, self.activation, needs_dx, self.trainable
        )
        grads = self.trained({"kernel": dW, "bias": db})
        grads = {name: d.reshape(self.params[name].shape) for name, d in grads.items()}
        return dx.reshape(x.shape) if needs_dx else None, grads

    def without_last_activation(self):
        return with_activation(self, activations.linear), self.activation

    # ---- the equation ----

    def _check_equation(self):
        """Raise ValueError unless every letter says what it has to."""
        terms = re.fullmatch(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?", self.equation)
        if not terms or terms[1] != terms[5] or terms[3] != terms[7] or (terms[1] and terms[3]):
            forms = '"x,kernel->y", "...x,kernel->...y" or "x...,kernel->y..."'
            raise self.error(f"equation must be {forms} with letters for axes, got {self.equation!r}")
        x, w, y = terms[2], terms[4], terms[6]
        for letters in (x, w, y):
            if len(set(letters)) != len(letters):
                raise self.error(f"a letter of {self.equation!r} stands twice for the same tensor")
        for c in y:
            if c not in x and c not in w:
                raise self.error(f"the letter {c!r} of the output is in neither input nor kernel of {self.equation!r}")
        for c in w:
            if c not in x and c not in y:
                raise self.error(f"the letter {c!r} of the kernel is in neither input nor output of {self.equation!r}")
        for c in x:
            if c not in w and c not in y:
                raise self.error(f"the letter {c!r} of {self.equation!r} is the input's alone: sum along it first")
        wrong = [c for c in self.bias_axes or () if c not in y]
        if wrong:
            raise self.error(f"bias_axes {self.bias_axes!r}: {wrong[0]!r} is no letter of the output {y!r}")
        given = len(self.output_shape) + (0 if terms[1] else 1)
        if given < len(y):  # what is there too much is not looked at, as in Keras
            raise self.error(f"output_shape {self.output_shape} does not fit the output of {self.equation!r}")

    def _letters(self, ndim):
        """The letters of x, the kernel and y, with further ones for the axes of "..." of an x with `ndim` axes."""
        letters = _letters(self.equation, ndim)
        if letters is None:
            raise self.error(f"the equation {self.equation!r} does not fit an input with {ndim} axes")
        return letters

    def _sizes(self, input_shape):
        """The size of each letter's axis."""
        x, w, y = self._letters(len(input_shape))
        sizes = dict(zip(x, input_shape))
        left = self.equation.startswith("...")
        start = len(y) - len(self.output_shape) if left else 1
        for c, size in zip(y[start:], self.output_shape):
            if size is not None and sizes.get(c) not in (None, size):
                raise self.error(f"{self.equation!r}: {c!r} is {sizes[c]} in {input_shape} and {size} in output_shape")
            sizes[c] = sizes.get(c) if size is None else size
        if self.built:
            for c, size in zip(w, self.params["kernel"].shape):
                if sizes[c] not in (None, size):
                    raise self.error(f"{self.equation!r} expected {c!r} to be {size}, got an input of {input_shape}")
        return sizes


@functools.lru_cache(maxsize=64)  # the same at every step
def _letters(equation, ndim):
    """See `EinsumDense._letters`; None where x cannot have so many axes."""
    x, w, y = equation.replace("->", ",").split(",")
    elided = ndim - len(x.replace("...", ""))
    if elided != 0 and (elided < 0 or "..." not in x) or (elided == 0 and x.startswith("...")):
        return None
    spare = [c for c in string.ascii_letters if c not in equation]
    return tuple(term.replace("...", "".join(spare[:elided])) for term in (x, w, y))
