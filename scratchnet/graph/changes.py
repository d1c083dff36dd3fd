"""Weights that `call` assigns: ``self.total.assign_add(ops.sum(x, axis=0))``.

A graph changes nothing while it is walked through. What is assigned to state, a weight that no optimizer trains, is one
more output of it; the layer takes that up when the step is over (`remember`), and what `call` reads from then on is the
new value, as a constant. What is assigned to a parameter, ``self.kernel.assign(self.kernel * self.mask)``, is something
that the parameter has to obey: it cannot depend on the data, and is brought about before the first use and after every
step of the optimizer. Either way the gradient of what reads the weight is the weight's own.
"""

from scratchnet.graph.walk import Graph, sorted_nodes
from scratchnet.ops import cast, stop_gradient


class Changes:
    """The assignments in one trace of `call` of `layer`.

    Attributes:
        of_state: dict from `Variable` to the tensor that is its new value.
        of_parameters: list of ``(variable, graph)``; the graph computes the value from parameters alone.
    """

    def __init__(self, layer):
        self.layer = layer
        self.of_state = {}
        self.of_parameters = []

    def value_of(self, variable):
        """The tensor that a weight was assigned, or None."""
        return self.of_state.get(variable)

    def assign(self, variable, value, leaves):
        """Take up an assignment; `leaves` are those of the trace so far.

        Raises ValueError for a value of another shape, TypeError for what cannot be traced.
        """
        tensor = value.as_tensor()
        if tensor.shape != variable.shape:
            raise ValueError(f"the weight {variable.path!r} has shape {variable.shape}, got {tensor.shape}")
        if variable.key in variable.layer._params:
            nodes = sorted_nodes(leaves, [tensor], lambda text: _of_data(variable, text))
            self.of_parameters.append((variable, Graph([], [tensor], nodes, leaves)))
        elif variable.layer is self.layer:
            self.of_state[variable] = stop_gradient(cast(tensor, variable.dtype.name))
        else:
            raise TypeError(
                f"assignment to {variable.path!r} inside call of another layer: state is assigned by the layer that "
                "has it"
            )

    def bring_about(self):
        """Give the parameters what they have to obey."""
        for variable, graph in self.of_parameters:
            [value], _ = graph.forward([])
            variable.array[...] = value

    def remember(self, values):
        """Move the state on to `values`, the last outputs of the graph, and have the parameters obey."""
        for variable, value in zip(self.of_state, values):
            variable.array[...] = value
        self.bring_about()

    def __bool__(self):
        return bool(self.of_state or self.of_parameters)


def _of_data(variable, text):
    return TypeError(
        f"assignment to {variable.path!r} inside call: a parameter is trained by gradients, and what call assigns to "
        f"it must not depend on the data ({text})"
    )
