"""Every entry of the table of activations: its derivative, and its values.

A gradient check compares a function with its own derivative and cannot tell whether it is the right function; so each
is written down here a second time, one number at a time.
"""

import math

import numpy as np

from scratchnet import activations
from scratchnet.gradient_check.catalogue.inputs import named, separated
from scratchnet.gradient_check.check import LINEAR, check_activation
from scratchnet.gradient_check.report import Report, compare


def _sigmoid(z):
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


# What each activation is, written down a second time and one number at a time: a gradient check compares a function
# with its own derivative and cannot tell whether it is the right function. (The softmaxes take a row, see below.)
_DEFINITIONS = {
    "linear": lambda z: z,
    "relu": lambda z: z if z > 0 else 0.0,
    "relu6": lambda z: min(max(z, 0.0), 6.0),
    "leaky_relu": lambda z: z if z > 0 else 0.2 * z,
    "elu": lambda z: z if z > 0 else math.expm1(z),
    "selu": lambda z: 1.0507009873554805 * (z if z > 0 else 1.6732632423543772 * math.expm1(z)),
    "sigmoid": _sigmoid,
    "hard_sigmoid": lambda z: min(max(z / 6 + 0.5, 0.0), 1.0),
    "tanh": math.tanh,
    "softsign": lambda z: z / (1 + abs(z)),
    "softplus": lambda z: math.log1p(math.exp(-abs(z))) + max(z, 0.0),
    "exponential": math.exp,
    "silu": lambda z: z * _sigmoid(z),
    "gelu": lambda z: z * math.erfc(-z / math.sqrt(2)) / 2,
    "celu": lambda z: z if z > 0 else math.expm1(z),
    "mish": lambda z: z * math.tanh(math.log1p(math.exp(-abs(z))) + max(z, 0.0)),
    "log_sigmoid": lambda z: min(z, 0.0) - math.log1p(math.exp(-abs(z))),
    "squareplus": lambda z: (z + math.sqrt(z * z + 4)) / 2,
    "sparse_plus": lambda z: z if z > 1 else max(z + 1, 0.0) ** 2 / 4,
    "sparse_sigmoid": lambda z: min(max((z + 1) / 2, 0.0), 1.0),
    "hard_silu": lambda z: z * min(max(z / 6 + 0.5, 0.0), 1.0),
    "hard_tanh": lambda z: min(max(z, -1.0), 1.0),
    "hard_shrink": lambda z: z if abs(z) > 0.5 else 0.0,
    "soft_shrink": lambda z: math.copysign(max(abs(z) - 0.5, 0.0), z),
    "tanh_shrink": lambda z: z - math.tanh(z),
    "threshold": lambda z: z if z > 0 else 0.0,
}


def check_values(activation):
    """Compare an activation's values with its definition, to 1e-12; a Report of one row."""
    z = np.linspace(-8, 8, 33)
    if activation.name in _DEFINITIONS:
        expected = [_DEFINITIONS[activation.name](value) for value in z.tolist()]
    elif activation.name == "sparsemax":
        expected = [0.0] * 31 + [0.25, 0.75]  # 7.5 and 8, each less 7.25
    else:
        total = math.fsum(math.exp(value) for value in z.tolist())
        log = activation.name == "log_softmax"
        expected = [value - math.log(total) if log else math.exp(value) / total for value in z.tolist()]
    return Report(activation.name, [compare("value", np.array(expected), activation(z[None])[0], LINEAR, 0.0)])


def check_activations(rng):
    """Every entry of the table of activations: its derivative, and its values."""
    for name in activations.names():
        z = separated(rng, (4, 6)) / 0.7 * 1.0137  # no distance is 1, where sparsemax has kinks
        yield named(f"activation {name}", check_activation(activations.get(name), z))
        yield named(f"activation {name}", check_values(activations.get(name)))
