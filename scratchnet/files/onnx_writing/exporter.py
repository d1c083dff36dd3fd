"""A model as an ONNX file: the nodes of its graph, one after the other, those of nested models in place."""

import numpy as np

from scratchnet.files.onnx_writing import attention, layers, operations, recurrent, windows
from scratchnet.files.onnx_writing.writer import IR_VERSION, OPSET, Value, Writer
from scratchnet.files.replace import replacing
from scratchnet.structure import flatten

WRITERS = {**layers.WRITERS, **windows.WRITERS, **recurrent.WRITERS, **attention.WRITERS}


def export_onnx(model, filepath, overwrite=True):
    """Write `model`, as it predicts, to an `.onnx` file.

    Inputs and outputs are those of the model, in float32 (tokens in int32), with channels last; the batch is free.

    Raises:
        ImportError: if the package onnx is missing.
        ValueError: for a layer or operation that cannot be written, by name.
        OSError: if the file cannot be written.
    """
    writer = ModelWriter()
    onnx = writer.onnx
    inputs = [Value(writer.unique(tensor.name), tensor.shape, dtype=_dtype(tensor.dtype)) for tensor in model.inputs]
    outputs = writer.graph(model.graph, inputs)
    names, infos = [], []
    for value, stem in zip(outputs, model.output_names):
        name = writer.unique(f"output_{stem}" if stem in [i.name for i in inputs] else stem)
        writer.nodes.append(
            onnx.helper.make_node("Identity", [writer.plain(value)], [name], name=writer.unique("output"))
        )
        names.append(name)
        infos.append(_info(onnx, name, value))
    graph = onnx.helper.make_graph(
        writer.nodes, model.name, [_info(onnx, value.name, value) for value in inputs], infos,
        [onnx.numpy_helper.from_array(array, name) for name, array in writer.constants.items()],
    )  # fmt: skip
    opset = onnx.helper.make_opsetid("", OPSET)
    proto = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION, producer_name="scratchnet")
    with replacing(filepath, overwrite) as file:
        file.write(proto.SerializeToString())


def _dtype(dtype):
    kind = np.dtype(dtype).kind
    return "float32" if kind == "f" else "int32" if kind in "iu" else "bool"


def _info(onnx, name, value):
    shape = ["batch" if k == 0 else f"{name}_{k}" if n is None else n for k, n in enumerate(value.shape)]
    return onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(np.dtype(value.dtype)), shape)


class ModelWriter(Writer):
    """A Writer that knows graphs and layers of ours."""

    def graph(self, graph, inputs):
        """The Values of a graph's outputs, given those of its inputs."""
        values = dict(zip(graph.inputs, inputs))
        for leaf in graph.leaves:
            array = np.asarray(leaf.value)
            dtype = "float32" if array.dtype.kind == "f" else "int64" if array.dtype.kind in "iu" else "bool"
            values[leaf] = Value(self.constant(array, dtype), array.shape, dtype=dtype)
        for node in graph.nodes:
            tensors = flatten(node.inputs)
            found = [values[tensor] for tensor in tensors]
            try:
                outputs = self._node(node, found, values)
            except Exception as problem:
                what = node.layer.name if node.layer is not None else getattr(node, "name", type(node).__name__)
                if isinstance(problem, ValueError) and "cannot be exported" in str(problem):
                    raise
                raise ValueError(f"{what!r} cannot be exported to ONNX: {problem}") from problem
            values.update(zip(flatten(node.outputs), outputs))
        return [values[tensor] for tensor in graph.outputs]

    def _node(self, node, inputs, values):
        if node.layer is None:
            return operations.write(self, node, values)
        if node.training:
            raise ValueError("it is used with training=True")
        if node.reads_mask:
            raise ValueError("it reads a mask, which ONNX does not have")
        return self.layer(node.layer, inputs, node)

    def layer(self, layer, inputs, node=None):
        """The list of Values that a layer makes of inputs."""
        if hasattr(layer, "graph"):  # a model
            return self.graph(layer.graph, inputs)
        if getattr(layer, "is_traced", False):
            return self._traced(layer, inputs, node)
        if getattr(layer, "data_format", None) == "channels_first":
            raise ValueError('it has data_format="channels_first"; build the model with channels last')
        names = [cls.__name__ for cls in type(layer).__mro__]
        write = next((WRITERS[name] for name in names if name in WRITERS), None)
        if write is None:
            raise ValueError(f"{type(layer).__name__} has no counterpart")
        if write in attention.WRITERS.values():
            result = write(self, layer, *inputs, **(node.options if node is not None else {}))
        else:
            result = write(self, layer, *inputs)
        return result if isinstance(result, list) else [result]

    def _traced(self, layer, inputs, node):
        """A layer that is written with `call`: the graph that was traced."""
        if node is None or node.arguments is None:
            raise ValueError("it is traced, and stands within another layer")
        masked = [tensor.masked for tensor in flatten(node.inputs)]
        traced = layer.traced(node.arguments, masked, False)
        return self.graph(traced.graph, inputs)[: len(flatten(traced.outputs))]
