"""Files: our own, and those of others."""

from scratchnet.files.pytorch import read_pytorch
from scratchnet.files.safetensors import read_safetensors, write_safetensors

__all__ = ["read_pytorch", "read_safetensors", "write_safetensors"]


def __dir__():
    return __all__
