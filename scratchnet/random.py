"""Random arrays and symbolic tensors, under the names of `keras.random`; see `scratchnet.ops.random`.

How the library's own random numbers are drawn stands in `scratchnet.streams`. `set_seed` is TensorFlow's name, for
programs that were written for `tf.keras`; `utils.set_random_seed` sets Python's and NumPy's generators as well.
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
from scratchnet.streams import set_seed

__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "set_seed",
    "shuffle",
    "truncated_normal",
    "uniform",
]
if not TYPE_CHECKING:
    __getattr__ = refusal(__name__)


def __dir__():
    return __all__
