"""An ONNX graph as a model: node by node, each becomes a layer of ours, an operation, or a constant."""

import os

import numpy as np

from scratchnet import registry
from scratchnet.files.onnx_reading import layers, operations, shapes
from scratchnet.files.onnx_reading.folding import fold
from scratchnet.files.onnx_reading.protobuf import read_graph
from scratchnet.files.onnx_reading.values import Folded, Value
from scratchnet.files.reading import blaming
from scratchnet.layers import Input

_ROW_BY_ROW = ("Reshape", "Gemm", "Shape")  # what can be done to a Folded
HANDLERS = {**operations.HANDLERS, **shapes.HANDLERS, **layers.HANDLERS}


def load_onnx(filepath, name=None):
    """The model of an `.onnx` file.

    Its inputs and outputs are those of the file, with channels in front; between them the model works with channels
    last. Constants are computed once. The size of the batch is free, also where the file fixes it.

    Args:
        filepath: the file.
        name: of the model.

    Raises:
        FileNotFoundError: if there is no such file.
        ImportError: if the package onnx, which reads the file, is missing.
        ValueError: if the file is damaged; if an operation is not known or has attributes that are not, by name.
    """
    filepath = os.fsdecode(filepath)
    graph = read_graph(filepath)
    with blaming(filepath, "holds a graph that cannot become a model"):
        inputs, values = [], dict(graph.constants)
        for input_name, (shape, dtype) in graph.inputs.items():
            if not shape:
                raise ValueError(f"the input {input_name!r} has no axis of samples")
            integers = np.dtype(dtype).kind in "iub"
            batch_shape = (None, *shape[1:])
            tensor = Input(batch_shape=batch_shape, dtype="int32" if integers else "float32", name=_valid(input_name))
            inputs.append(tensor)
            values[input_name] = Value(tensor)
        context = Context(graph, values)
        for node in graph.nodes:
            context.run(node)
        outputs = [context.output(output) for output in graph.outputs]
        as_one = lambda tensors: tensors[0] if len(tensors) == 1 else tensors  # noqa: E731
        functional = registry.find("layers", "Functional")
        model = functional(as_one(inputs), as_one(outputs), name=name)
        for layer, weights in context.weights:
            layer.set_weights(weights)
    return model


def _valid(name):
    return name.replace("/", "_") or "input"


class Context:
    """The values by name, and what handlers need to know of the whole graph."""

    def __init__(self, graph, values):
        self.opset, self.values = graph.opset, values
        batches = {shape[0] for shape, _ in graph.inputs.values() if shape}
        self.fixed_batch = batches.pop() if len(batches) == 1 else None  # the size for which the graph was written
        self.weights = []  # (layer, list of arrays), set when the model is built
        self._read = {name for node in graph.nodes for name in node.inputs} | set(graph.outputs)

    def run(self, node):
        """Compute a node's outputs."""
        missing = [name for name in node.inputs if name and name not in self.values]
        if missing:
            raise ValueError(f"{described(node)} reads {missing[0][:100]!r}, which nobody has computed")
        inputs = [self.values[name] if name else None for name in node.inputs]
        try:
            outputs = None
            if not any(isinstance(value, (Value, Folded)) for value in inputs):
                outputs = fold(node, inputs)
            elif node.kind not in _ROW_BY_ROW and any(isinstance(value, Folded) for value in inputs):
                raise ValueError("it mixes samples")
            if outputs is None:
                if node.kind not in HANDLERS:
                    raise ValueError(f"there is nothing here that computes what {node.kind[:100]!r} does")
                outputs = HANDLERS[node.kind](self, node, inputs)
        except Exception as problem:
            raise ValueError(f"{described(node)}: {problem or type(problem).__name__}") from problem
        self.values.update(zip(node.outputs, outputs))

    def is_read(self, node, k):
        """Whether somebody reads the k-th output of a node."""
        return k < len(node.outputs) and node.outputs[k] in self._read

    def layer(self, layer, tensor, weights=(), **kwargs):
        """Apply a layer to a tensor; it gets the weights when the model is made."""
        self.weights.append((layer, [np.asarray(array) for array in weights]))
        return layer(tensor, **kwargs)

    def output(self, name):
        value = self.values.get(name)
        if not isinstance(value, Value):
            raise ValueError(f"the output {name[:100]!r} does not depend on the inputs")
        if value.rows != 1:
            raise ValueError(f"the output {name[:100]!r} has {value.rows} rows for each sample")
        return value.as_in_onnx()


def described(node):
    return f"the node {node.kind[:100]} {node.name[:100]!r}" if node.name else f"a node {node.kind[:100]}"
