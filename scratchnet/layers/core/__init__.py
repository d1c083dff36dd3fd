"""The layers that most models are made of."""

from scratchnet.layers.core.dense import Dense
from scratchnet.layers.core.input_layer import Input, InputLayer

__all__ = [
    "Dense",
    "Input",
    "InputLayer",
]
