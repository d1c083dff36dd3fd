"""What a PyTorch file is made of: storages (rows of numbers) and tensors (views of them, with shape and strides)."""

import math

import numpy as np

from scratchnet.files.bfloat16 import from_bfloat16
from scratchnet.files.pickled_arrays import NAMES, Record, is_shape

_STORAGES = {
    "DoubleStorage": "f8", "FloatStorage": "f4", "HalfStorage": "f2", "BFloat16Storage": "bfloat16",
    "LongStorage": "i8", "IntStorage": "i4", "ShortStorage": "i2", "CharStorage": "i1", "ByteStorage": "u1",
    "BoolStorage": "b1", "ComplexDoubleStorage": "c16", "ComplexFloatStorage": "c8", "UntypedStorage": "u1",
}  # fmt: skip
_DTYPES = {
    "float64": "f8", "float32": "f4", "float16": "f2", "bfloat16": "bfloat16", "int64": "i8", "int32": "i4",
    "int16": "i2", "int8": "i1", "uint8": "u1", "bool": "b1", "complex128": "c16", "complex64": "c8",
    "uint16": "u2", "uint32": "u4", "uint64": "u8",
}  # fmt: skip


class StorageType:
    """A class of storages or a dtype, which a pickle names and passes on."""

    def __init__(self, code):
        self.code = code
        self.itemsize = 2 if code == "bfloat16" else np.dtype(code).itemsize


class Storage:
    """A row of `length` numbers of a `StorageType`: those from `start` on of what the file has under `key`."""

    def __init__(self, kind, key, length, start=0):
        self.kind, self.key, self.length, self.start = kind, key, length, start


class Tensor:
    """A view of a storage. It becomes an array when the storage has been read."""

    def __init__(self, storage, offset, shape, strides, kind=None):
        if not (isinstance(storage, Storage) and is_shape((offset,)) and is_shape(shape) and is_shape(strides)):
            raise ValueError("a tensor without a proper storage, shape or strides")
        if len(shape) != len(strides):
            raise ValueError(f"a tensor of shape {shape} with {len(strides)} strides")
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides
        self.kind = kind or storage.kind
        self.size = math.prod(shape)
        length = storage.length * storage.kind.itemsize // self.kind.itemsize
        last = offset + sum((n - 1) * stride for n, stride in zip(shape, strides))
        if self.size and last >= length:
            raise ValueError(f"a tensor of shape {shape} and strides {strides} leaves its storage of {length} numbers")
        # A few bytes, repeated by strides of 0, could fill any memory.
        if self.size > max(length, 1 << 20):
            raise ValueError(f"a tensor of shape {shape} in a storage of {length} numbers")

    def array(self, content, byte_order="<"):
        """The array, a copy, from the bytes of all of the storage. bfloat16 becomes float32."""
        if not self.size:
            return np.empty(self.shape, "f4" if self.kind.code == "bfloat16" else self.kind.code)
        bfloat16 = self.kind.code == "bfloat16"
        dtype = np.dtype(byte_order + ("u2" if bfloat16 else self.kind.code))
        row = np.frombuffer(content, dtype)[self.storage.start + self.offset :]
        view = np.lib.stride_tricks.as_strided(row, self.shape, [s * dtype.itemsize for s in self.strides])
        return from_bfloat16(view) if bfloat16 else view.astype(dtype.newbyteorder("="))


def _tensor(storage, offset, shape, strides, *_):  # requires_grad, backward_hooks, metadata
    return Tensor(storage, offset, shape, strides)


def _tensor_of_dtype(storage, offset, shape, strides, _requires_grad, _hooks, kind, *_):
    if not isinstance(kind, StorageType):
        raise ValueError("a tensor without a dtype")
    return Tensor(storage, offset, shape, strides, kind)


def _parameter(data, *_):  # requires_grad, backward_hooks, state
    return data


def _from_type(function, _kind, arguments, _state):
    """A tensor with attributes of its own: `function` is one of the above."""
    if function not in (_tensor, _tensor_of_dtype, _parameter) or not isinstance(arguments, tuple):
        raise ValueError("a tensor of somebody's own class")
    return function(*arguments)


TORCH_NAMES = {
    **NAMES,
    **{("torch", name): StorageType(code) for name, code in (*_STORAGES.items(), *_DTYPES.items())},
    ("torch.storage", "UntypedStorage"): StorageType("u1"),
    ("torch", "Size"): lambda sizes=(): tuple(sizes),
    ("torch", "device"): Record,
    ("torch", "Tensor"): "Tensor",
    ("torch.nn.parameter", "Parameter"): "Parameter",
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_tensor_v3"): _tensor_of_dtype,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _parameter,
    ("torch._tensor", "_rebuild_from_type_v2"): _from_type,
}
