"""A model as an ONNX file: the nodes of its graph, one after the other, those of nested models in place."""

import copy
import inspect

import numpy as np

from scratchnet import activations
from scratchnet.files.onnx_writing import (
    attention,
    capsules,
    layers,
    lookups,
    operations,
    preprocessing,
    recurrent,
    sounds,
    steps,
    windows,
)
from scratchnet.files.onnx_writing.activations import activation
from scratchnet.files.onnx_writing.masks import mask_of_output
from scratchnet.files.onnx_writing.writer import IR_VERSION, ML_OPSET, OPSET, Value, Writer, tensor_type
from scratchnet.files.replace import replacing
from scratchnet.graph.nodes import MaskNode
from scratchnet.layers.base import with_activation
from scratchnet.layers.preprocessing.images.image_layer import ImageLayer
from scratchnet.structure import flatten

_ROOMS = (layers, windows, recurrent, steps, attention, capsules, preprocessing, sounds, lookups)
WRITERS = {name: write for room in _ROOMS for name, write in room.WRITERS.items()}


def export_onnx(model, filepath, overwrite=True):
    """Write `model`, as it predicts, to an `.onnx` file.

    Inputs and outputs are those of the model, in float32 (tokens in int32, words as strings), with channels last; the
    batch is free.

    Raises:
        ImportError: if the package onnx is missing.
        ValueError: for a layer or operation that cannot be written, by name.
        OSError: if the file cannot be written.
    """
    writer = ModelWriter()
    onnx = writer.onnx
    inputs = [Value(writer.unique(tensor.name), tensor.shape, dtype=_dtype(tensor.dtype)) for tensor in model.inputs]
    outputs, _ = writer.graph(model.graph, inputs)
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
    versions = {"": OPSET, **{node.domain: ML_OPSET for node in writer.nodes if node.domain}}
    opsets = [onnx.helper.make_opsetid(*version) for version in versions.items()]
    proto = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="scratchnet")
    with replacing(filepath, overwrite) as file:
        file.write(proto.SerializeToString())


def _dtype(dtype):
    if dtype == "string":
        return dtype
    kind = np.dtype(dtype).kind
    return "float32" if kind == "f" else "int32" if kind in "iu" else "bool"


def _info(onnx, name, value):
    shape = ["batch" if k == 0 else f"{name}_{k}" if n is None else n for k, n in enumerate(value.shape)]
    return onnx.helper.make_tensor_value_info(name, tensor_type(onnx, value.dtype), shape)


