"""Layers that make one tensor of several."""

from scratchnet.layers.merging.add import Add, add
from scratchnet.layers.merging.average import Average, average
from scratchnet.layers.merging.concatenate import Concatenate, concatenate
from scratchnet.layers.merging.dot import Dot, dot
from scratchnet.layers.merging.maximum import Maximum, maximum
from scratchnet.layers.merging.minimum import Minimum, minimum
from scratchnet.layers.merging.multiply import Multiply, multiply
from scratchnet.layers.merging.subtract import Subtract, subtract

__all__ = [
    "Add",
    "Average",
    "Concatenate",
    "Dot",
    "Maximum",
    "Minimum",
    "Multiply",
    "Subtract",
    "add",
    "average",
    "concatenate",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]
