"""Functions of arrays that come out of graphs.

A regularizer of somebody's own is a function of one array that gives one number: traced, it has a gradient. What lies
between tensors of a graph is a function of arrays (`scratchnet.backend.function`).
"""

import inspect
import weakref

import numpy as np

from scratchnet.graph.arguments import Spec, taken_apart
from scratchnet.graph.attributes import KeepsTraces
from scratchnet.graph.symbolic import KerasTensor, is_tensor
from scratchnet.graph.trace import trace
from scratchnet.graph.walk import Graph, sorted_nodes
from scratchnet.ops import sum as sum_of
from scratchnet.structure import flatten

_known = weakref.WeakKeyDictionary()  # from function to TracedFunction, which must not hold on to it


class HasNoWeights:
    """What is traced and is no layer: parameters of layers get no gradient in it."""

    sublayers = {}

    def named_arrays(self):
        return {}

    def random_streams(self):
        return {}

    def keys_of(self, graph):
        owner = next((node.layer for node in graph.nodes if node.trainable), None)
        if owner is not None:
            raise self.error(f"it uses the parameters of {owner.name!r}, which would get no gradient")
        return {}

    def error(self, message, kind=ValueError):
        return kind(f"function {self.name!r}: {message}")


class TracedFunction(HasNoWeights, KeepsTraces):
    """`function`, to be traced for each shape that it is applied to. Parameters of layers get no gradient here."""

    own_attributes = ("function", "name")

    def __init__(self, function):
        self.function = function
        self.name = getattr(function, "__name__", type(function).__name__)

    def call(self, x):
        y = self.function(x)
        return sum_of(y) if is_tensor(y) and y.shape else y

    def value_and_gradient(self, x):
        """``(f(x), df/dx)``; of an f that gives an array, its sum."""
        spec = Spec(x.shape, x.dtype.name)
        found = self.kept_trace(spec, lambda: self._trace(spec))
        [y], cache = found.graph.forward([x])
        [dx], _ = found.graph.backward([np.ones_like(y)], cache)
        return float(y), dx

    def _trace(self, spec):
        tensor = KerasTensor(spec.shape, spec.dtype, "x")
        arguments, _ = taken_apart(inspect.signature(self.call), {"x": tensor}, is_tensor, lambda t: spec)
        return trace(self, arguments, [False], False, spec.dtype)


def value_and_gradient(function, x):
    """``(f(x), df/dx)`` of a function that may bring its own ``gradient(x)``, and is traced otherwise."""
    gradient = getattr(function, "gradient", None)
    if gradient is not None:
        return float(function(x)), gradient(x)
    if function not in _known:
        _known[function] = TracedFunction(weakref.proxy(function))
    return _known[function].value_and_gradient(x)


def function(inputs, outputs, updates=None, name=None):
    """A function of arrays for `inputs` that gives arrays for `outputs`: what layers within a model put out.

    Args:
        inputs: symbolic tensors, a list of them or one.
        outputs: a list of those that depend on them, or one; the function returns a list, or one array.
        updates: None; a function changes nothing.

    Raises ValueError for an output that depends on something else.
    """
    if updates:
        raise TypeError("backend.function: updates are not supported; a function changes nothing")
    given, wanted = flatten(inputs), flatten(outputs)
    graph = Graph(given, wanted, sorted_nodes(given, wanted, ValueError))

    def run(values):
        arrays = [np.asarray(x) for x in (values if isinstance(inputs, (list, tuple)) else [values])]
        floats = [x.astype(t.dtype) if t.dtype.startswith("float") else x for x, t in zip(arrays, given)]
        ys, _ = graph.forward(floats)
        return ys if isinstance(outputs, (list, tuple)) else ys[0]

    run.__name__ = name or "function"
    return run