class ModelWriter(Writer):
    """A Writer that knows graphs and layers of ours."""

    def graph(self, graph, inputs, masks=()):
        """``(values, masks)`` of a graph's outputs, given those of its inputs; a mask may be None."""
        values, mask_of = dict(zip(graph.inputs, inputs)), dict(zip(graph.inputs, masks))
        for leaf in graph.leaves:
            array = np.asarray(leaf.array())
            dtype = "float32" if array.dtype.kind == "f" else "int64" if array.dtype.kind in "iu" else "bool"
            values[leaf] = Value(self.constant(array, dtype), array.shape, dtype=dtype)
        for node in graph.nodes:
            tensors = flatten(node.inputs)
            found, its_masks = [values[tensor] for tensor in tensors], [mask_of.get(tensor) for tensor in tensors]
            try:
                outputs, new_masks = self._node(node, found, its_masks, values)
            except Exception as problem:
                what = node.layer.name if node.layer is not None else getattr(node, "name", type(node).__name__)
                if isinstance(problem, ValueError) and "cannot be exported" in str(problem):
                    raise
                raise ValueError(f"{what!r} cannot be exported to ONNX: {problem}") from problem
            values.update(zip(flatten(node.outputs), outputs))
            mask_of.update(zip(flatten(node.outputs), new_masks))
        return [values[tensor] for tensor in graph.outputs], [mask_of.get(tensor) for tensor in graph.outputs]

    def _node(self, node, inputs, masks, values):
        layer = node.layer
        if isinstance(node, MaskNode):
            return inputs[:1], [self.cast(inputs[1], "bool")]
        if layer is None:
            return operations.write(self, node, values), []
        if node.training:
            raise ValueError("it is used with training=True")
        if hasattr(layer, "graph"):  # a model
            return self.graph(layer.graph, inputs, masks)
        if getattr(layer, "is_traced", False):
            return self._traced(node, inputs, masks)
        outputs = self.layer(layer, inputs, masks if node.reads_mask else (), node.options)
        if not node.masks_output:
            return outputs, []
        return outputs, [mask_of_output(self, layer, inputs, masks)] * (2 if _gives_both(layer) else 1)

    def layer(self, layer, inputs, masks=(), options=None):
        """The list of Values that a layer makes of inputs, and of their masks where there are any."""
        if hasattr(layer, "graph"):
            return self.graph(layer.graph, inputs, masks)[0]
        if getattr(layer, "is_traced", False):  # within another layer, which gives it one input and no mask
            found = layer.traced_for(inputs[0].shape)
            return self.graph(found.graph, inputs)[0][: len(flatten(found.outputs))]
        if getattr(layer, "data_format", None) == "channels_first":
            if getattr(layer, "ends_in_activation", False) and not layer.activation.is_elementwise:
                (z,) = self.layer(with_activation(layer, activations.linear), inputs, masks, options)
                return [activation(self, z, layer.activation)]
            inputs = [_moved(self, x, layer, to_last=True) for x in inputs]
            outputs = self.layer(_with_channels_last(layer), inputs, masks, options)
            return [_moved(self, y, layer, to_last=False) for y in outputs]
        names = [cls.__name__ for cls in type(layer).__mro__]
        write = next((WRITERS[name] for name in names if name in WRITERS), None)
        if write is None:
            raise ValueError(f"{type(layer).__name__} has no counterpart")
        options = dict(options or {})
        accepted = inspect.signature(write).parameters
        if any(mask is not None for mask in masks):
            if "masks" in accepted:
                options["masks"] = list(masks)
            elif "mask" in accepted:
                options["mask"] = masks[0]
            else:
                raise ValueError("it reads a mask, which cannot be written")
        unknown = [name for name in options if name not in accepted]
        if unknown:
            raise ValueError(f"it is called with {', '.join(unknown)}, which cannot be written")
        result = write(self, layer, *inputs, **options)
        return result if isinstance(result, list) else [result]

    def _traced(self, node, inputs, masks):
        """A layer that is written with `call`: the graph that was traced, which reads masks as further inputs."""
        traced = node.layer.traced(node.arguments, [mask is not None for mask in masks], False)
        given = [mask for mask in masks if mask is not None]
        values, new_masks = self.graph(traced.graph, [*inputs, *given], masks)
        count = len(flatten(traced.outputs))
        return values[:count], new_masks[:count] if traced.mask is None else [values[-1]]


def _gives_both(layer):
    """Whether a Bidirectional gives the outputs of both directions, each with the mask."""
    return getattr(layer, "merge_mode", "") is None


def _with_channels_last(layer):
    twin = copy.copy(layer)
    twin.data_format = "channels_last"
    return twin


def _moved(w, x, layer, to_last):
    """A tensor (..., C, S...) seen as (..., S..., C), or the other way round; what has no axes of space stays."""
    axes = getattr(layer, "axes", None)
    space = x.rank - 2 if not isinstance(axes, str) else len(axes)
    if isinstance(layer, ImageLayer):
        space = 2
    if space < 1 or x.rank < space + 2:
        return x
    order, first = list(range(x.rank)), x.rank - space - 1
    order.insert(x.rank - 1 if to_last else first, order.pop(first if to_last else -1))
    return w.transposed(x, order)
