"""Writes down what a model computes while it computes it."""

from dataclasses import dataclass, field
from typing import Any

from scratchnet.structure import flatten


@dataclass
class Record:
    """One use of a layer or an operation, and what is within it."""

    node: Any
    x: Any = None
    y: Any = None
    cache: Any = None
    dy: Any = None  # None where no gradient was needed
    dxs: list | None = None  # of the inputs, flat; None where nobody wanted it
    grads: dict = field(default_factory=dict)  # by the names of the layer's parameters
    went_back: bool = False
    children: list = field(default_factory=list)


class Recorder:
    """Told by the walks of `scratchnet.graph.walk`; `records` are those of the outermost graph, in their order."""

    def __init__(self):
        self.records = []
        self._within = []  # the records that are open, the outermost first

    @property
    def _here(self):
        return self._within[-1].children if self._within else self.records

    def enter(self, node):
        record = Record(node)
        self._here.append(record)
        self._within.append(record)

    def forward(self, node, x, y, cache):
        record = self._within.pop()
        record.x, record.y, record.cache = x, y, cache

    def enter_back(self, node):
        # The last use of this node that has not been gone back through: uses are undone in reverse order.
        self._within.append(next(r for r in reversed(self._here) if r.node is node and not r.went_back))

    def backward(self, node, dy, dxs, grads):
        record = self._within.pop()
        record.went_back, record.dy = True, dy
        found = {}
        for tensor, d in dxs:
            if d is not None:
                found[tensor] = d if tensor not in found else found[tensor] + d
        record.dxs = [found.get(tensor) for tensor in flatten(node.inputs)] if found else None
        record.grads = {name: d for (_, name), d in grads.items()}
