"""A function of somebody's own as an activation, ``Dense(8, activation=lambda x: x * ops.sigmoid(x))``.

It is written with operations, so it can be traced, once for each shape of a sample; the graph is f, walked through
forward, and f' walked through backward. Of z alone the graph tells both, so z is what is kept.
"""

import inspect

import numpy as np

from scratchnet import registry
from scratchnet.activations import Activation
from scratchnet.graph.arguments import Spec, taken_apart
from scratchnet.graph.attributes import KeepsTraces
from scratchnet.graph.function import HasNoWeights
from scratchnet.graph.symbolic import KerasTensor, is_tensor
from scratchnet.graph.trace import trace
from scratchnet.ops.operation import is_symbolic


@registry.register("activations")
class OwnActivation(HasNoWeights, KeepsTraces, Activation):
    """``y = call(z)``, with the derivative that tracing finds.

    Raises:
        ValueError: where y has another shape than z, or samples of a batch meet.
        TypeError: where the function cannot be traced.
    """

    own_attributes = (
        *("call", "name", "__name__", "function", "gradient", "keeps", "parameters", "__signature__"),
        *("is_by_row", "is_elementwise"),
    )

    def __init__(self, call):
        name = getattr(call, "__name__", type(call).__name__)
        super().__init__(name, self._value, self._gradient, "z")
        self.call = call
        self.is_by_row = self.is_elementwise = False  # nobody knows

    def __call__(self, x, *args, **options):
        return self.call(x, *args, **options) if is_symbolic(x) else np.asarray(self.call(x, *args, **options))

    def __reduce__(self):
        return type(self), (self.call,)

    @property
    def written_as(self):
        return self.call

    def _value(self, z, out=None):
        return self.traced_for(z.shape, z.dtype.name).graph.forward([z])[0][0]

    def _gradient(self, dy, z):
        graph = self.traced_for(z.shape, z.dtype.name).graph
        _, cache = graph.forward([z])
        [dz], _ = graph.backward([dy], cache)
        return np.zeros_like(z) if dz is None else dz

    def traced_for(self, shape, dtype):
        """What tracing has found for z of this shape (N, ...)."""
        spec = Spec((None, *shape[1:]), dtype)
        return self.kept_trace(spec, lambda: self._trace(spec))

    def _trace(self, spec):
        z = KerasTensor(spec.shape, spec.dtype, "z")
        signature = inspect.Signature([inspect.Parameter("z", inspect.Parameter.POSITIONAL_OR_KEYWORD)])
        arguments, _ = taken_apart(signature, {"z": z}, is_tensor, lambda t: spec)
        found = trace(self, arguments, [False], False, spec.dtype)
        [y] = found.graph.outputs
        if y.shape != spec.shape:
            raise self.error(f"an activation keeps the shape; this one makes {y.shape} of {spec.shape}")
        if found.graph.rows_of_outputs([1]) != [1]:
            raise self.error("it looks across the samples of a batch; write a layer with call for that")
        return found
