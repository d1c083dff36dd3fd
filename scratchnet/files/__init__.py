"""Files: our own, and those of others."""

from typing import TYPE_CHECKING

from scratchnet import registry
from scratchnet.doors import door, opened
from scratchnet.missing import refusal

_PARTS = {
    "formats": (),
    "keras_models": (),
    "native": (),
    "onnx_writing": (),
    "pytorch": ("read_pytorch",),
    "safetensors": ("read_safetensors", "write_safetensors"),
    "torch_weights": (),
}

__all__ = ["read_pytorch", "read_safetensors", "write_safetensors"]
registry.import_when_missed("activations", opened(__name__, ["keras_words"]))  # one of Keras 2
if TYPE_CHECKING:
    from scratchnet.files import formats, keras_models, native, onnx_writing, torch_weights
    from scratchnet.files.pytorch import read_pytorch
    from scratchnet.files.safetensors import read_safetensors, write_safetensors
else:
    __getattr__ = door(__name__, _PARTS, refusal(__name__))


def __dir__():
    return __all__
