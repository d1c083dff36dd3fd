"""Activation functions: those of `scratchnet.activations`, with the derivatives that stand there.

An entry of that table is an entry of this one; there is no second derivative of any of them.
"""

import inspect

import numpy as np

from scratchnet import activations
from scratchnet.ops.dtypes import floats
from scratchnet.ops.elementwise import clip, maximum, multiply
from scratchnet.ops.operation import operation, shape_of
from scratchnet.ops.selection import split
from scratchnet.ops.shapes import dtype


def _of_activation(activation, **defaults):
    """The operation of an entry of `scratchnet.activations`; `defaults` of its parameters where Keras's differ here."""
    positional, keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    parameters = list(inspect.signature(activation.function).parameters.values())[2:]  # without z and out
    names = [p.name for p in parameters]
    parameters = [
        # Keras has no defaults for what must be given by keyword there.
        p.replace(kind=positional, default=p.empty if p.kind is keyword else defaults.get(p.name, p.default))
        for p in parameters
    ]

    def f(x, **options):
        return activation.value(x, **options)

    def dx(dz, kept, *options):
        return activation.slope(dz, kept, **dict(zip(names, options)))

    kept = "z" if activation.keeps == "y" else "x"  # the result is y there and z here
    f.__signature__ = inspect.Signature([inspect.Parameter("x", positional), *parameters])
    dx.__signature__ = inspect.Signature([inspect.Parameter(name, positional) for name in ["dz", kept, *names]])
    activation.operation = operation(f, activation.name, x=dx, dtypes=floats, options=names)
    return activation.operation


_relu = _of_activation(activations.relu)
relu6 = _of_activation(activations.relu6)
leaky_relu = _of_activation(activations.leaky_relu)
elu = _of_activation(activations.elu)
selu = _of_activation(activations.selu)
celu = _of_activation(activations.celu)
sigmoid = _of_activation(activations.sigmoid)
log_sigmoid = _of_activation(activations.log_sigmoid)
tanh = _of_activation(activations.tanh)
softsign = _of_activation(activations.softsign)
softplus = _of_activation(activations.softplus)
squareplus = _of_activation(activations.squareplus)
silu = swish = _of_activation(activations.silu)
gelu = _of_activation(activations.gelu, approximate=True)
softmax = _of_activation(activations.softmax)
log_softmax = _of_activation(activations.log_softmax)
sparsemax = _of_activation(activations.sparsemax)
sparse_plus = _of_activation(activations.sparse_plus)
sparse_sigmoid = _of_activation(activations.sparse_sigmoid)
hard_sigmoid = _of_activation(activations.hard_sigmoid)
hard_silu = hard_swish = _of_activation(activations.hard_silu)
_hard_tanh = _of_activation(activations.hard_tanh)
hard_shrink = _of_activation(activations.hard_shrink)
soft_shrink = _of_activation(activations.soft_shrink)
tanh_shrink = _of_activation(activations.tanh_shrink)
threshold = _of_activation(activations.threshold)
# In Keras these two are functions of `keras.activations` only.
_of_activation(activations.mish)
_of_activation(activations.linear)


def relu(x):
    """``max(x, 0)``; of integers they stay such."""
    return _relu(x) if np.dtype(dtype(x)).kind == "f" else maximum(x, 0)


def hard_tanh(x):
    """x between -1 and 1, else the bound; of integers they stay such."""
    return _hard_tanh(x) if np.dtype(dtype(x)).kind == "f" else clip(x, -1, 1)


def glu(x, axis=-1):
    """The first half of an axis, times the sigmoid of the second (Dauphin et al. 2017)."""
    if shape_of(x)[axis] is not None and shape_of(x)[axis] % 2:
        raise ValueError(f"glu: axis {axis} of shape {shape_of(x)} has no two halves")
    first, second = split(x, 2, axis)
    return multiply(first, sigmoid(second))
