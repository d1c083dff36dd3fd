"""What an ONNX file says, as plain Python: nodes, attributes, and arrays that are as large as they claim."""

import math
import os
from typing import NamedTuple

import numpy as np

from scratchnet.files.bfloat16 import from_bfloat16
from scratchnet.files.reading import file_size, reading
from scratchnet.optional import require

# By the number of a data type in onnx.proto: the dtype of raw_data, and the field that else holds the numbers.
_TYPES = {
    1: ("<f4", "float_data"),
    2: ("u1", "int32_data"),
    3: ("i1", "int32_data"),
    4: ("<u2", "int32_data"),
    5: ("<i2", "int32_data"),
    6: ("<i4", "int32_data"),
    7: ("<i8", "int64_data"),
    9: ("?", "int32_data"),
    10: ("<f2", "int32_data"),
    11: ("<f8", "double_data"),
    12: ("<u4", "uint64_data"),
    13: ("<u8", "uint64_data"),
    16: ("bfloat16", "int32_data"),
}


class Node(NamedTuple):
    """One operation: its inputs and outputs by name ("" for one that is left out), its attributes as plain values."""

    kind: str
    name: str
    inputs: list
    outputs: list
    attributes: dict


class Graph(NamedTuple):
    opset: int
    inputs: dict  # name -> (shape with None, dtype)
    outputs: list
    constants: dict  # name -> array
    nodes: list


def read_graph(filepath):
    """The `Graph` of an `.onnx` file.

    Raises:
        FileNotFoundError: if there is no such file.
        ImportError: if the package onnx is missing.
        ValueError: if the file is damaged, or its arrays are in files that do not lie beside it.
    """
    onnx = require("onnx")
    with reading(filepath, "model in an ONNX file") as file:
        model = onnx.ModelProto()
        model.ParseFromString(file.read())
        graph = model.graph
        opsets = [opset.version for opset in model.opset_import if opset.domain in ("", "ai.onnx")]
        if not opsets or not graph.output:
            raise ValueError("there is no graph in it")
        others = _FilesBeside(filepath)
        constants = {tensor.name: array_of(tensor, others) for tensor in graph.initializer}
        inputs = {i.name: _type_of(i) for i in graph.input if i.name not in constants}
        nodes = [_node(node) for node in graph.node]
        return Graph(opsets[0], inputs, [output.name for output in graph.output], constants, nodes)


class _FilesBeside:
    """The files in the same folder that hold arrays of an `.onnx` file, as PyTorch writes large ones."""

    def __init__(self, filepath):
        self._folder, self._left = os.path.dirname(os.fsdecode(filepath)), {}

    def read(self, tensor, length):
        """The bytes of a tensor. All that is read of a file is no more than it has."""
        entries = {entry.key: entry.value for entry in tensor.external_data}
        name, offset = entries.get("location", ""), int(entries.get("offset", 0))
        if not name or name != os.path.basename(name) or "\\" in name:
            raise ValueError(f"the array {tensor.name[:100]!r} is in {name[:100]!r}, which is no file beside it")
        if int(entries.get("length", length)) != length or offset < 0:
            raise ValueError(f"the array {tensor.name[:100]!r} needs {length} bytes")
        with reading(os.path.join(self._folder, name), f"file of arrays, for {tensor.name[:100]!r}") as file:
            left = self._left.setdefault(name, file_size(file))
            if left < length:
                raise ValueError("it has less than the arrays in it need")
            self._left[name] -= length
            file.seek(offset)
            return file.read(length)


def _type_of(value):
    tensor = value.type.tensor_type
    code = _TYPES.get(tensor.elem_type)
    if code is None or not tensor.HasField("shape"):
        raise ValueError(f"the input {value.name[:100]!r} has no shape, or is no array of numbers")
    shape = tuple(d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else None for d in tensor.shape.dim)
    return shape, code[0]


def _node(node):
    if node.domain not in ("", "ai.onnx"):
        raise ValueError(f"the operation {node.op_type[:100]!r} of the domain {node.domain[:100]!r} is not read")
    attributes = {attribute.name: _value(attribute) for attribute in node.attribute}
    return Node(node.op_type, node.name, list(node.input), list(node.output), attributes)


def _value(attribute):
    """The value of an attribute: a number, a text, an array, a list of numbers or texts; None for what is not read."""
    kind = attribute.type
    if kind in (1, 2):
        return attribute.f if kind == 1 else attribute.i
    if kind == 3:
        return attribute.s.decode()
    if kind == 4:
        return array_of(attribute.t)
    if kind in (6, 7):
        return list(attribute.floats if kind == 6 else attribute.ints)
    return [text.decode() for text in attribute.strings] if kind == 8 else None


def array_of(tensor, others=None):
    """The array of a TensorProto. Raises ValueError unless there are as many numbers as its shape says.

    `others` is asked for arrays in other files.
    """
    name, shape, elsewhere = tensor.name[:100], tuple(tensor.dims), tensor.data_location == 1
    if elsewhere and others is None:
        raise ValueError(f"the array {name!r} is in another file, which is not read")
    if tensor.data_type not in _TYPES or len(shape) > 32 or min(shape, default=0) < 0:
        raise ValueError(f"the array {name!r} has a type or shape that is not read")
    code, field = _TYPES[tensor.data_type]
    dtype = np.dtype("<u2" if code == "bfloat16" else code)
    if elsewhere or tensor.HasField("raw_data"):
        length = math.prod(shape) * dtype.itemsize
        raw = others.read(tensor, length) if elsewhere else tensor.raw_data
        if len(raw) != length:
            raise ValueError(f"the array {name!r} of shape {shape} has {len(raw)} bytes")
        array = np.frombuffer(raw, dtype)
    else:
        numbers = getattr(tensor, field)
        if len(numbers) != math.prod(shape):
            raise ValueError(f"the array {name!r} of shape {shape} has {len(numbers)} numbers")
        bits = np.uint16 if code in ("bfloat16", "<f2") else dtype  # halves stand as their bits
        array = np.array(numbers, np.int64 if bits is np.uint16 else None).astype(bits).view(dtype)
    array = array.reshape(shape)
    return from_bfloat16(array) if code == "bfloat16" else array.astype(dtype.newbyteorder("="))
