"""What a model is listed and drawn as: its inputs, each layer once, and each use of an operation."""

from dataclasses import dataclass

from scratchnet.structure import flatten


@dataclass
class Step:
    """A line of `summary`, or a box of `plot_model`.

    Attributes:
        name: "dense_1".
        kind: the layer's class, or the operation in the same spelling: "Dense", "GetItem".
        layer: None for an operation.
        nodes: the uses in the model's graph; none for an input.
        outputs: the symbolic outputs of the first use, as a list.
    """

    name: str
    kind: str
    layer: object
    nodes: list
    outputs: list

    @property
    def built(self):
        """Whether its parameters are there."""
        return self.layer is None or self.layer.built

    @property
    def parameters(self):
        """How many numbers it has, trained or not."""
        return 0 if self.layer is None or not self.built else self.layer.count_params()

    @property
    def trainable(self):
        return self.layer is not None and self.layer.trainable

    @property
    def dtype(self):
        return self.outputs[0].dtype


def steps_of(model):
    """The steps of a model, the inputs first, then in the order of the graph; its layers, while there is no graph.

    Layers that are attributes of a model with `call`, which does not use them, come last.
    """
    if not model.built or not model.knows_inputs:
        return [Step(layer.name, type(layer).__name__, layer, [], []) for layer in model.layers]
    found = {}
    for layer, tensor in zip(model.input_layers, model.inputs):
        found[layer] = Step(layer.name, type(layer).__name__, layer, [], [tensor])
    for node in model.nodes:
        what = node if node.layer is None else node.layer
        if what not in found:
            kind = _kind(node) if node.layer is None else type(node.layer).__name__
            found[what] = Step(node.name, kind, node.layer, [], flatten(node.outputs))
        found[what].nodes.append(node)
    unused = [layer for layer in model.layers if layer not in found] if model.is_traced else []
    return [*found.values(), *(Step(layer.name, type(layer).__name__, layer, [], []) for layer in unused)]


def sources_of(step, steps):
    """For each tensor that the step reads, use by use: ``(step, number of its use, number of its output)``."""
    makers = {tensor: (other, 0, 0) for other in steps if not other.nodes for tensor in other.outputs}
    for other in steps:
        for use, node in enumerate(other.nodes):
            makers.update((tensor, (other, use, place)) for place, tensor in enumerate(flatten(node.outputs)))
    return [makers[tensor] for node in step.nodes for tensor in flatten(node.inputs) if tensor in makers]


def _kind(node):
    """The operation's name as a class would be called; of a node of another kind, the class's own without "Node"."""
    operation = getattr(node, "operation", None)
    if operation is None:
        return type(node).__name__.removesuffix("Node")
    return "".join(word.capitalize() for word in operation.name.split("_"))
