"""Random arrays and symbolic tensors, under the names of `keras.random`; see `scratchnet.ops.random`.

How the library's own random numbers are drawn stands in `scratchnet.streams`.
"""

from typing import TYPE_CHECKING

from scratchnet.missing import refusal
from scratchnet.ops.random import (
    SeedGenerator,
    beta,
    binomial,
    categorical,
    dropout,
    gamma,
    normal,
    randint,
    shuffle,
    truncated_normal,
    uniform,
)

__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]
if not TYPE_CHECKING:
    __getattr__ = refusal(__name__)


def __dir__():
    return __all__
